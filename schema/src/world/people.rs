//! Officers: their work, postings and true complaint rates, and the effects planted on them.

use super::chance::SeededRng;
use super::timeline::Timeline;
use super::truth::{Kind, Planted, SubjectWord};
use super::units::{Branch, Units};
use crate::domain::ids::reference_id;
use crate::events::Entity;
use crate::models::{Officer, Posting, Workload};
use crate::sql_types::Id;
use chrono::{Datelike, Months, NaiveDate};
use std::collections::BTreeMap;

/// Conduct episodes per year of an average officer with average work.
pub const BASE: f64 = 0.27;
/// Declarations per month at average work.
const DECLARATIONS: f64 = 150.0;
/// The least work of an ordinary officer, and the ratio of the most to the least; the mean is 1.
const LEAST_WORK: f64 = 0.297;
const SPREAD: f64 = 8.0;

/// A posting of an officer, in days of the world; `to` is exclusive.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub from: i32,
    pub to: i32,
    pub branch: usize,
    pub team: usize,
}

/// An officer.
pub struct Person {
    pub id: Id,
    pub code: String,
    pub work: f64,
    /// The true rates before and from `onset`, relative to an average officer with the same work.
    pub ratio_before: f64,
    pub ratio: f64,
    pub onset: i32,
    pub spans: Vec<Span>,
    /// Whether an effect is planted on the officer.
    pub planted: bool,
}

impl Person {
    pub fn ratio_on(&self, day: i32) -> f64 {
        if day >= self.onset { self.ratio } else { self.ratio_before }
    }

    /// The posting on a day, or the nearest one.
    pub fn span_on(&self, day: i32) -> Span {
        let at = self.spans.partition_point(|span| span.to <= day).min(self.spans.len() - 1);
        self.spans[at]
    }

    fn stays(&self, timeline: &Timeline) -> bool {
        self.spans[0].from == 0 && self.spans[self.spans.len() - 1].to == timeline.days
    }
}

/// Scales a number of planted effects, given per 50,000 complaints.
fn per_50_000(many: f64, complaints: usize) -> usize {
    (many * complaints as f64 / 50_000.0).round() as usize
}

/// The target of a feud: one enterprise complains about the officer again and again.
pub struct Feud {
    pub officer: usize,
}

/// The target of a campaign: many enterprises complain about the officer in nearly the same words.
pub struct Campaign {
    pub officer: usize,
    pub enterprises: usize,
}

/// All officers, and the planted effects.
pub struct People {
    pub all: Vec<Person>,
    pub feuds: Vec<Feud>,
    pub campaigns: Vec<Campaign>,
    pub planted: Vec<Planted>,
}

impl People {
    /// The officers by the branch of their first posting.
    pub fn by_branch(&self, branches: usize) -> Vec<Vec<u32>> {
        let mut there: Vec<Vec<u32>> = vec![Vec::new(); branches];
        for (number, person) in (0..).zip(&self.all) {
            there[person.spans[0].branch].push(number);
        }
        there
    }
}

/// Makes the officers, and plants effects on officers and branches.
pub fn people(seed: u64, complaints: usize, timeline: &Timeline, units: &mut Units) -> People {
    let mut planted = peculiar_branches(seed, complaints, units);
    let count = ((complaints as f64 / 7.5).round() as usize).max(1);
    let mut all: Vec<Person> = (0..count).map(|number| person(seed, number, timeline, units)).collect();

    // An officer with a planted effect is present all the time, in one ordinary branch.
    let mut free: Vec<usize> = (0..count)
        .filter(|at| all[*at].stays(timeline) && units.branches[all[*at].spans[0].branch].ratio == 1.0)
        .collect();
    let mut chance = SeededRng::new(seed, "planted", 0);
    chance.shuffle(&mut free);
    let mut plant = |all: &mut Vec<Person>, kind: Kind, many: f64| -> Vec<usize> {
        let many = per_50_000(many, complaints).min(free.len());
        let chosen = free.split_off(free.len() - many);
        for at in &chosen {
            let person = &mut all[*at];
            person.planted = true;
            person.ratio_before = 1.0;
            person.ratio = 1.0;
            let first = person.spans[0];
            person.spans = vec![Span { from: 0, to: timeline.days, ..first }];
            planted.push(Planted { kind, subject: SubjectWord::Officer, code: person.code.clone() });
        }
        chosen
    };
    for ratio in [5.0, 10.0, 20.0, 40.0] {
        for at in plant(&mut all, Kind::Recurrent, 40.0) {
            all[at].ratio = ratio;
            // Between one and two years before the end.
            all[at].onset = timeline.days - chance.between(366.0, 731.0) as i32;
        }
    }
    for at in plant(&mut all, Kind::Busy, 40.0) {
        all[at].work = 8.0;
    }
    let feuds = plant(&mut all, Kind::Feud, 20.0).into_iter().map(|officer| Feud { officer }).collect();
    let mut campaigns = Vec::new();
    for enterprises in [3, 5, 10, 40] {
        for officer in plant(&mut all, Kind::Campaign, 5.0) {
            campaigns.push(Campaign { officer, enterprises });
        }
    }
    People { all, feuds, campaigns, planted }
}

fn peculiar_branches(seed: u64, complaints: usize, units: &mut Units) -> Vec<Planted> {
    let mut chance = SeededRng::new(seed, "peculiar branches", 0);
    let mut free: Vec<usize> = (0..units.branches.len()).collect();
    chance.shuffle(&mut free);
    let many = per_50_000(4.0, complaints).min(free.len() / 8);
    let mut planted = Vec::new();
    let mut plant = |kind, peculiar: &dyn Fn(&mut Branch), branches: &mut Vec<Branch>| {
        for at in free.split_off(free.len() - many) {
            peculiar(&mut branches[at]);
            planted.push(Planted { kind, subject: SubjectWord::Branch, code: branches[at].code.clone() });
        }
    };
    plant(Kind::Recurrent, &|branch| branch.ratio = 2.0, &mut units.branches);
    plant(Kind::Recurrent, &|branch| branch.ratio = 4.0, &mut units.branches);
    plant(Kind::BlamesSystem, &|branch| branch.blames_system = true, &mut units.branches);
    plant(
        Kind::Late,
        &|branch| {
            branch.late = true;
            branch.slowness = 4.0;
        },
        &mut units.branches,
    );
    planted
}

fn person(seed: u64, number: usize, timeline: &Timeline, units: &Units) -> Person {
    let mut chance = SeededRng::new(seed, "officer", number as u64);
    let work = LEAST_WORK * libm::pow(SPREAD, chance.unit());
    let days = f64::from(timeline.days);
    let from = if chance.is(0.8) { 0 } else { chance.between(0.0, days * 0.95) as i32 };
    let to = if chance.is(0.88) { timeline.days } else { chance.between(f64::from(from) + 20.0, days) as i32 };
    let to = to.clamp(from + 1, timeline.days);
    let mut branch = units.by_weight.pick(&mut chance);
    let home = branch;
    let ratio = chance.gamma3() * units.branches[home].ratio;
    let mut spans = Vec::new();
    let mut begun = from;
    let mut team = chance.below(units.branches[branch].teams.len());
    loop {
        // Postings last four years on average; most moves stay nearby.
        let stayed = (-4.0 * 365.25 * libm::log(1.0 - chance.unit())) as i32 + 30;
        let moves_at = begun.saturating_add(stayed).min(to);
        spans.push(Span { from: begun, to: moves_at, branch, team });
        if moves_at >= to {
            break;
        }
        begun = moves_at;
        let far = chance.unit();
        // No moves into or out of a branch with a planted ratio: the ratio would move along.
        if far > 0.6 && units.branches[home].ratio == 1.0 {
            let candidate = if far < 0.9 {
                let same: Vec<usize> = (0..units.branches.len())
                    .filter(|at| units.branches[*at].of == units.branches[branch].of)
                    .collect();
                *chance.pick(&same)
            } else {
                units.by_weight.pick(&mut chance)
            };
            if units.branches[candidate].ratio == 1.0 {
                branch = candidate;
            }
        }
        team = chance.below(units.branches[branch].teams.len());
    }
    let code = format!("MH-{:06}", number + 1);
    Person {
        id: reference_id(Entity::Officer, &code),
        code,
        work,
        ratio_before: ratio,
        ratio,
        onset: 0,
        spans,
        planted: false,
    }
}

const FAMILY: [&str; 14] =
    ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Huỳnh", "Phan", "Vũ", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô"];
const MIDDLE: [&str; 12] = ["Văn", "Thị", "Đức", "Minh", "Hữu", "Thanh", "Quốc", "Ngọc", "Xuân", "Anh", "Thu", "Hồng"];
const GIVEN: [&str; 20] = [
    "An", "Bình", "Cường", "Dũng", "Giang", "Hà", "Hải", "Hạnh", "Hùng", "Lan", "Linh", "Long", "Mai", "Nam", "Phương",
    "Quang", "Sơn", "Thảo", "Trung", "Yến",
];

/// The rows of the officers and their postings.
pub fn rows(seed: u64, people: &People, timeline: &Timeline, units: &Units) -> (Vec<Officer>, Vec<Posting>) {
    let mut officers = Vec::with_capacity(people.all.len());
    let mut postings = Vec::with_capacity(people.all.len());
    for (number, person) in people.all.iter().enumerate() {
        let mut chance = SeededRng::new(seed, "name", number as u64);
        let (family, middle, given) = (chance.pick(&FAMILY), chance.pick(&MIDDLE), chance.pick(&GIVEN));
        let first = person.spans[0].from;
        // Officers present on the first day were appointed earlier.
        let before = if first == 0 { chance.between(30.0, 9_000.0) as i32 } else { 0 };
        let appointed = timeline.date(first - before);
        officers.push(Officer {
            id: person.id,
            code: person.code.clone(),
            name: Some(format!("{family} {middle} {given} (minh họa)")),
            rank: Some(
                (*chance.pick(&["Kiểm tra viên", "Kiểm tra viên chính", "Công chức", "Phó đội trưởng"])).to_owned(),
            ),
            appointed_on: Some(appointed),
            unknown: false,
        });
        for (at, span) in person.spans.iter().enumerate() {
            postings.push(Posting {
                officer_id: person.id,
                unit_id: units.branches[span.branch].teams[span.team],
                valid_from: if at == 0 { appointed } else { timeline.date(span.from) },
                valid_to: (span.to < timeline.days).then(|| timeline.date(span.to - 1)),
            });
        }
    }
    (officers, postings)
}

/// Declarations handled per month: by branch and team each month; by officer in January and July, in the first two
/// months of each posting and in its last one; readers carry the other months forward. An unfinished last month has no
/// rows.
pub fn workload(people: &People, timeline: &Timeline, units: &Units) -> Vec<Workload> {
    let mut rows = Vec::new();
    for (at, month) in timeline.months.iter().enumerate() {
        let next = month.first + Months::new(1);
        if next > timeline.date(timeline.days) {
            break;
        }
        let before = if at == 0 { month.from } else { timeline.months[at - 1].from };
        let length = f64::from(month.to - month.from);
        let mut by_team: BTreeMap<(usize, usize), f64> = BTreeMap::new();
        let mut by_officer: BTreeMap<(usize, usize, usize), f64> = BTreeMap::new();
        for (number, person) in people.all.iter().enumerate() {
            for span in &person.spans {
                let (from, to) = (span.from.max(month.from), span.to.min(month.to));
                if from >= to {
                    continue;
                }
                let handled = DECLARATIONS * person.work * month.level * f64::from(to - from) / length;
                *by_team.entry((span.branch, span.team)).or_default() += handled;
                if matches!(month.first.month(), 1 | 7) || span.from >= before || span.to < month.to {
                    *by_officer.entry((span.branch, span.team, number)).or_default() += handled;
                }
            }
        }
        let month = MonthKey { first: month.first, text: month.first.format("%Y-%m").to_string() };
        for ((branch, team, number), handled) in by_officer {
            rows.push(month.row(&units.branches[branch], Some(team), Some(&people.all[number]), handled));
        }
        for (number, branch) in units.branches.iter().enumerate() {
            let of_team = |team: usize| by_team.get(&(number, team)).copied().unwrap_or(0.0);
            rows.extend((0..branch.teams.len()).map(|team| month.row(branch, Some(team), None, of_team(team))));
            rows.push(month.row(branch, None, None, (0..branch.teams.len()).map(of_team).sum()));
        }
    }
    rows
}

struct MonthKey {
    first: NaiveDate,
    text: String,
}

impl MonthKey {
    fn row(&self, branch: &Branch, team: Option<usize>, person: Option<&Person>, handled: f64) -> Workload {
        let unit = team.map_or_else(|| branch.code.clone(), |team| format!("{}{}", branch.code, team + 1));
        let officer = person.map_or("", |person| person.code.as_str());
        Workload {
            id: reference_id(Entity::Workload, &format!("{unit}\u{1f}{officer}\u{1f}{}", self.text)),
            unit_id: team.map_or(branch.id, |team| branch.teams[team]),
            officer_id: person.map(|person| person.id),
            month: self.first,
            declarations: handled.round() as i64,
        }
    }
}
