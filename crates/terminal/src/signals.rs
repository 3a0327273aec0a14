//! Ctrl-C, and its polite sister SIGTERM.
//!
//! Once: stop asking for new work, save, and end. Three times within two seconds: end at once.

use std::{
    collections::VecDeque,
    io,
    time::{Duration, Instant},
};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The exit code of a program that a signal stopped, by convention 128 + 2.
const EXIT_INTERRUPTED: i32 = 130;

/// Counts signals and says when it is enough.
///
/// ```
/// use std::time::{Duration, Instant};
/// let mut interrupts = terminal::Interrupts::default();
/// let start = Instant::now();
/// let after = |ms| start + Duration::from_millis(ms);
/// assert!(![0, 1500, 2500].map(|ms| interrupts.is_enough(after(ms))).contains(&true));
/// assert!(interrupts.is_enough(after(3400)), "three within two seconds");
/// ```
#[derive(Debug, Default)]
pub struct Interrupts(VecDeque<Instant>);

impl Interrupts {
    /// Notes a signal that came `now`; whether it was the third within two seconds.
    pub fn is_enough(&mut self, now: Instant) -> bool {
        self.0.push_back(now);
        while self.0.front().is_some_and(|first| now.duration_since(*first) > WINDOW) {
            self.0.pop_front();
        }
        self.0.len() >= 3
    }
}

const WINDOW: Duration = Duration::from_secs(2);

/// Starts to listen to SIGINT and SIGTERM: the first one cancels `cancel` and calls `announce`, the
/// third within two seconds ends the process.
///
/// # Errors
///
/// When the system refuses the signal handlers.
pub fn stop_on_signals(cancel: CancellationToken, announce: impl Fn() + Send + 'static) -> io::Result<()> {
    let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(listen(interrupt, terminate, cancel, announce));
    Ok(())
}

/// Does work that waits and computes, on a thread of its own, while signals are listened to as
/// [`stop_on_signals`] does: the work asks the token whether to go on.
///
/// # Errors
///
/// When the system refuses threads or signal handlers.
///
/// # Panics
///
/// When the work does.
pub fn interruptible<T: Send + 'static>(
    announce: impl Fn() + Send + 'static,
    work: impl FnOnce(&CancellationToken) -> T + Send + 'static,
) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let cancel = CancellationToken::new();
        stop_on_signals(cancel.clone(), announce)?;
        Ok::<_, io::Error>(tokio::task::spawn_blocking(move || work(&cancel)).await)
    })?;
    match outcome {
        Ok(outcome) => Ok(outcome),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Err(io::Error::other(error)),
        },
    }
}

async fn listen(mut interrupt: Signal, mut terminate: Signal, cancel: CancellationToken, announce: impl Fn()) {
    let mut interrupts = Interrupts::default();
    loop {
        tokio::select! {
            Some(()) = interrupt.recv() => {}
            Some(()) = terminate.recv() => {}
            else => return,
        }
        if interrupts.is_enough(Instant::now()) {
            #[expect(
                clippy::disallowed_methods,
                reason = "the user insists; what is on disk is consistent at any time"
            )]
            std::process::exit(EXIT_INTERRUPTED);
        }
        if !cancel.is_cancelled() {
            announce();
            cancel.cancel();
        }
    }
}
