//! The disk form, version 1: the layout of the Python `gsi_state_manager`, to the byte.
//!
//! Keys in a fixed order, indent 2, ASCII only, `gsis` in insertion order, no newline at the end. The summary is
//! written for the people who read the file and never read back. Fields that we do not know are kept
//! at every level, after the known ones.
//!
//! | version | what changed |
//! |---|---|
//! | 1.0 | the Python program's; times with zone since Waymark; `origin` and `validation` where known |
//! | 1.1 | the statuses `deleting` and `deleted`, and their counts |
//!
//! A file is written with the lowest version that can say what it says, so that older programs, the Python
//! one included, go on reading every file that they can understand.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor, ser::SerializeMap};
use serde_json::value::RawValue;
use statefile::{DecodeError, Document, Fields, UnknownFields, Version};

use crate::{CreationState, GsiKey, GsiState, GsiStatus, Origin, Summary, Validation, Verdict, ascii, time::DiskTime};

impl Document for CreationState {
    const KIND: &'static str = "index-creation state";
    const VERSION: Option<Version> = Some(WITH_ROLLBACK);

    fn decode(text: &str) -> Result<Self, DecodeError> {
        // Twice over the text: once for the meaning, with errors that name line and column, once for
        // the letter of what we do not know.
        let known: DiskState = serde_json::from_str(text)?;
        let raw: RawState<'_> = serde_json::from_str(text)?;
        let mut state = Self::new(known.script_name, known.created_at.0);
        state.updated_at = known.updated_at.0;
        state.unknown = UnknownFields::of(text, &STATE_FIELDS)?;
        // The summary is derived, so one that makes no sense is simply written anew.
        let summary = raw.summary.and_then(|summary| UnknownFields::of(summary.get(), &SUMMARY_FIELDS).ok());
        state.summary_unknown = summary.unwrap_or_default();
        for ((disk_key, gsi), (_, text)) in known.gsis.0.into_iter().zip(raw.gsis.0) {
            insert(&mut state, &disk_key, gsi, text)?;
        }
        Ok(state)
    }

    fn encode(&self) -> Result<String, serde_json::Error> {
        ascii::to_string(&WrittenState(self))
    }
}

const BASE: Version = Version::new(1, 0);
const WITH_ROLLBACK: Version = Version::new(1, 1);

/// The lowest version that can say what the state says.
fn version_of(state: &CreationState) -> Version {
    let Summary { deleting, deleted, .. } = state.summary();
    if deleting + deleted > 0 { WITH_ROLLBACK } else { BASE }
}

fn insert(state: &mut CreationState, disk_key: &str, gsi: DiskGsi, text: &RawValue) -> Result<(), DecodeError> {
    let key = GsiKey::new(gsi.table_name, gsi.index_name);
    if disk_key != key.to_string() && disk_key != key.escaped() {
        let (table, index) = (key.table(), key.index());
        return Err(DecodeError::invalid(format!(
            "its entry `{disk_key}` is about index `{index}` of table `{table}`"
        )));
    }
    let unknown = UnknownFields::of(text.get(), &GSI_FIELDS)
        .map_err(|_| DecodeError::invalid(format!("its entry `{disk_key}` is not an object")))?;
    let entry = GsiState {
        status: gsi.status,
        creation_time: gsi.creation_time.map(|time| time.0),
        retry_count: gsi.retry_count,
        last_error: gsi.last_error.map(|text| text.0),
        origin: gsi.origin,
        validation: gsi.validation.map(|DiskValidation { verdict, at, detail }| Validation {
            verdict,
            at: at.0,
            detail,
        }),
        unknown,
        ..GsiState::pending(key)
    };
    state.insert(entry).map_err(|key| DecodeError::invalid(format!("it has two entries for `{key}`")))
}

const STATE_FIELDS: [&str; 6] = ["version", "created_at", "updated_at", "script_name", "gsis", "summary"];
const GSI_FIELDS: [&str; 8] =
    ["table_name", "index_name", "status", "creation_time", "retry_count", "last_error", "origin", "validation"];
/// How many of the counts are written even when they are zero: those of version 1.0.
const COUNTED_ALWAYS: usize = 5;
const SUMMARY_FIELDS: [&str; 7] = ["total", "pending", "in_progress", "active", "failed", "deleting", "deleted"];

#[derive(Deserialize)]
struct DiskState {
    created_at: DiskTime,
    updated_at: DiskTime,
    #[serde(default)]
    script_name: String,
    gsis: Fields<DiskGsi>,
}

#[derive(Deserialize)]
struct DiskGsi {
    table_name: String,
    index_name: String,
    status: GsiStatus,
    #[serde(default)]
    creation_time: Option<DiskTime>,
    #[serde(default)]
    retry_count: u32,
    #[serde(default)]
    last_error: Option<Text>,
    #[serde(default)]
    origin: Option<Origin>,
    #[serde(default)]
    validation: Option<DiskValidation>,
}

#[derive(Serialize, Deserialize)]
struct DiskValidation {
    verdict: Verdict,
    at: DiskTime,
    detail: String,
}

/// A text that Python may have written with half a surrogate pair in it (`"\udce9"` stands for a byte
/// that was no UTF-8). Such a half, which no Rust string can hold, becomes U+FFFD.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lossy;

        impl Visitor<'_> for Lossy {
            type Value = Text;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }

            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Text, E> {
                Ok(Text(String::from_utf8_lossy(bytes).into_owned()))
            }
        }

        deserializer.deserialize_bytes(Lossy)
    }
}

#[derive(Deserialize)]
struct RawState<'a> {
    #[serde(borrow)]
    gsis: Fields<&'a RawValue>,
    #[serde(borrow, default)]
    summary: Option<&'a RawValue>,
}

struct WrittenState<'a>(&'a CreationState);

impl Serialize for WrittenState<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let state = self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("version", &version_of(state))?;
        object.serialize_entry("created_at", &DiskTime(state.created_at))?;
        object.serialize_entry("updated_at", &DiskTime(state.updated_at))?;
        object.serialize_entry("script_name", &state.script_name)?;
        object.serialize_entry("gsis", &WrittenGsis(state))?;
        object.serialize_entry("summary", &WrittenSummary(state.summary(), &state.summary_unknown))?;
        state.unknown.serialize_into(&mut object)?;
        object.end()
    }
}

struct WrittenGsis<'a>(&'a CreationState);

impl Serialize for WrittenGsis<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.gsis().map(|gsi| (&gsi.disk_key, WrittenGsi(gsi))))
    }
}

struct WrittenGsi<'a>(&'a GsiState);

impl Serialize for WrittenGsi<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let gsi = self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("table_name", gsi.key.table())?;
        object.serialize_entry("index_name", gsi.key.index())?;
        object.serialize_entry("status", &gsi.status)?;
        object.serialize_entry("creation_time", &gsi.creation_time.map(DiskTime))?;
        object.serialize_entry("retry_count", &gsi.retry_count)?;
        object.serialize_entry("last_error", &gsi.last_error)?;
        if let Some(origin) = gsi.origin {
            object.serialize_entry("origin", &origin)?;
        }
        if let Some(Validation { verdict, at, detail }) = gsi.validation.clone() {
            object.serialize_entry("validation", &DiskValidation { verdict, at: DiskTime(at), detail })?;
        }
        gsi.unknown.serialize_into(&mut object)?;
        object.end()
    }
}

struct WrittenSummary<'a>(Summary, &'a UnknownFields);

impl Serialize for WrittenSummary<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Summary { total, pending, in_progress, active, failed, deleting, deleted } = self.0;
        let counts = [total, pending, in_progress, active, failed, deleting, deleted];
        let mut object = serializer.serialize_map(None)?;
        for (position, (name, count)) in SUMMARY_FIELDS.iter().zip(counts).enumerate() {
            if position < COUNTED_ALWAYS || count > 0 {
                object.serialize_entry(name, &count)?;
            }
        }
        self.1.serialize_into(&mut object)?;
        object.end()
    }
}
