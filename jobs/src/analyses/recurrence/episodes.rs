//! Episodes: a complaint and the further complaints of the same enterprise about the same subject within a
//! number of days of the first.

use polars::prelude::*;
use std::collections::HashMap;

/// The key of complaints that can be one episode: the subject and the enterprise of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct EpisodeKey {
    subject: Option<u32>,
    enterprise: Option<u32>,
}

/// Adds `episode_day` (i32), the day of the first complaint of the row's episode, and `opens` (bool), whether
/// the row is that first complaint.
///
/// `rows` have `subject`, `enterprise` (u32?), `anonymous` (bool), `day` (i32) and optionally `campaign`
/// (u32?), sorted by (subject, enterprise, day, complaint). Each anonymous complaint outside a campaign is an
/// episode of its own; each campaign is one episode, however long it lasts. Where an episode ends depends on
/// where it began, hence a scan and no polars expression.
///
/// # Errors
/// If `rows` lacks a column that it reads, or has the new columns already.
pub fn with_episodes(rows: &DataFrame, episode_days: i32) -> PolarsResult<DataFrame> {
    let subjects = rows.column("subject")?.u32()?;
    let enterprises = rows.column("enterprise")?.u32()?;
    let anonymous = rows.column("anonymous")?.bool()?;
    let days = rows.column("day")?.i32()?;
    let campaigns = match rows.column("campaign") {
        Ok(column) if column.null_count() < rows.height() => {
            column.u32()?.iter().map(|campaign| campaign.is_some()).collect()
        }
        _ => vec![false; rows.height()],
    };
    let mut episode_day = Vec::with_capacity(rows.height());
    let mut opens = Vec::with_capacity(rows.height());
    // The episode of the rows so far, and its first day.
    let mut open: Option<(EpisodeKey, i32)> = None;
    for ((((subject, enterprise), anonymous), day), campaign) in
        subjects.iter().zip(enterprises.iter()).zip(anonymous.iter()).zip(days.iter()).zip(campaigns)
    {
        let (key, day) = (EpisodeKey { subject, enterprise }, day.unwrap_or(i32::MIN));
        let goes_on = (anonymous != Some(true) || campaign)
            && open.is_some_and(|(other, first)| other == key && (campaign || day - first <= episode_days));
        if !goes_on {
            open = Some((key, day));
        }
        opens.push(!goes_on);
        episode_day.push(open.map_or(day, |(_, first)| first));
    }
    let columns = [Column::new("episode_day".into(), episode_day), Column::new("opens".into(), opens)];
    rows.hstack(&columns)
}

/// Counts, for each subject with episodes in a window, those of the enterprise with the most, and the anonymous ones.
/// `rows` have episodes and are sorted by (subject, enterprise).
///
/// # Errors
/// If `rows` lack a column.
pub fn largest_and_anonymous(rows: &DataFrame, as_of: i32, days: i32) -> PolarsResult<HashMap<u32, (u32, u32)>> {
    let (subjects, enterprises) = (rows.column("subject")?.u32()?, rows.column("enterprise")?.u32()?);
    let (anonymous, opens) = (rows.column("anonymous")?.bool()?, rows.column("opens")?.bool()?);
    let began = rows.column("episode_day")?.i32()?;
    let mut found: HashMap<u32, (u32, u32)> = HashMap::new();
    // The subject and enterprise of the rows so far, and its episodes in the window.
    let mut of = EpisodeKey::default();
    let mut named = 0;
    let columns = subjects.iter().zip(enterprises.iter()).zip(anonymous.iter()).zip(opens.iter()).zip(began.iter());
    for ((((subject, enterprise), anonymous), opens), began) in columns {
        let row = EpisodeKey { subject, enterprise };
        let within = began.is_some_and(|day| day > as_of - days && day <= as_of);
        let (Some(subject), true) = (subject, within && opens == Some(true)) else { continue };
        if row != of {
            of = row;
            named = 0;
        }
        let (largest, of_anonymous) = found.entry(subject).or_default();
        if anonymous == Some(true) {
            *of_anonymous += 1;
        } else {
            named += 1;
            *largest = named.max(*largest);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of one subject as (enterprise, day).
    fn episodes(rows: &[(Option<u32>, i32)]) -> Vec<(i32, bool)> {
        let frame = DataFrame::new(
            rows.len(),
            vec![
                Column::new("subject".into(), vec![0u32; rows.len()]),
                Column::new("enterprise".into(), rows.iter().map(|row| row.0).collect::<Vec<_>>()),
                Column::new("anonymous".into(), rows.iter().map(|row| row.0.is_none()).collect::<Vec<_>>()),
                Column::new("day".into(), rows.iter().map(|row| row.1).collect::<Vec<_>>()),
            ],
        )
        .expect("a frame");
        let frame = with_episodes(&frame, 7).expect("episodes");
        let days = frame.column("episode_day").expect("a column").i32().expect("days").iter();
        let opens = frame.column("opens").expect("a column").bool().expect("bools").iter();
        days.zip(opens).map(|(day, opens)| (day.expect("a day"), opens.expect("a bool"))).collect()
    }

    #[test]
    fn an_episode_is_counted_from_its_first_complaint_not_from_the_last() {
        // Day 12 is within 7 days of day 6 but not of day 0, on which the episode began.
        let found = episodes(&[(Some(1), 0), (Some(1), 6), (Some(1), 7), (Some(1), 12), (Some(1), 19)]);
        assert_eq!(found, [(0, true), (0, false), (0, false), (12, true), (12, false)]);
    }

    #[test]
    fn enterprises_do_not_share_an_episode_and_anonymous_complaints_have_none_in_common() {
        let found = episodes(&[(None, 0), (None, 0), (Some(1), 0), (Some(2), 0)]);
        assert!(found.iter().all(|(_, opens)| *opens));
    }
}
