//! In: the captures to read, and their bytes as they are read. Out: a bar on a terminal's standard error, with bytes,
//! rate and time left, for work longer than a second. Nothing in a pipe, and nothing when told to be quiet.

use std::io::{self, Read};
use std::sync::Once;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::inputs::Input;
use super::output;

/// Work shorter than this needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// How far the reading is.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
    /// Whether a bar may appear at all.
    wanted: bool,
    /// Done once the bar has appeared.
    shown: Once,
}

impl Progress {
    /// The progress of reading these captures; their total size is unknown if one of them is no plain file.
    pub(crate) fn of(inputs: &[Input]) -> Self {
        let sizes: Option<Vec<u64>> = inputs.iter().map(Input::size).collect();
        let total = sizes.map(|sizes| sizes.iter().sum());
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        let template = match total {
            Some(_) => "{wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
            None => "{bytes}, {bytes_per_sec}",
        };
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, started: Instant::now(), wanted: !output::is_quiet(), shown: Once::new() }
    }

    /// No bar.
    pub(crate) fn none() -> Self {
        Self { bar: ProgressBar::hidden(), started: Instant::now(), wanted: false, shown: Once::new() }
    }

    /// Counts the bytes that pass through.
    pub(crate) fn count<R: Read>(&self, inner: R) -> Counted<'_, R> {
        Counted { inner, progress: self }
    }

    /// A line on standard error, above the bar.
    pub(crate) fn say(&self, line: &str) {
        self.bar.suspend(|| output::tell(line));
    }

    fn advance(&self, bytes: usize) {
        if self.wanted && self.started.elapsed() >= PATIENCE {
            // If standard error is no terminal, this target draws nothing.
            self.shown.call_once(|| self.bar.set_draw_target(ProgressDrawTarget::stderr()));
        }
        self.bar.inc(u64::try_from(bytes).unwrap_or_default());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A reader whose bytes are counted.
pub(crate) struct Counted<'a, R> {
    inner: R,
    progress: &'a Progress,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(space)?;
        self.progress.advance(count);
        Ok(count)
    }
}
