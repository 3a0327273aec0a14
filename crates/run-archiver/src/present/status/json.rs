//! The report for machines. Its form is documented in docs/run-archiver.md; fields are only ever added.

use run_pipeline::status::{Depth, Group, MarkCheck, StateCheck, StoreReport, Verification, Weight};
use serde_json::{Value, json};

use super::{Picture, steps, text::why, verdict};
use crate::present::name;

/// The whole report.
pub(crate) fn json(picture: &Picture) -> Value {
    let mut answer = json!({
        "exit_code": picture.exit() as u8,
        "verdict": verdict(picture.weight()),
        "taken_at": picture.taken_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
    });
    let analysis = &picture.analysis;
    if picture.report.has_stores {
        answer["stores"] = analysis.stores.iter().map(|store| store_json(store, picture)).collect();
        answer["causes"] = analysis.groups.iter().map(group_json).collect();
        answer["gaps"] = picture.rows.iter().map(|row| gap_json(row, picture)).collect();
        let unread = analysis.unread.iter();
        answer["unread"] = unread.map(|(part, reason)| json!({ "part": part, "reason": reason.0 })).collect();
    }
    if picture.report.has_states {
        answer["states"] = analysis.states.iter().map(state_json).collect();
    }
    if let Some(verification) = &picture.verification {
        answer["verification"] = verification_json(verification);
    }
    let steps = steps(picture).into_iter();
    answer["recommendations"] = steps
        .map(|step| json!({ "text": step.text, "runs": step.runs.to_string(), "command": step.command }))
        .collect();
    answer
}

fn store_json(report: &StoreReport, picture: &Picture) -> Value {
    let runs = report.runs.clone().unwrap_or_default();
    json!({
        "store": report.store.to_string(),
        "location": picture.location(report.store),
        "error": report.runs.as_ref().err().map(|error| &error.0),
        "total": report.runs.as_ref().ok().map(|runs| runs.len() - report.partial.len()),
        "first": runs.first(),
        "last": runs.last(),
        "runs": runs.to_string(),
        "gaps": report.gaps().to_string(),
        "half_imported": report.partial.to_string(),
        "strays": report.strays.to_string(),
        "not_believed_known_runs": report.shrunk_from_runs,
    })
}

fn group_json(group: &Group) -> Value {
    json!({
        "cause": group.cause.name(),
        "missing_in": group.missing_in.to_string(),
        "count": group.runs.len(),
        "runs": group.runs.to_string(),
        "weight": weight(group.weight()),
    })
}

const fn weight(weight: Weight) -> &'static str {
    match weight {
        Weight::Fine => "fine",
        Weight::Work => "work",
        Weight::Wrong => "wrong",
    }
}

fn gap_json(row: &run_pipeline::status::GapRow, picture: &Picture) -> Value {
    let story = row.story.as_ref();
    json!({
        "first": row.runs.start(),
        "last": row.runs.end(),
        "count": row.count(),
        "cause": row.cause.name(),
        "missing_in": row.missing_in.to_string(),
        "text": why(row, picture),
        "failures": story.map(|story| story.times),
        "last_reason": story.map(|story| &story.last_reason),
        "last_failed_at": story.map(|story| story.last_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
    })
}

fn state_json(state: &StateCheck) -> Value {
    let check = |check| match check {
        MarkCheck::Right => "right",
        MarkCheck::Behind => "behind",
        MarkCheck::PastGaps => "past_gaps",
        MarkCheck::Ahead => "ahead",
    };
    json!({
        "stage": name(state.stage),
        "last_contiguous_run": state.recorded.last_contiguous_run,
        "actual_contiguous_run": state.actual_contiguous_run,
        "contiguous": check(state.contiguous),
        "last_attempted_run": state.recorded.last_attempted_run,
        "actual_attempted_run": state.actual_attempted_run,
        "attempted": check(state.attempted),
        "logged_count": state.logged_runs,
        "logged_and_present": state.logged_and_present.to_string(),
        "logged_without_source": state.logged_without_source.to_string(),
        "not_logged": state.not_logged.to_string(),
        "in_flight": state.in_flight.to_string(),
        "new": state.new.to_string(),
        "weight": weight(state.weight()),
    })
}

fn verification_json(verification: &Verification) -> Value {
    let differences = verification.differences.iter();
    json!({
        "depth": match verification.depth { Depth::Receipt => "receipt", Depth::Full => "full" },
        "good": verification.good.to_string(),
        "unknown": verification.unknown.to_string(),
        "missing": verification.missing.to_string(),
        "differences": differences
            .map(|one| json!({ "run": one.run, "expected": one.expected, "found": one.found }))
            .collect::<Value>(),
        "stopped": verification.stopped.as_ref().map(|stopped| &stopped.0),
    })
}
