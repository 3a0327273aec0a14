//! How fast a scan may read.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// A number of read units a second, shared by everybody who reads.
///
/// What a page costs is known only afterwards, so it is taken for as dear as the page before, and
/// corrected then.
#[derive(Debug)]
pub(super) struct ReadBudget {
    /// `None`: as fast as possible.
    units_per_second: Option<f64>,
    account: Mutex<Account>,
}

#[derive(Debug)]
struct Account {
    /// When what was taken so far is paid off.
    free_at: Instant,
    /// What the last page cost.
    last_page: Option<f64>,
}

impl ReadBudget {
    pub(super) fn new(units_per_second: Option<f64>) -> Self {
        Self { units_per_second, account: Mutex::new(Account { free_at: Instant::now(), last_page: None }) }
    }

    /// Waits until a page may be read, and takes what it will cost, which is returned; `guess` is for the
    /// first one.
    pub(super) async fn take(&self, guess: f64) -> f64 {
        let Some(rate) = self.units_per_second else { return 0.0 };
        let (begin, units) = {
            let mut account = self.account();
            let units = account.last_page.unwrap_or(guess);
            let begin = account.free_at.max(Instant::now());
            account.free_at = begin + Duration::from_secs_f64(units / rate);
            (begin, units)
        };
        tokio::time::sleep_until(begin).await;
        units
    }

    /// Corrects what was taken for a page to what it cost.
    pub(super) fn settle(&self, taken: f64, cost: f64) {
        let Some(rate) = self.units_per_second else { return };
        let mut account = self.account();
        account.last_page = Some(cost).filter(|cost| *cost > 0.0).or(account.last_page);
        let difference = Duration::from_secs_f64((cost - taken).abs() / rate);
        let corrected =
            if cost >= taken { Some(account.free_at + difference) } else { account.free_at.checked_sub(difference) };
        account.free_at = corrected.unwrap_or(account.free_at);
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        // Held for assignments.
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
