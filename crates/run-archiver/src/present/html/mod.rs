//! The status as one page for a browser: a file that loads nothing from elsewhere.
//!
//! Every text is escaped by the template; control characters are replaced before. The page needs no script to be
//! read: strips and tables are drawn here. The script only zooms and filters, and gets numbers, never texts.
//!
//! Strips are drawn to the resolution of a screen, so that the size of the page depends on how many gaps can be told
//! apart, and a gap of one run in a hundred thousand is still two pixels wide.

mod strips;

use std::collections::BTreeMap;

use askama::Template;
use chrono::SecondsFormat;
use run_pipeline::{
    Stage,
    status::{Cause, GapRow, MarkCheck, StateCheck, Unreadable, Weight},
};
use run_state::RunSet;

use self::strips::Strip;
use super::status::{Picture, Step, brief, capital, runs, steps, thousands, verdict, why};

/// More rows nobody reads in a browser.
const ROWS_MAX: usize = 2_000;
/// Ends of runs that the axis names.
const TICKS: u64 = 8;
const RANGES_MAX: usize = 8;

/// The page.
pub(crate) fn page(picture: &Picture) -> askama::Result<String> {
    Page::new(picture).render()
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    version: &'static str,
    verdict: &'static str,
    weight: &'static str,
    taken_at: String,
    config: String,
    problems: Vec<Problem>,
    has_axis: bool,
    lo: u64,
    hi: u64,
    width: u64,
    ticks: Vec<u64>,
    strips: Vec<Strip>,
    steps: Vec<Step>,
    gap_total: String,
    causes: Vec<CauseChip>,
    rows: Vec<Row>,
    rows_left: usize,
    states: Vec<MarkRow>,
    reasons: Vec<Reason>,
    differences: Vec<DifferenceRow>,
    recent: Vec<RecentRow>,
    data: String,
}

struct Problem {
    head: String,
    text: String,
}

struct CauseChip {
    name: &'static str,
    meaning: &'static str,
    weight: &'static str,
    count: String,
}

struct Row {
    first: u64,
    last: u64,
    runs: String,
    count: String,
    missing_in: String,
    cause: &'static str,
    weight: &'static str,
    text: String,
}

struct MarkRow {
    stage: &'static str,
    name: &'static str,
    recorded: String,
    actual: String,
    verdict: String,
    weight: &'static str,
}

struct Reason {
    count: String,
    stage: &'static str,
    text: String,
    runs: String,
}

struct DifferenceRow {
    run: u64,
    expected: String,
    found: String,
}

struct RecentRow {
    at: String,
    stage: &'static str,
    run: u64,
    what: &'static str,
    text: String,
}

const fn class(weight: Weight) -> &'static str {
    match weight {
        Weight::Fine => "fine",
        Weight::Work => "work",
        Weight::Wrong => "wrong",
    }
}

/// Of what is compared: as it should be is good, not only something to live with.
const fn dot(weight: Weight) -> &'static str {
    match weight {
        Weight::Fine => "good",
        _ => class(weight),
    }
}

fn clean(text: &str) -> String {
    terminal::clean(text).into_owned()
}

fn cleaned(step: Step) -> Step {
    Step { text: capital(clean(&step.text)), command: step.command.as_deref().map(clean), runs: step.runs }
}

impl Page {
    fn new(picture: &Picture) -> Self {
        let drawing = strips::draw(picture);
        let missing: u64 = picture.rows.iter().map(GapRow::count).fold(0, u64::saturating_add);
        Self {
            version: env!("CARGO_PKG_VERSION"),
            verdict: verdict(picture.weight()),
            weight: class(picture.weight()),
            taken_at: picture.taken_at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
            config: clean(&picture.config.display().to_string()),
            problems: problems(picture),
            has_axis: drawing.axis.is_some(),
            lo: drawing.axis.as_ref().map_or(0, |axis| *axis.start()),
            hi: drawing.axis.as_ref().map_or(0, |axis| *axis.end()),
            width: strips::WIDTH,
            ticks: drawing.ticks(TICKS),
            strips: drawing.strips,
            steps: steps(picture).into_iter().map(cleaned).collect(),
            gap_total: if missing == 0 {
                String::new()
            } else {
                format!("{} in {} rows", runs(missing), thousands(picture.rows.len() as u64))
            },
            causes: causes(picture),
            rows: picture.rows.iter().take(ROWS_MAX).map(|row| table_row(row, picture)).collect(),
            rows_left: picture.rows.len().saturating_sub(ROWS_MAX),
            states: picture.analysis.states.iter().flat_map(state_rows).collect(),
            reasons: reasons(picture),
            differences: differences(picture),
            recent: recent(picture),
            data: drawing.data,
        }
    }
}

fn problems(picture: &Picture) -> Vec<Problem> {
    let stores = picture.analysis.stores.iter().filter_map(|store| {
        let name = store.store;
        match (&store.runs, store.shrunk_from_runs) {
            (Err(Unreadable(reason)), _) => {
                Some(Problem { head: format!("{name} could not be read."), text: clean(reason) })
            }
            (Ok(found), Some(known)) => Some(Problem {
                head: format!("The listing of {name} is not believed."),
                text: format!("It has {} where there were {}.", runs(found.len()), thousands(known)),
            }),
            _ => None,
        }
    });
    let unread = picture.analysis.unread.iter();
    let others = unread.map(|(part, Unreadable(reason))| Problem {
        head: format!("The {part} could not be read."),
        text: clean(reason),
    });
    stores.chain(others).collect()
}

fn causes(picture: &Picture) -> Vec<CauseChip> {
    let chip = |cause: Cause| {
        let groups = picture.analysis.groups.iter().filter(|group| group.cause == cause);
        let weight = groups.map(run_pipeline::status::Group::weight).max()?;
        let count = thousands(picture.analysis.runs_of(cause).len());
        Some(CauseChip { name: cause.name(), meaning: cause.meaning(), weight: class(weight), count })
    };
    Cause::ALL.into_iter().filter_map(chip).collect()
}

fn weight_of(row: &GapRow) -> Weight {
    let runs = RunSet::new();
    run_pipeline::status::Group { cause: row.cause, missing_in: row.missing_in, runs }.weight()
}

fn table_row(row: &GapRow, picture: &Picture) -> Row {
    let (first, last) = (row.runs.start().get(), row.runs.end().get());
    let text = why(row, picture);
    let known =
        text.strip_prefix(row.cause.name()).map_or(text.as_str(), |rest| rest.trim_start_matches([':', ';', ' ']));
    Row {
        first,
        last,
        runs: if first == last { first.to_string() } else { format!("{first}–{last}") },
        count: thousands(row.count()),
        missing_in: row.missing_in.to_string(),
        cause: row.cause.name(),
        weight: class(weight_of(row)),
        text: clean(if known.is_empty() { row.cause.meaning() } else { known }),
    }
}

const fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Import => "import",
        Stage::Migrate => "migration",
    }
}

fn state_rows(check: &StateCheck) -> Vec<MarkRow> {
    let stage = stage_name(check.stage);
    let mark = |name, recorded: u64, actual: u64, verdict| {
        let (verdict, weight) = match verdict {
            MarkCheck::Right => ("as it should be", Weight::Fine),
            MarkCheck::Behind => ("behind: runs were archived that the state does not know of", Weight::Work),
            MarkCheck::PastGaps => ("as it should be; it had passed the gaps before", Weight::Fine),
            MarkCheck::Ahead => ("ahead: it stands above what is archived", Weight::Wrong),
        };
        let (recorded, actual) = (recorded.to_string(), actual.to_string());
        MarkRow { stage, name, recorded, actual, verdict: verdict.to_owned(), weight: dot(weight) }
    };
    let marks = &check.recorded;
    let mut rows = vec![
        mark(
            "last contiguous run",
            marks.last_contiguous_run.get(),
            check.actual_contiguous_run.get(),
            check.contiguous,
        ),
        mark("last attempted run", marks.last_attempted_run.get(), check.actual_attempted_run.get(), check.attempted),
    ];
    let sets = [
        ("logged, though in the destination (not verified)", &check.logged_and_present),
        ("logged, though no store has them", &check.logged_without_source),
        ("not logged, though missing below the mark", &check.not_logged),
    ];
    let wrong: Vec<_> = sets.into_iter().filter(|(_, set)| !set.is_empty()).collect();
    let verdict = |(words, set): &(&str, &RunSet)| format!("{words}: {}", brief(set, RANGES_MAX));
    let text = wrong.iter().map(verdict).collect::<Vec<_>>().join("; ");
    rows.push(MarkRow {
        stage,
        name: "failure log",
        recorded: runs(check.logged_runs),
        actual: String::new(),
        weight: dot(if wrong.is_empty() { Weight::Fine } else { Weight::Work }),
        verdict: if wrong.is_empty() { "as it should be".to_owned() } else { text },
    });
    rows
}

/// Runs by stage and last reason, the most frequent first.
fn reasons(picture: &Picture) -> Vec<Reason> {
    let mut found = Vec::new();
    for stage in [Stage::Import, Stage::Migrate] {
        let facts = picture.survey.facts.stage(stage);
        let (Ok(state), Ok(history)) = (&facts.state, &facts.history) else { continue };
        let mut by_reason: BTreeMap<&str, RunSet> = BTreeMap::new();
        for run in state.failed.iter() {
            let reason = history.failures.get(&run).map_or("no journal tells", |story| story.last_reason.as_str());
            by_reason.entry(reason.lines().next().unwrap_or_default()).or_default().insert(run);
        }
        found.extend(by_reason.into_iter().map(|(reason, runs)| (stage, reason, runs)));
    }
    found.sort_by_key(|(_, _, runs)| std::cmp::Reverse(runs.len()));
    let row = |(stage, text, runs): (Stage, &str, RunSet)| Reason {
        count: thousands(runs.len()),
        stage: stage_name(stage),
        text: clean(text),
        runs: brief(&runs, RANGES_MAX),
    };
    found.into_iter().take(ROWS_MAX).map(row).collect()
}

fn differences(picture: &Picture) -> Vec<DifferenceRow> {
    let differences = picture.verification.iter().flat_map(|verification| &verification.differences);
    let row = |one: &run_pipeline::status::Difference| DifferenceRow {
        run: one.run.get(),
        expected: clean(&one.expected),
        found: clean(&one.found),
    };
    differences.take(ROWS_MAX).map(row).collect()
}

/// The newest first.
fn recent(picture: &Picture) -> Vec<RecentRow> {
    let stages = [&picture.survey.facts.import, &picture.survey.facts.migrate];
    let mut all: Vec<_> =
        stages.iter().filter_map(|stage| stage.history.as_ref().ok()).flat_map(|history| &history.recent).collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.at));
    let row = |one: &run_pipeline::status::Activity| RecentRow {
        at: one.at.to_rfc3339_opts(SecondsFormat::Secs, true).replace('T', " ").replace('Z', ""),
        stage: stage_name(one.stage),
        run: one.run.get(),
        what: one.what,
        text: clean(one.text.lines().next().unwrap_or_default()),
    };
    all.into_iter().take(100).map(row).collect()
}

#[cfg(test)]
mod tests;
