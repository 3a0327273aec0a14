//! What is committed together, and what a failure of one half means for the other.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use chrono::{DateTime, Utc};
use gsi_state::{CreationState, GsiStatus};

use super::*;

/// A state in memory whose history may be out of order, and which counts its commits.
struct Pages {
    state: CreationState,
    is_history_broken: bool,
    commits: Vec<(usize, usize)>,
}

impl Book for Pages {
    const BLOCKS: bool = false;

    fn apply(&mut self, changes: &[StatusChange]) -> Result<(), UpdateError<ChangeError>> {
        let mut next = self.state.clone();
        let apply = |change| next.apply(change, DateTime::<Utc>::UNIX_EPOCH);
        changes.iter().try_for_each(apply).map_err(UpdateError::Rejected)?;
        self.state = next;
        self.commits.push((changes.len(), 0));
        Ok(())
    }

    fn note(&mut self, events: Vec<(GsiKey, HistoryEvent)>) -> Result<(), CommitError> {
        if self.is_history_broken {
            let path = "history".into();
            return Err(CommitError::Write { path, source: std::io::Error::other("full") });
        }
        self.commits.push((0, events.len()));
        Ok(())
    }

    fn get(&self, key: &GsiKey) -> Option<&GsiState> {
        self.state.get(key)
    }

    fn all(&self) -> impl Iterator<Item = &GsiState> {
        self.state.gsis()
    }
}

fn pages(is_history_broken: bool) -> (Pages, [GsiKey; 3]) {
    let keys = ["aaa", "bbb", "ccc"].map(|index| GsiKey::new("one", index));
    let mut state = CreationState::new("test", DateTime::<Utc>::UNIX_EPOCH);
    for key in &keys {
        assert!(state.add(key.clone()));
    }
    (Pages { state, is_history_broken, commits: Vec::new() }, keys)
}

fn asked(key: &GsiKey) -> StatusChange {
    StatusChange::new(key.clone(), GsiStatus::InProgress)
}

fn line() -> Vec<HistoryEvent> {
    vec![HistoryEvent::Requested { attempt: 1 }]
}

#[tokio::test]
async fn what_waits_is_committed_together_the_state_first() {
    let (pages, [a, b, c]) = pages(false);
    let (recorder, task) = Recorder::start(pages);
    let (first, second, third) =
        tokio::join!(recorder.record(asked(&a), line()), recorder.record(asked(&b), line()), recorder.note(&c, line()));
    assert!(first.is_ok() && second.is_ok() && third.is_ok());
    assert_eq!(recorder.status_of(&b).unwrap().status, GsiStatus::InProgress);
    drop(recorder);
    assert_eq!(task.finish().await.commits, [(2, 0), (0, 3)]);
}

#[tokio::test]
async fn a_history_that_cannot_be_written_is_as_bad_as_a_state() {
    let (pages, [a, b, c]) = pages(true);
    let (recorder, task) = Recorder::start(pages);
    let (first, second, third) = tokio::join!(
        recorder.record(asked(&a), line()),
        recorder.record(asked(&b), Vec::new()),
        recorder.note(&c, line())
    );
    assert!(matches!(first, Err(RecordError::History(_))), "{first:?}");
    assert_eq!(first.unwrap_err().to_string(), "the history could not be saved");
    assert!(second.is_ok(), "nothing of it was lost");
    assert!(matches!(third, Err(RecordError::History(_))), "{third:?}");
    drop(recorder);
    let pages = task.finish().await;
    assert_eq!(pages.get(&a).unwrap().status, GsiStatus::InProgress, "the state came first");
}

#[tokio::test]
async fn one_refused_change_does_not_take_the_others_with_it() {
    let (pages, [a, b, _]) = pages(false);
    let (recorder, task) = Recorder::start(pages);
    let illegal = StatusChange::new(b.clone(), GsiStatus::Deleted);
    let (good, bad) = tokio::join!(recorder.record(asked(&a), line()), recorder.record(illegal, line()));
    assert!(good.is_ok(), "{good:?}");
    assert!(matches!(bad, Err(RecordError::State(_))), "{bad:?}");
    drop(recorder);
    let pages = task.finish().await;
    assert_eq!(pages.commits, [(1, 0), (0, 1)], "and has no line in the history");
}
