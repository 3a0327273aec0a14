//! Whether a listing can be believed.
//!
//! A file system that is not mounted, or a server that answers with half of its content, looks like
//! runs that were never archived, or like runs that need no archiving. So a listing that lost too much
//! against the last known count changes no state.

use std::fmt;

use crate::paths::Counts;

/// Which side of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Where runs come from.
    Source,
    /// Where they go.
    Destination,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Destination => "destination",
        })
    }
}

/// A listing that lost more runs than is plausible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shrunk {
    /// Whose listing.
    pub side: Side,
    /// How many runs the last good one had.
    pub known_runs: u64,
    /// How many this one has.
    pub found_runs: u64,
}

/// Checks listings against the last known counts; the first ones are always plausible.
///
/// # Errors
///
/// The first side that lost more than `max_shrink_percent` of its runs.
///
/// ```
/// use run_pipeline::{Counts, check_listings};
/// let known = Counts::new(100, 100);
/// assert!(check_listings(Some(known), Counts::new(90, 200), 10).is_ok());
/// assert_eq!(check_listings(Some(known), Counts::new(100, 89), 10).unwrap_err().found_runs, 89);
/// ```
pub fn check_listings(known: Option<Counts>, found: Counts, max_shrink_percent: u8) -> Result<(), Shrunk> {
    let Some(known) = known else { return Ok(()) };
    let sides = [
        (Side::Source, known.source_runs, found.source_runs),
        (Side::Destination, known.destination_runs, found.destination_runs),
    ];
    for (side, known_runs, found_runs) in sides {
        let lost = u128::from(known_runs.saturating_sub(found_runs));
        if lost * 100 > u128::from(known_runs) * u128::from(max_shrink_percent) {
            return Err(Shrunk { side, known_runs, found_runs });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_may_shrink_a_little() {
        //            known      found      percent  plausible
        let rows = [
            (Some((0, 0)), (0, 0), 10, true),
            (Some((1, 1)), (0, 1), 10, false),
            (Some((10, 10)), (9, 10), 10, true),
            (Some((10, 10)), (8, 10), 10, false),
            (Some((10, 10)), (10, 8), 10, false),
            (Some((1000, 5)), (900, 5), 10, true),
            (Some((1000, 5)), (899, 5), 10, false),
            (Some((10, 10)), (9, 10), 0, false),
            (Some((10, 10)), (0, 0), 100, true),
            (Some((u64::MAX, 1)), (u64::MAX, 1), 10, true),
            (None, (0, 0), 0, true),
        ];
        for (known, found, percent, plausible) in rows {
            let known = known.map(|(source, destination)| Counts::new(source, destination));
            let outcome = check_listings(known, Counts::new(found.0, found.1), percent);
            assert_eq!(outcome.is_ok(), plausible, "{known:?} {found:?} {percent}");
        }
    }
}
