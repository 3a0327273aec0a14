//! What the history says, in words that people read months later. Pure.

use std::time::Duration;

use gsi_state::{GsiStatus, HistoryEvent, Origin};

use crate::{
    api::{ApiError, Operation},
    classify::ErrorClass,
    event::WaitReason,
    report::Outcome,
    retry::Decision,
};

/// How an error begins where an index of the wanted name is another one.
pub(crate) const DIFFERS: &str = "an index of this name exists and differs";

/// A failed call and what is done about it.
pub(crate) fn refused(error: &ApiError, class: ErrorClass, attempt: u32, decision: Decision) -> HistoryEvent {
    HistoryEvent::Refused {
        operation: error.operation().as_str().to_owned(),
        attempt,
        class: class.as_str().to_owned(),
        message: error.to_string(),
        strategy: strategy(error.operation(), class, decision).to_owned(),
        next_delay_seconds: match decision {
            Decision::Again { after, .. } => Some(after.as_secs_f64()),
            Decision::MergeAttributes => Some(0.0),
            Decision::GiveUpIndex | Decision::GiveUpTable | Decision::GiveUpRun => None,
        },
    }
}

const fn strategy(operation: Operation, class: ErrorClass, decision: Decision) -> &'static str {
    match decision {
        Decision::Again { .. } if matches!(operation, Operation::DescribeTable) => "wait, then look again",
        Decision::Again { .. } => match class {
            ErrorClass::TableBusy => "wait until the table is free, then ask again; this costs no attempt",
            ErrorClass::TooMuchAtOnce => "wait until less goes on in the account, then ask again",
            ErrorClass::Throttled => "back off, then look and ask again",
            ErrorClass::IndexExists => "look at the index of that name",
            _ if class.leaves_effect_unknown() => "wait, then look what came of it before asking again",
            _ => "wait, then look and ask again",
        },
        Decision::MergeAttributes => "ask again at once with the table's attribute definitions",
        Decision::GiveUpIndex if class.passes() => "give this index up: no attempt is left",
        Decision::GiveUpIndex => "give this index up: it would be refused again",
        Decision::GiveUpTable => "give this table up: its other indexes would be refused alike",
        Decision::GiveUpRun => "stop the whole run: every call would be refused alike",
    }
}

/// Why an index is not asked for yet.
pub(crate) fn waiting(reason: &WaitReason) -> HistoryEvent {
    let reason = match reason {
        WaitReason::OtherIndex(other) => format!("the index {other} of the table is under way"),
        WaitReason::Deleting => "an index of this name is being deleted".to_owned(),
        WaitReason::Table(status) => format!("the table is {status}"),
    };
    HistoryEvent::Waiting { reason }
}

/// What the service is doing.
pub(crate) fn building(backfilling: Option<bool>) -> HistoryEvent {
    let phase = if backfilling == Some(true) { "backfilling" } else { "allocating" };
    HistoryEvent::Building { phase: phase.to_owned() }
}

/// How an index was left for good; `None` where nothing was settled.
pub(crate) fn settled(outcome: &Outcome, elapsed: Duration) -> Option<HistoryEvent> {
    let event = |status, origin, error: Option<&String>| HistoryEvent::Settled {
        status,
        origin,
        elapsed_seconds: Some(elapsed.as_secs_f64()),
        error: error.cloned(),
    };
    match outcome {
        Outcome::Created { .. } => Some(event(GsiStatus::Active, Some(Origin::Created), None)),
        Outcome::Adopted => Some(event(GsiStatus::Active, Some(Origin::Adopted), None)),
        Outcome::Failed { error } => Some(event(GsiStatus::Failed, None, Some(error))),
        // Nothing is settled; where an error is the reason, the history has it.
        Outcome::Unsettled { .. } | Outcome::StillActive | Outcome::StillBuilding | Outcome::NotStarted => None,
    }
}
