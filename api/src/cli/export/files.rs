//! The files that the command `export` writes, and their manifests.

use crate::export::{About, Form, Hashing, Manifest};
use anyhow::Context;
use schema::files::{self, AtomicFile};
use serde_json::Value;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// A file under a temporary name, which is renamed when it is complete.
pub type Draft = BufWriter<Hashing<AtomicFile>>;

/// A file that was written.
pub struct Written {
    pub path: PathBuf,
    pub manifest: Manifest,
}

/// # Errors
/// If the file cannot be made.
pub fn begin(path: &Path) -> anyhow::Result<Draft> {
    let file = AtomicFile::begin(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(BufWriter::new(Hashing::new(file)))
}

/// Gives a complete file its name.
///
/// # Errors
/// If it cannot be written to its end, or renamed.
pub fn keep(path: &Path, to: Draft, rows: u64, about: &About, form: Form) -> anyhow::Result<Written> {
    let (file, content) = to.into_inner().map_err(std::io::IntoInnerError::into_error)?.finish();
    file.keep().with_context(|| path.display().to_string())?;
    Ok(Written { path: path.to_owned(), manifest: about.manifest(form.format, rows, &content) })
}

/// Writes the manifest beside the file `path`, or that of all months into the folder `path`.
///
/// # Errors
/// If it cannot be written.
pub fn write_manifest(path: &Path, by_month: bool, files: &[Written]) -> anyhow::Result<()> {
    let (to, document) = match (files, by_month) {
        (_, true) => {
            let files = files.iter().map(|file| -> serde_json::Result<Value> {
                let mut document = serde_json::to_value(&file.manifest)?;
                let name = file.path.strip_prefix(path).unwrap_or(&file.path);
                document["file"] = name.display().to_string().into();
                Ok(document)
            });
            let files = files.collect::<serde_json::Result<Vec<Value>>>()?;
            // Readers of folders of Parquet pass over names that begin so.
            (path.join("_manifest.json"), serde_json::json!({ "files": files }))
        }
        // A pipe or a device gets no manifest.
        ([file], false) if file.path.is_file() => {
            let mut name = file.path.clone().into_os_string();
            name.push(".manifest.json");
            (name.into(), serde_json::to_value(&file.manifest)?)
        }
        _ => return Ok(()),
    };
    if by_month {
        std::fs::create_dir_all(path).with_context(|| path.display().to_string())?;
    }
    let text = format!("{}\n", serde_json::to_string_pretty(&document)?);
    files::write(&to, text).with_context(|| format!("cannot write {}", to.display()))
}
