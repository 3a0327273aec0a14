//! A scripted plan of what goes wrong: the n-th call of an operation is refused, its answer is lost,
//! or it never arrives.

use std::{
    fmt,
    str::FromStr,
    sync::{Mutex, PoisonError},
};

use crate::{answer, engine::OPERATIONS};

/// A script of faults; by default none.
///
/// Rules stand between semicolons: `OPERATION[TABLE/INDEX]#CALLS=EFFECT`.
///
/// | part | forms |
/// |---|---|
/// | scope, optional | `[bookings]`, `[bookings/by-date]` |
/// | calls, counted from 1 | `#2`, `#1..3` (both ends), `#4..` (from the fourth on), `#*` |
/// | effect | an error of the service such as `ThrottlingException`, with a text of your own in parentheses if wanted; `lost`: the call takes effect and its answer is lost; `unreachable`: neither effect nor answer |
///
/// Each rule counts the calls in its scope over one database handle and its clones. Of two rules
/// that fit the same call, the first in the script wins, and both count it.
///
/// ```
/// use dynamo_embedded::FaultPlan;
///
/// let plan: FaultPlan = "UpdateTable#2=ThrottlingException; DescribeTable#1..3=InternalServerError; \
///     UpdateTable[bookings/by-date]#1=lost".parse()?;
/// assert_eq!(plan.and("PutItem#*=ValidationException(no; not today)")?.to_string(),
///     "UpdateTable#2=ThrottlingException; DescribeTable#1..3=InternalServerError; \
///      UpdateTable[bookings/by-date]#1=lost; PutItem#*=ValidationException(no; not today)");
///
/// let error = "UpdateTabel#1=lost".parse::<FaultPlan>().unwrap_err();
/// assert_eq!(error.to_string(), "unknown operation `UpdateTabel` in `UpdateTabel#1=lost`");
/// # Ok::<(), dynamo_embedded::FaultPlanError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaultPlan {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    operation: String,
    table: Option<String>,
    index: Option<String>,
    first: u64,
    last: u64,
    effect: Effect,
}

impl Rule {
    /// Whether a call is in the rule's scope.
    fn fits(&self, operation: &str, table: Option<&str>, index: Option<&str>) -> bool {
        self.operation == operation
            && self.table.as_deref().is_none_or(|wanted| Some(wanted) == table)
            && self.index.as_deref().is_none_or(|wanted| Some(wanted) == index)
    }
}

/// What a fault does to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Refused with this code, and this text instead of the usual one.
    Refuse { code: String, text: Option<String> },
    /// Takes effect; the answer is lost.
    Lost,
    /// Does not arrive.
    Unreachable,
}

/// Why a text is not a [`FaultPlan`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultPlanError {
    /// A rule is not of the form `OPERATION[TABLE/INDEX]#CALLS=EFFECT`.
    #[error("`{rule}` is not of the form `OPERATION[TABLE/INDEX]#CALLS=EFFECT`")]
    Syntax {
        /// The rule as written.
        rule: String,
    },
    /// The calls are not `N`, `N..M`, `N..` or `*`, counted from 1.
    #[error("`{calls}` in `{rule}` is none of `N`, `N..M`, `N..`, `*`, counted from 1")]
    Calls {
        /// The rule as written.
        rule: String,
        /// The part after `#`.
        calls: String,
    },
    /// The operation is not one that this database serves.
    #[error("unknown operation `{operation}` in `{rule}`")]
    UnknownOperation {
        /// The rule as written.
        rule: String,
        /// The part before `#` and scope.
        operation: String,
    },
    /// The effect is neither a known error code nor `lost` nor `unreachable`.
    #[error("unknown effect `{effect}` in `{rule}`, expected `lost`, `unreachable` or one of {known}")]
    UnknownEffect {
        /// The rule as written.
        rule: String,
        /// The part after `=`.
        effect: String,
        /// The error codes that exist, separated by commas.
        known: String,
    },
}

impl FaultPlan {
    /// The plan in which nothing goes wrong.
    pub fn none() -> Self {
        FaultPlan::default()
    }

    /// Adds the rules of another script behind those of this plan.
    ///
    /// # Errors
    ///
    /// If `script` is malformed or names what does not exist.
    pub fn and(mut self, script: &str) -> Result<Self, FaultPlanError> {
        self.rules.extend(script.parse::<FaultPlan>()?.rules);
        Ok(self)
    }
}

impl FromStr for FaultPlan {
    type Err = FaultPlanError;

    fn from_str(script: &str) -> Result<Self, Self::Err> {
        let rules = split_rules(script)
            .into_iter()
            .map(str::trim)
            .filter(|rule| !rule.is_empty())
            .map(parse_rule)
            .collect::<Result<_, _>>()?;
        Ok(FaultPlan { rules })
    }
}

/// Splits at semicolons that are not inside parentheses.
fn split_rules(script: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    script
        .split(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ';' && depth == 0
        })
        .collect()
}

fn parse_rule(rule: &str) -> Result<Rule, FaultPlanError> {
    let syntax = || FaultPlanError::Syntax { rule: rule.to_owned() };
    let (subject, effect) = rule.split_once('=').ok_or_else(syntax)?;
    let (subject, calls) = subject.split_once('#').ok_or_else(syntax)?;
    let (operation, scope) = match subject.trim().split_once('[') {
        Some((operation, scope)) => (operation, Some(scope.strip_suffix(']').ok_or_else(syntax)?)),
        None => (subject.trim(), None),
    };
    let (table, index) = match scope.map(|scope| scope.split_once('/').ok_or(scope)) {
        None => (None, None),
        Some(Ok((table, index))) => (Some(table), Some(index)),
        Some(Err(table)) => (Some(table), None),
    };
    if [table, index].into_iter().flatten().any(str::is_empty) {
        return Err(syntax());
    }
    if !OPERATIONS.iter().any(|(known, _)| *known == operation) {
        return Err(FaultPlanError::UnknownOperation { rule: rule.to_owned(), operation: operation.to_owned() });
    }
    let (first, last) = parse_calls(calls.trim())
        .ok_or_else(|| FaultPlanError::Calls { rule: rule.to_owned(), calls: calls.trim().to_owned() })?;
    Ok(Rule {
        operation: operation.to_owned(),
        table: table.map(str::to_owned),
        index: index.map(str::to_owned),
        first,
        last,
        effect: parse_effect(effect.trim()).ok_or_else(|| FaultPlanError::UnknownEffect {
            rule: rule.to_owned(),
            effect: effect.trim().to_owned(),
            known: answer::codes().collect::<Vec<_>>().join(", "),
        })?,
    })
}

fn parse_calls(calls: &str) -> Option<(u64, u64)> {
    let (first, last) = match calls.split_once("..") {
        None if calls == "*" => (1, u64::MAX),
        None => {
            let n = calls.parse().ok()?;
            (n, n)
        }
        Some((first, "")) => (first.parse().ok()?, u64::MAX),
        Some((first, last)) => (first.parse().ok()?, last.parse().ok()?),
    };
    (1 <= first && first <= last).then_some((first, last))
}

fn parse_effect(effect: &str) -> Option<Effect> {
    match effect {
        "lost" => return Some(Effect::Lost),
        "unreachable" => return Some(Effect::Unreachable),
        _ => {}
    }
    let (code, text) = match effect.split_once('(') {
        Some((code, text)) => (code, Some(text.strip_suffix(')')?)),
        None => (effect, None),
    };
    answer::codes()
        .any(|known| known == code)
        .then(|| Effect::Refuse { code: code.to_owned(), text: text.map(str::to_owned) })
}

impl fmt::Display for FaultPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, rule) in self.rules.iter().enumerate() {
            let separator = if position == 0 { "" } else { "; " };
            write!(f, "{separator}{rule}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation)?;
        match (&self.table, &self.index) {
            (Some(table), Some(index)) => write!(f, "[{table}/{index}]")?,
            (Some(table), None) => write!(f, "[{table}]")?,
            _ => {}
        }
        match (self.first, self.last) {
            (1, u64::MAX) => f.write_str("#*")?,
            (first, u64::MAX) => write!(f, "#{first}..")?,
            (first, last) if first == last => write!(f, "#{first}")?,
            (first, last) => write!(f, "#{first}..{last}")?,
        }
        match &self.effect {
            Effect::Lost => f.write_str("=lost"),
            Effect::Unreachable => f.write_str("=unreachable"),
            Effect::Refuse { code, text: None } => write!(f, "={code}"),
            Effect::Refuse { code, text: Some(text) } => write!(f, "={code}({text})"),
        }
    }
}

/// A plan with the counters of one database handle.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    plan: FaultPlan,
    counts: Mutex<Vec<Count>>,
}

/// What a rule has seen and done.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    calls: u64,
    strikes: u64,
}

impl Faults {
    pub(crate) fn new(plan: FaultPlan) -> Self {
        let counts = Mutex::new(vec![Count::default(); plan.rules.len()]);
        Faults { plan, counts }
    }

    /// Counts a call that nothing happens to; `false`, uncounted, where something would.
    pub(crate) fn pass(&self, operation: &str, table: Option<&str>) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |rule: &Rule| rule.fits(operation, table, None);
        let strikes =
            |(rule, count): (&Rule, &Count)| (rule.first..=rule.last).contains(&(count.calls + 1)) && fits(rule);
        if self.plan.rules.iter().zip(counts.iter()).any(strikes) {
            return false;
        }
        let fitting = self.plan.rules.iter().zip(counts.iter_mut()).filter(|(rule, _)| fits(rule));
        fitting.for_each(|(_, count)| count.calls += 1);
        true
    }

    /// Each rule, and how many calls it struck.
    pub(crate) fn strikes(&self) -> Vec<(String, u64)> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        self.plan.rules.iter().map(ToString::to_string).zip(counts.iter().map(|count| count.strikes)).collect()
    }

    /// Counts a call and says what happens to it, if anything.
    pub(crate) fn next(&self, operation: &str, table: Option<&str>, index: Option<&str>) -> Option<Effect> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut effect = None;
        for (rule, count) in self.plan.rules.iter().zip(counts.iter_mut()) {
            if rule.fits(operation, table, index) {
                count.calls += 1;
                if (rule.first..=rule.last).contains(&count.calls) && effect.is_none() {
                    count.strikes += 1;
                    effect = Some(rule.effect.clone());
                }
            }
        }
        effect
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
}
