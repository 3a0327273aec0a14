//! What a script means, and which scripts are none.

use super::*;
use crate::{answer, engine::OPERATIONS};
use proptest::prelude::*;

#[test]
fn scripts_that_are_refused() {
    let check = |script: &str, expect: &str| {
        let error = script.parse::<FaultPlan>().map_or_else(|e| e.to_string(), |p| p.to_string());
        assert!(error.starts_with(expect), "{script:?}: {error}");
    };
    let form = |rule: &str| format!("`{rule}` is not of the form");
    check("UpdateTable", &form("UpdateTable"));
    check("UpdateTable#1", &form("UpdateTable#1"));
    check("UpdateTable=lost", &form("UpdateTable=lost"));
    check("UpdateTable[a#1=lost", &form("UpdateTable[a#1=lost"));
    check("UpdateTable[]#1=lost", &form("UpdateTable[]#1=lost"));
    check("UpdateTable[a/]#1=lost", &form("UpdateTable[a/]#1=lost"));
    check("PutItem#1=lost; Nope#1=lost", "unknown operation `Nope` in `Nope#1=lost`");
    check("updatetable#1=lost", "unknown operation `updatetable`");
    check("PutItem#0=lost", "`0` in `PutItem#0=lost` is none of");
    check("PutItem#3..2=lost", "`3..2` in");
    check("PutItem#x=lost", "`x` in");
    check("PutItem#=lost", "`` in");
    check("PutItem#1=Oops", "unknown effect `Oops` in `PutItem#1=Oops`, expected `lost`");
    check("PutItem#1=", "unknown effect ``");
    check("PutItem#1=ThrottlingException(open", "unknown effect");
    check("", "");
    check(" ; ", "");
}

#[test]
#[expect(clippy::unwrap_used, reason = "a test")]
fn the_first_fitting_rule_wins_and_all_count() {
    let plan = "UpdateTable[a]#2=lost; UpdateTable#1..3=unreachable; UpdateTable[a/i]#3..=lost";
    let faults = Faults::new(plan.parse().unwrap());
    let call = |table, index| faults.next("UpdateTable", Some(table), index);
    assert_eq!(call("a", Some("i")), Some(Effect::Unreachable)); // 1st of all, 1st of a, 1st of a/i
    assert_eq!(call("b", None), Some(Effect::Unreachable));
    assert_eq!(call("a", Some("i")), Some(Effect::Lost)); // 2nd of a before 3rd of all
    assert_eq!(call("b", None), None);
    assert_eq!(call("a", Some("j")), None); // 3rd of a, but not of a/i
    assert_eq!(call("a", Some("i")), Some(Effect::Lost)); // 3rd of a/i
    assert_eq!(faults.next("PutItem", Some("a"), None), None);
}

#[test]
#[expect(clippy::unwrap_used, reason = "a test")]
fn a_call_that_is_let_pass_counts_and_one_that_would_be_struck_does_not() {
    let faults = Faults::new("DescribeTable[a]#3=lost; DescribeTable#5=unreachable".parse().unwrap());
    let pass = |table| faults.pass("DescribeTable", Some(table));
    assert_eq!([pass("a"), pass("a"), pass("a"), pass("b"), pass("a")], [true, true, false, true, false]);
    assert_eq!(faults.next("DescribeTable", Some("a"), None), Some(Effect::Lost)); // 3rd of a, 4th of all
    assert!(!pass("b")); // the 5th of all
    assert_eq!(faults.next("DescribeTable", Some("b"), None), Some(Effect::Unreachable));
    assert!(pass("a") && pass("b"));
}

proptest! {
    #[test]
    fn a_plan_survives_its_own_text(
        rows in proptest::collection::vec(
            (0..OPERATIONS.len(), proptest::option::of("[a-z_.-]{3,9}"), proptest::option::of("[a-z_.-]{3,9}"),
             1_u64..50, proptest::option::of(0_u64..50), 0_usize..16, proptest::option::of("[a-z =#;]{0,9}")),
            0..6),
    ) {
        let rules = rows.into_iter().map(|(op, table, index, first, more, effect, text)| Rule {
            operation: OPERATIONS[op].0.to_owned(),
            index: table.as_ref().and(index),
            table,
            first,
            last: more.map_or(u64::MAX, |more| first + more),
            effect: match (effect, answer::codes().nth(effect)) {
                (0, _) => Effect::Lost,
                (1, _) => Effect::Unreachable,
                (_, code) => Effect::Refuse { code: code.unwrap_or("RequestExpired").to_owned(), text },
            },
        }).collect();
        let plan = FaultPlan { rules };
        prop_assert_eq!(plan.to_string().parse::<FaultPlan>(), Ok(plan));
    }
}
