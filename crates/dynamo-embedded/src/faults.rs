//! A scripted plan of what goes wrong: the n-th call of an operation is refused, its answer is lost,
//! or it never arrives.

mod script;

use std::sync::{Mutex, PoisonError};

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
mod tests;
