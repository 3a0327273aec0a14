//! The text files of a run record to FHiCL, one converter a file.
//!
//! For ASCII input whose genuine conversion is FHiCL the result equals the genuine one, byte for
//! byte. Two things differ, so that the run is archived instead of lost:
//!
//! * letters beyond ASCII stay (the genuine converters put a dot in their place, or fail later);
//! * where the genuine conversion would be malformed (a backslash, an unmatched quote, a control
//!   character, a key with other characters than FHiCL allows), the value is quoted and escaped, the
//!   key's other characters become `_`.

mod boot;
mod environment;
mod known_boardreaders_list;
mod metadata;
mod ranks;
mod run_history;
mod run_history2;
mod settings;
mod setup;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::RunNumber;
use crate::python::universal_newlines;

pub use run_history::DEFAULT_CONFIGURATION;
pub(crate) use write::sound_key;

/// The converters: each makes `NAME.fcl` of `NAME.txt`.
///
/// ```
/// use run_record::convert::Converter;
///
/// assert_eq!(Converter::from_name("settings"), Some(Converter::Settings));
/// assert_eq!(Converter::Settings.convert("boardreader timeout: 60\n"), "boardreader_timeout: 60\n");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Converter {
    /// `boot.txt`: general settings, subsystems and processes.
    Boot,
    /// `metadata.txt`: what the run was.
    Metadata,
    /// `known_boardreaders_list.txt`: name, host, port.
    KnownBoardreadersList,
    /// `settings.txt`
    Settings,
    /// `setup.txt`: a shell script, kept whole as one string.
    Setup,
    /// `environment.txt`: `export NAME=value`.
    Environment,
    /// `ranks.txt`: a table with a header.
    Ranks,
}

impl Converter {
    /// All of them, in the order of the configuration's documentation.
    pub const ALL: [Converter; 7] = [
        Converter::Boot,
        Converter::Metadata,
        Converter::KnownBoardreadersList,
        Converter::Settings,
        Converter::Setup,
        Converter::Environment,
        Converter::Ranks,
    ];

    /// The name of its files, without extension.
    pub fn name(self) -> &'static str {
        match self {
            Converter::Boot => "boot",
            Converter::Metadata => "metadata",
            Converter::KnownBoardreadersList => "known_boardreaders_list",
            Converter::Settings => "settings",
            Converter::Setup => "setup",
            Converter::Environment => "environment",
            Converter::Ranks => "ranks",
        }
    }

    /// The converter of the files called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|converter| converter.name() == name)
    }

    /// The FHiCL text for the content of a text file.
    pub fn convert(self, content: &str) -> String {
        let content = normal(content);
        match self {
            Converter::Boot => boot::convert(&content),
            Converter::Metadata => metadata::convert(&content),
            Converter::KnownBoardreadersList => known_boardreaders_list::convert(&content),
            Converter::Settings => settings::convert(&content),
            Converter::Setup => setup::convert(&content),
            Converter::Environment => environment::convert(&content),
            Converter::Ranks => ranks::convert(&content),
        }
    }
}

/// `RunHistory.fcl`, generated from the content of `metadata.txt`: run number, configuration, components.
pub fn run_history(run: RunNumber, metadata: &str) -> String {
    run_history::generate(run, &normal(metadata))
}

/// `RunHistory2.fcl`, generated from the content of `metadata.txt`: start and stop time, in its order.
///
/// `None` if it has neither: then there is no second pass.
pub fn run_history2(metadata: &str) -> Option<String> {
    run_history2::generate(&normal(metadata))
}

/// The configuration's name: `Config name` of `metadata.txt` with `_` for `/`, or [`DEFAULT_CONFIGURATION`].
pub fn configuration_name(metadata: Option<&str>) -> String {
    metadata
        .and_then(|content| run_history::configuration_name(&normal(content)))
        .unwrap_or_else(|| DEFAULT_CONFIGURATION.to_owned())
}

/// The content as Python's text mode reads it, without a byte-order mark.
fn normal(content: &str) -> String {
    universal_newlines(content.strip_prefix('\u{feff}').unwrap_or(content))
}

/// Which converters and generators are to run: the section `fhiclize_generate` of the configuration.
///
/// ```
/// use run_record::convert::Fhiclize;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let some = Fhiclize::from_names(["metadata.txt", "RunHistory"])?;
/// assert!(some.run_history && !some.run_history2);
/// assert!(Fhiclize::from_names(["metdata"]).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fhiclize {
    /// The converters to run.
    pub converters: BTreeSet<Converter>,
    /// Whether to generate `RunHistory.fcl`.
    pub run_history: bool,
    /// Whether to generate `RunHistory2.fcl`, and with it the second pass.
    pub run_history2: bool,
}

impl Default for Fhiclize {
    /// All of them.
    fn default() -> Self {
        Self { converters: Converter::ALL.into_iter().collect(), run_history: true, run_history2: true }
    }
}

/// A name in `fhiclize_generate` that is neither a converter nor a generator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a converter nor a generator")]
pub struct UnknownConverter(pub String);

impl Fhiclize {
    /// The selection by names; an ending `.txt` or `.fcl` is ignored.
    ///
    /// # Errors
    ///
    /// [`UnknownConverter`] for the first name that is not known.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownConverter> {
        let mut selection = Self { converters: BTreeSet::new(), run_history: false, run_history2: false };
        for name in names {
            let stem = name.strip_suffix(".txt").or_else(|| name.strip_suffix(".fcl")).unwrap_or(name);
            match (stem, Converter::from_name(stem)) {
                ("RunHistory", _) => selection.run_history = true,
                ("RunHistory2", _) => selection.run_history2 = true,
                (_, Some(converter)) => {
                    selection.converters.insert(converter);
                }
                _ => return Err(UnknownConverter(name.to_owned())),
            }
        }
        Ok(selection)
    }
}
