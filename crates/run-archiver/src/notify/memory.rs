//! What is remembered from one execution to the next: who was told what, and the figures of each stage.
//!
//! `.notifications.json` in the work directory, written under the program's lock. It may be removed: then the same
//! failures are told once more, and counters begin at zero.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use run_pipeline::Stage;
use serde::{Deserialize, Serialize};
use statefile::{DecodeError, Document, Version};

use super::figures::Figures;
use crate::present;

/// The newest form of the file. 1.0: the first.
const VERSION: Version = Version::new(1, 0);

/// More is not remembered, whatever happens.
const TOLD_MAX: usize = 200;

/// The document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Memory {
    version: Version,
    told: Vec<Told>,
    /// By stage, as answers name it.
    pub(crate) stages: BTreeMap<String, Figures>,
}

/// One message that was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Told {
    channel: String,
    stage: String,
    trouble: String,
    #[serde(with = "seconds")]
    at: DateTime<Utc>,
    /// How many of the same were not sent since.
    held_back: u64,
}

/// Whether a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is.
    Send(HeldBack),
    /// The same was told a short time ago.
    HoldBack,
}

/// Messages that were not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct HeldBack {
    /// How many.
    pub(crate) count: u64,
    /// When the first of them was told, instead of which they were held back.
    pub(crate) since: Option<DateTime<Utc>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { version: VERSION, told: Vec::new(), stages: BTreeMap::new() }
    }
}

impl Document for Memory {
    const KIND: &'static str = "memory of notifications";
    const VERSION: Option<Version> = Some(VERSION);

    fn decode(text: &str) -> Result<Self, DecodeError> {
        Ok(serde_json::from_str(text)?)
    }

    fn encode(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

impl Memory {
    /// Whether `trouble` of `stage` is told on `channel` at `now`.
    pub(crate) fn judge(
        &self,
        channel: &str,
        stage: Stage,
        trouble: &str,
        now: DateTime<Utc>,
        interval: Duration,
    ) -> Verdict {
        let mut held_back = HeldBack::default();
        for told in self.told.iter().filter(|told| told.is_about(channel, stage)) {
            // A clock that was set back is no reason for silence.
            let age = (now - told.at).to_std();
            if told.trouble == trouble && age.is_ok_and(|age| age < interval) {
                return Verdict::HoldBack;
            }
            if told.held_back > 0 {
                held_back.count += told.held_back;
                held_back.since = Some(held_back.since.map_or(told.at, |since| since.min(told.at)));
            }
        }
        Verdict::Send(held_back)
    }

    /// Notes that `trouble` was told, and forgets what is old.
    pub(crate) fn note_sent(
        &mut self,
        channel: &str,
        stage: Stage,
        trouble: &str,
        now: DateTime<Utc>,
        interval: Duration,
    ) {
        let is_recent = |told: &Told| (now - told.at).to_std().is_ok_and(|age| age < interval);
        for told in self.told.iter_mut().filter(|told| told.is_about(channel, stage)) {
            told.held_back = 0;
        }
        self.told.retain(|told| {
            let is_same = told.is_about(channel, stage) && told.trouble == trouble;
            !is_same && (told.held_back > 0 || is_recent(told))
        });
        let excess = (self.told.len() + 1).saturating_sub(TOLD_MAX);
        self.told.drain(..excess);
        let (channel, stage) = (channel.to_owned(), present::name(stage).to_owned());
        self.told.push(Told { channel, stage, trouble: trouble.to_owned(), at: now, held_back: 0 });
    }

    /// Notes that `trouble` was not told.
    pub(crate) fn note_held_back(&mut self, channel: &str, stage: Stage, trouble: &str) {
        let mut same = self.told.iter_mut().filter(|told| told.is_about(channel, stage) && told.trouble == trouble);
        if let Some(told) = same.next() {
            told.held_back += 1;
        }
    }
}

impl Told {
    fn is_about(&self, channel: &str, stage: Stage) -> bool {
        self.channel == channel && self.stage == present::name(stage)
    }
}

pub(super) mod seconds {
    //! Times: RFC 3339, UTC, whole seconds.

    use chrono::{DateTime, SecondsFormat, Utc};
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(in crate::notify) fn serialize<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Secs, true))
    }

    pub(in crate::notify) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<DateTime<Utc>, D::Error> {
        let text = String::deserialize(deserializer)?;
        DateTime::parse_from_rfc3339(&text).map(|time| time.to_utc()).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + minute * 60, 0).unwrap()
    }

    /// Plays starts `(minute, channel, trouble)`: `!` for a message that is sent, with the number it tells of; `.` for none.
    fn play(interval: Duration, starts: &[(i64, &str, &str)]) -> String {
        let mut memory = Memory::default();
        let mut seen = String::new();
        for &(minute, channel, trouble) in starts {
            match memory.judge(channel, Stage::Import, trouble, at(minute), interval) {
                Verdict::Send(HeldBack { count, .. }) => {
                    seen.push('!');
                    seen.push_str(&count.to_string());
                    memory.note_sent(channel, Stage::Import, trouble, at(minute), interval);
                }
                Verdict::HoldBack => {
                    seen.push('.');
                    memory.note_held_back(channel, Stage::Import, trouble);
                }
            }
            // The file brings back what was written.
            memory = Memory::decode(&memory.encode().unwrap()).unwrap();
        }
        seen
    }

    #[test]
    fn the_same_is_told_once_an_interval() {
        let every_minute: Vec<_> = (0..120).map(|minute| (minute, "mail", "failed: 103")).collect();
        let expect = format!("!0{}!59{}", ".".repeat(59), ".".repeat(59));
        assert_eq!(play(HOUR, &every_minute), expect);
        for (interval, starts, expect) in [
            // Another set of failures is told at once, and tells what was held back.
            (
                HOUR,
                &[(0, "mail", "a"), (1, "mail", "a"), (2, "mail", "b"), (3, "mail", "a"), (4, "mail", "b")][..],
                "!0.!1..",
            ),
            // Channels are apart.
            (HOUR, &[(0, "mail", "a"), (1, "slack", "a"), (2, "mail", "a")], "!0!0."),
            // No interval, no holding back.
            (Duration::ZERO, &[(0, "mail", "a"), (0, "mail", "a")], "!0!0"),
            // A clock that was set back.
            (HOUR, &[(90, "mail", "a"), (0, "mail", "a"), (1, "mail", "a")], "!0!0."),
            (HOUR, &[(0, "mail", "a"), (59, "mail", "a"), (60, "mail", "a")], "!0.!1"),
        ] {
            assert_eq!(play(interval, starts), expect, "{starts:?}");
        }
    }

    #[test]
    fn what_is_remembered_does_not_grow_without_end() {
        let mut memory = Memory::default();
        for number in 0..1000 {
            memory.note_sent("mail", Stage::Import, &format!("failed: {number}"), at(0), HOUR);
        }
        assert_eq!(memory.told.len(), TOLD_MAX);
        memory.note_sent("mail", Stage::Import, "later", at(600), HOUR);
        assert_eq!(memory.told.len(), 1);
    }
}
