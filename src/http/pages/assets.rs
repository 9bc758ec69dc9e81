//! Style sheets and scripts, inside the program. Their address holds a digest of them all, so that a browser may keep them for ever.

use std::io::Write;
use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse, web};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::super::error::{ApiError, Code};
use super::words;

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

macro_rules! assets {
    ($($name:literal: $kind:expr),* $(,)?) => {
        /// Name, content type, content.
        const ASSETS: &[(&str, &str, &str)] = &[$(($name, $kind, include_str!(concat!("assets/", $name)))),*];
    };
}
assets! {
    "desk.css": CSS,
    "icon.svg": "image/svg+xml",
    "desk.js": JAVASCRIPT,
    "api.js": JAVASCRIPT,
    "band.js": JAVASCRIPT,
    "keys.js": JAVASCRIPT,
    "live.js": JAVASCRIPT,
    "marks.js": JAVASCRIPT,
    "palette.js": JAVASCRIPT,
    "queue.js": JAVASCRIPT,
    "times.js": JAVASCRIPT,
    "toast.js": JAVASCRIPT,
}
/// The words as a module: scripts say nothing that is not in the file.
const WORDS: &str = "words.js";

/// Everything there is, compressed once: none of it is anybody's secret, so its size may be seen.
static COMPRESSED: LazyLock<Vec<(&str, &str, Vec<u8>)>> = LazyLock::new(|| {
    let words = format!("export default {};\n", words::for_scripts());
    let all = ASSETS.iter().map(|(name, kind, content)| (*name, *kind, (*content).to_owned()));
    let all = all.chain([(WORDS, JAVASCRIPT, words)]);
    all.map(|(name, kind, content)| (name, kind, gzip(content.as_bytes()))).collect()
});

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing to memory does not fail.
    let _ = encoder.write_all(content);
    encoder.finish().unwrap_or_default()
}

static DIGEST: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for (name, _, content) in ASSETS {
        hash.update(name);
        hash.update(content);
    }
    hash.update(words::FILE);
    hash.update(env!("CARGO_PKG_VERSION"));
    hex::encode(hash.finalize()).chars().take(12).collect()
});

/// The digest in the assets' addresses.
pub(super) fn digest() -> &'static str {
    &DIGEST
}

/// An asset; one of another digest is the newest all the same, but is not kept.
pub(super) async fn asset(
    request: HttpRequest,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (digest, name) = path.into_inner();
    let mut answer = HttpResponse::Ok();
    let lasting = if digest == *DIGEST { "public, max-age=31536000, immutable" } else { "no-store" };
    answer.insert_header(("cache-control", lasting)).insert_header(("vary", "accept-encoding"));
    let accepts = request.headers().get("accept-encoding").and_then(|value| value.to_str().ok());
    if accepts.is_some_and(|accepts| accepts.contains("gzip")) {
        let found = COMPRESSED.iter().find(|(known, ..)| *known == name);
        let (_, kind, content) =
            found.ok_or_else(|| ApiError::new(Code::NotFound, "there is no such file"))?;
        answer.insert_header(("content-encoding", "gzip"));
        return Ok(answer.content_type(*kind).body(content.as_slice()));
    }
    if name == WORDS {
        return Ok(answer
            .content_type(JAVASCRIPT)
            .body(format!("export default {};\n", words::for_scripts())));
    }
    let found = ASSETS.iter().find(|(known, ..)| *known == name);
    let (_, kind, content) = found.ok_or_else(|| ApiError::new(Code::NotFound, "there is no such file"))?;
    Ok(answer.content_type(*kind).body(*content))
}
