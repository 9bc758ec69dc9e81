//! Times as content systems and their exports write them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// From here on a number counts milliseconds: as seconds it would lie behind the year 5000, as milliseconds before 1974.
const MILLISECONDS_FROM: f64 = 1e11;
/// What lies behind the year 5000 even in milliseconds is a mistake.
const LATEST: f64 = 1e14;
/// A shorter text of digits is rather a year, or a day such as 20261125.
const FEWEST_DIGITS: usize = 9;

/// RFC 3339, also with a space for the `T` or without a colon in the zone; a date; a number in digits. Without a zone it is UTC.
pub fn of_text(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return if text.len() < FEWEST_DIGITS { None } else { of_number(number) };
    }
    let naive = || {
        let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
        let at = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
        let day = || Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_time(NaiveTime::MIN));
        at.or_else(day)
    };
    text.parse().ok().or_else(|| naive().map(|at| at.and_utc()))
}

/// Seconds or milliseconds since 1970.
pub fn of_number(number: f64) -> Option<DateTime<Utc>> {
    // Not a number is not less than anything.
    let is_plausible = number.abs() < LATEST;
    let milliseconds = if number.abs() < MILLISECONDS_FROM { number * 1000.0 } else { number };
    is_plausible.then(|| DateTime::from_timestamp_millis(milliseconds.round() as i64)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_time() {
        for (written, expected) in [
            ("2026-11-25T10:00:00+01:00", Some("2026-11-25T09:00:00Z")),
            ("2026-11-25T09:00:00.25Z", Some("2026-11-25T09:00:00.25Z")),
            ("2026-11-25 10:00:00+0100", Some("2026-11-25T09:00:00Z")),
            ("2026-11-25 09:00:00", Some("2026-11-25T09:00:00Z")),
            ("2026-11-25T09:00:00", Some("2026-11-25T09:00:00Z")),
            (" 2026-11-25", Some("2026-11-25T00:00:00Z")),
            ("1795597200", Some("2026-11-25T09:00:00Z")),
            ("1795597200.5", Some("2026-11-25T09:00:00.5Z")),
            ("1795597200250", Some("2026-11-25T09:00:00.25Z")),
            ("-100000000", Some("1966-10-31T14:13:20Z")),
            ("20261125", None),
            ("1795597200000000", None),
            ("nan", None),
            ("inf", None),
            ("25.11.2026", None),
            ("2026-11-25T25:00:00Z", None),
            ("", None),
        ] {
            assert_eq!(of_text(written), expected.map(|time| time.parse().unwrap()), "{written}");
        }
    }
}
