//! In: a list of things to do, and how many at once. Out: the result of each, in the order of the list, as soon as those
//! before it are done. Bounded: for each worker at most [`AHEAD`] results wait for one before them. Left to others: the work.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

/// How far one worker may be ahead of what has been taken.
const AHEAD: usize = 4;

/// How many of `items` items are worked on at once; 0 jobs asks for one for each processor.
pub(crate) fn at_once(jobs: usize, items: usize) -> usize {
    let processors = || thread::available_parallelism().map_or(1, NonZero::get);
    if jobs == 0 { processors() } else { jobs }.min(items)
}

/// Does `work` for each item, `jobs` at once (0: one for each processor), and gives the results to `take` in the order of the items, on this thread. Stops early when `take` fails.
pub(crate) fn in_order<T: Sync, R: Send, E>(
    items: &[T],
    jobs: usize,
    work: impl Fn(&T) -> R + Sync,
    mut take: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E> {
    let jobs = at_once(jobs, items.len());
    if jobs <= 1 {
        return items.iter().try_for_each(|item| take(work(item)));
    }
    let (give, tasks) = mpsc::channel::<(usize, &T)>();
    let tasks = Mutex::new(tasks);
    thread::scope(|scope| {
        // Dropped at the end of this block, before the scope waits for the workers, which end when it is gone.
        let give = give;
        let (done, results) = mpsc::channel();
        for _ in 0..jobs {
            let (tasks, done, work) = (&tasks, done.clone(), &work);
            scope.spawn(move || {
                loop {
                    let next = tasks.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok((index, item)) = next else { return };
                    if done.send((index, work(item))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        let mut waiting: BTreeMap<usize, R> = BTreeMap::new();
        let mut rest = items.iter().enumerate();
        rest.by_ref().take(jobs * AHEAD).for_each(|task| give.send(task).unwrap_or_default());
        for wanted in 0..items.len() {
            let result = loop {
                if let Some(result) = waiting.remove(&wanted) {
                    break result;
                }
                // A worker that panicked takes its result with it; the scope passes the panic on.
                let Ok((index, result)) = results.recv() else { return Ok(()) };
                waiting.insert(index, result);
            };
            take(result)?;
            rest.next().into_iter().for_each(|task| give.send(task).unwrap_or_default());
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn results_come_in_order_whoever_is_first() {
        let items: Vec<u64> = (0..50).collect();
        for jobs in [0, 1, 3, 100] {
            let mut taken = Vec::new();
            // The first of every three takes longest.
            let work = |item: &u64| {
                thread::sleep(Duration::from_micros((2 - item % 3) * 300));
                *item
            };
            let all: Result<(), ()> = in_order(&items, jobs, work, |item| {
                taken.push(item);
                Ok(())
            });
            assert_eq!((all, &taken), (Ok(()), &items), "{jobs} jobs");
        }
    }

    #[test]
    fn a_taker_that_fails_ends_it() {
        let items: Vec<u64> = (0..1_000).collect();
        let mut taken = 0;
        let all = in_order(
            &items,
            2,
            |item| *item,
            |item| {
                taken += 1;
                if item == 5 { Err("enough") } else { Ok(()) }
            },
        );
        assert_eq!((all, taken), (Err("enough"), 6));
    }
}
