//! The configuration: one TOML file, every key optional, unknown keys refused.
//!
//! [`Config`] holds the thresholds of judging, [`Service`] what the service needs beside them. A file is read into its raw form, the
//! environment is laid over it (`CLAQUE_SECTION__KEY=value`), then everything is checked at once: the first mistake is named with
//! its key. [`EXAMPLE`] shows every key with its default; a test keeps it true.

mod judging;
mod service;

pub use judging::{CampaignRules, Config, TextRules, ThreadRules};
pub use service::{
    Access, Alerts, Articles, Contacts, Hold, Plugin, PluginMode, Privacy, Review, Server, Service, Trust,
};

use serde::Deserialize;

/// Every key with its default, and what it means.
pub const EXAMPLE: &str = include_str!("example.toml");
/// Stands before the names of environment variables.
const PREFIX: &str = "CLAQUE_";

/// The whole file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// Thresholds.
    pub judging: Config,
    /// The service.
    pub service: Service,
}

/// The file as it is written.
#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct File {
    observe_only: bool,
    text: TextRules,
    thread: ThreadRules,
    campaign: CampaignRules,
    server: Server,
    access: Access,
    review: Review,
    hold: Hold,
    trust: Trust,
    privacy: Privacy,
    articles: Articles,
    alerts: Alerts,
    plugin: Vec<Plugin>,
}

impl Settings {
    /// Reads a TOML file's text; missing keys keep their defaults.
    ///
    /// # Errors
    /// Unknown keys, wrong types, and values outside their range, with the key's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::with_environment(text, std::iter::empty())
    }

    /// As [`Self::parse`], with variables of the environment laid over the file: `CLAQUE_TEXT__ALONE_P=0.001` is `[text] alone_p`.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn with_environment(
        text: &str,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, String> {
        let mut table: toml::Table = toml::from_str(text).map_err(|error| error.to_string())?;
        for (name, value) in variables {
            if name == "CLAQUE_OBSERVE_ONLY" {
                table.insert("observe_only".to_owned(), value_of(&value));
                continue;
            }
            let Some((section, key)) = name.strip_prefix(PREFIX).and_then(|name| name.split_once("__"))
            else {
                continue;
            };
            let (section, key) = (section.to_lowercase(), key.to_lowercase());
            let entry = table.entry(section.clone()).or_insert_with(|| toml::Table::new().into());
            let toml::Value::Table(section) = entry else {
                return Err(format!("{name}: `{section}` is no section"));
            };
            section.insert(key, value_of(&value));
        }
        // Read from text where nothing was laid over it: then mistakes come with line and column.
        let file: File = if text.is_empty() || table != toml::from_str(text).unwrap_or_default() {
            table.try_into().map_err(|error: toml::de::Error| error.to_string())?
        } else {
            toml::from_str(text).map_err(|error| error.to_string())?
        };
        let judging = Config {
            text: file.text,
            thread: file.thread,
            campaign: file.campaign,
            observe_only: file.observe_only,
        };
        judging.check()?;
        let service = Service {
            server: file.server,
            access: file.access,
            review: file.review,
            hold: file.hold,
            trust: file.trust,
            privacy: file.privacy,
            articles: file.articles,
            alerts: file.alerts,
            plugins: file.plugin,
        };
        service.check()?;
        Ok(Self { judging, service })
    }
}

/// A variable's value as TOML where it is some, else as a string.
fn value_of(text: &str) -> toml::Value {
    toml::from_str::<toml::Table>(&format!("x = {text}"))
        .ok()
        .and_then(|mut table| table.remove("x"))
        .unwrap_or_else(|| toml::Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_the_default_and_names_every_key() {
        let written: String =
            EXAMPLE.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line).to_owned() + "\n").collect();
        let mut settings = Settings::parse(&written).unwrap();
        let plugins = std::mem::take(&mut settings.service.plugins);
        assert_eq!(plugins.len(), 1, "the example plugin is written out as a comment");
        assert_eq!(settings, Settings::default());
        assert_eq!(Settings::parse(EXAMPLE).unwrap(), Settings::default());
        // Every field of every section stands in the example.
        let printed = format!("{:?}{:?}", Settings::default(), plugins);
        for field in printed.split([' ', '{']).filter_map(|word| word.strip_suffix(':')) {
            let structural =
                ["judging", "service", "text", "thread", "campaign", "server", "access", "review"];
            let more = ["hold", "trust", "privacy", "articles", "alerts", "plugins"];
            if !structural.contains(&field) && !more.contains(&field) {
                assert!(EXAMPLE.contains(field), "`{field}` is missing in example.toml");
            }
        }
    }

    #[test]
    fn the_environment_lies_over_the_file() {
        let variables = [
            ("CLAQUE_TEXT__ALONE_P", "0.001"),
            ("CLAQUE_ALERTS__WEBHOOK", "https://chat.example/x"),
            ("CLAQUE_DB", "claque.db"),
            ("CLAQUE_OBSERVE_ONLY", "true"),
            ("HOME", "/root"),
        ];
        let variables = || variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings =
            Settings::with_environment("[text]\nalone_p = 0.1\nalone_words = 9", variables()).unwrap();
        assert_eq!((settings.judging.text.alone_p, settings.judging.text.alone_words), (0.001, 9));
        assert_eq!(settings.service.alerts.webhook, "https://chat.example/x");
        assert!(settings.judging.observe_only);
        let wrong = [("CLAQUE_TEXT__ALONEP".to_owned(), "1".to_owned())].into_iter();
        assert!(Settings::with_environment("", wrong).unwrap_err().contains("alonep"));
    }
}
