//! The script of a plan: read, and written again.

use std::{fmt, str::FromStr};

use super::{Effect, FaultPlan, FaultPlanError, Rule};
use crate::{answer, engine::OPERATIONS};

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
