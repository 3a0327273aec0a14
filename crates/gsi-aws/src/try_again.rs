//! "Please try again after …": when the service says so itself.
//!
//! The spelling of the time is not documented, so all usual ones are read, and what is none of them is
//! ignored: then the policy's own pause holds.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};

/// The longest wait that a message can ask for: a clock that is wrong must not stop a run for days.
const WAIT_MAX: Duration = Duration::from_mins(15);

/// What comes before the time, in lower case.
const LEADS: [&str; 5] = ["try again after", "try again in", "try again at", "retry after", "retry-after"];

/// How long the message of an error asks to wait, at the moment `now`; at most 15 minutes.
///
/// Understood: seconds or milliseconds since 1970, RFC 3339 and its relatives, the dates of HTTP and of
/// Java, and spans such as `30 seconds`. A time that has just passed means "now"; one that is older than a
/// quarter of an hour says nothing.
pub(crate) fn wait_asked_for(message: &str, now: DateTime<Utc>) -> Option<Duration> {
    // ASCII only, so that positions are those of the message.
    let lower = message.to_ascii_lowercase();
    let start = LEADS.iter().find_map(|lead| lower.find(lead).map(|at| at + lead.len()))?;
    let rest = message.get(start..)?.trim_start_matches([' ', ':', '=', '"', '\'', '`', '<', '(']);
    if let Some(time) = date(rest) {
        return until(time, now);
    }
    let (number, unit) = number(rest)?;
    let seconds = match unit.as_str() {
        "ms" | "milliseconds" | "millisecond" => number / 1000.0,
        "s" | "sec" | "secs" | "second" | "seconds" => number,
        "m" | "min" | "mins" | "minute" | "minutes" => number * 60.0,
        _ => return until(since_1970(number)?, now),
    };
    // Clamped before it becomes a duration, which does not hold every number.
    Duration::try_from_secs_f64(seconds.min(WAIT_MAX.as_secs_f64())).ok()
}

fn until(time: DateTime<Utc>, now: DateTime<Utc>) -> Option<Duration> {
    match (time - now).to_std() {
        Ok(wait) => Some(wait.min(WAIT_MAX)),
        Err(_) => (now - time).to_std().is_ok_and(|ago| ago <= WAIT_MAX).then_some(Duration::ZERO),
    }
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    const ZONED: [&str; 4] = ["%+", "%Y-%m-%d %H:%M:%S%.f %z", "%a, %d %b %Y %H:%M:%S %z", "%Y%m%dT%H%M%S%z"];
    // Without a zone, or with the word for it: services speak UTC.
    // Without a fraction, too, since the full stop of the sentence may follow.
    const NAIVE: [&str; 8] = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S",
        "%Y%m%dT%H%M%S",
        "%a, %d %b %Y %H:%M:%S",
        "%a %b %e %H:%M:%S UTC %Y",
        "%a %b %e %H:%M:%S GMT %Y",
    ];
    let zoned = ZONED.iter().find_map(|form| DateTime::parse_and_remainder(text, form).ok());
    zoned.map(|(time, _)| time.to_utc()).or_else(|| {
        let naive = NAIVE.iter().find_map(|form| NaiveDateTime::parse_and_remainder(text, form).ok());
        naive.map(|(time, _)| time.and_utc())
    })
}

/// A number and the word behind it.
fn number(text: &str) -> Option<(f64, String)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let number: f64 = digits.trim_end_matches('.').parse().ok()?;
    let unit = rest.trim_start().chars().take_while(char::is_ascii_alphabetic).collect::<String>();
    Some((number, unit.to_ascii_lowercase()))
}

/// Seconds or milliseconds since 1970; smaller numbers mean something else.
fn since_1970(number: f64) -> Option<DateTime<Utc>> {
    const SECONDS: std::ops::Range<f64> = 1e9..1e11;
    const MILLISECONDS: std::ops::Range<f64> = 1e12..1e14;
    let milliseconds = if SECONDS.contains(&number) {
        number * 1000.0
    } else if MILLISECONDS.contains(&number) {
        number
    } else {
        return None;
    };
    #[expect(clippy::cast_possible_truncation, reason = "below 1e14")]
    DateTime::from_timestamp_millis(milliseconds as i64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

    use super::*;

    #[test]
    fn times_are_read_in_every_usual_spelling() {
        let now: DateTime<Utc> = "2026-11-21T06:00:00Z".parse().unwrap();
        let epoch = now.timestamp();
        let check = |when: &str, expect: Option<f64>| {
            for message in [format!("Too many requests. Please try again after {when}."), format!("retry after {when}")]
            {
                let wait = wait_asked_for(&message, now).map(|wait| wait.as_secs_f64());
                assert_eq!(wait, expect, "{message}");
            }
        };
        check(&(epoch + 40).to_string(), Some(40.0));
        check(&format!("{}.500", epoch + 40), Some(40.5));
        check(&((epoch + 40) * 1000 + 250).to_string(), Some(40.25));
        check("2026-11-21T06:00:40Z", Some(40.0));
        check("2026-11-21T06:00:40.500Z", Some(40.5));
        check("2026-11-21T08:00:40+02:00", Some(40.0));
        check("2026-11-21T06:00:40", Some(40.0));
        check("2026-11-21 06:00:40", Some(40.0));
        check("2026-11-21 06:00:40 UTC", Some(40.0));
        check("2026-11-21 08:00:40 +0200", Some(40.0));
        check("20261121T060040Z", Some(40.0));
        check("Sat, 21 Nov 2026 06:00:40 GMT", Some(40.0));
        check("Sat Nov 21 06:00:40 UTC 2026", Some(40.0));
        check("\"2026-11-21T06:00:40Z\"", Some(40.0));
        check("5 seconds", Some(5.0));
        check("1500 ms", Some(1.5));
        check("2 minutes", Some(120.0));
        check("2026-11-21T05:59:00Z", Some(0.0)); // just passed
        check("2026-11-21T05:00:00Z", None); // what would that mean?
        check("2026-11-22T06:00:00Z", Some(900.0)); // clamped
        check("90 minutes", Some(900.0));
        check("99999999999999999999999 seconds", Some(900.0));
        check("7", None);
        check("a while", None);
        check("2026-13-99T99:99:99Z", None);
        check("", None);
        check("…", None);
        assert_eq!(wait_asked_for("Rate exceeded", now), None);
        assert_eq!(wait_asked_for("Service is temporarily unavailable. Please try again.", now), None);
    }
}
