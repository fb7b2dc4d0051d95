//! Does the same work for many things on all cores, in their order as far as anybody can see.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::cli::terminal::Progress;
use gate::failure::Failure;

/// What `work` makes of each of `items`, in the order of `items`. Each thread has what `open` gives, because a repository that
/// is open belongs to one thread.
///
/// # Errors
///
/// The first failure, by the order of `items`; work that was begun is ended.
pub(super) fn on_all_cores<T: Sync, C, R: Send>(
    items: &[T],
    progress: Progress,
    open: impl Fn() -> Result<C, Failure> + Sync,
    work: impl Fn(&C, &T) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    let (next, done, progress) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(progress));
    let turn = || {
        let opened = open();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { break };
            let made = match &opened {
                Ok(context) => work(context, item),
                Err(failure) => Err(failure.clone()),
            };
            if made.is_err() {
                // The others end after what they are at.
                next.store(items.len(), Ordering::Relaxed);
            }
            if let Ok(mut done) = done.lock() {
                done.push((at, made));
            }
            if let Ok(mut progress) = progress.lock() {
                progress.step();
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(items.len().max(1));
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(turn);
        }
        turn();
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, made)| made).collect()
}
