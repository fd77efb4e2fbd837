//! How far long work has come: one line on standard error, where somebody watches it.

use std::io::{self, IsTerminal, Stderr, Write};

/// Commitments from which on work takes long enough to be watched.
const LONG: usize = 10_000;

/// Work under way. Its line is taken back when the work ends, however it ends.
pub(super) struct Progress<W: Write = Stderr> {
    what: &'static str,
    total: usize,
    done: usize,
    /// The percentage in the line; `None` while there is no line.
    shown: Option<usize>,
    /// `None` where nobody watches.
    out: Option<W>,
}

impl Progress {
    /// The work `what` in `total` steps on so many commitments; seen on a terminal only, and only when it takes long.
    pub(super) fn of(what: &'static str, total: usize, commitments: usize) -> Self {
        let stderr = io::stderr();
        let is_watched = commitments >= LONG && stderr.is_terminal();
        Self::new(what, total, is_watched.then_some(stderr))
    }

    /// As [`Self::of`], for work whose results are shown as they come: on a terminal they would stand in the line's way.
    pub(super) fn beside_output(what: &'static str, total: usize, commitments: usize) -> Self {
        let commitments = if io::stdout().is_terminal() { 0 } else { commitments };
        Self::of(what, total, commitments)
    }
}

impl<W: Write> Progress<W> {
    fn new(what: &'static str, total: usize, out: Option<W>) -> Self {
        Self { what, total, done: 0, shown: None, out }
    }

    /// One more step is done.
    pub(super) fn step(&mut self) {
        let Some(out) = &mut self.out else { return };
        self.done += 1;
        let percent = self.done.saturating_mul(100) / self.total.max(self.done);
        if self.shown != Some(percent) {
            self.shown = Some(percent);
            // A line that cannot be shown is no reason to stop.
            write!(out, "\r{} {percent:>3} %", self.what).and_then(|()| out.flush()).ok();
        }
    }
}

impl<W: Write> Drop for Progress<W> {
    fn drop(&mut self) {
        if let (Some(_), Some(out)) = (self.shown, &mut self.out) {
            // With blanks, which every terminal knows.
            let blanks = " ".repeat(self.what.chars().count() + " 100 %".len());
            write!(out, "\r{blanks}\r").and_then(|()| out.flush()).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;

    fn seen(total: usize, steps: usize) -> String {
        let mut out = Vec::new();
        let mut progress = Progress::new("work", total, Some(&mut out));
        (0..steps).for_each(|_| progress.step());
        drop(progress);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_percent_is_shown_once_and_the_line_is_taken_back() {
        assert_eq!(seen(4, 3), "\rwork  25 %\rwork  50 %\rwork  75 %\r          \r");
        assert_eq!(seen(100_000, 100_000).matches('%').count(), 101);
        assert!(seen(2, 3).ends_with("\rwork 100 %\r          \r"), "{:?}", seen(2, 3));
        assert_eq!((seen(0, 0), seen(5, 0)), (String::new(), String::new()));
    }

    #[test]
    fn nothing_is_shown_where_nobody_watches() {
        // The tests' standard error is no terminal where it counts, and here the work is short besides.
        assert!(Progress::of("work", 1, 1).out.is_none());
        assert!(Progress::new("work", 1, None::<Vec<u8>>).out.is_none());
    }
}
