//! What the default tiers find in generated worlds whose truth is known, and whom they flag in vain, with a
//! run on every day of the last year and the worst day counted: the tables of `docs/statistics.md`.
//!
//!     detection_study COMPLAINTS FIRST_SEED LAST_SEED [REMOVALS]
//!
//! Prints one JSON document for each seed, as soon as it is known. With REMOVALS it also says how often
//! leaving out an enterprise raises the tier of whom it complained about, or adding one lowers it, with
//! everything fitted again.

use chrono::{Days, NaiveDate};
use jobs::analyses::recurrence::{Rules, assess_kind};
use jobs::facts::Changes;
use jobs::facts::Facts;
use jobs::facts::days::day_number;
use jobs::facts::frames::{Frames, TEXT_DAYS, frames};
use polars::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schema::Db;
use schema::enums::{SubjectKind, Tier};
use schema::world::{self, Bursts, Kind, Parameters, Truth};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| -> Result<u64, Failure> {
        Ok(args.get(at).ok_or("COMPLAINTS FIRST_SEED LAST_SEED [REMOVALS]")?.parse()?)
    };
    let (complaints, first, last) = (usize::try_from(number(0)?)?, number(1)?, number(2)?);
    let removals = if args.len() > 3 { usize::try_from(number(3)?)? } else { 0 };
    for seed in first..=last {
        println!("{}", of_seed(complaints, seed, removals)?);
    }
    Ok(())
}

fn of_seed(complaints: usize, seed: u64, removals: usize) -> Result<Value, Failure> {
    let folder = tempfile::tempdir()?;
    let db = Db::open(&format!("sqlite:{}", folder.path().join("world.db").display()))?;
    db.migrate()?;
    let until = NaiveDate::from_ymd_opt(2025, 12, 31).ok_or("a date")?;
    let truth = world::generate(&db, Parameters { complaints, seed, until, bursts: Bursts::default() }, &mut |_| true)?;
    let mut loaded = None;
    db.read(|conn| {
        let days = u64::try_from(365 + TEXT_DAYS).unwrap_or_default();
        loaded = Some(Facts::load_without_workload(conn).and_then(|mut facts| {
            facts.workload = Facts::load_workload(conn)?;
            facts.load_texts(conn, until - Days::new(days), until, &Changes::default())?;
            Ok(facts)
        }));
        Ok(())
    })?;
    let facts = loaded.ok_or("nothing was read")??;
    let rules = Rules::default();
    let mut worst: HashMap<String, Tier> = HashMap::new();
    let mut at_the_end: HashMap<String, Tier> = HashMap::new();
    for back in (0..365).rev() {
        let day = until - Days::new(back);
        let found = assess_kind(&frames(&facts, day)?, SubjectKind::Officer, day, &rules)?.found;
        if back == 0 {
            at_the_end = found.iter().map(|one| (one.subject.code.clone(), one.tier)).collect();
        }
        for one in found {
            worst.entry(one.subject.code).and_modify(|tier| *tier = one.tier.max(*tier)).or_insert(one.tier);
        }
        if back % 30 == 0 {
            eprintln!("seed {seed}: {day}");
        }
    }
    let refitted =
        if removals > 0 { refitted(&frames(&facts, until)?, until, &rules, seed, removals)? } else { json!(null) };
    Ok(json!({
        "seed": seed,
        "lastDay": table(&truth, &at_the_end),
        "worstDay": table(&truth, &worst),
        "refitted": refitted,
    }))
}

/// Officers by what is true of them: how many, and how many reach each tier.
fn table(truth: &Truth, tiers: &HashMap<String, Tier>) -> BTreeMap<String, BTreeMap<&'static str, u32>> {
    let mut planted: HashMap<&str, Vec<Kind>> = HashMap::new();
    for one in &truth.planted {
        planted.entry(&one.code).or_default().push(one.kind);
    }
    let mut table: BTreeMap<String, BTreeMap<&'static str, u32>> = BTreeMap::new();
    for officer in &truth.officers {
        let kinds = planted.get(officer.code.as_str()).map_or(&[][..], Vec::as_slice);
        let mut rows = Vec::new();
        if kinds.contains(&Kind::Recurrent) {
            let expected = match officer.expected_per_year {
                x if x >= 24.0 => "24 or more",
                x if x >= 12.0 => "12 to 24",
                x if x >= 6.0 => "6 to 12",
                x if x >= 3.0 => "3 to 6",
                x if x >= 1.5 => "1.5 to 3",
                _ => "less",
            };
            rows.push(format!("recurrent, {expected}"));
            rows.push(format!("recurrent, ratio {}", officer.ratio.round()));
        }
        for (kind, name) in [(Kind::Busy, "busy"), (Kind::Feud, "feud"), (Kind::Campaign, "campaign")] {
            if kinds.contains(&kind) {
                rows.push(name.into());
            }
        }
        if officer.ratio <= 1.0 {
            rows.push("ratio 1 or less".into());
        } else if !kinds.contains(&Kind::Recurrent) {
            rows.push("others above 1".into());
        }
        if officer.expected_per_year >= 12.0 && officer.ratio > 1.0 {
            rows.push("12 or more a year, ratio above 1".into());
        }
        let tier = match tiers.get(&officer.code) {
            None => "NONE",
            Some(Tier::Watch) => "WATCH",
            Some(Tier::Review) => "REVIEW",
            Some(Tier::SuspensionReview) => "SUSPENSION_REVIEW",
        };
        for row in rows {
            *table.entry(row).or_default().entry(tier).or_default() += 1;
        }
    }
    table
}

/// Leaves out, of flagged officers taken at random, one enterprise that complained, or lets one more
/// complain on the last day; and counts the tiers that moved the wrong way.
fn refitted(frames: &Frames, as_of: NaiveDate, rules: &Rules, seed: u64, trials: usize) -> Result<Value, Failure> {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let tiers = |frames: &Frames| -> Result<HashMap<String, Tier>, Failure> {
        let found = assess_kind(frames, SubjectKind::Officer, as_of, rules)?.found;
        Ok(found.into_iter().map(|one| (one.subject.code, one.tier)).collect())
    };
    let before = tiers(frames)?;
    let mut flagged: Vec<&String> = before.keys().collect();
    flagged.sort();
    let (mut rose, mut fell, mut others) = (0u32, 0u32, 0u32);
    let mut done = 0u32;
    for _ in 0..trials {
        let code = flagged[chance.random_range(0..flagged.len())];
        let place = u32::try_from(frames.officers.iter().position(|one| one.code == *code).ok_or("an officer")?)?;
        let about = frames
            .allegations
            .clone()
            .lazy()
            .filter(col("officer").eq(lit(place).cast(DataType::UInt32)).and(col("enterprise").is_not_null()));
        let about = about.filter(col("day").gt(lit(day_number(as_of) - 365))).collect()?;
        let enterprises: HashSet<u32> = about.column("enterprise")?.u32()?.iter().flatten().collect();
        let mut enterprises: Vec<u32> = enterprises.into_iter().collect();
        enterprises.sort_unstable();
        let Some(enterprise) = enterprises.get(chance.random_range(0..enterprises.len().max(1))) else { continue };
        done += 1;
        let gone = col("officer")
            .eq(lit(place).cast(DataType::UInt32))
            .and(col("enterprise").eq(lit(*enterprise).cast(DataType::UInt32)));
        let mut fewer = frames.clone();
        fewer.allegations = frames.allegations.clone().lazy().filter(gone.fill_null(lit(false)).not()).collect()?;
        let after = tiers(&fewer)?;
        rose += u32::from(after.get(code) > before.get(code));
        others += u32::from(before.iter().any(|(other, tier)| other != code && after.get(other) != Some(tier)));

        let mut more = frames.clone();
        let last = about.slice(i64::try_from(about.height())? - 1, 1);
        // A complaint of its own, of an enterprise that has never complained, on the last day.
        let new = last
            .lazy()
            .with_columns([
                lit(u32::try_from(frames.complaints.len())?).cast(DataType::UInt32).alias("complaint"),
                lit(u32::try_from(frames.enterprises.len())?).cast(DataType::UInt32).alias("enterprise"),
                lit(day_number(as_of)).alias("day"),
                lit(NULL).cast(DataType::UInt32).alias("text"),
            ])
            .collect()?;
        more.complaints.push(schema::Id(uuid::Uuid::max()));
        more.enterprises.push("\u{10ffff}".into());
        more.allegations = frames.allegations.vstack(&new)?;
        fell += u32::from(tiers(&more)?.get(code) < before.get(code));
    }
    Ok(json!({"trials": done, "roseByRemoval": rose, "fellByAddition": fell, "othersMovedByRemoval": others}))
}
