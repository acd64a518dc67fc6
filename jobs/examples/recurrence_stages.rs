//! How long the stages of the recurrence job take over a register, and how much memory.
//!
//!     recurrence_stages DATABASE_URL DAY
//!
//! Prints one JSON document: for each stage its milliseconds, the memory after it and the most memory until its end, in
//! MB. Nothing is stored.

use chrono::{Days, NaiveDate};
use jobs::JobError;
use jobs::analyses::recurrence::{Rules, assess_kind, available, cusum_series, funnel_plot};
use jobs::facts::frames::{Exposures, TEXT_DAYS};
use jobs::facts::{Changes, Facts, Workload};
use jobs::flags::CountedComplaints;
use jobs::run_hash::run_hashes;
use schema::Db;
use schema::db::dialect::scanning;
use schema::enums::SubjectKind;
use serde_json::{Value, json};
use std::error::Error;
use std::time::Instant;

/// The stages so far.
struct Stages {
    began: Instant,
    found: Vec<Value>,
}

impl Stages {
    fn end(&mut self, stage: &str) {
        let ms = self.began.elapsed().as_secs_f64() * 1e3;
        let (now, most) = (mb("VmRSS:"), mb("VmHWM:"));
        self.found.push(json!({ "stage": stage, "ms": ms, "mb": now, "mostMb": most }));
        self.began = Instant::now();
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, day] = args.as_slice() else { return Err("DATABASE_URL DAY".into()) };
    let (db, as_of) = (Db::open(url)?, day.parse::<NaiveDate>()?);
    let rules = Rules::default();
    let after = as_of - Days::new(TEXT_DAYS.unsigned_abs().into());
    let mut stages = Stages { began: Instant::now(), found: Vec::new() };
    let mut facts = db.read_snapshot(|conn| {
        scanning(conn, |conn| {
            // The job reads the workload on a second connection meanwhile, and computes exposures before the texts end.
            let mut facts = Facts::load_without_workload(conn)?;
            stages.end("complaints");
            facts.workload = Facts::load_workload(conn)?;
            stages.end("workload");
            facts.load_texts(conn, after, as_of, &Changes::default())?;
            stages.end("texts");
            Ok::<_, JobError>(facts)
        })
    })?;
    let (complaints, texts) = (facts.complaints.count(), facts.texts.len());
    let (workload, officers) = (facts.workload.rows().len(), facts.officer_codes.len());
    let exposures = Exposures::of(&facts, as_of)?;
    facts.workload = Workload::default();
    stages.end("exposures");
    let frames = exposures.into_frames(&facts, as_of)?;
    drop(facts);
    stages.end("frames");
    // The job assesses both kinds and hashes the inputs at the same time.
    let officers_found = assess_kind(&frames, SubjectKind::Officer, as_of, &rules)?;
    stages.end("officers");
    let branches_found = assess_kind(&frames, SubjectKind::Branch, as_of, &rules)?;
    stages.end("branches");
    let assessments = [officers_found.found.clone(), branches_found.found.clone()].concat();
    let hashes = run_hashes(&frames, &assessments, as_of, &rules)?;
    stages.end("hashes");
    let rows = [(SubjectKind::Officer, &officers_found.rows), (SubjectKind::Branch, &branches_found.rows)];
    available(&frames, as_of, &rows)?;
    let funnel = branches_found.longest.as_ref().map(|longest| funnel_plot(&frames, longest).units.len());
    let cusum = cusum_series(&frames, &frames.exposure[1], &branches_found, as_of)?.len();
    stages.end("document");
    CountedComplaints::new(&frames, &officers_found, &branches_found)?;
    stages.end("counted");
    println!(
        "{}",
        json!({
            "complaints": complaints,
            "texts": texts,
            "workload": workload,
            "officers": officers,
            "rows": frames.allegations.height(),
            "exposures": frames.exposure[0].rows.height(),
            "flagged": assessments.len(),
            "inFunnel": funnel,
            "cusums": cusum,
            "resultHash": hashes.result_hash,
            "stages": stages.found,
        })
    );
    Ok(())
}

/// A memory figure of this process, in MB.
fn mb(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}
