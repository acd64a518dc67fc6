//! Shows a text that is taller than the screen in a pager.

use super::interrupt::Interrupts;
use std::io::{self, Write};
use std::process::{Command, Stdio};

/// The pager where `PAGER` names none: it does not fold wide tables.
const PAGER: &str = "less -S";
/// Exit status of a shell that does not find a command.
const NOT_FOUND: i32 = 127;

/// Prints a text, in a pager if it has more lines than the screen.
///
/// # Errors
/// If standard output fails.
pub fn show(text: &str, screen: Option<u16>, interrupts: &Interrupts) -> io::Result<()> {
    let fits = screen.is_none_or(|rows| text.lines().count() < usize::from(rows));
    if !fits && paged(text, interrupts) {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Whether a pager showed the text.
fn paged(text: &str, interrupts: &Interrupts) -> bool {
    let pager = std::env::var("PAGER").ok().filter(|pager| !pager.trim().is_empty());
    let pager = pager.as_deref().unwrap_or(PAGER);
    let _paging = interrupts.paging();
    let Ok(mut child) = Command::new("sh").args(["-c", pager]).stdin(Stdio::piped()).spawn() else { return false };
    if let Some(mut stdin) = child.stdin.take() {
        // A pager that was left early reads no more.
        let _left = stdin.write_all(text.as_bytes());
    }
    child.wait().is_ok_and(|status| status.code() != Some(NOT_FOUND))
}
