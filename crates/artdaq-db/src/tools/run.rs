//! Stores one run, part by part, and reads each part back before the next one is loaded.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
};

use run_record::{
    hashes::HASHES_ENTITY,
    prepare::{Pass, PreparedDocument, PreparedRun},
};

use super::{ToolError, ToolsStore, files::Documents, named, names};
use crate::{Amended, ConfigError, Inserted, Refused, entry::schema_entity};

/// Documents that are loaded together.
type Part<'a> = Vec<&'a PreparedDocument>;

/// What loading a part came to: how many documents, and what is there now.
type Added = Result<(usize, Documents), Refused>;

/// The parts of a run. A listing calls a run complete that has its schema, and `hashes` or a second pass: these come
/// last, so that a load that breaks off leaves nothing that looks complete.
fn parts(prepared: &PreparedRun) -> [Part<'_>; 3] {
    let (hashes, documents) = prepared.archive.documents.iter().partition(|document| document.entity == HASHES_ENTITY);
    [documents, hashes, prepared.update.iter().flat_map(|pass: &Pass| &pass.documents).collect()]
}

impl ToolsStore {
    /// Stores what is missing of a run that is not complete.
    pub(super) async fn store(
        &self,
        prepared: &PreparedRun,
        is_listed: bool,
        lock: &fs_err::File,
    ) -> Result<Result<Inserted, Refused>, ConfigError> {
        let name = prepared.full_name();
        // As long as it is not certain that both look at the same archive, the tools are asked, too.
        let is_asked = is_listed || !self.is_confirmed.load(Ordering::Relaxed);
        let there =
            if is_asked { self.tools.download(prepared.run, names::configuration(&name)?).await? } else { None };
        match (&there, is_listed) {
            (Some(_), false) => return Err(self.differs(&name, "the tools have it, and the listing has not")),
            (None, true) => return Err(self.differs(&name, "the listing has it, and the tools have not")),
            _ => {}
        }
        let kept = there.as_ref().map(Documents::len);
        let mut there = there.unwrap_or_default();
        let mut documents = 0;
        for part in parts(prepared) {
            match self.add(prepared, &part, there, lock).await? {
                Err(refused) => return Ok(Err(refused)),
                Ok((added, now)) => (documents, there) = (documents + added, now),
            }
        }
        Ok(Ok(match kept {
            None => Inserted::Stored { documents },
            Some(kept) => Inserted::Completed { documents, kept },
        }))
    }

    /// Stores the second pass of a run that is complete.
    pub(super) async fn add_second_pass(
        &self,
        prepared: &PreparedRun,
        lock: &fs_err::File,
    ) -> Result<Result<Amended, Refused>, ConfigError> {
        let name = prepared.full_name();
        let there = self.tools.download(prepared.run, names::configuration(&name)?).await?;
        let there = there.ok_or_else(|| self.differs(&name, "the listing has it, and the tools have not"))?;
        let [_, _, pass] = parts(prepared);
        Ok(self.add(prepared, &pass, there, lock).await?.map(|(added, _)| match added {
            0 => Amended::AlreadyThere,
            _ => Amended::Stored { version: name },
        }))
    }

    /// Loads the documents of a part that are not there, and reads them back.
    async fn add(
        &self,
        prepared: &PreparedRun,
        part: &[&PreparedDocument],
        there: Documents,
        lock: &fs_err::File,
    ) -> Result<Added, ConfigError> {
        let unstorable = |entity: &str, problem| {
            Ok(Err(Refused::Unstorable { run: prepared.run, entity: entity.to_owned(), problem }))
        };
        let mut missing = BTreeMap::new();
        for document in part {
            match look(&there, document) {
                Found::Same => {}
                Found::Nothing => drop(missing.insert(format!("{}.fcl", document.entity), document.text.as_str())),
                Found::Other => {
                    let problem = "it is there with other content, and the genuine tools know no later version; \
                                   with `use_tools: false` it can be stored beside it";
                    return unstorable(&document.entity, problem.to_owned());
                }
            }
        }
        if missing.is_empty() {
            return Ok(Ok((0, there)));
        }
        let (run, name) = (prepared.run, prepared.full_name());
        let name = names::configuration(&name)?;
        let count = missing.len();
        let path = lock.path().to_owned();
        let inherited = lock.try_clone().map_err(|source| ConfigError::Io { operation: "duplicate", path, source })?;
        let loaded = self.tools.load(run, name, missing, inherited).await?;
        // Nothing at all is read back: then everything counts as lost.
        let now = self.tools.download(run, name).await?.unwrap_or_default();
        let lost: BTreeSet<_> = part
            .iter()
            .filter(|document| look(&now, document) != Found::Same)
            .map(|document| document.entity.as_str())
            .collect();
        match lost.first() {
            None if loaded.is_whole => Ok(Ok((count, now))),
            // All is there, and yet the loader found something wrong.
            None => {
                let answer = ToolError::Exit { program: "bulkloader".to_owned(), code: 1, words: loaded.words };
                Err(answer.into())
            }
            Some(&entity) => {
                let how = if loaded.is_whole { "said that it stored" } else { "did not store" };
                let problem = format!("`bulkloader` {how} {}, which cannot be read back{}", named(&lost), loaded.words);
                unstorable(entity, problem)
            }
        }
    }
}

#[derive(PartialEq)]
enum Found {
    Nothing,
    Same,
    Other,
}

fn look(there: &Documents, document: &PreparedDocument) -> Found {
    match there.get(&document.entity, document.entity == schema_entity()) {
        None => Found::Nothing,
        Some(text) if *text == document.document.to_text() => Found::Same,
        Some(_) => Found::Other,
    }
}
