//! The table of errors (facts on DynamoDB, section 4.1), row by row: what the service does, and what must follow.
//!
//! Data only, for two readers: `error_table.rs` here drives the library over it, that of `gsi-create` the
//! whole program. Index `aaa` of table `one` meets the fault; allocation takes 30 s, the backfill 500 s.

use gsi_state::{HistoryEntry, HistoryEvent, Origin};

/// One row.
pub(crate) struct Row {
    /// What section 4.1 says.
    pub(crate) title: &'static str,
    /// The script of faults.
    pub(crate) faults: String,
    /// Tables and indexes; the first is the one that the history is about.
    pub(crate) indexes: &'static [(&'static str, &'static str)],
    /// Every `UpdateTable` on any table: second, index, and what came of it.
    pub(crate) requests: Vec<(u64, &'static str, &'static str)>,
    /// The seconds of the first looks at table `one`.
    pub(crate) looks: &'static [u64],
    /// The outcomes of the indexes, as `--json` names them.
    pub(crate) ends: &'static [&'static str],
    /// Attempts at the first index, in the state.
    pub(crate) attempts: u32,
    /// The history of the first index, in short.
    pub(crate) history: Vec<String>,
}

const ONE: &[(&str, &str)] = &[("one", "aaa")];
/// The quota of one index is no reason to leave the others.
const TWO_OF_A_TABLE: &[(&str, &str)] = &[("one", "aaa"), ("one", "bbb")];
const TWO_TABLES: &[(&str, &str)] = &[("one", "aaa"), ("one", "bbb"), ("two", "ccc")];

/// One line of the history, in short: `refused 1 throttled +30`.
pub(crate) fn short(entry: &HistoryEntry) -> String {
    match &entry.event {
        HistoryEvent::Requested { attempt } => format!("requested {attempt}"),
        HistoryEvent::Refused { operation, attempt, class, next_delay_seconds, strategy, message } => {
            assert!(!strategy.is_empty() && !message.is_empty(), "{entry:?}");
            let next = next_delay_seconds.map_or(String::new(), |seconds| format!(" +{seconds}"));
            let look = if operation == "DescribeTable" { " look" } else { "" };
            format!("refused{look} {attempt} {class}{next}")
        }
        HistoryEvent::Building { phase } => phase.clone(),
        HistoryEvent::Waiting { reason } => format!("waiting: {reason}"),
        HistoryEvent::Settled { status, origin, .. } => match origin {
            Some(Origin::Created) => format!("{status}, created"),
            Some(Origin::Adopted) => format!("{status}, adopted"),
            None => status.to_string(),
        },
        other => format!("{other:?}"),
    }
}

fn texts(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|&line| line.to_owned()).collect()
}

/// What the history says of an index that was asked for and built.
const BUILT: [&str; 3] = ["allocating", "backfilling", "active, created"];

/// A row about something that passes: `class`, the gaps between requests, and whether they count as attempts.
fn passes(title: &'static str, effect: &str, class: &str, gaps: &[u64], counts: bool) -> Row {
    let code: &'static str = match effect.split('(').next().unwrap() {
        "ThrottlingException" => "ThrottlingException",
        "ProvisionedThroughputExceededException" => "ProvisionedThroughputExceededException",
        "RequestLimitExceeded" => "RequestLimitExceeded",
        "LimitExceededException" => "LimitExceededException",
        "ResourceInUseException" => "ResourceInUseException",
        "InternalServerError" => "InternalServerError",
        "ServiceUnavailable" => "ServiceUnavailable",
        "ValidationException" => "ValidationException",
        "unreachable" => "unreachable",
        other => panic!("{other}"),
    };
    let mut second = 0;
    let mut attempt = 1;
    let mut requests = Vec::new();
    let mut history = Vec::new();
    for gap in gaps {
        requests.push((second, "aaa", code));
        history.push(format!("requested {attempt}"));
        history.push(format!("refused {attempt} {class} +{gap}"));
        second += gap;
        attempt += u32::from(counts);
    }
    requests.push((second, "aaa", "ok"));
    history.push(format!("requested {attempt}"));
    history.extend(texts(&BUILT));
    let faults = format!("UpdateTable#1..{}={effect}", gaps.len());
    Row { title, faults, indexes: ONE, requests, looks: &[], ends: &["created"], attempts: attempt, history }
}

/// A row about something permanent for one index: one request for it, and the next index is made.
fn stays(title: &'static str, code: &'static str, text: &str, class: &str) -> Row {
    Row {
        title,
        faults: format!("UpdateTable[one/aaa]#*={code}({text})"),
        indexes: TWO_OF_A_TABLE,
        requests: vec![(0, "aaa", code), (0, "bbb", "ok")],
        looks: &[],
        ends: &["failed", "created"],
        attempts: 1,
        history: vec!["requested 1".to_owned(), format!("refused 1 {class}"), "failed".to_owned()],
    }
}

/// A row about who we are: one request in the whole run, whatever else there was to do.
fn ends_the_run(code: &'static str) -> Row {
    Row {
        title: "never retry, stop the whole run",
        faults: format!("UpdateTable#*={code}"),
        indexes: TWO_TABLES,
        requests: vec![(0, "aaa", code)],
        looks: &[0],
        ends: &["failed", "not_started", "not_started"],
        attempts: 1,
        history: texts(&["requested 1", "refused 1 credentials", "failed"]),
    }
}

/// Every row.
pub(crate) fn rows() -> Vec<Row> {
    let mut rows = pass_rows();
    rows.extend(look_first_rows());
    rows.extend(stay_rows());
    rows.extend(
        [
            "AccessDeniedException",
            "UnrecognizedClientException",
            "InvalidSignatureException",
            "IncompleteSignatureException",
            "MissingAuthenticationTokenException",
            "ExpiredTokenException",
            "RequestExpired",
        ]
        .map(ends_the_run),
    );
    rows.extend(look_rows());
    rows
}

fn pass_rows() -> Vec<Row> {
    let limit = "LimitExceededException";
    let busy = [5, 5, 5, 5, 5, 5, 5];
    vec![
        passes("busy index: wait for it, not 300 s", limit, "table-busy", &busy, false),
        passes("in use: wait for the state, no attempt budget", "ResourceInUseException", "table-busy", &busy, false),
        passes(
            "in use, said of a global table",
            "ResourceInUseException(The resource which you are attempting to change is in use.)",
            "table-busy",
            &[5, 5],
            false,
        ),
        passes(
            "too many operations: back off",
            "LimitExceededException(Too many operations for a given subscriber)",
            "too-much-at-once",
            &[300, 300],
            true,
        ),
        passes("throttled: back off", "ThrottlingException", "throttled", &[30, 60, 120, 240], true),
        passes("throttled", "ThrottlingException(Rate exceeded)", "throttled", &[30], true),
        passes("throttled", "ProvisionedThroughputExceededException", "throttled", &[30], true),
        passes("throttled", "RequestLimitExceeded", "throttled", &[30], true),
        passes(
            "throttled, and the service says until when",
            "ThrottlingException(Too many requests. Please try again after 7 seconds)",
            "throttled",
            &[7, 7],
            true,
        ),
        passes("500: bounded, described first", "InternalServerError", "server-fault", &[30, 60], true),
        passes("503: bounded, described first", "ServiceUnavailable", "server-fault", &[30, 60], true),
        passes("a 500 without a word is tried once more", "InternalServerError()", "lasting-fault", &[30], true),
        passes(
            "not readable yet: wait",
            "ValidationException(Cannot read from backfilling global secondary index: aaa)",
            "index-not-ready",
            &[5, 5],
            false,
        ),
        passes(
            "exists already: look at it",
            "ValidationException(Attempting to create an index which already exists)",
            "index-exists",
            &[5],
            true,
        ),
        passes("cut connection, no effect: describe, then decide", "unreachable", "no-answer", &[30], true),
    ]
}

/// What is settled by looking, or by asking otherwise.
fn look_first_rows() -> Vec<Row> {
    vec![
        Row {
            title: "cut connection, took effect: describe, then decide",
            faults: "UpdateTable#1=lost".to_owned(),
            indexes: ONE,
            requests: vec![(0, "aaa", "lost")],
            looks: &[0, 30],
            ends: &["created"],
            attempts: 1,
            // Allocation is over when the look after the pause comes.
            history: texts(&["requested 1", "refused 1 no-answer +30", "backfilling", "active, created"]),
        },
        Row {
            title: "definitions missing: merged in at once",
            faults: "UpdateTable#1=ValidationException(One or more parameter values were invalid: \
                     AttributeDefinitions is not specified for index: aaa)"
                .to_owned(),
            indexes: ONE,
            requests: vec![(0, "aaa", "ValidationException"), (0, "aaa", "ok")],
            looks: &[0, 0],
            ends: &["created"],
            attempts: 2,
            history: texts(&["requested 1", "refused 1 attribute-definitions +0", "requested 2"])
                .into_iter()
                .chain(texts(&BUILT))
                .collect(),
        },
    ]
}

fn stay_rows() -> Vec<Row> {
    let limit = "LimitExceededException";
    let text = "Subscriber limit exceeded: Number of global secondary indexes exceeds per-table limit of 20";
    let five = |code: &'static str| [0, 30, 90, 210, 450].map(|second| (second, "aaa", code)).to_vec();
    vec![
        stays("quota of indexes", limit, text, "quota"),
        stays("quota of throughput", limit, "The request is above the per table/index maximum", "quota"),
        stays("quota of the account", limit, "It would cause the limit to be exceeded for the account", "quota"),
        stays("permanent for this run", limit, "Provisioned throughput decreases are limited within a day", "quota"),
        stays("permanent for this run", limit, "Encryption mode changes are limited within a day", "quota"),
        stays("not about an index at all", "ResourceInUseException", "Table already exists: one", "invalid"),
        stays("one of some 360 texts", "ValidationException", "Unknown KeyType", "invalid"),
        stays("no such index", "ResourceNotFoundException", "Index aaa for table one", "index-missing"),
        Row {
            title: "no such table: its other indexes fail alike, other tables go on",
            faults: "UpdateTable[one]#*=ResourceNotFoundException".to_owned(),
            indexes: TWO_TABLES,
            requests: vec![(0, "aaa", "ResourceNotFoundException"), (0, "ccc", "ok")],
            looks: &[0],
            ends: &["failed", "failed", "created"],
            attempts: 1,
            history: texts(&["requested 1", "refused 1 table-missing", "failed"]),
        },
        Row {
            title: "500s are bounded",
            faults: "UpdateTable#*=InternalServerError".to_owned(),
            indexes: ONE,
            requests: five("InternalServerError"),
            looks: &[0, 30, 90, 210, 450],
            ends: &["failed"],
            attempts: 5,
            history: given_up("server-fault"),
        },
        Row {
            title: "throttling is bounded",
            faults: "UpdateTable#*=ThrottlingException".to_owned(),
            indexes: ONE,
            requests: five("ThrottlingException"),
            looks: &[0, 30, 90, 210, 450],
            ends: &["failed"],
            attempts: 5,
            history: given_up("throttled"),
        },
        Row {
            title: "a 500 that is deterministic is not tried five times",
            faults: "UpdateTable#*=InternalServerError(The table is under system maintenance)".to_owned(),
            indexes: ONE,
            requests: vec![(0, "aaa", "InternalServerError"), (30, "aaa", "InternalServerError")],
            looks: &[0, 30],
            ends: &["failed"],
            attempts: 2,
            history: texts(&[
                "requested 1",
                "refused 1 lasting-fault +30",
                "requested 2",
                "refused 2 lasting-fault",
                "failed",
            ]),
        },
    ]
}

/// Five attempts, all for nothing.
fn given_up(class: &str) -> Vec<String> {
    let mut history = Vec::new();
    for (attempt, pause) in [(1, " +30"), (2, " +60"), (3, " +120"), (4, " +240"), (5, "")] {
        history.push(format!("requested {attempt}"));
        history.push(format!("refused {attempt} {class}{pause}"));
    }
    history.push("failed".to_owned());
    history
}

/// Faults of `DescribeTable`.
fn look_rows() -> Vec<Row> {
    let built = |lines: &[&str]| texts(lines).into_iter().chain(texts(&BUILT)).collect();
    vec![
        Row {
            title: "a look that fails is taken again",
            faults: "DescribeTable[one]#1..2=ServiceUnavailable".to_owned(),
            indexes: ONE,
            requests: vec![(90, "aaa", "ok")],
            looks: &[0, 30, 90],
            ends: &["created"],
            attempts: 1,
            history: built(&["refused look 0 server-fault +30", "refused look 0 server-fault +60", "requested 1"]),
        },
        Row {
            title: "nobody may look: stop the whole run",
            faults: "DescribeTable[one]#*=AccessDeniedException".to_owned(),
            indexes: TWO_TABLES,
            requests: vec![],
            looks: &[0],
            ends: &["failed", "not_started", "not_started"],
            attempts: 0,
            history: texts(&["refused look 0 credentials", "failed"]),
        },
        Row {
            title: "credentials expire while it is being built: not called failed",
            faults: "DescribeTable[one]#4..=ExpiredTokenException".to_owned(),
            indexes: TWO_TABLES,
            requests: vec![(0, "aaa", "ok"), (0, "ccc", "ok")],
            looks: &[0, 0, 0, 0],
            ends: &["unsettled", "not_started", "unsettled"],
            attempts: 1,
            history: texts(&["requested 1", "allocating", "refused look 1 credentials"]),
        },
    ]
}
