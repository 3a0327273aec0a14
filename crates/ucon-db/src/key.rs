//! Between a run number and the key of a version.
//!
//! Keys are free text in UconDB. Only the exact decimal form is a run: `0100` and `+100` are other keys,
//! and an override leaves a version without any key.

use crate::RunNumber;

/// The key, and the tag, under which a run is archived.
pub(crate) fn key_of(run: RunNumber) -> String {
    run.to_string()
}

/// The run that a key stands for, if it is one.
pub(crate) fn run_of(key: &str) -> Option<RunNumber> {
    let run: RunNumber = key.parse().ok()?;
    (key_of(run) == key).then_some(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_plain_decimal_form_is_a_run() {
        for (key, run) in [
            ("100", Some(100)),
            ("0", Some(0)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("0100", None),
            ("+100", None),
            ("-1", None),
            (" 100", None),
            ("100 ", None),
            ("", None),
            ("١٠٠", None),
            ("calibration", None),
        ] {
            assert_eq!(run_of(key), run.map(RunNumber::new), "{key:?}");
        }
    }
}
