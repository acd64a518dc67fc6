//! The time line of an officer or a branch: episodes of complaints, tiers of the flag, measures.

use super::axis::{self, DateScale};
use super::canvas::{Anchor, Look, TEXT_SIZE, Type};
use super::frame::{Frame, Key, MARGIN, Plot};
use super::labels::{Area, Places};
use super::theme::Paint;
use super::{Chart, ChartTable, Style, Words, text};
use crate::JobError;
use chrono::NaiveDate;
use schema::enums::{Proposed, SubjectKind, Tier};

const CONFIRMED: Look = Look::fill(Paint::Ink);
const NOT_CONFIRMED: Look = Look::fill(Paint::Surface).edged(Paint::Usual, 1.4);
const MEASURE: Look = Look::fill(Paint::Low);
const TIER: Look = Look::line(Paint::High, 2.2);
const ROW: f64 = 20.0;
/// Episodes closer than this are drawn above each other, in px.
const DOT: f64 = 9.0;
/// More episodes of one place are drawn as the highest.
const STACK: usize = 8;

/// The data of a time line.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineData {
    /// The officer or the branch.
    pub label: String,
    pub subject: SubjectKind,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub episodes: Vec<TimelineEpisode>,
    /// Each is in force until the next one.
    pub tiers: Vec<TierChange>,
    pub measures: Vec<TimelineMeasure>,
}

/// Complaints of one enterprise within a few days.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineEpisode {
    pub day: NaiveDate,
    /// The enterprise, or the event.
    pub label: String,
    pub confirmed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TierChange {
    pub day: NaiveDate,
    /// None when the flag ended.
    pub tier: Option<Tier>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TimelineMeasure {
    pub from: NaiveDate,
    /// The last day; None while it is open.
    pub to: Option<NaiveDate>,
    pub label: String,
}

/// Draws a time line.
///
/// # Errors
/// `Template` when a message is missing.
pub fn chart(data: &TimelineData, words: &Words, style: Style<'_>) -> Result<Chart, JobError> {
    let mut tiers = data.tiers.clone();
    tiers.sort_by_key(|change| change.day);
    let table = table(data, &tiers, words)?;
    let confirmed = data.episodes.iter().filter(|episode| episode.confirmed).count();
    let now = tiers.last().and_then(|change| change.tier);
    let title = words.text(
        "timeline-title",
        &[
            ("label", data.label.as_str().into()),
            ("count", data.episodes.len().into()),
            ("confirmed", confirmed.into()),
            ("tier", words.word(tier_word(now, data.subject))?.into()),
        ],
    )?;
    let mut frame = Frame::new(title, words, style);
    if data.episodes.is_empty() && tiers.is_empty() && data.measures.is_empty() {
        return frame.without_data(table);
    }
    let names: Vec<String> = [Some(Tier::SuspensionReview), Some(Tier::Review), Some(Tier::Watch), None]
        .into_iter()
        .map(|tier| words.word(tier_word(tier, data.subject)))
        .collect::<Result<_, JobError>>()?;
    let most = frame.width / 3.0;
    let widest = names.iter().map(|name| text::width(name, TEXT_SIZE, false)).fold(0.0, f64::max).min(most);
    let (left, right) = (MARGIN + widest + 8.0, frame.width - MARGIN);
    let x = DateScale::new(data.from, data.to.max(data.from), left + 6.0, right - 6.0);
    let mut y = frame.top + 4.0;
    y = draw_measures(&mut frame, data, x, y, (left, right))?;
    y = draw_tiers(&mut frame, &tiers, data.to, x, y, (left, right), &names);
    y = draw_episodes(&mut frame, data, x, y)?;
    let plot = Plot { left, right, top: frame.top, bottom: y + 6.0 };
    axis::below_dates(&mut frame, plot, data.from, data.to.max(data.from));
    let keys = vec![
        (Key::Circle(CONFIRMED), words.word("timeline-confirmed")?),
        (Key::Circle(NOT_CONFIRMED), words.word("timeline-not-confirmed")?),
        (Key::Line(TIER), words.word("timeline-tier")?),
        (Key::Area(MEASURE), words.word("timeline-measure")?),
    ];
    let height = frame.legend(plot.bottom + axis::BELOW_DATES, keys);
    let alt = words.text(
        "timeline-alt",
        &[
            ("from", words.date(data.from).into()),
            ("to", words.date(data.to).into()),
            ("tiers", tiers.len().into()),
            ("measures", data.measures.len().into()),
        ],
    )?;
    let alt = format!("{} {alt}", frame.sentence());
    Ok(frame.finish(alt, table, height))
}

/// Draws measures as bars, each in the first line where it has room.
fn draw_measures(
    frame: &mut Frame<'_>,
    data: &TimelineData,
    x: DateScale,
    top: f64,
    (left, right): (f64, f64),
) -> Result<f64, JobError> {
    if data.measures.is_empty() {
        return Ok(top);
    }
    let heading = frame.words.word("timeline-measures")?;
    frame.canvas.short_text((left - 8.0, top + 13.0), &heading, left - 8.0 - MARGIN, Type::muted(Anchor::End));
    let mut places = Places::new(Area(0.0, 0.0, frame.width, f64::INFINITY));
    let mut lines = 1;
    for measure in &data.measures {
        let start = x.at(measure.from.max(data.from));
        let end = x.at(measure.to.unwrap_or(data.to).min(data.to)).max(start + 3.0);
        let most = (right - left) * 0.6;
        let label = text::width(&measure.label, TEXT_SIZE, false).min(most);
        // The label begins at the bar, or ends at the right edge.
        let of_label = start.min(right - label);
        let mut line = 0;
        while !places.take_if_free(Area(
            of_label.min(start),
            top + line as f64 * 2.0 * ROW,
            end.max(of_label + label) + 4.0,
            top + line as f64 * 2.0 * ROW + ROW * 1.8,
        )) && line < data.measures.len()
        {
            line += 1;
        }
        lines = lines.max(line + 1);
        let y = top + line as f64 * 2.0 * ROW;
        frame.canvas.short_text((of_label, y + 13.0), &measure.label, most, Type::ink(Anchor::Start));
        frame.canvas.rect((start, y + 19.0), (end - start, 9.0), MEASURE);
    }
    Ok(top + lines as f64 * 2.0 * ROW + 4.0)
}

/// Draws the tier as steps, the gravest at the top.
fn draw_tiers(
    frame: &mut Frame<'_>,
    tiers: &[TierChange],
    to: NaiveDate,
    x: DateScale,
    top: f64,
    (left, right): (f64, f64),
    names: &[String],
) -> f64 {
    let line = |tier: Option<Tier>| match tier {
        Some(Tier::SuspensionReview) => 0.0,
        Some(Tier::Review) => 1.0,
        Some(Tier::Watch) => 2.0,
        None => 3.0,
    };
    let y = |tier| top + ROW / 2.0 + line(tier) * ROW;
    for (n, name) in names.iter().enumerate() {
        let y = top + ROW / 2.0 + n as f64 * ROW;
        frame.canvas.line((left, y), (right, y), Look::line(Paint::Grid, 1.0));
        let most = left - 8.0 - MARGIN;
        frame.canvas.short_text((left - 8.0, y + 4.0), name, most, Type::muted(Anchor::End));
    }
    let mut points = Vec::new();
    let mut before = None;
    for change in tiers {
        points.push((x.at(change.day), y(before)));
        points.push((x.at(change.day), y(change.tier)));
        before = change.tier;
    }
    if !points.is_empty() {
        points.push((x.at(to), y(before)));
    }
    frame.canvas.polyline(&points, TIER);
    top + 4.0 * ROW + 4.0
}

/// Draws episodes as dots, those of the same days above each other.
fn draw_episodes(frame: &mut Frame<'_>, data: &TimelineData, x: DateScale, top: f64) -> Result<f64, JobError> {
    let mut episodes: Vec<&TimelineEpisode> = data.episodes.iter().collect();
    episodes.sort_by_key(|episode| episode.day);
    let mut placed: Vec<(f64, usize, &TimelineEpisode)> = Vec::new();
    // The place of the last dot of each line.
    let mut lines = [f64::NEG_INFINITY; STACK];
    for episode in episodes {
        let at = x.at(episode.day);
        let line = lines.iter().position(|last| at - last >= DOT).unwrap_or(STACK - 1);
        lines[line] = at;
        placed.push((at, line, episode));
    }
    let used = placed.iter().map(|(_, line, _)| line + 1).max().unwrap_or(1);
    let bottom = top + (used as f64 * DOT).max(ROW);
    let heading = frame.words.word("timeline-episodes")?;
    let left = x.at(data.from) - 14.0;
    frame.canvas.short_text((left, bottom - 2.0), &heading, left - MARGIN, Type::muted(Anchor::End));
    for (at, line, episode) in placed {
        frame.canvas.begin(&format!("{}: {}", frame.words.date(episode.day), episode.label));
        let middle = (at, bottom - 5.0 - line as f64 * DOT);
        frame.canvas.circle(middle, 3.8, if episode.confirmed { CONFIRMED } else { NOT_CONFIRMED });
        frame.canvas.end();
    }
    Ok(bottom)
}

const fn tier_word(tier: Option<Tier>, of: SubjectKind) -> &'static str {
    let Some(tier) = tier else { return "tier-none" };
    match tier.proposed(of) {
        Proposed::Watch => "tier-WATCH",
        Proposed::Review => "tier-REVIEW",
        Proposed::SuspensionReview => "tier-SUSPENSION_REVIEW",
        Proposed::Inspection => "tier-INSPECTION",
    }
}

fn table(data: &TimelineData, tiers: &[TierChange], words: &Words) -> Result<ChartTable, JobError> {
    let header = vec![words.word("day")?, words.word("timeline-what")?, words.word("timeline-detail")?];
    let mut rows: Vec<(NaiveDate, [String; 2])> = Vec::new();
    for episode in &data.episodes {
        let kind = if episode.confirmed { "timeline-confirmed" } else { "timeline-not-confirmed" };
        rows.push((episode.day, [words.word(kind)?, episode.label.clone()]));
    }
    for change in tiers {
        rows.push((change.day, [words.word("timeline-tier")?, words.word(tier_word(change.tier, data.subject))?]));
    }
    for measure in &data.measures {
        let until = measure.to.map(|day| words.text("timeline-until", &[("day", words.date(day).into())]));
        let until = until.transpose()?.map_or_else(String::new, |until| format!(" ({until})"));
        rows.push((measure.from, [words.word("timeline-measure")?, format!("{}{until}", measure.label)]));
    }
    rows.sort_by_key(|(day, _)| *day);
    let rows = rows.into_iter().map(|(day, [kind, detail])| vec![words.date(day), kind, detail]);
    Ok(ChartTable { header, rows: rows.collect() })
}
