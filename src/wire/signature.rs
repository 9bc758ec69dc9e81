//! Signatures of deliveries, made and checked. Comparisons take the same time whatever differs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// HMAC-SHA256.
pub fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Whether one of the hexadecimal signatures `sha256=HEX` in a header is right for one of the secrets.
pub fn any_hex(header: &str, secrets: &[String], parts: &[&[u8]]) -> bool {
    let given: Vec<Vec<u8>> = header
        .split(',')
        .filter_map(|part| part.trim().strip_prefix("sha256="))
        .filter_map(|hex| hex::decode(hex.trim()).ok())
        .collect();
    let mut right = false;
    for secret in secrets {
        let expected = hmac(secret.as_bytes(), parts);
        for signature in &given {
            right |= bool::from(expected.as_slice().ct_eq(signature));
        }
    }
    right
}

/// The key behind a Standard Webhooks secret: `whsec_` and base64.
pub fn standard_key(secret: &str) -> Option<Vec<u8>> {
    STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).ok().filter(|key| key.len() >= 16)
}

/// A Standard Webhooks 1.0 signature, `v1,BASE64`, over `id.timestamp.body`.
pub fn standard(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Option<String> {
    let key = standard_key(secret)?;
    let head = format!("{id}.{timestamp}.");
    Some(format!("v1,{}", STANDARD.encode(hmac(&key, &[head.as_bytes(), body]))))
}

/// Whether a Standard Webhooks header holds a right signature for one of the secrets.
pub fn any_standard(header: &str, secrets: &[String], id: &str, timestamp: i64, body: &[u8]) -> bool {
    let mut right = false;
    for expected in secrets.iter().filter_map(|secret| standard(secret, id, timestamp, body)) {
        for signature in header.split_ascii_whitespace() {
            right |= bool::from(expected.as_bytes().ct_eq(signature.as_bytes()));
        }
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_webhooks_test_vector() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let (id, time, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(standard(secret, id, time, body).as_deref(), Some(expected));
        let secrets = ["whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(), secret.to_owned()];
        assert!(any_standard(&format!("v1a,xyz {expected}"), &secrets, id, time, body));
        assert!(!any_standard(expected, &secrets, id, time + 1, body));
        assert!(!any_standard(expected, &secrets[..1], id, time, body));
    }

    #[test]
    fn the_reference_library_accepts_what_we_sign() {
        let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
        let body = br#"{"type":"comment.decided"}"#;
        let now = chrono::Utc::now().timestamp();
        let signature = standard(secret, "msg_1", now, body).unwrap();
        let mut headers = http_headers();
        for (name, value) in [
            ("webhook-id", "msg_1".to_owned()),
            ("webhook-timestamp", now.to_string()),
            ("webhook-signature", signature),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        standardwebhooks::Webhook::new(secret).unwrap().verify(body, &headers).unwrap();
    }

    fn http_headers() -> http::HeaderMap {
        http::HeaderMap::new()
    }

    #[test]
    fn hexadecimal_signatures_of_several_secrets() {
        let secrets = ["coral-secret-0".to_owned()];
        let body = br#"{"ping":"OK"}"#;
        let header = "sha256=e44b2655fa5323aec0b61b016e31a39e2b5085d3830cf3be5937f0e97b15fe9d";
        assert!(any_hex(header, &["x".to_owned(), "discourse-secret".to_owned()], &[body]));
        assert!(!any_hex(header, &secrets, &[body]));
        assert!(!any_hex("sha256=zz", &secrets, &[body]) && !any_hex("", &secrets, &[body]));
    }
}
