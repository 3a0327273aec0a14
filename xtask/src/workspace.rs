//! Where the workspace lies and what cargo knows of its members.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;
use xshell::{Shell, cmd};

/// The root of the workspace that this program was built in.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// A shell whose current directory is the root of the workspace.
pub(crate) fn shell() -> Result<Shell> {
    let shell = Shell::new()?;
    shell.change_dir(root());
    Ok(shell)
}

/// What `cargo metadata` says of the members (their dependencies are listed, not resolved).
pub(crate) fn metadata(shell: &Shell) -> Result<Value> {
    let json = cmd!(shell, "cargo metadata --no-deps --format-version 1").quiet().read()?;
    serde_json::from_str(&json).context("`cargo metadata` did not answer with JSON")
}

/// Where cargo puts what it builds: `target`, unless the user says otherwise.
pub(crate) fn target_dir(shell: &Shell) -> Result<PathBuf> {
    let metadata = metadata(shell)?;
    let path = metadata["target_directory"].as_str().context("`cargo metadata` names no target directory")?;
    Ok(PathBuf::from(path))
}
