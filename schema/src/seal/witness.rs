//! Witnesses: the names of seals in files outside the database, best on another machine. They tell when seals were
//! deleted or made anew, which nothing within the database can.

use super::SealName;
use crate::db::{Db, StoreError};
use crate::enums::Chain;
use crate::tables::seals;
use diesel::prelude::*;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// What can be wrong with a folder of witnesses.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    #[error("the witness {path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("the witness {path}, line {line}: {message}")]
    Line { path: PathBuf, line: usize, message: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// As much of the end of a file as holds the last line.
const TAIL: u64 = 4_096;

/// Appends the names of the seals that a folder has not witnessed yet, one file for each chain, and syncs them.
///
/// Seals are never taken back from a file: where the database has another seal than was witnessed, a verification says
/// so.
///
/// # Errors
/// Where a file cannot be read or written.
pub fn record(db: &Db, folder: &Path) -> Result<usize, WitnessError> {
    let mut recorded = 0;
    for chain in Chain::ALL {
        let path = file_of(folder, chain);
        let last = last_name(&path)?.map_or(0, |name| name.number);
        let names = db.read(|conn| {
            let rows: Vec<(i64, Vec<u8>)> = seals::table
                .filter(seals::chain.eq(chain))
                .filter(seals::number.gt(last))
                .order(seals::number)
                .select((seals::number, seals::hash))
                .load(conn)?;
            Ok(rows)
        })?;
        if names.is_empty() {
            continue;
        }
        recorded += names.len();
        let lines: String = names
            .into_iter()
            .map(|(number, hash)| {
                let hash = data_encoding::HEXLOWER.encode(&hash);
                format!("{}\n", SealName { chain, number, hash })
            })
            .collect();
        append(&path, &lines).map_err(|source| WitnessError::File { path, source })?;
    }
    Ok(recorded)
}

/// All seals that a folder has witnessed.
///
/// # Errors
/// Where a file cannot be read, or a line names no seal.
pub fn read(folder: &Path) -> Result<Vec<SealName>, WitnessError> {
    // A folder that is not there witnesses nothing, and must not look as if it did.
    std::fs::read_dir(folder).map_err(|source| WitnessError::File { path: folder.to_owned(), source })?;
    let mut names = Vec::new();
    for chain in Chain::ALL {
        let path = file_of(folder, chain);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(source) => return Err(WitnessError::File { path, source }),
        };
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let name = line.trim().parse().map_err(|message| WitnessError::Line {
                path: path.clone(),
                line: at + 1,
                message,
            })?;
            names.push(name);
        }
    }
    Ok(names)
}

fn file_of(folder: &Path, chain: Chain) -> PathBuf {
    folder.join(format!("{}.seals", chain.as_str().to_lowercase()))
}

/// The last seal of a file; None where there is no file yet. A line that a crash left without its end is none.
fn last_name(path: &Path) -> Result<Option<SealName>, WitnessError> {
    let wrong = |source| WitnessError::File { path: path.to_owned(), source };
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(error)),
    };
    let length = file.metadata().map_err(wrong)?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).map_err(wrong)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(wrong)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.lines().rev().find_map(|line| line.trim().parse().ok()))
}

fn append(path: &Path, lines: &str) -> std::io::Result<()> {
    // The folder is not made: where a share is not mounted, seals would go to this very machine.
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    // One write: two nodes that share a folder do not mix their lines.
    file.write_all(lines.as_bytes())?;
    file.sync_all()
}
