//! How a CMS shows that a delivery is its own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::cms::generic::{Generic, TOLERANCE};
use crate::cms::{Adapter, Delivery, Refusal, Setup};
use crate::wire::signature;
use crate::wire::time;

const KINDS: &str = "hmac-sha256-hex, hmac-sha256-base64, standard-webhooks, header";

/// `[signature]` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    kind: String,
    header: Option<String>,
    prefix: Option<String>,
    timestamp_header: Option<String>,
    timestamp_prefix: Option<String>,
    id_header: Option<String>,
    signed: Option<String>,
}

/// A way to check deliveries.
#[derive(Debug)]
pub(super) enum Signing {
    /// Standard Webhooks 1.0: everything is fixed.
    Standard,
    /// A header holds the secret itself.
    Shared(Place),
    /// A header holds an HMAC-SHA256.
    Hmac(Hmac),
}

/// A header, and what stands in it before the part that counts.
#[derive(Debug)]
pub(super) struct Place {
    header: String,
    prefix: String,
}

#[derive(Debug)]
pub(super) struct Hmac {
    place: Place,
    decode: fn(&str) -> Option<Vec<u8>>,
    timestamp: Option<Place>,
    id_header: Option<String>,
    signed: Vec<Part>,
}

/// A part of what is signed.
#[derive(Debug, PartialEq)]
enum Part {
    Literal(String),
    Timestamp,
    Id,
    Body,
}

impl Signing {
    /// Checks what is written.
    pub(super) fn of(written: Written) -> Result<Self, String> {
        let decode: fn(&str) -> Option<Vec<u8>> = match written.kind.as_str() {
            "hmac-sha256-hex" => |text| hex::decode(text).ok(),
            "hmac-sha256-base64" => |text| STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok(),
            kind @ ("standard-webhooks" | "header") => {
                let is_standard = kind == "standard-webhooks";
                let extra = [
                    ("header", is_standard && written.header.is_some()),
                    ("prefix", is_standard && written.prefix.is_some()),
                    ("timestamp_header", written.timestamp_header.is_some()),
                    ("timestamp_prefix", written.timestamp_prefix.is_some()),
                    ("id_header", written.id_header.is_some()),
                    ("signed", written.signed.is_some()),
                ];
                if let Some((key, _)) = extra.iter().find(|(_, is_given)| *is_given) {
                    return Err(format!(
                        "`signature.{key}` means nothing with kind = \"{kind}\": take it out"
                    ));
                }
                if is_standard {
                    return Ok(Self::Standard);
                }
                return Ok(Self::Shared(Place::of("header", written.header, written.prefix)?));
            }
            other => return Err(format!("`signature.kind` is `{other}`; known are {KINDS}")),
        };
        let timestamp = match (&written.timestamp_header, &written.timestamp_prefix) {
            (None, None) => None,
            _ => Some(Place::of("timestamp_header", written.timestamp_header, written.timestamp_prefix)?),
        };
        let id_header =
            written.id_header.map(|name| header_name("signature.id_header", &name)).transpose()?;
        let default = if timestamp.is_some() { "{timestamp}.{body}" } else { "{body}" };
        let signed = parts(written.signed.as_deref().unwrap_or(default))?;
        let needs = [
            (Part::Timestamp, timestamp.is_some(), "timestamp_header"),
            (Part::Id, id_header.is_some(), "id_header"),
        ];
        if let Some((_, _, key)) = needs.iter().find(|(part, is_given, _)| signed.contains(part) && !is_given)
        {
            return Err(format!("`signature.signed` needs `signature.{key}`"));
        }
        if timestamp.is_some() && !signed.contains(&Part::Timestamp) {
            return Err("`signature.signed` leaves out {timestamp}: a time that is not signed protects nothing; sign it, or take \
                        `signature.timestamp_header` out"
                .to_owned());
        }
        let place = Place::of("header", written.header, written.prefix)?;
        Ok(Self::Hmac(Hmac { place, decode, timestamp, id_header, signed }))
    }

    /// See [`Adapter::verify`].
    pub(super) fn verify(
        &self,
        delivery: &Delivery<'_>,
        secrets: &[String],
    ) -> Result<Option<String>, Refusal> {
        match self {
            Self::Standard => Generic.verify(delivery, &Setup { secrets, settings: None }),
            Self::Shared(place) => {
                let given = place.whole(delivery).ok_or(Refusal::Signature)?;
                // Of a hash neither the bytes nor the length tell anything.
                let hash = |secret: &str| signature::hmac(b"shared secret", &[secret.as_bytes()]);
                let given = hash(&given);
                let is_right = known(secrets)
                    .fold(false, |right, secret| right | bool::from(hash(secret).as_slice().ct_eq(&given)));
                is_right.then_some(None).ok_or(Refusal::Signature)
            }
            Self::Hmac(hmac) => hmac.verify(delivery, secrets),
        }
    }
}

impl Hmac {
    fn verify(&self, delivery: &Delivery<'_>, secrets: &[String]) -> Result<Option<String>, Refusal> {
        let timestamp = self.timestamp.as_ref().and_then(|place| place.parts(delivery).into_iter().next());
        let id = self.id_header.as_ref().and_then(|name| delivery.header(name));
        let signed: Option<Vec<&[u8]>> = self
            .signed
            .iter()
            .map(|part| match part {
                Part::Literal(text) => Some(text.as_bytes()),
                Part::Timestamp => timestamp.as_deref().map(str::as_bytes),
                Part::Id => id.as_deref().map(str::as_bytes),
                Part::Body => Some(delivery.body),
            })
            .collect();
        let signed = signed.ok_or(Refusal::Signature)?;
        let given: Vec<Vec<u8>> =
            self.place.parts(delivery).iter().filter_map(|part| (self.decode)(part)).collect();
        let mut is_right = false;
        for secret in known(secrets) {
            let expected = signature::hmac(secret.as_bytes(), &signed);
            for signature in &given {
                is_right |= bool::from(expected.as_slice().ct_eq(signature));
            }
        }
        if !is_right {
            return Err(Refusal::Signature);
        }
        if let Some(timestamp) = timestamp {
            let at = time::of_text(&timestamp).ok_or(Refusal::Signature)?;
            if (delivery.now - at.timestamp_millis()).abs() > TOLERANCE * 1000 {
                return Err(Refusal::Stale(TOLERANCE));
            }
        }
        Ok(id)
    }
}

impl Place {
    fn of(key: &str, header: Option<String>, prefix: Option<String>) -> Result<Self, String> {
        let key = format!("signature.{key}");
        let header = header.ok_or_else(|| {
            format!("`{key}` is missing: write a header's name, such as \"x-cms-signature\"")
        })?;
        Ok(Self { header: header_name(&key, &header)?, prefix: prefix.unwrap_or_default() })
    }

    /// The header's value behind the prefix.
    fn whole(&self, delivery: &Delivery<'_>) -> Option<String> {
        let header = delivery.header(&self.header)?;
        header.trim().strip_prefix(self.prefix.as_str()).map(|value| value.trim().to_owned())
    }

    /// The parts of the header that have the prefix: `v1=` finds two in `t=1,v1=aa,v1=bb`. A comma in the prefix parts nothing.
    fn parts(&self, delivery: &Delivery<'_>) -> Vec<String> {
        if self.prefix.contains(',') {
            return self.whole(delivery).into_iter().collect();
        }
        let header = delivery.header(&self.header).unwrap_or_default();
        let parts = header.split(',').filter_map(|part| part.trim().strip_prefix(self.prefix.as_str()));
        parts.map(|value| value.trim().to_owned()).collect()
    }
}

/// What a template such as `v0:{timestamp}:{body}` puts together.
fn parts(template: &str) -> Result<Vec<Part>, String> {
    let wrong = |what: &str| {
        format!(
            "`signature.signed` is `{template}`: {what}; write {{body}}, {{timestamp}} and {{id}} with what stands between"
        )
    };
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, after) = behind.split_once('}').ok_or_else(|| wrong("a brace is not closed"))?;
        parts.push(Part::Literal(before.to_owned()));
        parts.push(match name {
            "timestamp" => Part::Timestamp,
            "id" => Part::Id,
            "body" => Part::Body,
            _ => return Err(wrong(&format!("`{{{name}}}` is unknown"))),
        });
        rest = after;
    }
    parts.push(Part::Literal(rest.to_owned()));
    let bodies = parts.iter().filter(|part| **part == Part::Body).count();
    if bodies == 1 { Ok(parts) } else { Err(wrong("{body} must stand in it once")) }
}

/// An empty secret would let everybody in.
fn known(secrets: &[String]) -> impl Iterator<Item = &str> {
    secrets.iter().map(String::as_str).filter(|secret| !secret.is_empty())
}

/// A header's name in lower case (RFC 9110, "token", without its stranger characters).
pub(super) fn header_name(key: &str, name: &str) -> Result<String, String> {
    let is_sound =
        !name.is_empty() && name.chars().all(|ch| ch.is_ascii_alphanumeric() || "-_.".contains(ch));
    is_sound
        .then(|| name.to_ascii_lowercase())
        .ok_or_else(|| format!("`{key}` is `{name}`: write a header's name, such as \"x-cms-signature\""))
}
