//! The archive explains itself: what each store holds, what is missing and why, whether the state tells
//! the truth, and what is to be done.
//!
//! [`survey`] looks: it lists the three stores side by side and reads state, journals and acknowledgements,
//! without a lock and without changing anything. Everything else is a pure function of what was
//! [seen](Facts): [`analyse`] makes the [`Analysis`].
//!
//! # Promises
//!
//! 1. A part that could not be read is a finding of its own, never an empty store: nothing is concluded from it.
//! 2. So is a listing that lost more than is plausible against the last known count.
//! 3. Each run that is not where it should be has exactly one [`Cause`].
//! 4. Time and memory depend on how many runs and gaps there are, never on how far run numbers lie apart: a
//!    directory `2026020110` among runs of four digits is [stray](Cause::Stray), not the end of a gap.
//!
//! | module | what it knows |
//! |---|---|
//! | `survey`, `history` | the input |
//! | `facts` | what was seen, as plain sets |
//! | `causes` | why a run is not where it should be |
//! | `compare` | marks and failure logs against reality |
//! | `analysis` | all of it together, its weight, and what is to be done |
//! | `rows` | the table of gaps |
//! | `verify` | the content of UconDB against digests, and against artdaqDB |
//!
//! What is absent: the screen, the commands that advice amounts to, and every repair.

mod analysis;
mod causes;
mod compare;
mod facts;
mod history;
mod rows;
mod survey;
mod verify;

#[cfg(test)]
mod tests;

pub use analysis::{Advice, Analysis, StoreReport, Weight, analyse};
pub use causes::{Cause, Group};
pub use compare::{MarkCheck, StateCheck};
pub use facts::{Activity, Facts, FailureStory, Imported, Seen, StageFacts, StageHistory, Store, Unreadable};
pub use history::story;
pub use rows::GapRow;
pub use survey::{Places, Sources, Survey, survey};
pub use verify::{Depth, Difference, Digest, Verification, missing, verify_full, verify_receipts};
