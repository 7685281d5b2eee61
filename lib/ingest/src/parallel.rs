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
    each_beside(items, threads, context, work, &mut || {
        tick();
        Ok(())
    })
}

/// As [`each`], with work of the caller's beside it: `beside` is called once at the beginning,
/// and then about every 100 ms. After its failure no further item is begun, and it is not called again.
///
/// # Errors
/// The failure of `beside`, else the first by the order of items.
pub fn each_beside<T: Sync, C, R: Send>(
    items: &[T],
    threads: usize,
    context: impl Fn() -> Result<C, Problem> + Sync,
    work: impl Fn(&mut C, &T) -> Result<R, Problem> + Sync,
    beside: &mut dyn FnMut() -> Result<(), Problem>,
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
        let mut failed = None;
        let mut told = || {
            if failed.is_none()
                && let Err(e) = beside()
            {
                next.store(items.len(), Ordering::Relaxed);
                failed = Some(e);
            }
        };
        told();
        // Every worker holds a sender: the channel closes when the last one ends.
        tick_until(&results, &mut told);
        let mut all = Vec::with_capacity(items.len());
        for worker in workers {
            all.extend(joined(worker)?);
        }
        if let Some(e) = failed {
            return Err(e);
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
    use super::{each, each_beside};
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

    #[test]
    fn what_is_done_beside_begins_at_once_and_its_failure_ends_all() {
        let mut begun = 0;
        let mut beside = || {
            begun += 1;
            Err(Problem::new(Code::SpaceFull, "no"))
        };
        let failed = each_beside(&[1, 2], 2, || Ok(()), |(), _| Ok(()), &mut beside);
        assert_eq!((failed.unwrap_err().code, begun), (Code::SpaceFull, 1));
    }
}
