//! How long the stages of the recurrence job take over an invented frame, and how much memory: the side of
//! `just bench-recurrence` that is ours.
//!
//!     recurrence_counts COMPLAINTS OFFICERS ENTERPRISES [ROWS.csv EXPOSURE.csv]
//!
//! Prints one JSON document. With files the frame is written for the other side to read.

use chrono::NaiveDate;
use jobs::analyses::recurrence::{Rules, assess_kind, stages};
use jobs::facts::Subject;
use jobs::facts::days::day_number;
use jobs::facts::exposure::{Basis, Exposure, spans};
use jobs::facts::frames::Frames;
use jobs::numeric::poisson::mid_p_upper_tail;
use polars::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schema::Id;
use schema::enums::SubjectKind;
use serde_json::json;
use std::fmt::Write as _;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| -> Result<u32, Box<dyn std::error::Error>> {
        let given = args.get(at).ok_or("COMPLAINTS OFFICERS ENTERPRISES [ROWS.csv EXPOSURE.csv]")?;
        Ok(given.replace('_', "").parse()?)
    };
    let (complaints, officers, enterprises) = (number(0)?, number(1)?, number(2)?);
    let as_of = NaiveDate::from_ymd_opt(2025, 12, 31).ok_or("a date")?;
    let frames = invented(complaints, officers, enterprises, as_of)?;
    if let (Some(rows), Some(exposure)) = (args.get(3), args.get(4)) {
        write(&frames, rows, exposure)?;
    }
    let before = peak_mb();
    let rules = Rules::default();
    let day = day_number(as_of);

    let began = Instant::now();
    let rows = stages::rows(&frames, SubjectKind::Officer, &rules)?;
    let rows_ms = millis(began);
    let began = Instant::now();
    let windows = stages::counts(&rows, day)?;
    let windows_ms = millis(began);
    let began = Instant::now();
    let mut expected = Vec::new();
    let cells = stages::cells(&rows, &frames, 0)?;
    for days in [30, 90, 180, 365] {
        expected.push(stages::expected(&cells, &frames, days, &rules)?);
    }
    let expected_ms = millis(began);
    let began = Instant::now();
    let mut tails = 0.0;
    for window in &expected {
        for (observed, expected) in window.observed.iter().zip(&window.expected) {
            tails += expected.map_or(0.0, |expected| mid_p_upper_tail(*observed, expected));
        }
    }
    let tails_ms = millis(began);
    let counts_peak = peak_mb();
    drop(rows);
    let began = Instant::now();
    let assessed = assess_kind(&frames, SubjectKind::Officer, as_of, &rules)?;
    let whole_ms = millis(began);
    println!(
        "{}",
        json!({
            "complaints": complaints,
            "rowsMs": rows_ms,
            "windowsMs": windows_ms,
            "expectedMs": expected_ms,
            "tailsMs": tails_ms,
            "countsMs": rows_ms + windows_ms + expected_ms + tails_ms,
            "wholeMs": whole_ms,
            "subjects": windows,
            "expected": expected[3].expected.iter().flatten().sum::<f64>(),
            "observed": expected[3].observed.iter().sum::<u32>(),
            "tails": tails,
            "flagged": assessed.found.len(),
            "frameMb": before,
            "countsPeakMb": counts_peak,
            "wholePeakMb": peak_mb(),
        })
    );
    Ok(())
}

fn millis(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e3
}

/// The most memory that this process ever had, in MB.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0
}

/// Complaints over five years about officers who differ twentyfold, in the order of days.
fn invented(complaints: u32, officers: u32, enterprises: u32, as_of: NaiveDate) -> PolarsResult<Frames> {
    let mut chance = ChaCha8Rng::seed_from_u64(1);
    let last = day_number(as_of);
    let rows = complaints as usize;
    let mut day: Vec<i32> = (0..rows).map(|_| last - chance.random_range(0..5 * 365)).collect();
    day.sort_unstable();
    // Squared: the first ones are complained about more.
    let officer: Vec<u32> = (0..rows).map(|_| (chance.random::<f64>().powi(2) * f64::from(officers)) as u32).collect();
    let enterprise: Vec<Option<u32>> =
        (0..rows).map(|_| (!chance.random_bool(0.03)).then(|| chance.random_range(0..enterprises))).collect();
    let serious: Vec<bool> = (0..rows).map(|_| chance.random_bool(0.2)).collect();
    let not_sustained: Vec<bool> = (0..rows).map(|_| chance.random_bool(0.4)).collect();
    let group: Vec<i32> = officer.iter().map(|officer| (officer % 5) as i32).collect();
    let allegations = DataFrame::new(
        rows,
        vec![
            Column::new("complaint".into(), (0..complaints).collect::<Vec<u32>>()),
            Column::new("day".into(), day),
            Column::new("enterprise".into(), enterprise),
            Column::new("officer".into(), officer.iter().map(|o| Some(*o)).collect::<Vec<_>>()),
            Column::new("branch".into(), group.iter().map(|g| Some(*g as u32)).collect::<Vec<_>>()),
            Column::new("conduct".into(), vec![true; rows]),
            Column::new("serious".into(), serious),
            Column::new("void".into(), vec![false; rows]),
            Column::new("cleared".into(), vec![false; rows]),
            Column::new("not_sustained".into(), not_sustained),
            Column::new("confirmed".into(), vec![true; rows]),
            Column::new("group".into(), group),
            Column::new("text".into(), vec![None::<u32>; rows]),
        ],
    )?;
    let spans = spans(as_of);
    let cells = || (0..officers).flat_map(|officer| (0..spans.len()).map(move |at| (officer, at)));
    let height = officers as usize * spans.len();
    let exposure = DataFrame::new(
        height,
        vec![
            Column::new("subject".into(), cells().map(|(officer, _)| officer).collect::<Vec<_>>()),
            Column::new("group".into(), cells().map(|(officer, _)| (officer % 5) as i32).collect::<Vec<_>>()),
            Column::new("span".into(), cells().map(|(_, at)| at as u32).collect::<Vec<_>>()),
            Column::new("month".into(), cells().map(|(_, at)| spans[at].month).collect::<Vec<_>>()),
            Column::new(
                "exposure".into(),
                cells()
                    .map(|(officer, at)| f64::from(5 + officer % 20) * f64::from(spans[at].to - spans[at].from + 1))
                    .collect::<Vec<_>>(),
            ),
            Column::new("carried".into(), vec![false; height]),
        ],
    )?;
    let subject = |n: u32| Subject { code: format!("{n:07}"), id: Id(uuid::Uuid::from_u128(n.into())) };
    let none = Exposure { basis: Basis::None, rows: exposure.head(Some(0)) };
    Ok(Frames {
        by_month: Default::default(),
        allegations,
        complaints: (0..complaints).map(|n| Id(uuid::Uuid::from_u128(n.into()))).collect(),
        officers: (0..officers).map(subject).collect(),
        branches: (0..5).map(subject).collect(),
        enterprises: (0..enterprises).map(|n| n.to_string()).collect(),
        sketches: Vec::new(),
        exposure: [Exposure { basis: Basis::Declarations, rows: exposure }, none],
        spans,
    })
}

/// Writes what the other side needs.
fn write(frames: &Frames, rows: &str, exposure: &str) -> Result<(), Box<dyn std::error::Error>> {
    let table = &frames.allegations;
    let (complaint, day) = (table.column("complaint")?.u32()?, table.column("day")?.i32()?);
    let (officer, enterprise) = (table.column("officer")?.u32()?, table.column("enterprise")?.u32()?);
    let (serious, group) = (table.column("serious")?.bool()?, table.column("group")?.i32()?);
    let not_sustained = table.column("not_sustained")?.bool()?;
    let mut text = String::from("complaint,day,officer,enterprise,serious,not_sustained,peer\n");
    for at in 0..table.height() {
        let enterprise = enterprise.get(at).map(|place| place.to_string()).unwrap_or_default();
        let flag = |column: &BooleanChunked| u8::from(column.get(at) == Some(true));
        writeln!(
            text,
            "{},{},{},{enterprise},{},{},{}",
            complaint.get(at).unwrap_or(0),
            day.get(at).unwrap_or(0),
            officer.get(at).unwrap_or(0),
            flag(serious),
            flag(not_sustained),
            group.get(at).unwrap_or(0)
        )?;
    }
    std::fs::write(rows, text)?;
    let table = &frames.exposure[0].rows;
    let (subject, peer) = (table.column("subject")?.u32()?, table.column("group")?.i32()?);
    let (span, handled) = (table.column("span")?.u32()?, table.column("exposure")?.f64()?);
    let mut text = String::from("officer,peer,first_day,month,exposure\n");
    for at in 0..table.height() {
        let span = frames.spans[span.get(at).unwrap_or(0) as usize];
        writeln!(
            text,
            "{},{},{},{},{}",
            subject.get(at).unwrap_or(0),
            peer.get(at).unwrap_or(0),
            span.from,
            span.month,
            handled.get(at).unwrap_or(0.0)
        )?;
    }
    std::fs::write(exposure, text)?;
    Ok(())
}
