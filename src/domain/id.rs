//! Identifiers as the CMS wrote them: strings or integers outside, strings inside.

use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// An identifier of the outside world, kept as a string. JSON strings and integers are both accepted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Default)]
#[serde(transparent)]
pub struct Id(String);

impl Id {
    /// The most bytes of one: it must fit an address.
    pub const LONGEST: usize = 512;

    /// The identifier's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialSchema for Id {
    fn schema() -> RefOr<Schema> {
        let of = |kind| ObjectBuilder::new().schema_type(kind);
        OneOfBuilder::new().item(of(Type::String)).item(of(Type::Integer)).into()
    }
}

impl ToSchema for Id {}

impl From<&str> for Id {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Id {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdVisitor;
        impl Visitor<'_> for IdVisitor {
            type Value = Id;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id: a string or an integer")
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Id, E> {
                self.visit_string(value.to_owned())
            }

            fn visit_string<E: de::Error>(self, value: String) -> Result<Id, E> {
                if value.len() > Id::LONGEST {
                    return Err(E::custom(format!(
                        "an id has at most {} bytes, not {}",
                        Id::LONGEST,
                        value.len()
                    )));
                }
                Ok(Id(value))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Id, E> {
                Ok(Id(value.to_string()))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Id, E> {
                Ok(Id(value.to_string()))
            }
        }
        deserializer.deserialize_any(IdVisitor)
    }
}

/// Deserialises an optional id in which `null` and the empty string both mean "none".
///
/// # Errors
/// When the value is neither a string, an integer nor `null`.
pub fn optional_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Id>, D::Error> {
    Ok(Option::<Id>::deserialize(deserializer)?.filter(|id| !id.0.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_may_be_strings_or_integers() {
        for (json, expected) in
            [("\"a1\"", "a1"), ("17", "17"), ("-3", "-3"), ("18446744073709551615", "18446744073709551615")]
        {
            assert_eq!(serde_json::from_str::<Id>(json).unwrap().as_str(), expected);
        }
        for json in ["1.5", "null", "[]", "{}", "true"] {
            assert!(serde_json::from_str::<Id>(json).is_err(), "{json} is no id");
        }
    }
}
