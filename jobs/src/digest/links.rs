//! Links of a digest to the page: addresses of views whose filters give exactly its numbers, for the reader of the
//! digest and as long as the register is as it was.

use super::document::DigestDocument;
use super::head_part::FIRST_DAYS;
use crate::results::recurrence;
use crate::scheduled::{overdue, timeliness, trends};
use chrono::{Days, NaiveDate};
use schema::enums::{SubjectKind, Tier};

/// Most ids in an address: longer addresses break in some mail programs.
const IDS: usize = 40;

/// The properties of a number that its address needs, besides its name.
#[derive(Debug, Default, Clone)]
pub(super) struct Of {
    /// The code or the id of its subject, or the name of a measure of statistics.
    pub code: Option<String>,
    /// The kind of its subject, or the name of a measure of statistics.
    pub kind: Option<String>,
    /// Periods before the present one.
    pub ago: Option<u32>,
    /// The day before and after which equally many days are compared.
    pub day: Option<String>,
    pub days: Option<u32>,
}

/// The addresses for the numbers of one digest.
#[derive(Debug)]
pub(super) struct Links {
    document: DigestDocument,
}

impl Links {
    pub(super) fn new(document: &DigestDocument) -> Self {
        Self { document: document.clone() }
    }

    /// The path and the arguments of the view that shows a number; None if no view has it.
    ///
    /// # Errors
    /// A message if no number has that name.
    pub(super) fn path(&self, number: &str, of: &Of) -> Result<Option<String>, String> {
        let document = &self.document;
        let code = of.code.as_deref().unwrap_or_default();
        let ago = of.ago.unwrap_or(0);
        let is_for_analysts = document.analyst;
        Ok(match number {
            "received" => Some(self.in_period("COMPLAINTS", ago)),
            "cost" => Some(self.in_period("COST_VND", ago)),
            "delay" => Some(self.in_period("DELAY_HOURS", ago)),
            "answered" => {
                let [from, until] = self.period(ago).map(|day| day.to_string());
                let filters = [("answered-from", from.as_str()), ("answered-until", until.as_str())];
                Some(self.explore("RESPONSIBLE_UNIT", "COMPLAINTS", &filters))
            }
            "overdue" => {
                let day = self.period(ago)[1];
                Some(self.explore("RESPONSIBLE_UNIT", "OVERDUE", &[("as-of", day.to_string().as_str())]))
            }
            "overdue-now" | "overdue-unit" => {
                let day = document.overdue_on.unwrap_or_else(|| self.day_of(overdue::NAME)).to_string();
                let mut filters = vec![("as-of", day.as_str())];
                if number == "overdue-unit" {
                    filters.push(("responsible-alone", code));
                }
                Some(self.explore("RESPONSIBLE_UNIT", "OVERDUE", &filters))
            }
            "overdue-older" => self.older(),
            "news-received" => self.news("CATEGORY_GROUP", ["day-from", "day-until"]),
            "news-answered" => self.news("RESPONSIBLE_UNIT", ["answered-from", "answered-until"]),
            "news-overdue" => self.newly_overdue(),
            // No view has those alone that were recorded later.
            "news-other" => None,
            "months" => self.months(),
            "scorecard" => {
                let unit = document.unit.as_ref().map(|unit| unit.code.as_str());
                let is_of_all = document.head.as_ref().is_some_and(|head| head.scorecard.is_of_all);
                let unit = unit.filter(|_| !is_of_all);
                document.head.as_ref().map(|head| self.handled(code, document.as_of, head.scorecard.days, unit))
            }
            "answers" => Some(self.handled(code, self.day_of(timeliness::NAME), document.answers.days, None)),
            "answers-unit" => {
                let measure = of.kind.as_deref().unwrap_or_default();
                let day = self.day_of(timeliness::NAME);
                Some(self.handled(measure, day, document.answers.days, Some(code)))
            }
            // Analysts do not see these views.
            "categories" | "category" | "escalated" | "escalated-unit" if is_for_analysts => None,
            "categories" => Some("/categories".to_owned()),
            "category" => Some(address("/categories", &[("category", code)])),
            "escalated" => Some(self.escalated(&[("level", code)])),
            "escalated-unit" => Some(self.escalated(&[("named", code)])),
            "flags" => self.flags(of.code.as_deref(), of.kind.as_deref()),
            "measures" => self.measures(),
            "outcome-before" | "outcome-after" => self.outcome(number == "outcome-after", code, of),
            "proposal" => Some(format!("{}#proposals", address("/categories", &[("proposal", code)]))),
            "rising" => {
                let until = self.day_of(trends::NAME);
                let from = (until - days(document.recent_days - 1)).to_string();
                let until = until.to_string();
                let filters = [("category", code), ("day-from", from.as_str()), ("day-until", until.as_str())];
                Some(self.explore("UNIT", "COMPLAINTS", &filters))
            }
            "blame" => Some(address("/blame", &[("code", code)])),
            "register" => self.register(),
            other => return Err(format!("no number of a digest is {other:?}")),
        })
    }

    /// The day of the result of a job.
    fn day_of(&self, job: &str) -> NaiveDate {
        let stale = self.document.stale.iter().find(|stale| stale.job == job);
        stale.map_or(self.document.as_of, |stale| stale.as_of)
    }

    /// The first and the last day of a period of the numbers.
    fn period(&self, ago: u32) -> [NaiveDate; 2] {
        let length = days(self.document.numbers.days);
        let until = (0..ago).fold(self.document.as_of, |day, _| day - length);
        [until - days(self.document.numbers.days - 1), until]
    }

    fn in_period(&self, measure: &str, ago: u32) -> String {
        let [from, until] = self.period(ago).map(|day| day.to_string());
        self.explore("CATEGORY_GROUP", measure, &[("day-from", from.as_str()), ("day-until", until.as_str())])
    }

    /// The complaints of the days since the digest before; `bounds` are the arguments of the first and the last one.
    fn news(&self, by: &str, bounds: [&str; 2]) -> Option<String> {
        let from = (self.document.previous_as_of? + Days::new(1)).to_string();
        let until = self.document.as_of.to_string();
        Some(self.explore(by, "COMPLAINTS", &[(bounds[0], from.as_str()), (bounds[1], until.as_str())]))
    }

    /// The overdue complaints whose deadline passed after the day of the digest before. A deadline passes at the end of
    /// its day.
    fn newly_overdue(&self) -> Option<String> {
        let from = self.document.previous_as_of?.to_string();
        let until = (self.document.as_of - Days::new(1)).to_string();
        let mut all =
            vec![("counted", "1"), ("overdue", "1"), ("due-from", from.as_str()), ("due-until", until.as_str())];
        if let Some(unit) = self.narrowed() {
            all.extend([("concerning", unit), ("confidential", "0")]);
        }
        Some(address("/complaints", &all))
    }

    /// The overdue complaints that were received before the period of the scorecard.
    fn older(&self) -> Option<String> {
        let as_of = self.document.as_of;
        let (until, day) = ((as_of - days(self.document.head.as_ref()?.scorecard.days)).to_string(), as_of.to_string());
        Some(self.explore("RESPONSIBLE_UNIT", "OVERDUE", &[("day-until", until.as_str()), ("as-of", day.as_str())]))
    }

    fn months(&self) -> Option<String> {
        let months = &self.document.numbers.months;
        let [first, last] = [months.first()?, months.last()?].map(|line| line.month.format("%Y-%m").to_string());
        Some(self.explore("MONTH", "COMPLAINTS", &[("from", first.as_str()), ("until", last.as_str())]))
    }

    /// A measure of the complaints of some days, as of the end of the last one.
    fn handled(&self, measure: &str, until: NaiveDate, length: i32, responsible: Option<&str>) -> String {
        let (from, until) = ((until - days(length - 1)).to_string(), until.to_string());
        let mut filters = vec![("day-from", from.as_str()), ("day-until", until.as_str()), ("as-of", until.as_str())];
        filters.extend(responsible.map(|code| ("responsible", code)));
        self.explore("RESPONSIBLE_UNIT", measure, &filters)
    }

    fn explore(&self, by: &str, measure: &str, filters: &[(&str, &str)]) -> String {
        let mut all = vec![("by", by), ("measure", measure)];
        all.extend(filters);
        if let Some(unit) = self.narrowed() {
            all.extend([("concerning", unit), ("confidential", "0")]);
        }
        address("/explore", &all)
    }

    /// The unit of the digest, if its reader sees more complaints than those of the digest.
    fn narrowed(&self) -> Option<&str> {
        self.document.unit.as_ref().filter(|_| self.document.narrowed).map(|unit| unit.code.as_str())
    }

    fn escalated(&self, more: &[(&str, &str)]) -> String {
        let document = &self.document;
        // The first digest of the Board counts all escalations, that of a head those of the last days.
        let first_of_head = document.head.as_ref().map(|_| document.as_of - Days::new(FIRST_DAYS));
        let after = document.previous_as_of.or(first_of_head);
        let from = after.map(|day| (day + Days::new(1)).to_string());
        let until = document.as_of.to_string();
        let mut all = vec![("all", "1"), ("until", until.as_str())];
        all.extend(from.as_deref().map(|from| ("from", from)));
        all.extend(more);
        if let Some(unit) = self.narrowed() {
            all.extend([("unit", unit), ("confidential", "0")]);
        }
        address("/overdue/escalations", &all)
    }

    /// The current flags of a tier and a kind.
    fn flags(&self, tier: Option<&str>, kind: Option<&str>) -> Option<String> {
        let document = &self.document;
        let tier: Option<Tier> = tier.and_then(|tier| tier.parse().ok());
        let kind: Option<SubjectKind> = kind.and_then(|kind| kind.parse().ok());
        let run = document.runs.get(recurrence::NAME).map(ToString::to_string);
        let counted = document
            .flags
            .standing
            .iter()
            .filter(|flag| tier.is_none_or(|tier| flag.tier == tier) && kind.is_none_or(|kind| flag.kind == kind));
        let ids: Vec<String> = counted.map(|flag| flag.flag.to_string()).collect();
        // Heads do not filter by runs.
        if document.unit.is_some() && (1..=IDS).contains(&ids.len()) {
            let mut all = vec![("state", "all")];
            all.extend(ids.iter().map(|id| ("id", id.as_str())));
            return Some(address("/flags", &all));
        }
        if document.unit.is_some() && (ids.is_empty() || document.narrowed) {
            return None;
        }
        let mut all = vec![("state", "standing")];
        all.extend(tier.map(|tier| ("tier", tier.as_str())));
        all.extend(kind.map(|kind| ("kind", kind.as_str())));
        all.extend(run.as_deref().filter(|_| document.unit.is_none()).map(|run| ("run", run)));
        Some(address("/flags", &all))
    }

    /// The measures that are new or changed.
    fn measures(&self) -> Option<String> {
        let part = &self.document.measures;
        if part.count != part.listed.len() || part.count > IDS {
            return None;
        }
        let ids: Vec<String> = part.listed.iter().map(|line| line.measure.to_string()).collect();
        let all: Vec<(&str, &str)> = ids.iter().map(|id| ("id", id.as_str())).collect();
        Some(address("/measures", &all))
    }

    /// The complaints about an officer before or after the first day of a measure.
    fn outcome(&self, is_after: bool, officer: &str, of: &Of) -> Option<String> {
        let day: NaiveDate = of.day.as_deref()?.parse().ok()?;
        let length = Days::new(u64::from(of.days?));
        let [from, until] = if is_after { [day, day + length] } else { [day - length, day] };
        let (from, until) = (from.to_string(), (until - Days::new(1)).to_string());
        Some(address("/complaints", &[("officer", officer), ("from", from.as_str()), ("until", until.as_str())]))
    }

    /// The changes of the register since the digest before.
    fn register(&self) -> Option<String> {
        let [after, until] = self.document.events_between?.map(|position| position.to_string());
        Some(address("/complaints/changes", &[("after", after.as_str()), ("until", until.as_str())]))
    }
}

fn days(number: i32) -> Days {
    Days::new(u64::try_from(number).unwrap_or(0))
}

/// A path with arguments.
fn address(path: &str, arguments: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    for (index, (name, value)) in arguments.iter().enumerate() {
        address.push(if index == 0 { '?' } else { '&' });
        address.push_str(name);
        address.push('=');
        address.push_str(&encoded(value));
    }
    address
}

/// A text as a part of the path or of the query of an address.
pub(crate) fn encoded(part: &str) -> String {
    let mut encoded = String::with_capacity(part.len());
    for byte in part.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_stays_one_part_of_a_path_and_of_a_query() {
        assert_eq!(encoded("02/CV?x=1 Đ"), "02%2FCV%3Fx%3D1%20%C4%90");
        assert_eq!(address("/flags", &[("unit", "a&b"), ("tier", "WATCH")]), "/flags?unit=a%26b&tier=WATCH");
    }
}
