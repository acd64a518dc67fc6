//! The pictures of what is unusual: branches, provinces, the gravest flag, and what changed.

use super::{Drawing, Picture, ShortTable, named, style};
use crate::JobError;
use crate::charts::cusum::{CusumData, CusumPoint};
use crate::charts::funnel::FunnelData;
use crate::charts::interval::{IntervalData, IntervalRow};
use crate::charts::map::{MapArea, MapData};
use crate::charts::timeline::{TierChange, TimelineData, TimelineEpisode, TimelineMeasure};
use crate::charts::{Chart, cusum, funnel, interval, map, timeline};
use crate::digest::flagged::Standing;
use crate::digest::unusual::WindowLine;
use fluent_bundle::FluentArgs;
use schema::Id;
use schema::enums::{DigestSection, SubjectKind};
use std::collections::HashSet;

impl Drawing<'_> {
    /// The branches against the limits of chance.
    pub(super) fn funnel(&self) -> Result<Option<(Picture, Chart)>, JobError> {
        let plot = self.document.unusual.funnel.as_ref();
        let Some(plot) = plot.filter(|_| self.document.has(DigestSection::Flags)) else { return Ok(None) };
        let is_english = self.messages.is_english();
        let points = plot.branches.iter().map(|line| plot.point(line, line.branch.in_language(is_english).to_owned()));
        let data = FunnelData {
            what: self.word("episodes")?,
            units_name: self.word("branches")?,
            // Phi compares variances.
            dispersion: plot.phi.max(1.0).sqrt(),
            units: points.collect(),
        };
        let unusual = data.units.iter().filter(|point| point.unusual().is_some());
        let unusual: HashSet<&str> = unusual.map(|point| point.label.as_str()).collect();
        let chart = funnel::chart(&data, &self.words, style("funnel"))?;
        // The limits of 95 % say nothing about what is beyond those of 99.8 %.
        Ok(Some(named("funnel", chart, |table| {
            ShortTable::unusual(table, |row| unusual.contains(row[0].as_str())).without(4)
        })))
    }

    /// The provinces whose ratio chance hardly explains. Without any, the branches say as much.
    pub(super) fn map(&self) -> Result<Option<(Picture, Chart)>, JobError> {
        let plot = self.document.unusual.funnel.as_ref();
        let Some(plot) = plot.filter(|_| self.document.has(DigestSection::Flags)) else { return Ok(None) };
        let is_english = self.messages.is_english();
        let areas: Vec<MapArea> = plot
            .provinces
            .iter()
            .map(|line| MapArea {
                label: line.in_language(is_english).to_owned(),
                shapes: line.shapes.clone(),
                observed: f64::from(line.observed),
                expected: line.expected,
                unusual: plot.unusual(line),
            })
            .collect();
        if areas.iter().all(|area| area.unusual.is_none()) {
            return Ok(None);
        }
        let data = MapData { what: self.word("episodes")?, areas_name: self.word("provinces")?, areas };
        let chart = map::chart(&data, &self.words, style("map"))?;
        let is_unusual = |row: &[String]| row.last().is_some_and(|against| !against.is_empty());
        Ok(Some(named("map", chart, |table| ShortTable::unusual(table, is_unusual))))
    }

    /// The numbers of the gravest flag with their limits.
    pub(super) fn gravest(&self) -> Result<Option<(Picture, Chart)>, JobError> {
        let document = self.document;
        let gravest = document.unusual.gravest.as_ref().filter(|_| document.has(DigestSection::Flags));
        let Some((gravest, longest)) = gravest.and_then(|gravest| Some((gravest, gravest.longest()?))) else {
            return Ok(None);
        };
        let Some(flag) = self.standing(gravest.flag) else { return Ok(None) };
        let mut args = FluentArgs::new();
        args.set("who", self.who(flag)?);
        // Rounded like the ratio in the plain words about the flag.
        args.set("times", self.messages.number(longest.ratio, usize::from(longest.ratio < 10.0)));
        args.set("days", longest.days);
        let row = |window: &WindowLine| -> Result<IntervalRow, JobError> {
            let key = if window.is_confirmed { "days-confirmed" } else { "days" };
            let label = self.days(key, window.days)?;
            Ok(IntervalRow { label, ratio: window.ratio, lower: window.lower, upper: window.upper })
        };
        let data = IntervalData {
            title: self.messages.message("gravest-title", &args)?,
            rows_name: self.word("window")?,
            ratio_name: self.word("ratio")?,
            limits_name: self.word("limits-95")?,
            rows: gravest.windows.iter().map(row).collect::<Result<_, _>>()?,
        };
        Ok(Some(named("gravest", interval::chart(&data, &self.words, style("gravest"))?, ShortTable::first)))
    }

    /// The episodes, tiers and measures of the gravest flag on an officer that is new or was raised.
    pub(super) fn timeline(&self) -> Result<Option<(Picture, Chart)>, JobError> {
        let document = self.document;
        let found = document.unusual.timeline.as_ref().filter(|_| document.has(DigestSection::Flags));
        let Some((line, flag)) = found.and_then(|line| Some((line, self.standing(line.flag)?))) else {
            return Ok(None);
        };
        let episodes = line.episodes.iter().map(|episode| TimelineEpisode {
            day: episode.day,
            label: self.messages.number(f64::from(episode.complaints), 0),
            confirmed: episode.is_confirmed,
        });
        let tiers = line.tiers.iter().map(|change| TierChange { day: change.day, tier: Some(change.tier) });
        let mut measures = Vec::with_capacity(line.measures.len());
        for measure in &line.measures {
            let label = self.word(&format!("measure-{}", measure.kind.as_str()))?;
            measures.push(TimelineMeasure { from: measure.from, to: measure.to, label });
        }
        let data = TimelineData {
            label: self.who(flag)?,
            subject: flag.kind,
            from: line.from,
            to: line.to,
            episodes: episodes.collect(),
            tiers: tiers.collect(),
            measures,
        };
        Ok(Some(named("timeline", timeline::chart(&data, &self.words, style("timeline"))?, ShortTable::last)))
    }

    /// The weeks of a branch whose sum signals, or of the branch that the digest is about.
    pub(super) fn cusum(&self) -> Result<Option<(Picture, Chart)>, JobError> {
        let document = self.document;
        let found = document.unusual.cusum.as_ref().filter(|_| document.has(DigestSection::Flags));
        let Some(series) = found else { return Ok(None) };
        let weeks = series.weeks.iter().map(|week| CusumPoint {
            from: week.from,
            observed: f64::from(week.observed),
            expected: week.expected,
            sum: week.sum,
            signal: week.signal,
        });
        let label = series.branch.in_language(self.messages.is_english()).to_owned();
        let data = CusumData { label, limit: series.limit, weeks: weeks.collect() };
        Ok(Some(named("cusum", cusum::chart(&data, &self.words, style("cusum"))?, ShortTable::last)))
    }

    /// A current flag that the digest names.
    fn standing(&self, flag: Id) -> Option<&Standing> {
        self.document.flags.standing.iter().find(|one| one.flag == flag)
    }

    /// The subject of a flag, as lists name it.
    fn who(&self, flag: &Standing) -> Result<String, JobError> {
        let unit = flag.subject.unit.as_ref().filter(|_| flag.kind == SubjectKind::Branch);
        Ok(match (&flag.subject.name, unit) {
            (Some(name), _) => format!("{name} [{}]", flag.code),
            (None, Some(unit)) => format!("{} [{}]", unit.in_language(self.messages.is_english()), flag.code),
            (None, None) => format!("{} {}", self.word(flag.kind.as_str())?, flag.code),
        })
    }
}
