//! Several workers, one queue: whoever is free takes the lowest run that waits. And work that blocks.

use std::{
    collections::VecDeque,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::task::JoinSet;

/// Works on `items` in their order, `workers` at once; results come in the order of completion.
///
/// Dropping the future aborts the work.
pub(crate) async fn side_by_side<T, R, F>(
    workers: usize,
    items: impl IntoIterator<Item = T>,
    work: impl Fn(T) -> F + Clone + Send + 'static,
) -> Vec<R>
where
    T: Send + 'static,
    R: Send + 'static,
    F: Future<Output = R> + Send,
{
    let queue = Arc::new(Mutex::new(VecDeque::from_iter(items)));
    let mut tasks = JoinSet::new();
    for _ in 0..workers.max(1) {
        let (queue, work) = (Arc::clone(&queue), work.clone());
        tasks.spawn(async move {
            let mut results = Vec::new();
            // A queue cannot be left half-changed by a panic.
            while let Some(item) = { queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front() } {
                results.push(work(item).await);
            }
            results
        });
    }
    let mut results = Vec::new();
    while let Some(finished) = tasks.join_next().await {
        match finished {
            Ok(part) => results.extend(part),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    results
}

/// Runs `work` on a thread that may wait for the disk.
pub(crate) async fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(failure) => std::panic::resume_unwind(failure.into_panic()),
    }
}
