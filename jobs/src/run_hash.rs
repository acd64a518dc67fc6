//! The hashes that make a run reproducible: of its inputs as canonical columns by month, and of its outputs
//! as canonical JSON (RFC 8785). Neither depends on how a database formats values.

use crate::JobError;
use crate::analyses::recurrence::{Assessment, Rules, round_6_digits};
use crate::facts::exposure::Basis;
use crate::facts::frames::Frames;
use crate::facts::minhash::TextSketch;
use chrono::{Days, NaiveDate};
use polars::prelude::*;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

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
    let mut inputs = input_months(frames)?;
    inputs.extend(exposures(frames)?);
    let inputs = Value::Object(inputs);
    let input_hash = hash_json(&inputs);
    let outputs: Vec<Value> = assessments.iter().map(output).collect();
    let output_hash = hash_json(&json!(outputs));
    let result_hash = hash_json(&json!({
        "asOf": as_of,
        "inputs": input_hash,
        "outputs": output_hash,
        "rules": rules,
    }));
    Ok(RunHashes { inputs, input_hash, output_hash, result_hash })
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
    let code = |place: Option<u32>, names: &dyn Fn(usize) -> Option<String>| {
        place.and_then(|place| names(place as usize)).unwrap_or_default()
    };
    let officers = |at: usize| frames.officers.get(at).map(|subject| subject.code.clone());
    let branches = |at: usize| frames.branches.get(at).map(|subject| subject.code.clone());
    let enterprises = |at: usize| frames.enterprises.get(at).cloned();

    let mut lines: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
    let mut month_of: BTreeMap<i32, String> = BTreeMap::new();
    for at in 0..rows.height() {
        let number = day.get(at).unwrap_or_default();
        let month = month_of.entry(number).or_insert_with(|| {
            let day = NaiveDate::default() + Days::new(u64::try_from(number).unwrap_or(0));
            day.format("%Y-%m").to_string()
        });
        let id = complaint.get(at).and_then(|place| frames.complaints.get(place as usize));
        let mut line = Vec::with_capacity(80);
        line.extend_from_slice(id.map_or(&[0; 16], |id| id.0.as_bytes()));
        line.extend_from_slice(&number.to_be_bytes());
        for text in
            [code(enterprise.get(at), &enterprises), code(officer.get(at), &officers), code(branch.get(at), &branches)]
        {
            line.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
            line.extend_from_slice(text.as_bytes());
        }
        let sketch = text.get(at).and_then(|place| frames.sketches.get(place as usize));
        line.extend(sketch.into_iter().flat_map(TextSketch::registers).flat_map(|register| register.to_be_bytes()));
        line.extend(group.get(at).unwrap_or_default().to_be_bytes());
        line.extend(flags.iter().map(|flag| u8::from(flag.get(at) == Some(true))));
        // Marks month precision. A row with a known day has no marker: hashes that are already stored have none.
        line.extend(complaint.get(at).filter(|place| frames.by_month.contains(place)).map(|_| b'M'));
        lines.entry(month.clone()).or_default().push(line);
    }
    Ok(lines.into_iter().map(|(month, lines)| (month, hashed(lines))).collect())
}

/// Hashes the exposure of officers and of branches.
fn exposures(frames: &Frames) -> Result<Map<String, Value>, JobError> {
    let mut found = Map::new();
    let kinds = [(EXPOSURES[0], &frames.officers), (EXPOSURES[1], &frames.branches)];
    for ((name, subjects), exposure) in kinds.into_iter().zip(&frames.exposure) {
        let rows = &exposure.rows;
        let (subject, group) = (rows.column("subject")?.u32()?, rows.column("group")?.i32()?);
        let (span, handled) = (rows.column("span")?.u32()?, rows.column("exposure")?.f64()?);
        let lines = (0..rows.height())
            .map(|at| {
                let code = subject.get(at).and_then(|place| subjects.get(place as usize));
                let mut line = code.map(|subject| subject.code.clone()).unwrap_or_default().into_bytes();
                line.push(0);
                line.extend(group.get(at).unwrap_or_default().to_be_bytes());
                let from = span.get(at).and_then(|place| frames.spans.get(place as usize)).map_or(0, |span| span.from);
                line.extend(from.to_be_bytes());
                line.extend(round_6_digits(handled.get(at).unwrap_or_default()).to_be_bytes());
                line
            })
            .collect();
        found.insert(name.to_owned(), hashed(lines));
    }
    Ok(found)
}

/// The keys of the exposures in `RunHashes::inputs`, beside the months.
pub const EXPOSURES: [&str; 2] = ["exposure of officers", "exposure of branches"];

/// The number of lines and their hash, independent of their order.
fn hashed(mut lines: Vec<Vec<u8>>) -> Value {
    lines.sort_unstable();
    let mut hash = Sha256::new();
    for line in &lines {
        hash.update(u32::try_from(line.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(line);
    }
    json!({ "rows": lines.len(), "hash": hex(&hash.finalize()) })
}
