//! Finds the engine program and starts it.

use super::QueryError;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The environment variable with the path of the engine program.
pub const VARIABLE: &str = "PHANANH_ENGINE";
/// The file name of the program.
const NAME: &str = "phananh-engine";

/// The engine program: the path in the environment variable, else the file in the folder of this program, else one on
/// the PATH.
///
/// # Errors
/// NoEngine, which says how to get one.
pub fn find() -> Result<PathBuf, QueryError> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        let named = PathBuf::from(named);
        let missing = || QueryError::NoEngine(format!("{VARIABLE} names {named:?}, which does not exist"));
        return if named.is_file() { Ok(named) } else { Err(missing()) };
    }
    let beside = std::env::current_exe().ok().and_then(|own| own.parent().map(Path::to_owned));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = beside.into_iter().chain(std::env::split_paths(&path));
    let mut programs = folders.map(|folder| folder.join(NAME)).filter(|program| program.is_absolute());
    programs.find(|program| program.is_file()).ok_or_else(|| {
        QueryError::NoEngine(format!(
            "this installation has no SQL engine: build it with `cargo build --release -p api --features engine --bin \
             {NAME}` and put it beside phananh, or set {VARIABLE}"
        ))
    })
}

/// Starts the program; with a lake it may read the files of that folder. It gets nothing of the environment and no
/// descriptors but its pipes. The thread that starts it must live on: the program ends with it.
///
/// # Errors
/// When it cannot be started.
pub fn start(program: &Path, lake: Option<&Path>) -> std::io::Result<Child> {
    Command::new(program)
        .args(lake)
        .env_clear()
        .current_dir("/")
        // Ctrl-C is for the program that asks: it cancels its question.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}
