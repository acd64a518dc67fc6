//! Progress bars, and cancellation of long commands by Ctrl-C.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Work with a progress bar that stops at the next safe point after Ctrl-C; a second Ctrl-C exits at once.
pub struct Interruptible {
    pub bar: ProgressBar,
    stop: Arc<AtomicBool>,
}

impl Interruptible {
    /// Counts on a bar until the process is interrupted. A second interrupt ends the process.
    ///
    /// # Errors
    /// If the process has a handler of signals already.
    pub fn new(bar: ProgressBar) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        ctrlc::set_handler(move || {
            if seen.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
        })?;
        Ok(Self { bar, stop })
    }

    /// A progress bar that counts items until the process is interrupted.
    ///
    /// # Errors
    /// The errors of [`Self::new`].
    pub fn counting(total: usize, what: &str) -> anyhow::Result<Self> {
        Self::new(counting(total, what)?)
    }

    /// Updates the bar; false if the work must stop.
    pub fn at(&mut self, done: usize) -> bool {
        self.bar.set_position(done as u64);
        self.check_cancelled()
    }

    pub fn check_cancelled(&self) -> bool {
        !self.stop.load(Ordering::SeqCst)
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A progress bar that counts items; hidden if standard error is not a terminal.
///
/// # Errors
/// If the template of the bar cannot be parsed.
pub fn counting(total: usize, what: &str) -> anyhow::Result<ProgressBar> {
    if !std::io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template(&format!("[{{wide_bar}}] {{pos}}/{{len}} {what} {{eta}}"))?;
    Ok(ProgressBar::new(total as u64).with_style(style))
}
