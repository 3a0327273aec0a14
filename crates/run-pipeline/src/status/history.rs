//! What the journals of both stages tell, as far as conclusions are drawn from it.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use run_state::RunNumber;
use statefile::{OpenError, for_each_record};

use super::{
    facts::{Activity, FailureStory, Seen, StageHistory, Unreadable},
    verify::Digest,
};
use crate::{
    event::Stage,
    journal::{Content, RunEvent, RunNote},
    paths::StagePaths,
    retry::chain,
};

/// Of the last things that happened, so many are kept.
const RECENT_MAX: usize = 50;

/// Both journals.
#[derive(Debug)]
pub(super) struct Journals {
    pub(super) import: Seen<StageHistory>,
    pub(super) migrate: Seen<StageHistory>,
    /// What was uploaded of each run, the last time; empty unless wanted.
    pub(super) digests: BTreeMap<RunNumber, Digest>,
}

/// Reads both. Digests take some memory a run, so that they are kept where they are wanted only.
pub(super) fn read_journals(import: &StagePaths, migrate: &StagePaths, wants_digests: bool) -> Journals {
    let mut digests = BTreeMap::new();
    let read = |paths: &StagePaths, digest: &mut dyn FnMut(RunNumber, &Content)| {
        read(paths, digest).map_err(|error| Unreadable(chain(&error)))
    };
    let import = read(import, &mut |_, _| {});
    let migrate = read(migrate, &mut |run, content| {
        if wants_digests && let Some(digest) = digest_of(content) {
            digests.insert(run, digest);
        }
    });
    Journals { import, migrate, digests }
}

fn digest_of(content: &Content) -> Option<Digest> {
    Some(Digest {
        size_bytes: content.size_bytes?,
        adler32: content.adler32?,
        md5: content.md5.as_ref().and_then(|md5| md5.parse().ok()),
    })
}

fn read(paths: &StagePaths, digest: &mut dyn FnMut(RunNumber, &Content)) -> Result<StageHistory, OpenError> {
    let mut history = StageHistory::default();
    let mut archived: Vec<RunNumber> = Vec::new();
    let mut recent: VecDeque<RunNote> = VecDeque::with_capacity(RECENT_MAX);
    for_each_record(&paths.journal(), |note: RunNote| {
        match &note.event {
            RunEvent::Archived { content, .. } | RunEvent::Refreshed { content } => {
                archived.push(note.run);
                history.failures.remove(&note.run);
                digest(note.run, content);
            }
            RunEvent::Failed { reason, .. } => {
                let times = history.failures.get(&note.run).map_or(0, |story| story.times) + 1;
                let story = FailureStory { times, last_reason: reason.clone(), last_at: note.at };
                history.failures.insert(note.run, story);
            }
            RunEvent::Held { .. }
            | RunEvent::Late
            | RunEvent::Interrupted
            | RunEvent::Amended { .. }
            | RunEvent::Recovered { .. } => {}
        }
        if recent.len() == RECENT_MAX {
            recent.pop_front();
        }
        recent.push_back(note);
    })?;
    // In order they become ranges at once.
    archived.sort_unstable();
    history.archived = archived.into_iter().collect();
    history.recent = recent.into_iter().map(|note| activity(paths.stage, note)).collect();
    Ok(history)
}

/// A note in words.
fn activity(stage: Stage, RunNote { at, run, event }: RunNote) -> Activity {
    let (what, text) = match event {
        RunEvent::Archived { was_there, content } => {
            (if was_there { "found archived" } else { "archived" }, content_text(&content))
        }
        RunEvent::Refreshed { content } => ("archived anew", content_text(&content)),
        RunEvent::Failed { attempt: 1, reason, .. } => ("failed", reason),
        RunEvent::Failed { attempt, reason, .. } => ("failed", format!("after {attempt} attempts: {reason}")),
        RunEvent::Held { reason } => ("held back", reason),
        RunEvent::Late => ("late", "it appeared below the mark, and went into the failure log".to_owned()),
        RunEvent::Interrupted => ("interrupted", "the execution that worked on it died".to_owned()),
        RunEvent::Amended { version } => ("amended", format!("its stop time was added as `{version}`")),
        RunEvent::Recovered { marks, missing } => ("state rebuilt", format!("marks {marks}, missing: {missing}")),
    };
    Activity { at, stage, run, what, text }
}

fn content_text(content: &Content) -> String {
    let documents = content.documents.map(|count| format!("{count} documents"));
    let configuration = content.configuration.as_ref().map(|name| format!("configuration {name}"));
    let digest = digest_of(content).map(|digest| digest.to_string());
    let version = content.version.map(|version| format!("version {version}"));
    [documents, configuration, digest, version].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Everything that the journals tell of one run, oldest first; of a run 0 that is the story of the stages.
///
/// # Errors
///
/// When a journal is unreadable or damaged.
pub fn story(run: RunNumber, import: &StagePaths, migrate: &StagePaths) -> Result<Vec<Activity>, OpenError> {
    let mut story: Vec<(DateTime<Utc>, Activity)> = Vec::new();
    for paths in [import, migrate] {
        for_each_record(&paths.journal(), |note: RunNote| {
            if note.run == run {
                story.push((note.at, activity(paths.stage, note)));
            }
        })?;
    }
    // Stable: notes of one moment stay in the order of the stages.
    story.sort_by_key(|(at, _)| *at);
    Ok(story.into_iter().map(|(_, activity)| activity).collect())
}
