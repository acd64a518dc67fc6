//! The charts of a flag: its numbers with their limits, and a time line.

use super::evidence::{Episode, received_on};
use crate::web::views::conditions::word;
use crate::web::{PageError, Picture, Visit, nodes, picture, times};
use chrono::NaiveDate;
use jobs::charts::interval::{self, IntervalData, IntervalRow};
use jobs::charts::timeline::{self, TierChange, TimelineData, TimelineEpisode, TimelineMeasure};
use schema::Timestamp;
use schema::domain::calendar::local_date;
use schema::enums::{SubjectKind, Tier};
use serde_json::Value;
use std::str::FromStr;

/// Observed against expected episodes in each window, with limits. None without numbers adjusted for workload.
///
/// # Errors
/// `Internal` if the words of charts are broken.
pub fn limits(visit: &Visit, numbers: &Value, main: &Value) -> Result<Option<Picture>, PageError> {
    let mut rows = Vec::new();
    for window in numbers["windows"].as_array().into_iter().flatten() {
        for (field, key) in [("adjusted", "flags-limits-all"), ("adjustedConfirmed", "flags-limits-confirmed")] {
            let adjusted = &window[field];
            let number = |name: &str| adjusted[name].as_f64();
            let (Some(ratio), Some(lower), Some(upper)) = (number("ratio"), number("ratioLower"), number("ratioUpper"))
            else {
                continue;
            };
            let days = window["days"].as_i64().unwrap_or(0);
            rows.push(IntervalRow { label: visit.t_with(key, &[("days", days.into())]), ratio, lower, upper });
        }
    }
    let Some(ratio) = main["adjusted"]["ratio"].as_f64() else { return Ok(None) };
    let days = main["days"].as_i64().unwrap_or(0);
    let data = IntervalData {
        title: visit.t_with("flags-limits-title", &[("times", times(visit, ratio).into()), ("days", days.into())]),
        rows_name: visit.t("flags-limits-rows"),
        ratio_name: visit.t("flags-limits-axis"),
        limits_name: visit.t("flags-limits"),
        rows,
    };
    picture("limits", visit.locale(), |words, style| interval::chart(&data, words, style)).map(Some)
}

/// Episodes, tiers and measures over time. None if nothing has a day.
///
/// # Errors
/// `Internal` if the words of charts are broken.
pub fn time_line(
    visit: &Visit,
    flag: &Value,
    label: &str,
    episodes: &[Episode<'_>],
    measures: &Value,
) -> Result<Option<Picture>, PageError> {
    let tiers = tiers(flag);
    let measures: Vec<TimelineMeasure> = nodes(measures).filter_map(|measure| of_measure(visit, measure)).collect();
    let episodes = episodes.iter().map(|episode| TimelineEpisode {
        day: episode.day,
        label: match episode.complaints {
            1 => episode.enterprise.to_owned(),
            several => format!("{} ({})", episode.enterprise, visit.number(several as f64, 0)),
        },
        confirmed: episode.confirmed,
    });
    let episodes: Vec<TimelineEpisode> = episodes.collect();
    let days = episodes.iter().map(|episode| episode.day).chain(tiers.iter().map(|change| change.day));
    let Some(from) = days.chain(measures.iter().map(|measure| measure.from)).min() else { return Ok(None) };
    let to = local_date(Timestamp::now()).max(from);
    let kind = flag["subjectKind"].as_str().and_then(|kind| SubjectKind::from_str(kind).ok());
    let subject = kind.unwrap_or(SubjectKind::Officer);
    let data = TimelineData { label: label.to_owned(), subject, from, to, episodes, tiers, measures };
    picture("time-line", visit.locale(), |words, style| timeline::chart(&data, words, style)).map(Some)
}

/// The changes of the tier. A reader who may not read them gets the present tier since the flag was opened.
fn tiers(flag: &Value) -> Vec<TierChange> {
    let tier = |value: &Value| Tier::from_str(value.as_str()?).ok();
    let mut changes: Vec<TierChange> = match flag["tiers"].as_array() {
        Some(tiers) => tiers
            .iter()
            .filter_map(|one| Some(TierChange { day: day(&one["since"])?, tier: Some(tier(&one["tier"])?) }))
            .collect(),
        None => received_on(&flag["openedAt"])
            .map(|day| TierChange { day, tier: tier(&flag["tier"]) })
            .into_iter()
            .collect(),
    };
    let has_ended = matches!(flag["state"].as_str(), Some("EXPIRED" | "RETRACTED" | "DISMISSED"));
    if has_ended && let Some(day) = received_on(&flag["changedAt"]) {
        changes.push(TierChange { day, tier: None });
    }
    changes
}

fn of_measure(visit: &Visit, measure: &Value) -> Option<TimelineMeasure> {
    let label = word(visit, "flags-measure", &measure["kind"]);
    Some(TimelineMeasure { from: day(&measure["startsOn"])?, to: day(&measure["endsOn"]), label })
}

fn day(value: &Value) -> Option<NaiveDate> {
    value.as_str()?.parse().ok()
}
