//! What a person can do about a failure: steps that fit the error at hand.
//!
//! Used by the failure report and by `--explain`. Pure.

use gsi_aws::{ApiError, ErrorClass, Operation, classify};
use gsi_state::GsiKey;

/// What is behind an error text, as far as advice goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// An index of the name exists and is another one.
    Conflict,
    /// The type of a key attribute contradicts the table's.
    AttributeType,
    /// The table has as many indexes, or projected attributes, as it can have.
    Full,
    /// Items of the table violate the index's key.
    Violations,
    /// The table is being deleted.
    TableGoes,
    /// Nothing says how much capacity the index gets.
    NoThroughput,
    /// The key schema has too many attributes of a kind, or no HASH.
    Keys,
    /// An error of the service.
    Service(ErrorClass),
}

/// Finds the cause in a text as the state file keeps it: `Code: message`, or words of this program.
pub(crate) fn cause_of(error: &str) -> Cause {
    if error.contains("exists and differs") {
        Cause::Conflict
    } else if error.contains("DynamoDB would silently keep") {
        Cause::AttributeType
    } else if error.contains("as many as it can have") || error.contains("attributes by name") {
        Cause::Full
    } else if error.contains("--allow-violations") {
        Cause::Violations
    } else if error.starts_with("table `") && error.ends_with("is being deleted") {
        Cause::TableGoes
    } else if error.contains("neither its throughput") {
        Cause::NoThroughput
    } else if error.contains("RANGE attributes; an index has") {
        Cause::Keys
    } else {
        Cause::Service(class_of(error))
    }
}

fn class_of(error: &str) -> ErrorClass {
    let operation = Operation::UpdateTable;
    if error.starts_with("no answer to ") {
        return ErrorClass::NoAnswer;
    }
    if error.contains(" was not sent: ") {
        return ErrorClass::Credentials;
    }
    let (code, message) = error.split_once(": ").unwrap_or((error, ""));
    // Only the texts decide here: a status above 499 comes with a code that the table knows.
    classify(&ApiError::Service { operation, code: code.to_owned(), message: message.to_owned(), http_status: 400 })
}

/// What to do, in order.
pub(crate) fn steps(cause: Cause, key: &GsiKey) -> Vec<String> {
    let (table, index) = (key.table(), key.index());
    let retry = "then run the same command with `--retry-failed`".to_owned();
    match cause {
        Cause::Conflict => vec![
            format!("compare the definition of `{index}` with the table: `gsi-create DEFINITIONS --plan --table {table}`"),
            "if the table is right, correct the definition; if the definition is right, delete the index at a time when \
             nobody reads it, since keys and projection cannot be changed in place"
                .to_owned(),
            retry,
        ],
        Cause::AttributeType => vec![
            format!("look at `AttributeDefinitions` of `aws dynamodb describe-table --table-name {table}`: another key uses the attribute with that type"),
            "correct the type in the definition, or write the values under another attribute and index that".to_owned(),
            retry,
        ],
        Cause::Full => vec![
            format!("look for indexes of `{table}` that nobody reads (CloudWatch: ConsumedReadCapacityUnits by index) and delete them"),
            "or ask AWS Support for a higher quota, or project fewer attributes".to_owned(),
            retry,
        ],
        Cause::Violations => vec![
            "repair the items that the pre-flight names: their keys have the wrong type, are empty or are too long".to_owned(),
            "or accept that those items are left out of the index, and cannot be written afterwards: `--allow-violations`".to_owned(),
            retry,
        ],
        Cause::TableGoes => vec![
            format!("find out who deletes `{table}`; make it again, or take its indexes out of the definitions"),
            retry,
        ],
        Cause::NoThroughput => {
            vec![format!("give `{index}` a `ProvisionedThroughput` in the definitions"), retry]
        }
        Cause::Keys => vec![format!("give `{index}` 1 to 4 HASH and at most 4 RANGE attributes in the definitions"), retry],
        Cause::Service(class) => service_steps(class, key, retry),
    }
}

fn service_steps(class: ErrorClass, key: &GsiKey, retry: String) -> Vec<String> {
    let (table, index) = (key.table(), key.index());
    let first = match class {
        ErrorClass::Credentials => {
            "log in again, or have the permissions dynamodb:DescribeTable and dynamodb:UpdateTable granted for the table \
             (`aws sts get-caller-identity` says who you are)"
                .to_owned()
        }
        ErrorClass::TableMissing => {
            format!("check the name `{table}`, the region and the account: `aws dynamodb list-tables`")
        }
        ErrorClass::Quota => "ask AWS Support for a higher quota, or free what nobody needs".to_owned(),
        ErrorClass::Throttled | ErrorClass::TooMuchAtOnce => {
            "wait until other changes of tables in this account are done, or ask less often: `--request-interval 5s`".to_owned()
        }
        ErrorClass::TableBusy => {
            format!("wait until the other change of `{table}` is done: `aws dynamodb describe-table --table-name {table}`")
        }
        ErrorClass::IndexNotReady => format!("wait until `{index}` is active: `gsi-create DEFINITIONS --check-status`"),
        ErrorClass::IndexMissing => format!("look whether somebody deleted `{index}`: `gsi-create DEFINITIONS --check-status`"),
        ErrorClass::HostNotFound => {
            "check the name of the region (`--region`), the endpoint, and whether this machine resolves names".to_owned()
        }
        ErrorClass::ServerFault | ErrorClass::LastingFault | ErrorClass::NoAnswer => {
            "look at the AWS Health Dashboard and at the network between here and the region".to_owned()
        }
        ErrorClass::IndexExists => format!("look what the index `{index}` of `{table}` is: `gsi-create DEFINITIONS --plan`"),
        ErrorClass::AttributeDefinitions | ErrorClass::Invalid => {
            format!("correct the definition of `{index}`; `gsi-create DEFINITIONS --plan` checks it without changing anything")
        }
        ErrorClass::Unknown => format!("look up the error in the DynamoDB documentation; `gsi-create --explain {key}` shows every attempt"),
    };
    // The run stopped for all: what was not come to has not failed, and would not be retried.
    let again = if class.concerns_whole_run() {
        "then run the same command again: it goes on where it stopped".to_owned()
    } else {
        retry
    };
    vec![first, again]
}

#[cfg(test)]
mod tests {
    use gsi_aws::{
        compare::{Difference, Refusal},
        spec::{AttributeType, Projection},
    };

    use super::*;

    #[test]
    fn the_cause_is_found_in_what_the_state_keeps() {
        let check = |error: &str, expect: Cause| assert_eq!(cause_of(error), expect, "{error}");
        let difference = Difference::Projection { is: Projection::KeysOnly, wanted: Projection::All };
        check(&format!("an index of this name exists and differs: {difference}"), Cause::Conflict);
        let (is, wanted) = (AttributeType::String, AttributeType::Number);
        let refusal = Refusal::AttributeType { table: "t".to_owned(), attribute: "a".to_owned(), is, wanted };
        check(&refusal.to_string(), Cause::AttributeType);
        check(&Refusal::TooManyIndexes { table: "t".to_owned(), count: 20 }.to_string(), Cause::Full);
        check(&Refusal::TooManyProjected { table: "t".to_owned(), count: 101 }.to_string(), Cause::Full);
        check(&Refusal::TableGoes { table: "t".to_owned() }.to_string(), Cause::TableGoes);
        check(&Refusal::NoThroughput { table: "t".to_owned() }.to_string(), Cause::NoThroughput);
        check(&Refusal::Keys { hash: 5, range: 0 }.to_string(), Cause::Keys);
        let service = Cause::Service;
        check("AccessDeniedException: User: x is not authorized", service(ErrorClass::Credentials));
        check("ThrottlingException: Rate exceeded", service(ErrorClass::Throttled));
        check("no answer to UpdateTable: timeout", service(ErrorClass::NoAnswer));
        check("UpdateTable was not sent: no credentials", service(ErrorClass::Credentials));
        check("what Python wrote", service(ErrorClass::Unknown));
    }
}
