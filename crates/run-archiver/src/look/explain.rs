//! The story of one run: where it is, and everything that the journals know of it.

use chrono::SecondsFormat;
use run_pipeline::{
    Stage,
    status::{Activity, Cause, Store, Survey, Unreadable, Weight, analyse, story},
};
use run_state::{Acknowledgement, RunNumber};
use serde_json::{Value, json};
use statefile::{Clock as _, SystemClock};
use terminal::{Printer, clean, style};

use super::{Stores, places};
use crate::{
    cli::Cli,
    exit::{Exit, Failure},
    present::{name, wrapped},
};
use run_config::Config;

/// Whether a place has the run.
struct Presence {
    place: &'static str,
    text: String,
}

/// Tells the story of `run`.
pub(super) async fn explain(
    run: RunNumber,
    stores: &Stores,
    cli: &Cli,
    config: &Config,
    printer: Printer,
) -> Result<Exit, Failure> {
    let survey = stores.survey(config, false).await;
    let analysis = analyse(&survey.facts, None);
    let places = places(config);
    let notes = story(run, &places.import, &places.migrate);
    let presences = presences(run, &survey);
    let group = analysis.groups.iter().find(|group| group.runs.contains(run));
    let acknowledgement = survey.acknowledgements.of(run, SystemClock.now());
    let is_unread = !analysis.unread.is_empty() || analysis.stores.iter().any(|store| store.weight() == Weight::Wrong);
    let exit = match group.map(run_pipeline::status::Group::weight) {
        _ if notes.is_err() || is_unread => Exit::Failed,
        Some(Weight::Wrong) => Exit::Failed,
        Some(Weight::Work) => Exit::Work,
        Some(Weight::Fine) | None => Exit::Done,
    };
    let cause = group.map(|group| (group.cause, group.missing_in));
    let notes = notes.map_err(|error| {
        let error: &dyn std::error::Error = &error;
        std::iter::successors(Some(error), |error| error.source())
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": ")
    });
    let answer = if cli.json {
        format!("{:#}", as_json(run, exit, &presences, cause, acknowledgement, &notes))
    } else {
        as_text(run, &presences, cause, acknowledgement, &notes)
    };
    printer.answer(answer).map_err(Failure::unexpected)?;
    Ok(exit)
}

fn presences(run: RunNumber, survey: &Survey) -> Vec<Presence> {
    let facts = &survey.facts;
    let unread = |Unreadable(reason): &Unreadable| format!("could not be read: {reason}");
    let has = |is_there: bool| if is_there { "yes" } else { "no" }.to_owned();
    let artdaq = |imported: &run_pipeline::status::Imported| {
        if imported.partial.contains(run) { "in part".to_owned() } else { has(imported.complete.contains(run)) }
    };
    let ucon = || match survey.blobs.get(&run) {
        Some(info) => format!("yes: {} bytes, adler32 {:08x}", info.size_bytes, info.adler32),
        None => "no".to_owned(),
    };
    let mut presences = vec![
        Presence { place: "on disk", text: facts.records.as_ref().map_or_else(unread, |runs| has(runs.contains(run))) },
        Presence { place: "artdaqDB", text: facts.artdaq.as_ref().map_or_else(unread, artdaq) },
        Presence { place: "UconDB", text: facts.ucon.as_ref().map_or_else(unread, |_| ucon()) },
    ];
    for (stage, place) in [(Stage::Import, "import"), (Stage::Migrate, "migration")] {
        let text = facts.stage(stage).state.as_ref().map_or_else(unread, |state| {
            let lists = [
                (state.in_flight.contains(run), "in flight"),
                (state.failed.contains(run), "in the failure log"),
                (state.held.contains(run), "held back"),
                (run <= state.marks.last_contiguous_run, "at or below the contiguous mark"),
                (
                    run > state.marks.last_contiguous_run && run <= state.marks.last_attempted_run,
                    "at or below the attempted mark",
                ),
                (run > state.marks.incremental_start(), "above the marks"),
            ];
            let words: Vec<&str> = lists.iter().filter(|(is_in, _)| *is_in).map(|(_, word)| *word).collect();
            format!("{} ({})", words.join(", "), state.marks)
        });
        presences.push(Presence { place, text });
    }
    presences
}

type Notes = Result<Vec<Activity>, String>;

fn as_text(
    run: RunNumber,
    presences: &[Presence],
    cause: Option<(Cause, Store)>,
    acknowledgement: Option<&Acknowledgement>,
    notes: &Notes,
) -> String {
    let head = style::HEAD;
    let mut lines = vec![format!("{head}Run {run}{head:#}")];
    lines.extend(presences.iter().flat_map(|one| wrapped(&format!("  {:<10} ", one.place), &clean(&one.text))));
    lines.push(match cause {
        Some((cause, place)) => format!("  {head}{}{head:#} from {place}: {}", cause.name(), cause.meaning()),
        None => "  nothing is missing of it that could be seen".to_owned(),
    });
    if let Some(one) = acknowledgement {
        lines.push(format!("  acknowledged by {}: {}", clean(&one.person), clean(&one.reason)));
    }
    match notes {
        Ok(notes) if notes.is_empty() => lines.push("  no journal tells of it".to_owned()),
        Ok(notes) => lines.extend(notes.iter().flat_map(|note| {
            let label = format!("  {}  {:<8} ", note.at.format("%Y-%m-%d %H:%M:%S"), name(note.stage));
            // A syntax error quotes lines; the first says it all.
            let text = clean(note.text.lines().next().unwrap_or_default());
            wrapped(&label, &if text.is_empty() { note.what.to_owned() } else { format!("{}: {text}", note.what) })
        })),
        Err(reason) => lines.push(format!("  its journal could not be read: {}", clean(reason))),
    }
    lines.join("\n")
}

fn as_json(
    run: RunNumber,
    exit: Exit,
    presences: &[Presence],
    cause: Option<(Cause, Store)>,
    acknowledgement: Option<&Acknowledgement>,
    notes: &Notes,
) -> Value {
    let note = |note: &Activity| {
        let at = note.at.to_rfc3339_opts(SecondsFormat::Secs, true);
        json!({ "at": at, "stage": name(note.stage), "what": note.what, "text": note.text })
    };
    let places: serde_json::Map<_, _> = presences.iter().map(|one| (one.place.to_owned(), json!(one.text))).collect();
    json!({
        "exit_code": exit as u8,
        "run": run,
        "places": places,
        "cause": cause.map(|(cause, _)| cause.name()),
        "missing_in": cause.map(|(_, place)| place.to_string()),
        "acknowledged": acknowledgement.map(|one| json!({ "person": one.person, "reason": one.reason })),
        "story": notes.as_ref().ok().map(|notes| notes.iter().map(note).collect::<Value>()),
        "error": notes.as_ref().err(),
    })
}
