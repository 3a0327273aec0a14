//! What a dry run says.

use run_pipeline::{Plan, Stage};
use serde_json::{Value, json};
use terminal::{Printer, style};

use super::{end::RANGES_TOLD_MAX, follow::held_text, name, runs, status::brief};
use crate::exit::Exit;

/// Prints what the stages would do.
pub(crate) fn plans(plans: &[Plan], exit: Exit, is_json: bool, printer: Printer) -> anyhow::Result<()> {
    if is_json {
        let stages: Vec<Value> = plans.iter().map(as_json).collect();
        let answer = json!({ "exit_code": exit as u8, "dry_run": true, "stages": stages });
        printer.answer(serde_json::to_string_pretty(&answer)?)?;
        return Ok(());
    }
    for line in plans.iter().flat_map(lines) {
        printer.answer(line)?;
    }
    if plans.len() > 1 {
        printer.comment("(the migration as of now; runs that the import brings would follow)");
    }
    Ok(())
}

fn lines(plan: &Plan) -> Vec<String> {
    let (head, selection) = (style::HEAD, &plan.selection);
    let mut lines = vec![match selection.work.len() {
        0 if plan.renew.is_empty() => format!("{head}{}{head:#}: nothing to do", name(plan.stage)),
        0 => format!("{head}{}{head:#}: nothing to archive", name(plan.stage)),
        work => format!("{head}{}{head:#}: {} would be archived: {}", name(plan.stage), runs(work), selection.work),
    }];
    for (remark, set) in [
        ("for the start after it", &selection.beyond_limit),
        ("would go into the failure log, having appeared below the mark", &selection.late),
        ("would go into the failure log, having been interrupted", &selection.interrupted),
        ("would be verified, having been interrupted", &selection.unconfirmed),
    ] {
        if !set.is_empty() {
            lines.push(format!("  {remark}: {set}"));
        }
    }
    if !plan.renew.is_empty() {
        let what = match plan.stage {
            Stage::Import => "their stop time would be added",
            Stage::Migrate => "a new version would be stored, if it has changed",
        };
        lines.push(format!("  {what}: {}", plan.renew));
    }
    if !selection.not_found.is_empty() {
        lines.push(format!("  not found: {}", brief(&selection.not_found, RANGES_TOLD_MAX)));
    }
    if !plan.held.is_empty() {
        lines.push(format!("  {}", held_text(&plan.held)));
    }
    let state = &plan.state;
    lines.push(format!("  marks {} (contiguous/attempted); failure log: {}", state.marks, state.failed));
    lines
}

fn as_json(plan: &Plan) -> Value {
    let selection = &plan.selection;
    json!({
        "stage": name(plan.stage),
        "work": selection.work.to_string(),
        "beyond_limit": selection.beyond_limit.to_string(),
        "renew": plan.renew.to_string(),
        "not_found": selection.not_found.to_string(),
        "late": selection.late.to_string(),
        "interrupted_before": selection.interrupted.to_string(),
        "unconfirmed": selection.unconfirmed.to_string(),
        "held": plan.held.keys().copied().collect::<run_state::RunSet>().to_string(),
        "marks": plan.state.marks,
        "failure_log": plan.state.failed.to_string(),
        "source_runs": plan.holdings.available.to_string(),
        "destination_runs": plan.holdings.complete.to_string(),
    })
}
