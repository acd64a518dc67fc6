//! Witnesses: names of seals in files outside the database, best on another machine. They reveal that seals were
//! deleted or remade, which the database alone cannot. An empty or damaged witness must not pass for a sound one:
//! verification reports every unreadable line, and every chain that has seals but no witnessed one.

use super::SealName;
use crate::db::{Db, StoreError};
use crate::enums::Chain;
use crate::tables::seals;
use diesel::prelude::*;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The error of a witness folder.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    #[error("cannot use the witness file {path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Bytes read from the end of a file: enough for its last line.
const TAIL: u64 = 4_096;

/// Appends the names of new seals to the files of a folder, one per chain, and syncs them. Returns how many.
///
/// Never removes a name: verification reports a seal that differs from the witnessed one.
///
/// # Errors
/// If a file cannot be read or written, or the database fails.
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
        // Starts a new line after one that a crash cut short.
        let lines = if is_torn { format!("\n{lines}") } else { lines };
        append(&path, &lines).map_err(|source| WitnessError::File { path, source })?;
    }
    Ok(recorded)
}

/// The contents of a witness folder.
#[derive(Debug, Clone)]
pub struct Witnessed {
    pub folder: PathBuf,
    pub seals: Vec<SealName>,
    /// The files that could not be read, as messages.
    pub problems: Vec<String>,
}

/// Reads all seals of a witness folder; whatever cannot be read becomes a problem.
pub fn read(folder: &Path) -> Witnessed {
    let mut witnessed = Witnessed { folder: folder.to_owned(), seals: Vec::new(), problems: Vec::new() };
    if let Err(error) = std::fs::read_dir(folder) {
        witnessed.problems.push(format!("cannot read the witness folder {}: {error}", folder.display()));
        return witnessed;
    }
    for chain in Chain::ALL {
        let path = file_of(folder, chain);
        match std::fs::read_to_string(&path) {
            Ok(text) => read_lines(&path, chain, &text, &mut witnessed),
            // Verification reports a missing file if the chain has seals.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => witnessed.problems.push(format!("cannot read the witness file {}: {error}", path.display())),
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
            Ok(name) => format!("it names a seal of the chain {}", name.chain),
            Err(message) => message,
        };
        // Cut short by a crash: the next recording appends, or has appended, the same seal.
        let is_torn = match lines.peek() {
            Some((_, next)) => next.trim().starts_with(line),
            None => !text.ends_with('\n'),
        };
        if !is_torn {
            witnessed.problems.push(format!("the witness file {}, line {}: {problem}", path.display(), at + 1));
        }
    }
}

fn file_of(folder: &Path, chain: Chain) -> PathBuf {
    folder.join(format!("{}.seals", chain.as_str().to_lowercase()))
}

/// The last readable seal of a file (None if it has none or does not exist), and whether a crash cut its last line
/// short.
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
    // Does not create the folder: with an unmounted share, seals would land on the local disk.
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    // One write, so that the lines of two nodes that share a folder do not interleave.
    file.write_all(lines.as_bytes())?;
    file.sync_all()
}
