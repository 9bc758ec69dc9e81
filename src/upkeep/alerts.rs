//! Tells people when something needs them: a campaign begins, the queue grows old, callbacks die. By mail through a local relay, to a
//! chat that takes `{"text": "..."}`, or both; each thing once, and again only after a pause.

use std::time::Duration;

use lettre::message::Mailbox;
use lettre::{Message, SmtpTransport, Transport};
use serde_json::json;

use crate::config::Alerts;
use crate::store::records::{QueueFilter, Sites};
use crate::store::{Store, StoreError};
use crate::wire::outbound::agent;

/// How long a chat or relay may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Campaign cards looked at.
const MOST_CAMPAIGNS: usize = 50;
/// Milliseconds before a campaign that goes on is told of again: 30 days.
const ONCE: i64 = 30 * 24 * 3_600_000;

/// Looks, and says what is due.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn tell(store: &Store, rules: &Alerts, public_url: &str) -> Result<(), StoreError> {
    if rules.webhook.is_empty() && rules.mail_to.is_empty() {
        return Ok(());
    }
    for (subject, pause, text) in due(store, rules, public_url).await? {
        for (channel, send) in channels(rules) {
            let subject = format!("{channel}:{subject}");
            if !store.alert_due(subject.clone(), pause).await? {
                continue;
            }
            let (rules, said) = (rules.clone(), text.clone());
            let sent = tokio::task::spawn_blocking(move || send(&rules, &said)).await;
            if let Err(error) = sent.unwrap_or_else(|_| Err("the sending failed".to_owned())) {
                tracing::warn!(channel, error, text, "an alert was not sent; it is tried again");
                store.forget_alert(subject).await?;
            }
        }
    }
    Ok(())
}

/// What could be said now: its subject, the pause before it is said again, the words.
async fn due(
    store: &Store,
    rules: &Alerts,
    public_url: &str,
) -> Result<Vec<(String, i64, String)>, StoreError> {
    let mut all = Vec::new();
    let pause = rules.pause_minutes * 60_000;
    let campaigns = QueueFilter { kind: Some("campaign".to_owned()), ..QueueFilter::default() };
    for item in store.queue(Sites::All, campaigns, None, MOST_CAMPAIGNS).await? {
        let Some(campaign) =
            item.campaign.filter(|campaign| campaign.authors >= rules.campaign_authors as i64)
        else {
            continue;
        };
        all.push((
            format!("campaign:{}:{}", item.site, campaign.id),
            ONCE,
            format!(
                "A campaign on {}: {} comments by {} authors in {} threads read alike. {public_url}/queue/{}",
                item.site, campaign.size, campaign.authors, campaign.threads, item.id
            ),
        ));
    }
    let counts = store.counts(None).await?;
    let minutes = counts.oldest_seconds / 60;
    if counts.queue > 0 && minutes >= rules.backlog_minutes {
        let text = format!(
            "The review queue has {} cards; the oldest waits for {minutes} minutes. {public_url}/",
            counts.queue
        );
        all.push(("backlog".to_owned(), pause, text));
    }
    if counts.dead_letters > 0 {
        let text = format!(
            "{} callbacks were given up: decisions did not reach the CMS. `claque callbacks list` and `claque callbacks replay`.",
            counts.dead_letters
        );
        all.push(("callbacks".to_owned(), pause, text));
    }
    Ok(all)
}

/// A way to say something.
type Send = fn(&Alerts, &str) -> Result<(), String>;

/// The ways that are configured, by name.
fn channels(rules: &Alerts) -> Vec<(&'static str, Send)> {
    let mut channels: Vec<(&'static str, Send)> = Vec::new();
    if !rules.webhook.is_empty() {
        channels.push(("chat", to_chat));
    }
    if !rules.mail_to.is_empty() {
        channels.push(("mail", by_mail));
    }
    channels
}

fn to_chat(rules: &Alerts, text: &str) -> Result<(), String> {
    let body = json!({ "text": text }).to_string();
    let answer = agent(PATIENCE, rules.webhook_allow_private)
        .post(&rules.webhook)
        .header("content-type", "application/json")
        .send(body.as_bytes())
        .map_err(|error| error.to_string())?;
    if answer.status().is_success() {
        Ok(())
    } else {
        Err(format!("the chat answered {}", answer.status().as_u16()))
    }
}

fn by_mail(rules: &Alerts, text: &str) -> Result<(), String> {
    let mailbox = |address: &str| {
        address.parse::<Mailbox>().map_err(|error| format!("`{address}` is no mail address: {error}"))
    };
    let mut message = Message::builder()
        .from(mailbox(&rules.mail_from)?)
        .subject(format!("Claque: {}", text.chars().take(70).collect::<String>()));
    for address in &rules.mail_to {
        message = message.to(mailbox(address)?);
    }
    let message = message.body(text.to_owned()).map_err(|error| error.to_string())?;
    let (host, port) = rules.smtp.rsplit_once(':').unwrap_or((&rules.smtp, "25"));
    let port: u16 = port.parse().map_err(|_| format!("alerts.smtp = `{}` has no port", rules.smtp))?;
    let relay = SmtpTransport::builder_dangerous(host).port(port).timeout(Some(PATIENCE)).build();
    relay.send(&message).map(drop).map_err(|error| error.to_string())
}
