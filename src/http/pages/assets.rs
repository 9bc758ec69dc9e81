//! Style sheets and scripts, inside the program. Their address holds a digest of them all, so that a browser may keep them for ever.

use std::sync::LazyLock;

use actix_web::{HttpResponse, web};
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
    "palette.js": JAVASCRIPT,
    "queue.js": JAVASCRIPT,
    "times.js": JAVASCRIPT,
    "toast.js": JAVASCRIPT,
}
/// The words as a module: scripts say nothing that is not in the file.
const WORDS: &str = "words.js";

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
pub(super) async fn asset(path: web::Path<(String, String)>) -> Result<HttpResponse, ApiError> {
    let (digest, name) = path.into_inner();
    let mut answer = HttpResponse::Ok();
    let lasting = if digest == *DIGEST { "public, max-age=31536000, immutable" } else { "no-store" };
    answer.insert_header(("cache-control", lasting));
    if name == WORDS {
        return Ok(answer
            .content_type(JAVASCRIPT)
            .body(format!("export default {};\n", words::for_scripts())));
    }
    let found = ASSETS.iter().find(|(known, ..)| *known == name);
    let (_, kind, content) = found.ok_or_else(|| ApiError::new(Code::NotFound, "there is no such file"))?;
    Ok(answer.content_type(*kind).body(*content))
}
