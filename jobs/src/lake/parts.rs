//! Reads a table part by part, and writes parts as Parquet.

use super::content::{Content, Summary};
use super::failed;
use super::folder::{Folder, VERSIONS};
use super::manifest::LakeFile;
use super::months::{month, part_without_rows, runs};
use crate::JobError;
use crate::snapshot::Snapshot;
use crate::tables::{Table, TableReader, stream};
use arrow_array::RecordBatch;
use data_encoding::HEXLOWER;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use schema::Db;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows of a Parquet row group.
const ROW_GROUP: usize = 100_000;
/// Bytes of unfinished row groups of all open parts, beyond which these are finished early.
const UNFINISHED: usize = 256 << 20;

/// The source of the rows of tables.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub db: &'a Db,
    pub snapshot: &'a Arc<Snapshot>,
    pub reader: &'a TableReader,
}

impl Source<'_> {
    /// The content of each part of a table.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub fn summaries(self, table: &'static Table) -> Result<BTreeMap<String, Summary>, JobError> {
        let mut parts: BTreeMap<String, Content> = BTreeMap::new();
        self.read(table, &mut |part, rows| {
            let content = parts.entry(part.to_owned()).or_insert_with(|| Content::new(table));
            content.add(rows).map_err(|error| failed(Path::new(table.name), error))
        })?;
        if parts.is_empty() {
            parts.insert(part_without_rows(table).to_owned(), Content::new(table));
        }
        Ok(parts.into_iter().map(|(part, content)| (part, content.finish())).collect())
    }

    /// Writes the wanted parts of a table as new versions.
    ///
    /// # Errors
    /// If the table cannot be read, or a file not be written.
    pub fn write(
        self,
        folder: &Folder,
        table: &'static Table,
        is_wanted: &dyn Fn(&str) -> bool,
    ) -> Result<BTreeMap<String, LakeFile>, JobError> {
        let mut parts: BTreeMap<String, PartWriter> = BTreeMap::new();
        let begin = |part: &str| PartWriter::begin(folder, table, part, self.reader.pseudonyms.version());
        self.read(table, &mut |part, rows| {
            if !is_wanted(part) {
                return Ok(());
            }
            let writer = match parts.entry(part.to_owned()) {
                Entry::Vacant(entry) => entry.insert(begin(part)?),
                Entry::Occupied(entry) => entry.into_mut(),
            };
            writer.add(rows)?;
            if parts.values().map(|open| open.writer.memory_size()).sum::<usize>() > UNFINISHED {
                parts.values_mut().try_for_each(PartWriter::finish_row_group)?;
            }
            Ok(())
        })?;
        let empty = part_without_rows(table);
        if parts.is_empty() && is_wanted(empty) {
            parts.insert(empty.to_owned(), begin(empty)?);
        }
        parts.into_iter().map(|(part, writer)| Ok((part, writer.finish(folder)?))).collect()
    }

    fn read(
        self,
        table: &'static Table,
        take: &mut dyn FnMut(&str, &RecordBatch) -> Result<(), JobError>,
    ) -> Result<(), JobError> {
        stream(self.db, self.snapshot, self.reader, table, &mut |piece| {
            let runs = runs(table, &piece.rows).map_err(|error| failed(Path::new(table.name), error))?;
            runs.iter().try_for_each(|run| take(&run.part, &piece.rows.slice(run.from, run.rows)))
        })
    }
}

/// Writes one part.
pub(super) struct PartWriter {
    table: &'static Table,
    part: String,
    draft: PathBuf,
    writer: ArrowWriter<HashedFile>,
    content: Content,
}

impl PartWriter {
    /// Begins the file of a part of a table.
    ///
    /// # Errors
    /// `Lake` if the file cannot be written.
    pub fn begin(folder: &Folder, table: &'static Table, part: &str, key_version: u32) -> Result<Self, JobError> {
        let draft = folder.draft(&format!("{}-{part}", table.name));
        let file = HashedFile::create(&draft).map_err(|error| failed(&draft, error))?;
        // The metadata of the file must not change while its rows do not.
        let about = vec![KeyValue::new("phananh.key_version".to_owned(), key_version.to_string())];
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROW_GROUP))
            .set_key_value_metadata(Some(about))
            .build();
        let writer =
            ArrowWriter::try_new(file, table.schema(), Some(properties)).map_err(|error| failed(&draft, error))?;
        Ok(Self { table, part: part.to_owned(), draft, writer, content: Content::new(table) })
    }

    /// Adds rows to the file.
    ///
    /// # Errors
    /// `Lake` if the rows have other columns, or the file cannot be written.
    pub fn add(&mut self, rows: &RecordBatch) -> Result<(), JobError> {
        self.content.add(rows).map_err(|error| failed(&self.draft, error))?;
        self.writer.write(rows).map_err(|error| failed(&self.draft, error))
    }

    fn finish_row_group(&mut self) -> Result<(), JobError> {
        self.writer.flush().map_err(|error| failed(&self.draft, error))
    }

    /// Ends the file and stores it in the folder under a name made of its hash.
    ///
    /// # Errors
    /// `Lake` if the file cannot be written or renamed.
    pub fn finish(self, folder: &Folder) -> Result<LakeFile, JobError> {
        let Self { table, part, draft, writer, content } = self;
        let file = writer.into_inner().map_err(|error| failed(&draft, error))?;
        let (bytes, sha256) = file.finish().map_err(|error| failed(&draft, error))?;
        let Summary { rows, content } = content.finish();
        let path = format!("{VERSIONS}/{}/{part}-{}.parquet", table.name, sha256.get(..16).unwrap_or_default());
        folder.keep(&draft, &path)?;
        let latest = format!("{}/{part}.parquet", table.name);
        Ok(LakeFile { path, latest, month: month(&part), rows, bytes, sha256, content })
    }
}

/// A file that is hashed while it is written.
struct HashedFile {
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl HashedFile {
    fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::create(path)?, hash: Sha256::new(), bytes: 0 })
    }

    /// Syncs the file; its length and SHA-256.
    fn finish(self) -> io::Result<(u64, String)> {
        self.file.sync_all()?;
        Ok((self.bytes, HEXLOWER.encode(&self.hash.finalize())))
    }
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
