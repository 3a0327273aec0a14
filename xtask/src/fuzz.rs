//! `cargo xtask fuzz`: lets libFuzzer look for bytes that break a promise of a parser.
//!
//! Builds the programs of `fuzz/` with the compiler's coverage instrumentation, which the pinned toolchain has, and
//! libFuzzer from the sources in the crate `libfuzzer-sys`: a C++ compiler is needed, and nothing is installed.
//! `cargo fuzz`, where it is installed, runs the same targets. What is found is kept in `target/fuzz/corpus`, the seeds
//! in `fuzz/seeds` are only read; everything begins anew when `target/fuzz` is removed.
//!
//! Absent: sanitizers. No crate of this workspace has unsafe code.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::Mutex,
};

use anyhow::{Context, Result, bail, ensure};
use fs_err as fs;
use xshell::{Shell, cmd};

use crate::{
    say,
    table::{self, Align},
    workspace,
};

/// What to fuzz, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How long each target runs
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// How many targets run side by side
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..))]
    jobs: u8,
    /// Only these targets [default: all]
    targets: Vec<String>,
}

/// As `cargo fuzz` has them: counters at every edge, and what is compared with what.
const RUSTFLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing \
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0 -Cllvm-args=-sanitizer-coverage-stack-depth \
    -Cdebug-assertions -Ccodegen-units=1";

/// An input that takes longer than this is a finding, in seconds.
const INPUT_SECONDS_MAX: u32 = 20;
/// A target that needs more memory than this is a finding.
const MEMORY_MB_MAX: u32 = 2048;
/// The longest input. The journal is opened, locked and flushed for each one, so longer ones teach little.
const INPUT_BYTES_MAX: u32 = 64 << 10;

/// Where things are.
struct Places {
    root: PathBuf,
    programs: PathBuf,
    work: PathBuf,
}

/// What came of one target.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    target: String,
    executions: u64,
    per_second: u64,
    corpus: usize,
    /// Why it ended, if not because the time was over.
    failure: Option<String>,
}

/// Builds and runs the targets, and says what they found.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let shell = workspace::shell()?;
    let root = workspace::root();
    let targets = chosen(&all(&root)?, &options.targets)?;
    let host = host(&shell)?;
    let work = workspace::target_dir(&shell)?.join("fuzz");
    say::line("building the targets and libFuzzer (nothing is installed; the first time takes minutes)");
    build(&shell, &host, &work)?;
    let places = Places { root, programs: work.join(&host).join("release"), work };

    let queue = Mutex::new(targets.iter());
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.next());
                    let Some(target) = next else { return };
                    let outcome = fuzz(&places, target, options.seconds).unwrap_or_else(|error| Found {
                        target: target.clone(),
                        failure: Some(format!("{error:#}")),
                        ..Found::default()
                    });
                    say::line(format_args!("{target}: {} executions", outcome.executions));
                    if let Ok(mut found) = found.lock() {
                        found.push(outcome);
                    }
                }
            });
        }
    });
    let mut found: Vec<Found> = found.into_inner().unwrap_or_default();
    found.sort_by_key(|found| targets.iter().position(|target| *target == found.target));
    say::line(render(&found));
    let failures: Vec<_> = found.iter().filter(|found| found.failure.is_some()).collect();
    for Found { target, failure, .. } in &failures {
        let program = places.programs.join(target);
        say::line(format_args!(
            "{target}: {}\n  reproduce: {} FILE\n  then add the bytes to fuzz/seeds/{target}, and a test with a name to the crate",
            failure.as_deref().unwrap_or_default(),
            program.display(),
        ));
    }
    ensure!(found.len() == targets.len(), "{} of {} targets ran", found.len(), targets.len());
    let executions: u64 = found.iter().map(|found| found.executions).sum();
    let minutes = found.len() * options.seconds as usize / 60;
    say::line(format_args!(
        "evidence: {} targets, {} h {} min, {executions} executions, {} panics",
        found.len(),
        minutes / 60,
        minutes % 60,
        failures.len(),
    ));
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The targets that `fuzz/` has.
fn all(root: &Path) -> Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in fs::read_dir(root.join("fuzz/fuzz_targets"))? {
        let path = entry?.path();
        targets.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    targets.sort();
    Ok(targets)
}

fn chosen(all: &[String], wanted: &[String]) -> Result<Vec<String>> {
    if let Some(unknown) = wanted.iter().find(|target| !all.contains(target)) {
        bail!("there is no target `{unknown}`; there are {}", all.join(", "));
    }
    Ok(if wanted.is_empty() { all.to_vec() } else { wanted.to_vec() })
}

/// The triple of this machine: with it given as a target, build scripts are not instrumented.
fn host(shell: &Shell) -> Result<String> {
    let version = cmd!(shell, "rustc -vV").quiet().read()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` does not say its host")?.to_owned())
}

fn build(shell: &Shell, host: &str, work: &Path) -> Result<()> {
    cmd!(
        shell,
        "cargo build --quiet --manifest-path fuzz/Cargo.toml --release --bins --target {host} --target-dir {work}"
    )
    .env("RUSTFLAGS", RUSTFLAGS)
    .quiet()
    .run()
    .context("the fuzz targets do not build; a C++ compiler is needed for libFuzzer")
}

/// Runs one target until its time is over or it has found something.
fn fuzz(places: &Places, target: &str, seconds: u32) -> Result<Found> {
    let corpus = places.work.join("corpus").join(target);
    let artifacts = places.work.join("artifacts").join(target);
    let log = places.work.join(format!("{target}.log"));
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&artifacts)?;
    let scratch = Path::new("/dev/shm");
    let output = fs::File::create(&log)?;
    let status = Command::new(places.programs.join(target))
        .args([&corpus, &places.root.join("fuzz/seeds").join(target)])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={INPUT_SECONDS_MAX}"))
        .arg(format!("-rss_limit_mb={MEMORY_MB_MAX}"))
        .arg(format!("-max_len={INPUT_BYTES_MAX}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg("-print_final_stats=1")
        // What targets flush need not survive: in memory it costs nothing.
        .envs(scratch.is_dir().then_some(("TMPDIR", scratch)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(output.into_file())
        .status()
        .with_context(|| format!("`{target}` cannot be started"))?;
    let log_text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    let mut found = read_log(target, &log_text);
    found.corpus = fs::read_dir(&corpus)?.count();
    if !status.success() {
        let artifact = found.failure.take().unwrap_or_else(|| "no input was kept".to_owned());
        found.failure = Some(format!("{status}; {artifact}; see {}", log.display()));
    }
    Ok(found)
}

/// Reads libFuzzer's statistics, and where it wrote the input that broke a promise.
fn read_log(target: &str, log: &str) -> Found {
    let number = |name: &str| {
        let line = log.lines().rev().find_map(|line| line.strip_prefix(name));
        line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
    };
    let artifact = log.lines().rev().find_map(|line| line.split_once("Test unit written to "));
    Found {
        target: target.to_owned(),
        executions: number("stat::number_of_executed_units:"),
        per_second: number("stat::average_exec_per_sec:"),
        corpus: 0,
        failure: artifact.map(|(_, path)| path.trim().to_owned()),
    }
}

fn render(found: &[Found]) -> String {
    let columns = [
        ("target", Align::Left),
        ("executions", Align::Right),
        ("exec/s", Align::Right),
        ("corpus", Align::Right),
        ("crashes", Align::Right),
    ];
    let row = |found: &Found| {
        let crashes = usize::from(found.failure.is_some());
        let numbers = [found.executions.to_string(), found.per_second.to_string(), found.corpus.to_string()];
        [vec![found.target.clone()], numbers.to_vec(), vec![crashes.to_string()]].concat()
    };
    table::render(&columns, &found.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::{Found, all, chosen, read_log};
    use crate::workspace;

    #[test]
    fn the_log_of_libfuzzer_is_understood() {
        let log = "#2 INITED cov: 3\nstat::number_of_executed_units: 1042\nstat::average_exec_per_sec:     17\n";
        let quiet = Found { target: "x".into(), executions: 1042, per_second: 17, ..Found::default() };
        assert_eq!(read_log("x", log), quiet);
        let crash = format!("{log}artifact_prefix='a/'; Test unit written to a/crash-1\nBase64: AA==\n");
        assert_eq!(read_log("x", &crash), Found { failure: Some("a/crash-1".into()), ..quiet });
        assert_eq!(read_log("x", ""), Found { target: "x".into(), ..Found::default() });
    }

    #[test]
    fn targets_are_chosen_by_name() {
        let there = all(&workspace::root()).unwrap_or_default();
        assert!(there.len() >= 10, "{there:?}");
        assert_eq!(chosen(&there, &[]).ok(), Some(there.clone()));
        assert_eq!(chosen(&there, &["blob".to_owned()]).ok(), Some(vec!["blob".to_owned()]));
        assert!(chosen(&there, &["blobb".to_owned()]).is_err());
    }
}
