//! Work shared by a few threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::ScopedJoinHandle;
use std::time::Duration;

use model::problem::Problem;

/// How often whoever waits for the work is told that it goes on.
const TICK: Duration = Duration::from_millis(100);

/// Does `work` on every item with some threads; each thread makes one context for itself.
///
/// `tick` is called about every 100 ms while the work goes on. The results come in
/// the order of the items. After a failure no further item is begun.
///
/// # Errors
/// The first failure, by the order of items.
pub fn each<T: Sync, C, R: Send>(
    items: &[T],
    threads: usize,
    context: impl Fn() -> Result<C, Problem> + Sync,
    work: impl Fn(&mut C, &T) -> Result<R, Problem> + Sync,
    tick: &mut dyn FnMut(),
) -> Result<Vec<R>, Problem> {
    let next = AtomicUsize::new(0);
    let (done, results) = mpsc::channel::<()>();
    let one = |_alive: mpsc::Sender<()>| -> Result<Vec<(usize, R)>, Problem> {
        let mut context = context()?;
        let mut mine = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return Ok(mine) };
            match work(&mut context, item) {
                Ok(result) => mine.push((at, result)),
                Err(e) => {
                    next.store(items.len(), Ordering::Relaxed);
                    return Err(e);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let wanted = threads.clamp(1, items.len().max(1));
        let workers: Vec<_> = (0..wanted)
            .map(|_| {
                let alive = done.clone();
                scope.spawn(|| one(alive))
            })
            .collect();
        drop(done);
        // Every worker holds a sender: the channel closes when the last one ends.
        tick_until(&results, tick);
        let mut all = Vec::with_capacity(items.len());
        for worker in workers {
            all.extend(joined(worker)?);
        }
        all.sort_unstable_by_key(|(at, _)| *at);
        Ok(all.into_iter().map(|(_, result)| result).collect())
    })
}

/// Calls `tick` about every 100 ms until every sender of a channel is gone.
pub fn tick_until(ended: &mpsc::Receiver<()>, tick: &mut dyn FnMut()) {
    while let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(TICK) {
        tick();
    }
}

/// A thread's result; its panic goes on in the thread that waits for it.
pub fn joined<T>(worker: ScopedJoinHandle<'_, Result<T, Problem>>) -> Result<T, Problem> {
    match worker.join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// As many threads as the machine has cores; more where every call waits for a server.
pub fn threads(waits_for_server: bool) -> usize {
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    if waits_for_server { 32 } else { cores }
}

#[cfg(test)]
mod tests {
    use super::each;
    use model::problem::{Code, Problem};

    #[test]
    fn results_keep_the_order_of_the_items_and_the_first_failure_ends_the_work() {
        let items: Vec<usize> = (0..1000).collect();
        let doubled = each(&items, 4, || Ok(()), |(), n| Ok(n * 2), &mut || {}).unwrap();
        assert_eq!(doubled, items.iter().map(|n| n * 2).collect::<Vec<_>>());
        let failed = each(
            &items,
            4,
            || Ok(()),
            |(), n| if *n == 500 { Err(Problem::new(Code::Io, "no")) } else { Ok(()) },
            &mut || {},
        );
        assert_eq!(failed.unwrap_err().code, Code::Io);
        assert!(each(&[0; 0], 4, || Ok(()), |(), _| Ok(()), &mut || {}).unwrap().is_empty());
    }
}
