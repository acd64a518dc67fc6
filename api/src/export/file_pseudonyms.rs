//! Replaces the pseudonyms of answers by those of files: files can be joined with files, but not with answers.

use anyhow::Context;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use jobs::snapshot::Snapshot;
use schema::Id;
use schema::pseudonyms::{Pseudonyms, Subject};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The subjects behind pseudonyms.
pub struct People<'a> {
    pub snapshot: &'a Snapshot,
    /// Pseudonyms in the answers that the rows come from.
    pub answers: &'a Pseudonyms,
    /// Pseudonyms in the file.
    pub files: &'a Pseudonyms,
}

impl People<'_> {
    /// All subjects of a kind that a statistic may show.
    fn ids(&self, subject: Subject) -> Vec<Id> {
        let Snapshot { officers, enterprises, .. } = self.snapshot;
        match subject {
            Subject::Officer => (0u32..).take(officers.places()).filter_map(|index| officers.at(index)).collect(),
            Subject::Enterprise => {
                (0u32..).take(enterprises.places()).filter_map(|index| enterprises.at(index)).collect()
            }
            Subject::Complaint | Subject::Flag => Vec::new(),
        }
    }

    /// The rows with the pseudonyms of the file in some columns, ordered by these: the order of the answer would tell
    /// which of its pseudonyms is which of the file's.
    ///
    /// # Errors
    /// If the snapshot has no subject of a pseudonym.
    pub fn in_file(&self, rows: &[RecordBatch], columns: &[(usize, Subject)]) -> anyhow::Result<Vec<RecordBatch>> {
        let Some(first) = rows.first().filter(|_| !columns.is_empty()) else { return Ok(rows.to_vec()) };
        let schema = first.schema();
        let all = concat_batches(&schema, rows)?;
        let mut arrays: Vec<ArrayRef> = all.columns().to_vec();
        for (at, subject) in columns {
            let renamed = self.renamed(arrays[*at].as_string::<i32>(), *subject)?;
            arrays[*at] = Arc::new(renamed);
        }
        let by: Vec<StringArray> = columns.iter().map(|(at, _)| arrays[*at].as_string::<i32>().clone()).collect();
        let key = |row: &u32| -> Vec<Option<String>> {
            let row = *row as usize;
            by.iter().map(|names| names.is_valid(row).then(|| names.value(row).to_owned())).collect()
        };
        let mut order: Vec<u32> = (0..u32::try_from(all.num_rows())?).collect();
        order.sort_by_cached_key(key);
        let all = RecordBatch::try_new(schema, arrays)?;
        Ok(vec![take_record_batch(&all, &UInt32Array::from(order))?])
    }

    fn renamed(&self, names: &StringArray, subject: Subject) -> anyhow::Result<StringArray> {
        let shown: HashSet<&str> = names.iter().flatten().collect();
        let mut of_file: HashMap<String, String> = HashMap::new();
        for id in self.ids(subject) {
            let answer = self.answers.of(subject, id);
            if shown.contains(answer.as_str()) {
                of_file.insert(answer, self.files.of(subject, id));
            }
        }
        let renamed = names.iter().map(|name| -> anyhow::Result<Option<&str>> {
            let Some(name) = name else { return Ok(None) };
            let found =
                of_file.get(name).context("the statistic names a subject that the snapshot lacks: try again")?;
            Ok(Some(found.as_str()))
        });
        renamed.collect()
    }
}
