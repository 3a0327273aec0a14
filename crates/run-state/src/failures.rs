//! The failure log: one run number a line, sorted, no duplicates, empty when nothing failed.

use statefile::{DecodeError, Document, Version};

use crate::RunSet;

/// The runs whose processing failed and that wait for a retry.
///
/// ```
/// use run_state::FailureLog;
/// use statefile::Document;
/// let log = FailureLog::decode("12347\n12345\n12345\n").unwrap();
/// assert_eq!(log.runs.to_string(), "12345, 12347");
/// assert_eq!(log.encode().unwrap(), "12345\n12347\n");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailureLog {
    /// The runs.
    pub runs: RunSet,
}

impl Document for FailureLog {
    const KIND: &'static str = "failure log";
    /// A list of numbers has none.
    const VERSION: Option<Version> = None;

    fn decode(text: &str) -> Result<Self, DecodeError> {
        let mut runs = RunSet::new();
        for (line, text) in (1..).zip(text.lines().map(str::trim)) {
            if !text.is_empty() {
                let run = text.parse().map_err(|error| DecodeError::invalid(format!("line {line}: {error}")))?;
                runs.insert(run);
            }
        }
        Ok(Self { runs })
    }

    fn encode(&self) -> Result<String, serde_json::Error> {
        Ok(self.runs.iter().fold(String::new(), |text, run| text + &run.to_string() + "\n"))
    }
}
