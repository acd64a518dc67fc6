//! Counts of each subject in four windows of local dates, (T − w, T] with T the as-of day.

use super::significance::Adjusted;
use crate::facts::lookback::{SHORTEST_BY_MONTH, WINDOWS};
use polars::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The numbers of one subject in one window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowNumbers {
    pub days: i32,
    /// Whether the window is ignored: it is shorter than 90 days, and a complaint is known by its month alone.
    #[serde(skip)]
    pub left_out: bool,
    pub complaints: u32,
    /// Episodes whose first complaint lies in the window.
    pub episodes: u32,
    /// Complaints without those found NOT_SUSTAINED.
    pub complaints_without_not_sustained: u32,
    /// Distinct enterprises, by complaint dates; a campaign counts as one.
    pub enterprises: u32,
    /// Distinct enterprises, with each enterprise of a campaign counted.
    #[serde(default)]
    pub enterprises_of_campaigns_apart: u32,
    /// Complaints that belong to a campaign.
    #[serde(default)]
    pub campaign_complaints: u32,
    /// `enterprises`, of complaints whose attribution is CONFIRMED.
    pub enterprises_confirmed: u32,
    /// `enterprises`, without complaints found NOT_SUSTAINED.
    pub enterprises_without_not_sustained: u32,
    pub anonymous: u32,
    pub serious: u32,
    pub serious_confirmed: u32,
    /// Numbers adjusted for exposure, in the windows that a tier uses; None without exposure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted: Option<Adjusted>,
    /// `adjusted`, of complaints whose attribution is CONFIRMED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted_confirmed: Option<Adjusted>,
}

/// A subject's place and its windows.
pub type SubjectWindows = (u32, [WindowNumbers; 4]);

/// The counts of each subject with a complaint in the longest window, sorted by place, and the rows they come
/// from: those of `rows` in the longest window, with the same columns. `rows` are those of
/// [`Assessed::rows`](super::tiers::Assessed::rows), with campaigns, and with episodes formed on the whole history.
/// `as_of` is in days since 1970.
///
/// # Errors
/// If `rows` lack a column.
pub fn windows(rows: &DataFrame, as_of: i32) -> PolarsResult<(Vec<SubjectWindows>, DataFrame)> {
    let longest = WINDOWS[WINDOWS.len() - 1];
    let within = col("day").gt(lit(as_of - longest)).and(col("day").lt_eq(lit(as_of)));
    let recent = rows.clone().lazy().filter(within).collect()?;
    let flags = flags(&recent)?;
    let (subjects, enterprises) = (recent.column("subject")?.u32()?, recent.column("enterprise")?.u32()?);
    let (own, campaigns) = (recent.column("own")?.u32()?, recent.column("campaign")?.u32()?);
    let (days, began) = (recent.column("day")?.i32()?, recent.column("episode_day")?.i32()?);
    let columns = subjects
        .iter()
        .zip(enterprises.iter())
        .zip(own.iter().zip(campaigns.iter()))
        .zip(days.iter().zip(began.iter()))
        .zip(flags);
    let mut found = Vec::new();
    let mut counting: Option<Counting> = None;
    for ((((subject, enterprise), (own, campaign)), (day, began)), flags) in columns {
        let Some(window) = day.and_then(|day| shortest(day, as_of)) else { continue };
        let subject = subject.unwrap_or(u32::MAX);
        if let Some(done) = counting.take_if(|counting| counting.subject != subject) {
            found.push(done.finish());
        }
        let counting = counting.get_or_insert_with(|| Counting::new(subject));
        counting.add(window, enterprise, own, campaign.is_some(), flags);
        if let Some(window) = began.filter(|_| flags & OPENS != 0).and_then(|day| shortest(day, as_of)) {
            counting.windows[window].episodes += 1;
        }
    }
    found.extend(counting.map(Counting::finish));
    Ok((found, recent))
}

/// The shortest window that a day lies in. The longer ones contain it.
fn shortest(day: i32, as_of: i32) -> Option<usize> {
    WINDOWS.iter().position(|days| day > as_of - days).filter(|_| day <= as_of)
}

const ANONYMOUS: u8 = 1;
const SERIOUS: u8 = 1 << 1;
const SERIOUS_CONFIRMED: u8 = 1 << 2;
const CONFIRMED: u8 = 1 << 3;
const NOT_SUSTAINED: u8 = 1 << 4;
const OPENS: u8 = 1 << 5;

/// The bool columns of each row, as bits.
fn flags(rows: &DataFrame) -> PolarsResult<Vec<u8>> {
    let mut flags = vec![0; rows.height()];
    for (name, bit) in [
        ("anonymous", ANONYMOUS),
        ("serious", SERIOUS),
        ("serious_confirmed", SERIOUS_CONFIRMED),
        ("confirmed", CONFIRMED),
        ("not_sustained", NOT_SUSTAINED),
        ("opens", OPENS),
    ] {
        for (flags, value) in flags.iter_mut().zip(rows.column(name)?.bool()?.iter()) {
            *flags |= if value == Some(true) { bit } else { 0 };
        }
    }
    Ok(flags)
}

/// Counts the rows of one subject, each in the shortest window that it lies in.
struct Counting {
    subject: u32,
    windows: [WindowNumbers; 4],
    enterprise: Option<u32>,
    /// The shortest windows with a complaint of `enterprise`: with any, with a confirmed one, and with one not
    /// found NOT_SUSTAINED.
    seen: [Option<usize>; 3],
    /// Enterprises themselves, apart from campaigns: these are not in order.
    own: Vec<(u32, usize)>,
}

impl Counting {
    fn new(subject: u32) -> Self {
        let windows = WINDOWS.map(|days| WindowNumbers { days, ..WindowNumbers::default() });
        Self { subject, windows, enterprise: None, seen: [None; 3], own: Vec::new() }
    }

    fn add(&mut self, window: usize, enterprise: Option<u32>, own: Option<u32>, campaign: bool, flags: u8) {
        let has = |flag: u8| flags & flag != 0;
        let count = |flag: bool| u32::from(flag);
        let numbers = &mut self.windows[window];
        numbers.complaints += 1;
        numbers.complaints_without_not_sustained += count(!has(NOT_SUSTAINED));
        numbers.campaign_complaints += count(campaign);
        numbers.anonymous += count(has(ANONYMOUS));
        numbers.serious += count(has(SERIOUS));
        numbers.serious_confirmed += count(has(SERIOUS_CONFIRMED));
        if enterprise != self.enterprise {
            self.end_of_enterprise();
            self.enterprise = enterprise;
        }
        if enterprise.is_some() {
            for (seen, counts) in self.seen.iter_mut().zip([true, has(CONFIRMED), !has(NOT_SUSTAINED)]) {
                if counts {
                    *seen = Some(seen.map_or(window, |shortest| shortest.min(window)));
                }
            }
        }
        self.own.extend(own.map(|own| (own, window)));
    }

    fn end_of_enterprise(&mut self) {
        let [any, confirmed, sustained] = std::mem::take(&mut self.seen);
        if let Some(window) = any {
            self.windows[window].enterprises += 1;
        }
        if let Some(window) = confirmed {
            self.windows[window].enterprises_confirmed += 1;
        }
        if let Some(window) = sustained {
            self.windows[window].enterprises_without_not_sustained += 1;
        }
    }

    /// The counts of the windows, each with those of the shorter ones.
    fn finish(mut self) -> SubjectWindows {
        self.end_of_enterprise();
        self.own.sort_unstable();
        // The first of each enterprise is in the shortest window.
        self.own.dedup_by_key(|(own, _)| *own);
        for (_, window) in &self.own {
            self.windows[*window].enterprises_of_campaigns_apart += 1;
        }
        for at in 1..self.windows.len() {
            let (shorter, longer) = self.windows.split_at_mut(at);
            longer[0].include(&shorter[at - 1]);
        }
        (self.subject, self.windows)
    }
}

impl WindowNumbers {
    /// Adds the counts of a window that this one contains.
    fn include(&mut self, shorter: &Self) {
        self.complaints += shorter.complaints;
        self.episodes += shorter.episodes;
        self.complaints_without_not_sustained += shorter.complaints_without_not_sustained;
        self.enterprises += shorter.enterprises;
        self.enterprises_of_campaigns_apart += shorter.enterprises_of_campaigns_apart;
        self.campaign_complaints += shorter.campaign_complaints;
        self.enterprises_confirmed += shorter.enterprises_confirmed;
        self.enterprises_without_not_sustained += shorter.enterprises_without_not_sustained;
        self.anonymous += shorter.anonymous;
        self.serious += shorter.serious;
        self.serious_confirmed += shorter.serious_confirmed;
    }
}

/// Leaves out short windows of subjects with a complaint that is known by its month alone. `recent` has
/// `subject` and `complaint` (u32); `by_month` are places of complaints.
///
/// # Errors
/// If `recent` lacks a column.
pub fn leave_out(numbers: &mut [SubjectWindows], recent: &DataFrame, by_month: &HashSet<u32>) -> PolarsResult<()> {
    let subjects = subjects_by_month(recent, by_month)?;
    for (_, windows) in numbers.iter_mut().filter(|(index, _)| subjects.contains(index)) {
        for window in windows.iter_mut().filter(|window| window.days < SHORTEST_BY_MONTH) {
            window.left_out = true;
        }
    }
    Ok(())
}

/// The subjects of `rows` with a complaint that is known by its month alone.
///
/// # Errors
/// If `rows` lack a column.
pub fn subjects_by_month(rows: &DataFrame, by_month: &HashSet<u32>) -> PolarsResult<HashSet<u32>> {
    if by_month.is_empty() {
        return Ok(HashSet::new());
    }
    let pairs = rows.column("subject")?.u32()?.iter().zip(rows.column("complaint")?.u32()?.iter());
    Ok(pairs
        .filter(|(_, complaint)| complaint.is_some_and(|index| by_month.contains(&index)))
        .filter_map(|pair| pair.0)
        .collect())
}
