//! The hashes that make a run reproducible: of its inputs as canonical columns by month, and of its outputs
//! as canonical JSON (RFC 8785). Neither depends on how a database formats values.

use crate::JobError;
use crate::analyses::recurrence::{Assessment, Rules, round_6_digits};
use crate::facts::Subject;
use crate::facts::exposure::{Basis, Span};
use crate::facts::frames::Frames;
use chrono::{Days, NaiveDate};
use polars::prelude::*;
use polars_core::runtime::THREAD_POOL;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// The hashes of a run, in hex (SHA-256).
#[derive(Debug, Clone, PartialEq)]
pub struct RunHashes {
    /// By month of receipt, and by kind of exposure: the number of rows and their hash.
    pub inputs: Value,
    pub input_hash: String,
    pub output_hash: String,
    /// Over the input hash, the output hash, the as-of day and the rules.
    pub result_hash: String,
}

/// Hashes a run.
///
/// # Errors
/// `Polars` when a frame lacks a column or has another type.
pub fn run_hashes(
    frames: &Frames,
    assessments: &[Assessment],
    as_of: NaiveDate,
    rules: &Rules,
) -> Result<RunHashes, JobError> {
    Ok(hashes_of(input_hashes(frames)?, assessments, as_of, rules))
}

/// The hashes of what a run reads: [`RunHashes::inputs`].
///
/// # Errors
/// `Polars` when a frame lacks a column or has another type.
pub fn input_hashes(frames: &Frames) -> Result<Value, JobError> {
    let (months, exposures) = THREAD_POOL.join(|| input_months(frames), || exposures(frames));
    let mut inputs = months?;
    inputs.extend(exposures?);
    Ok(Value::Object(inputs))
}

/// Hashes a run whose inputs are hashed.
pub fn hashes_of(inputs: Value, assessments: &[Assessment], as_of: NaiveDate, rules: &Rules) -> RunHashes {
    let input_hash = hash_json(&inputs);
    let outputs: Vec<Value> = assessments.iter().map(output).collect();
    let output_hash = hash_json(&json!(outputs));
    let result_hash = hash_json(&json!({
        "asOf": as_of,
        "inputs": input_hash,
        "outputs": output_hash,
        "rules": rules,
    }));
    RunHashes { inputs, input_hash, output_hash, result_hash }
}

/// One assessment in the form that is hashed and compared.
pub fn output(assessment: &Assessment) -> Value {
    json!({
        "kind": assessment.kind,
        "code": assessment.subject.code,
        "tier": assessment.tier,
        "numbers": numbers(assessment),
        "evidence": assessment.evidence,
    })
}

/// The numbers of an assessment in the form that is stored with a flag.
pub fn numbers(assessment: &Assessment) -> Value {
    let windows: Vec<_> = assessment.windows.iter().filter(|window| !window.left_out).collect();
    json!({
        "unadjusted": assessment.basis == Basis::None,
        "basis": assessment.basis,
        "windows": windows,
    })
}

fn hash_json(value: &Value) -> String {
    // A document of strings and finite numbers always has a canonical form.
    let bytes = serde_json_canonicalizer::to_vec(value).unwrap_or_default();
    hex(&Sha256::digest(&bytes))
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// Hashes the allegations month by month, so that a comparison can name the month that differs. Hashes
/// codes, not row indices: indices depend on what else is loaded.
fn input_months(frames: &Frames) -> Result<Map<String, Value>, JobError> {
    let rows = &frames.allegations;
    let day = rows.column("day")?.i32()?;
    let complaint = rows.column("complaint")?.u32()?;
    let enterprise = rows.column("enterprise")?.u32()?;
    let officer = rows.column("officer")?.u32()?;
    let branch = rows.column("branch")?.u32()?;
    let group = rows.column("group")?.i32()?;
    let text = rows.column("text")?.u32()?;
    let flags = ["conduct", "serious", "void", "cleared", "not_sustained", "confirmed"]
        .into_iter()
        .map(|name| rows.column(name)?.bool())
        .collect::<PolarsResult<Vec<_>>>()?;
    // Each month with its rows.
    let mut months: Vec<(String, Vec<usize>)> = Vec::new();
    let mut month_of: HashMap<i32, usize> = HashMap::new();
    for at in 0..rows.height() {
        let number = day.get(at).unwrap_or_default();
        let month = *month_of.entry(number).or_insert_with(|| {
            let day = NaiveDate::default() + Days::new(u64::try_from(number).unwrap_or(0));
            let month = day.format("%Y-%m").to_string();
            months.iter().position(|(known, _)| *known == month).unwrap_or_else(|| {
                months.push((month, Vec::new()));
                months.len() - 1
            })
        });
        months[month].1.push(at);
    }
    let write = |line: &mut Vec<u8>, at: usize| {
        let id = complaint.get(at).and_then(|place| frames.complaints.get(place as usize));
        line.extend_from_slice(id.map_or(&[0; 16], |id| id.0.as_bytes()));
        line.extend_from_slice(&day.get(at).unwrap_or_default().to_be_bytes());
        let enterprise = enterprise.get(at).and_then(|place| frames.enterprises.get(place as usize));
        for text in [
            enterprise.map_or("", String::as_str),
            code_of(officer.get(at), &frames.officers),
            code_of(branch.get(at), &frames.branches),
        ] {
            line.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
            line.extend_from_slice(text.as_bytes());
        }
        let sketch = text.get(at).and_then(|place| frames.sketches.get(place as usize));
        line.extend(
            sketch.into_iter().flat_map(|sketch| sketch.registers()).flat_map(|register| register.to_be_bytes()),
        );
        line.extend(group.get(at).unwrap_or_default().to_be_bytes());
        line.extend(flags.iter().map(|flag| u8::from(flag.get(at) == Some(true))));
        // Marks month precision. A row with a known day has no marker: hashes that are already stored have none.
        line.extend(complaint.get(at).filter(|place| frames.by_month.contains(place)).map(|_| b'M'));
    };
    let hashed = |(month, rows): (String, Vec<usize>)| {
        let mut lines = Lines::default();
        rows.into_iter().for_each(|at| lines.push(|line| write(line, at)));
        (month, lines.hashed())
    };
    let hashes: Vec<(String, Value)> = months.into_par_iter().map(hashed).collect();
    Ok(hashes.into_iter().collect())
}

/// The code of a subject; empty for none.
fn code_of(place: Option<u32>, subjects: &[Subject]) -> &str {
    place.and_then(|place| subjects.get(place as usize)).map_or("", |subject| subject.code.as_str())
}

/// Hashes the exposure of officers and of branches.
fn exposures(frames: &Frames) -> Result<Map<String, Value>, JobError> {
    let mut found = Map::new();
    let kinds = [(EXPOSURES[0], &frames.officers), (EXPOSURES[1], &frames.branches)];
    for ((name, subjects), exposure) in kinds.into_iter().zip(&frames.exposure) {
        let hashed = match exposure_hash(&exposure.rows, subjects, &frames.spans, AT_ONCE)? {
            Some(hashed) => hashed,
            None => exposure_hash(&exposure.rows, subjects, &frames.spans, usize::MAX)?.unwrap_or_default(),
        };
        found.insert(name.to_owned(), hashed);
    }
    Ok(found)
}

/// Rows of exposures whose lines are in memory together, or as many as one subject has.
const AT_ONCE: usize = 1 << 16;

/// Hashes exposures, `at_once` rows after the other. None if these do not follow each other in the order of their lines,
/// because two subjects share a code or one has a NUL in it: then all lines have to be sorted together.
fn exposure_hash(
    rows: &DataFrame,
    subjects: &[Subject],
    spans: &[Span],
    at_once: usize,
) -> PolarsResult<Option<Value>> {
    let (subject, group) = (rows.column("subject")?.u32()?, rows.column("group")?.i32()?);
    let (span, exposure) = (rows.column("span")?.u32()?, rows.column("exposure")?.f64()?);
    let mut hash = LineHash::new();
    let mut begin = 0;
    while begin < rows.height() {
        let mut end = rows.height().min(begin.saturating_add(at_once));
        while end < rows.height() && subject.get(end) == subject.get(end - 1) {
            end += 1;
        }
        // Rounding takes most of the time.
        let handled: Vec<f64> =
            (begin..end).into_par_iter().map(|at| round_6_digits(exposure.get(at).unwrap_or_default())).collect();
        let mut lines = Lines::default();
        for (at, handled) in (begin..end).zip(handled) {
            let from = span.get(at).and_then(|place| spans.get(place as usize)).map_or(0, |span| span.from);
            lines.push(|line| {
                line.extend_from_slice(code_of(subject.get(at), subjects).as_bytes());
                line.push(0);
                line.extend(group.get(at).unwrap_or_default().to_be_bytes());
                line.extend(from.to_be_bytes());
                line.extend(handled.to_be_bytes());
            });
        }
        if !hash.add(&lines) {
            return Ok(None);
        }
        begin = end;
    }
    Ok(Some(hash.finish()))
}

/// The keys of the exposures in `RunHashes::inputs`, apart from the months.
pub const EXPOSURES: [&str; 2] = ["exposure of officers", "exposure of branches"];

/// Lines to hash, in one piece of memory: each by itself would take three times as much.
#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    /// The end of each line.
    ends: Vec<usize>,
}

impl Lines {
    fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// The lines in bytewise order.
    fn sorted(&self) -> Vec<&[u8]> {
        let mut begin = 0;
        let mut lines: Vec<&[u8]> = Vec::with_capacity(self.ends.len());
        for end in &self.ends {
            lines.push(&self.bytes[begin..*end]);
            begin = *end;
        }
        // Most lines are in order already, which the stable sort makes use of.
        lines.sort();
        lines
    }

    /// The number of lines and their hash, independent of their order.
    fn hashed(&self) -> Value {
        let mut hash = LineHash::new();
        hash.add(self);
        hash.finish()
    }
}

/// The number and the hash of sorted lines.
struct LineHash {
    hash: Sha256,
    rows: usize,
    last: Vec<u8>,
}

impl LineHash {
    fn new() -> Self {
        Self { hash: Sha256::new(), rows: 0, last: Vec::new() }
    }

    /// Adds lines, which it sorts. False if one of them sorts before lines that were added earlier.
    fn add(&mut self, lines: &Lines) -> bool {
        let lines = lines.sorted();
        if lines.first().is_some_and(|first| *first < self.last.as_slice()) {
            return false;
        }
        for line in &lines {
            self.hash.update(u32::try_from(line.len()).unwrap_or(u32::MAX).to_be_bytes());
            self.hash.update(line);
        }
        self.rows += lines.len();
        if let Some(last) = lines.last() {
            self.last = last.to_vec();
        }
        true
    }

    fn finish(self) -> Value {
        json!({ "rows": self.rows, "hash": hex(&self.hash.finalize()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::Id;
    use uuid::Uuid;

    fn subjects(codes: [&str; 3]) -> Vec<Subject> {
        codes.into_iter().map(|code| Subject { code: code.into(), id: Id(Uuid::nil()) }).collect()
    }

    /// Two rows of each of three subjects, the second in no peer group: their lines sort the other way round.
    fn rows(handled: [f64; 3]) -> DataFrame {
        let both = |of: fn(usize) -> u32| (0..6).map(of).collect::<Vec<u32>>();
        let handled: Vec<f64> = handled.into_iter().flat_map(|handled| [handled, handled + 0.5]).collect();
        DataFrame::new(
            6,
            vec![
                Column::new("subject".into(), both(|at| at as u32 / 2)),
                Column::new("group".into(), [-1, 2].repeat(3)),
                Column::new("span".into(), both(|at| at as u32 % 2)),
                Column::new("exposure".into(), handled),
            ],
        )
        .expect("a frame")
    }

    #[test]
    fn exposures_have_one_hash_however_many_are_sorted_together() {
        let spans = [Span { from: 3, to: 8, month: 0 }, Span { from: 9, to: 9, month: 0 }];
        let hash = |codes, handled, at_once| {
            exposure_hash(&rows(handled), &subjects(codes), &spans, at_once).expect("columns of exposures")
        };
        let whole = hash(["A", "AB", "B"], [1.0, 2.0, 3.0], usize::MAX).expect("a hash");
        assert_eq!(whole["rows"], 6);
        assert_eq!(hash(["A", "AB", "B"], [1.0, 2.0, 3.0], 1), Some(whole.clone()));
        assert_eq!(hash(["A", "AB", "B"], [1.0, 2.0, 3.0], 3), Some(whole.clone()));
        assert_eq!(hash(["B", "AB", "A"], [3.0, 2.0, 1.0], 1), None);
        assert_eq!(hash(["B", "AB", "A"], [3.0, 2.0, 1.0], usize::MAX), Some(whole.clone()));
        assert_ne!(hash(["A", "AB", "B"], [1.0, 2.0, 4.0], 1), Some(whole));
        // Their lines are interleaved.
        assert_eq!(hash(["A", "A", "B"], [1.0, 2.0, 3.0], 1), None);
    }
}
