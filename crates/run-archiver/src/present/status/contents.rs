//! What came of a verification of contents, in words; and how grave it is.

use run_pipeline::status::{Depth, Store, Unreadable, Verification, Weight};
use terminal::{clean, style};

use super::{Picture, runs, text::Page};

/// Differences that are shown; all of them are in the JSON.
const DIFFERENCES_TOLD_MAX: usize = 40;

/// What keeps a verification from its work: a part of the picture that it rests on.
fn hindrances(picture: &Picture) -> Vec<String> {
    let mut lines = Vec::new();
    for store in picture.analysis.stores.iter().filter(|store| store.store == Store::Ucon) {
        if let Err(Unreadable(reason)) = &store.runs {
            lines.push(format!("{} could not be read: {reason}", store.store));
        } else if let (Some(known), Ok(found)) = (store.shrunk_from_runs, &store.runs) {
            let (found, name) = (runs(found.len()), store.store);
            lines.push(format!("{name} lists {found} where there were {known}: it is not believed"));
        }
    }
    if let Err(Unreadable(reason)) = &picture.survey.facts.migrate.history {
        lines.push(format!("the journal of the migration could not be read: {reason}"));
    }
    lines
}

/// How grave it is.
pub(super) fn weight(picture: &Picture, verification: &Verification) -> Weight {
    let Verification { good, differences, unknown, missing, stopped, .. } = verification;
    let is_wrong = !differences.is_empty() || !missing.is_empty() || stopped.is_some();
    if is_wrong || !hindrances(picture).is_empty() {
        Weight::Wrong
    } else if good.is_empty() && !unknown.is_empty() {
        // Nothing at all was compared.
        Weight::Work
    } else {
        Weight::Fine
    }
}

impl Page {
    pub(super) fn verification(&mut self, picture: &Picture, verification: &Verification) {
        self.title("CONTENT VERIFICATION");
        self.line(match verification.depth {
            Depth::Receipt => "Sizes and checksums of one listing, against the digests recorded at upload",
            Depth::Full => "Every byte, against the digests recorded at upload or the record in artdaqDB",
        });
        let bad = style::BAD;
        for text in hindrances(picture) {
            self.wrapped(&format!("  {bad}✗{bad:#} "), &clean(&text));
        }
        self.line(format!("  As archived: {}", runs(verification.good.len())));
        self.set("  Nothing to compare with: ", &verification.unknown);
        self.set("  Uploaded, and not there any more: ", &verification.missing);
        let count = verification.differences.len() as u64;
        if count == 0 {
            self.line("  Differences: none");
        } else {
            self.line(format!("  {bad}Differences{bad:#}: {}", runs(count)));
        }
        for difference in verification.differences.iter().take(DIFFERENCES_TOLD_MAX) {
            self.line(format!("    run {}", difference.run));
            self.wrapped("      expected ", &clean(&difference.expected));
            self.wrapped("      found    ", &clean(&difference.found));
        }
        if verification.differences.len() > DIFFERENCES_TOLD_MAX {
            self.line(format!("    … and {} more; all of them with --json", count - DIFFERENCES_TOLD_MAX as u64));
        }
        if let Some(Unreadable(reason)) = &verification.stopped {
            self.wrapped("  Stopped early: ", &clean(reason));
        }
    }
}
