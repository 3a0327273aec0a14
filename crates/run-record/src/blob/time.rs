//! The packing time of a record: from the record, not from the clock.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use crate::fhicl::{Document, Value};

/// Where the time is looked for, in this order: file and key.
const SOURCES: [(&str, &str); 4] = [
    ("RunHistory2.fcl", "DAQInterface_stop_time"),
    ("RunHistory2.fcl", "DAQInterface_start_time"),
    ("metadata.fcl", "daqinterface_stop_time"),
    ("metadata.fcl", "daqinterface_start_time"),
];

/// What stands in the blob of a record without any time.
const NO_TIME: &str = "Jan 01 00:00 UTC";

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Zones by the names that `date` prints, with their hours from UTC.
const ZONES: [(&str, i64); 15] = [
    ("utc", 0),
    ("gmt", 0),
    ("z", 0),
    ("wet", 0),
    ("west", 1),
    ("cet", 1),
    ("cest", 2),
    ("est", -5),
    ("edt", -4),
    ("cst", -6),
    ("cdt", -5),
    ("mst", -7),
    ("mdt", -6),
    ("pst", -8),
    ("pdt", -7),
];

/// The packing time for the files of a run, as `Mar 13 03:31 UTC`.
///
/// It is the stop time that the record itself gives (`DAQInterface_stop_time` of `RunHistory2.fcl`), else
/// its start time, else those of `metadata.fcl`, in the form of the command `date`; the zones of the
/// United States and western Europe are converted, an unknown one is taken for UTC. A record without
/// a readable time has `Jan 01 00:00 UTC`.
pub fn packing_time(files: &BTreeMap<String, String>) -> String {
    let time = SOURCES.iter().find_map(|(file, key)| {
        let document = Document::parse(file, files.get(*file)?).ok()?;
        match &document.main.get(key)?.value {
            Value::Atom { text, .. } => date_time(text),
            _ => None,
        }
    });
    time.map_or_else(|| NO_TIME.to_owned(), |time| time.format("%b %d %H:%M UTC").to_string())
}

/// Reads `Wed Mar 13 03:31:40 UTC 2024`, with its parts in any order, or an ISO time, as UTC.
fn date_time(text: &str) -> Option<NaiveDateTime> {
    if let Ok(time) = chrono::DateTime::parse_from_rfc3339(text.trim()) {
        return Some(time.naive_utc());
    }
    let (mut month, mut day, mut year, mut clock, mut shift, mut offset) = (None, None, None, None, 0, 0);
    for word in text.split([' ', ',', '\t']).filter(|word| !word.is_empty()) {
        let lower = word.to_ascii_lowercase();
        if let Some(time) = clock_time(word) {
            clock = Some(time);
        } else if let Ok(number) = word.parse::<u32>() {
            *(if word.len() < 3 { &mut day } else { &mut year }) = Some(number);
        } else if let Some((_, hours)) = ZONES.iter().find(|(zone, _)| *zone == lower) {
            offset = *hours;
        } else if lower == "am" || lower == "pm" {
            shift = if lower == "pm" { 12 } else { -12 };
        } else if let Some(found) = MONTHS.iter().zip(1..).find(|(name, _)| lower.starts_with(**name)) {
            month = Some(found.1);
        }
    }
    let (hour, minute) = clock?;
    // 12:30 AM is half past midnight, 12:30 PM half past noon.
    let hour = match (shift, hour) {
        (-12, 12) => 0,
        (12, 1..=11) => hour + 12,
        _ => hour,
    };
    let date = NaiveDate::from_ymd_opt(i32::try_from(year?).ok()?, month?, day?)?;
    date.and_hms_opt(hour, minute, 0)?.checked_sub_signed(TimeDelta::hours(offset))
}

/// The hour and minute in `03:31:40`.
fn clock_time(word: &str) -> Option<(u32, u32)> {
    let mut parts = word.split(':');
    let (hour, minute) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none_or(|seconds| seconds.parse::<f32>().is_ok()).then_some((hour, minute))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], expect: &str) {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        assert_eq!(packing_time(&files), expect, "{files:?}");
    }

    #[test]
    fn the_record_tells_its_time() {
        let check_time = |time: &str, expect: &str| {
            check(&[("RunHistory2.fcl", &format!("DAQInterface_stop_time: \"{time}\""))], expect);
        };
        check_time("Wed Mar 13 03:31:40 UTC 2024", "Mar 13 03:31 UTC");
        check_time("Wed Mar  6 03:31:40 CST 2024", "Mar 06 09:31 UTC");
        check_time("Tue Dec 31 23:59:59 CDT 2024", "Jan 01 04:59 UTC");
        check_time("Wed 13 Mar 2024 12:31:40 AM UTC", "Mar 13 00:31 UTC");
        check_time("Wed 13 Mar 2024 03:31:40 PM XYZ", "Mar 13 15:31 UTC");
        check_time("2024-03-13T03:31:40-06:00", "Mar 13 09:31 UTC");
        check_time("Mon Feb 30 03:31:40 UTC 2024", NO_TIME);
        check_time("running", NO_TIME);
    }

    #[test]
    fn the_sources_have_an_order() {
        let start = ("RunHistory2.fcl", "DAQInterface_start_time: \"Wed Mar 13 03:20:00 UTC 2024\"");
        let metadata = ("metadata.fcl", "daqinterface_stop_time: \"Thu Mar 14 03:20:00 UTC 2024\"");
        check(&[start, metadata], "Mar 13 03:20 UTC");
        check(&[metadata], "Mar 14 03:20 UTC");
        check(&[("RunHistory2.fcl", "broken: {"), metadata], "Mar 14 03:20 UTC");
        check(&[], NO_TIME);
    }
}
