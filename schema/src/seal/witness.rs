//! Witnesses: the names of seals in files outside the database, best on another machine. They tell when seals were
//! deleted or made anew, which nothing within the database can. A witness that says nothing must not look as if all were
//! well: what does not read of it is told, and each chain that has seals has to have witnessed ones.

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
        let (last, is_torn) = last_name(&path)?;
        let last = last.map_or(0, |name| name.number);
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
        // A line that a crash left without its end is not to run into the next one.
        let lines = if is_torn { format!("\n{lines}") } else { lines };
        append(&path, &lines).map_err(|source| WitnessError::File { path, source })?;
    }
    Ok(recorded)
}

/// What a folder witnesses.
#[derive(Debug, Clone)]
pub struct Witnessed {
    pub folder: PathBuf,
    pub seals: Vec<SealName>,
    /// What does not read, each with its file.
    pub problems: Vec<String>,
}

/// All seals that a folder has witnessed, and what does not read of it.
pub fn read(folder: &Path) -> Witnessed {
    let mut witnessed = Witnessed { folder: folder.to_owned(), seals: Vec::new(), problems: Vec::new() };
    if let Err(error) = std::fs::read_dir(folder) {
        witnessed.problems.push(format!("the witness {} does not read: {error}", folder.display()));
        return witnessed;
    }
    for chain in Chain::ALL {
        let path = file_of(folder, chain);
        match std::fs::read_to_string(&path) {
            Ok(text) => read_lines(&path, chain, &text, &mut witnessed),
            // Whether there should be one, the seals of the register say.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => witnessed.problems.push(format!("the witness {} does not read: {error}", path.display())),
        }
    }
    witnessed
}

fn read_lines(path: &Path, chain: Chain, text: &str, witnessed: &mut Witnessed) {
    let mut lines = text.lines().enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let problem = match line.parse::<SealName>() {
            Ok(name) if name.chain == chain => {
                witnessed.seals.push(name);
                continue;
            }
            Ok(name) => format!("it names a seal of {}", name.chain),
            Err(message) => message,
        };
        // Torn by a crash: the same seal was appended again after it, or will be.
        let is_torn = match lines.peek() {
            Some((_, next)) => next.trim().starts_with(line),
            None => !text.ends_with('\n'),
        };
        if !is_torn {
            witnessed.problems.push(format!("the witness {}, line {}: {problem}", path.display(), at + 1));
        }
    }
}

fn file_of(folder: &Path, chain: Chain) -> PathBuf {
    folder.join(format!("{}.seals", chain.as_str().to_lowercase()))
}

/// The last seal of a file; None where there is no file yet. A line that a crash left without its end is none; whether
/// there is one.
fn last_name(path: &Path) -> Result<(Option<SealName>, bool), WitnessError> {
    let wrong = |source| WitnessError::File { path: path.to_owned(), source };
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((None, false)),
        Err(error) => return Err(wrong(error)),
    };
    let length = file.metadata().map_err(wrong)?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).map_err(wrong)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(wrong)?;
    let text = String::from_utf8_lossy(&bytes);
    let is_torn = !text.is_empty() && !text.ends_with('\n');
    Ok((text.lines().rev().find_map(|line| line.trim().parse().ok()), is_torn))
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
