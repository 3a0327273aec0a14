//! Programs that some tests need and that a new machine lacks: a browser, `strace`, `script`. Debian has them.

use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

/// A package, and the programs one of which must be there.
struct Tool {
    package: &'static str,
    programs: &'static [&'static str],
}

const TOOLS: [Tool; 3] = [
    // The test of the status page.
    Tool { package: "chromium", programs: &["chromium", "chromium-browser", "google-chrome"] },
    // The tests that kill after each change of a file.
    Tool { package: "strace", programs: &["strace"] },
    // The tests of what is asked on a terminal.
    Tool { package: "bsdutils", programs: &["script"] },
];

/// Sees to it that the programs are there: installed already, or by apt, which needs to be root. Without one, its
/// tests say SKIPPED.
///
/// # Errors
///
/// When one is missing, and apt could not install it.
pub(crate) fn ensure_installed() -> Result<()> {
    let missing: Vec<&str> = TOOLS
        .iter()
        .filter(|tool| !tool.programs.iter().any(|program| runs(program, &["--version"])))
        .map(|tool| tool.package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(" ");
    let is_root = rustix::process::geteuid().is_root();
    ensure!(is_root, "missing: {missing}; enable with `sudo apt-get update && sudo apt-get install -y {missing}`");
    let install = ["install", "-y", "--no-install-recommends"].into_iter().chain(missing.split(' '));
    let is_installed = runs("apt-get", &["update"]) && runs("apt-get", &install.collect::<Vec<_>>());
    ensure!(is_installed, "missing: {missing}; `apt-get install -y {missing}` has failed");
    Ok(())
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.env("DEBIAN_FRONTEND", "noninteractive").status().is_ok_and(|status| status.success())
}
