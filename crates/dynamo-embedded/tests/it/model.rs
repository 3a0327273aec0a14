//! Random histories of one table against a model of a few lines: same answers, same descriptions.

use std::fmt::Write as _;

use dynamo_embedded::EmbeddedDynamo;
use proptest::prelude::*;

use crate::support::*;

const NAMES: [&str; 3] = ["aaa", "bbb", "ccc"];

#[derive(Debug, Clone)]
enum Event {
    Create(usize),
    Delete(usize),
    Wait(u64),
    /// Close the database and open it again.
    Reopen,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..NAMES.len()).prop_map(Event::Create),
        3 => (0..NAMES.len()).prop_map(Event::Delete),
        4 => prop_oneof![Just(1_u64), Just(4), Just(5), Just(29), Just(30), Just(499), Just(530), 0..600_u64]
            .prop_map(Event::Wait),
        1 => Just(Event::Reopen),
    ]
}

/// An index of the model: since when it is being made, or deleted.
#[derive(Debug, Clone, Copy)]
enum Index {
    Made(u64),
    Dying(u64),
}

#[derive(Debug, Default)]
struct Model {
    now: u64,
    /// In the order of creation; those that die come last in a description.
    indexes: Vec<(usize, Index)>,
}

impl Model {
    fn busy(&self) -> bool {
        self.indexes.iter().any(|(_, index)| match index {
            Index::Made(since) => self.now - since < 530,
            Index::Dying(since) => self.now - since < 5,
        })
    }

    fn wait(&mut self, seconds: u64) {
        self.now += seconds;
        let now = self.now;
        self.indexes.retain(|(_, index)| !matches!(index, Index::Dying(since) if now - since >= 5));
    }

    fn create(&mut self, name: usize) -> &'static str {
        if self.indexes.iter().any(|(other, index)| *other == name && matches!(index, Index::Made(_))) {
            return "ValidationException";
        }
        if self.busy() {
            return "LimitExceededException";
        }
        self.indexes.push((name, Index::Made(self.now)));
        "ok"
    }

    fn delete(&mut self, name: usize) -> &'static str {
        let busy = self.busy();
        let now = self.now;
        let Some(position) = self.indexes.iter().position(|(other, _)| *other == name) else {
            return "ResourceNotFoundException";
        };
        match self.indexes[position].1 {
            Index::Made(since) if now - since < 30 => return "ResourceInUseException",
            Index::Made(since) if now - since < 530 => {}
            _ if busy => return "LimitExceededException",
            _ => {}
        }
        self.indexes.remove(position);
        self.indexes.push((name, Index::Dying(now)));
        "ok"
    }

    fn describe(&self) -> String {
        let mut updating = false;
        let mut line = String::new();
        for (name, index) in &self.indexes {
            let state = match index {
                Index::Dying(_) => "DELETING",
                Index::Made(since) if self.now - since < 30 => "CREATING/false",
                Index::Made(since) if self.now - since < 530 => "CREATING/true",
                Index::Made(_) => "ACTIVE",
            };
            updating |= matches!(state, "DELETING" | "CREATING/false");
            write!(line, " {}:{state}", NAMES[*name]).unwrap();
        }
        format!("{}{line}", if updating { "UPDATING" } else { "ACTIVE" })
    }
}

async fn replay(events: Vec<Event>) {
    let directory = tempfile::tempdir().unwrap();
    let file = || EmbeddedDynamo::builder().times(TIMES).file(directory.path().join("db.sqlite"));
    let hands = Hands::new();
    let mut w = World::open(&hands, file());
    w.table("tab").await;
    let mut model = Model::default();
    for event in events {
        let (found, expect) = match event {
            Event::Create(name) => (outcome(w.create("tab", NAMES[name]).send().await), model.create(name)),
            Event::Delete(name) => (outcome(w.delete("tab", NAMES[name]).send().await), model.delete(name)),
            Event::Wait(seconds) => {
                hands.advance(seconds);
                model.wait(seconds);
                ("ok".to_owned(), "ok")
            }
            Event::Reopen => {
                w = World::open(&hands, file());
                ("ok".to_owned(), "ok")
            }
        };
        assert_eq!(found.split(':').next(), Some(expect), "{event:?}: {found}");
        assert_eq!(w.describe("tab").await, model.describe(), "after {event:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_history_is_the_models(events in proptest::collection::vec(event(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(replay(events));
    }
}
