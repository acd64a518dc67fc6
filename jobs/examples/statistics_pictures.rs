//! Draws the pictures of `docs/statistics.md` from a generated register, as pages and digests draw theirs:
//!
//!     statistics_pictures DATABASE FOLDER
//!
//! `just draw-statistics` makes the register, too. Prints the title and the alternative text of each picture.

use chrono::{Days, NaiveDate};
use diesel::prelude::*;
use jobs::charts::funnel::{self, FunnelData, FunnelPoint};
use jobs::charts::timeline::{self, TierChange, TimelineData, TimelineEpisode};
use jobs::charts::{Style, Theme, Width, Words};
use jobs::results::latest_result;
use jobs::results::recurrence::{NAME, RecurrenceDocument};
use schema::domain::calendar::local_date;
use schema::domain::tax_code::enterprise_of;
use schema::enums::{Attribution, Locale, SubjectKind, Tier};
use schema::tables::{complaint_officers, complaints, enterprises, flag_assessments, flags, officers};
use schema::{Conn, Db, Id, JsonValue, StoreError, Timestamp};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::PathBuf;
use uuid::Uuid;

/// Complaints of an enterprise so many days after its first one are the same episode, by the rules that come with the
/// program.
const EPISODE_DAYS: i64 = 7;
/// Days of the evidence that the time line shows, and days after them, so that the tier is seen.
const SHOWN: Days = Days::new(365);
const AFTER: Days = Days::new(14);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (database, folder) = arguments.next().zip(arguments.next()).ok_or("DATABASE FOLDER")?;
    let folder = PathBuf::from(folder);
    let db = Db::open_existing(&database)?;
    let found: Option<(NaiveDate, RecurrenceDocument)> = db.read(|conn| latest_result(conn, NAME))?;
    let (as_of, document) = found.ok_or("there is no run of the recurrence job in this register")?;
    let line = db.read(|conn| time_line(conn, as_of))?.ok_or("no flag on an officer proposes a review")?;
    let words = Words::new(Locale::En)?;
    let style = |id| Style { theme: Theme::Light, width: Width::Wide, id };
    let charts = [
        ("funnel", funnel::chart(&funnel_of(&document), &words, style("funnel"))?),
        ("evidence", timeline::chart(&line, &words, style("evidence"))?),
    ];
    for (name, chart) in charts {
        fs::write(folder.join(format!("{name}.svg")), &chart.svg)?;
        println!("{name}: {}\n  {}", chart.title, chart.alt);
    }
    Ok(())
}

/// The branches, by their codes.
fn funnel_of(document: &RecurrenceDocument) -> FunnelData {
    let units = document.funnel.units.iter().map(|unit| FunnelPoint {
        label: unit.code.clone(),
        observed: f64::from(unit.observed),
        expected: unit.expected,
        lower_95: unit.lower_95,
        upper_95: unit.upper_95,
        lower_998: unit.lower_998,
        upper_998: unit.upper_998,
    });
    FunnelData {
        what: "episodes".to_owned(),
        units_name: "branches".to_owned(),
        // Phi compares variances.
        dispersion: document.funnel.phi.max(1.0).sqrt(),
        units: units.collect(),
    }
}

/// The evidence about the officer, first by code, whose flag proposes a review. Enterprises have numbers for names.
fn time_line(conn: &mut Conn, as_of: NaiveDate) -> Result<Option<TimelineData>, StoreError> {
    let flagged: Vec<(Id, Id, Option<Id>)> = flags::table
        .filter(flags::tier.eq(Tier::Review))
        .filter(flags::officer_id.is_not_null())
        .select((flags::id, flags::run_id, flags::officer_id))
        .load(conn)?;
    let of_officers: Vec<Id> = flagged.iter().filter_map(|(.., officer)| *officer).collect();
    let known: Vec<(Id, String)> = officers::table
        .filter(officers::id.eq_any(of_officers))
        .order(officers::code)
        .select((officers::id, officers::code))
        .load(conn)?;
    let Some((officer, code)) = known.into_iter().next() else { return Ok(None) };
    let Some((flag, run, _)) = flagged.into_iter().find(|(.., one)| *one == Some(officer)) else { return Ok(None) };
    let evidence: JsonValue = flag_assessments::table
        .filter(flag_assessments::flag_id.eq(flag))
        .filter(flag_assessments::run_id.eq(run))
        .select(flag_assessments::evidence)
        .first(conn)?;
    let ids = evidence.0.as_array().into_iter().flatten();
    let ids: Vec<Id> = ids.filter_map(|id| Some(Id(id.as_str()?.parse::<Uuid>().ok()?))).collect();
    Ok(Some(TimelineData {
        label: code,
        subject: SubjectKind::Officer,
        from: as_of - SHOWN,
        to: as_of + AFTER,
        episodes: episodes(conn, officer, &ids)?,
        tiers: vec![TierChange { day: as_of, tier: Some(Tier::Review) }],
        measures: Vec::new(),
    }))
}

/// The episodes of complaints about an officer.
fn episodes(conn: &mut Conn, officer: Id, ids: &[Id]) -> Result<Vec<TimelineEpisode>, StoreError> {
    let received: Vec<(Id, Timestamp, Option<Id>)> = complaints::table
        .filter(complaints::id.eq_any(ids))
        .order((complaints::received_at, complaints::id))
        .select((complaints::id, complaints::received_at, complaints::enterprise_id))
        .load(conn)?;
    let of_enterprises: Vec<Id> = received.iter().filter_map(|(.., enterprise)| *enterprise).collect();
    let rows: Vec<(Id, String, Option<String>)> = enterprises::table
        .filter(enterprises::id.eq_any(of_enterprises))
        .select((enterprises::id, enterprises::tax_code, enterprises::group_code))
        .load(conn)?;
    let count_as = |(id, tax_code, group): (Id, String, Option<String>)| {
        (id, group.unwrap_or_else(|| enterprise_of(&tax_code).to_owned()))
    };
    let count_as: HashMap<Id, String> = rows.into_iter().map(count_as).collect();
    let confirmed: Vec<Id> = complaint_officers::table
        .filter(complaint_officers::officer_id.eq(officer))
        .filter(complaint_officers::attribution.eq(Attribution::Confirmed))
        .select(complaint_officers::complaint_id)
        .load(conn)?;
    let confirmed: HashSet<Id> = confirmed.into_iter().collect();
    let mut found: Vec<(Option<&str>, TimelineEpisode)> = Vec::new();
    let mut numbered: Vec<&str> = Vec::new();
    for (id, at, enterprise) in &received {
        let (day, is_confirmed) = (local_date(*at), confirmed.contains(id));
        let enterprise = enterprise.and_then(|id| count_as.get(&id)).map(String::as_str);
        let same = |other: Option<&str>, first: NaiveDate| {
            other.is_some() && other == enterprise && (day - first).num_days() <= EPISODE_DAYS
        };
        if let Some((_, episode)) = found.iter_mut().rfind(|(other, episode)| same(*other, episode.day)) {
            episode.confirmed |= is_confirmed;
            continue;
        }
        let label = enterprise.map_or_else(
            || "anonymous".to_owned(),
            |key| {
                let number = numbered.iter().position(|one| *one == key).unwrap_or_else(|| {
                    numbered.push(key);
                    numbered.len() - 1
                });
                format!("enterprise {}", number + 1)
            },
        );
        found.push((enterprise, TimelineEpisode { day, label, confirmed: is_confirmed }));
    }
    Ok(found.into_iter().map(|(_, episode)| episode).collect())
}
