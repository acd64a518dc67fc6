//! Plans the complaints: enterprise, officers, branch, day and category of each. [`super::cases`] adds the rest.

use super::chance::{SeededRng, Weights};
use super::enterprises::Enterprises;
use super::incidents::Incident;
use super::people::{BASE, People, Person};
use super::timeline::{Timeline, some_second};
use super::units::{Category, Units};
use crate::enums::CategoryKind;

/// A planned complaint.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The day of receipt.
    pub day: i32,
    pub second: u32,
    /// Number of days before receipt on which the matter occurred; None if the complaint does not say.
    pub occurred: Option<i32>,
    pub officers: Vec<u32>,
    /// None for an anonymous complaint.
    pub enterprise: Option<u32>,
    pub branch: u16,
    pub team: Option<u8>,
    pub category: u8,
    pub blames_system: bool,
    /// The campaign that the complaint belongs to.
    pub campaign: Option<u32>,
}

/// The input of planning.
pub struct World<'w> {
    pub seed: u64,
    pub timeline: &'w Timeline,
    pub units: &'w Units,
    pub people: &'w People,
    pub enterprises: &'w Enterprises,
    pub incidents: &'w [Incident],
    pub categories: &'w [Category],
}

/// The share of anonymous complaints among those about conduct.
const ANONYMOUS: f64 = 0.06;
/// The share of episodes in which the enterprise complains again within a week.
const WRITES_AGAIN: f64 = 0.06;
/// The complaints of one feud.
const FEUD: usize = 30;

/// Plans `complaints` complaints, in the order of receipt.
pub fn plan(world: &World<'_>, complaints: usize) -> Vec<Planned> {
    let mut planned = Vec::with_capacity(complaints + complaints / 16);
    for number in 0..world.people.all.len() {
        officer(world, number, &mut planned);
    }
    for (number, feud) in (0u32..).zip(&world.people.feuds) {
        plan_feud(world, number, feud.officer, &mut planned);
    }
    for (number, campaign) in (0u32..).zip(&world.people.campaigns) {
        campaign_of(world, number, campaign.officer, campaign.enterprises, &mut planned);
    }
    planned.truncate(complaints);
    let others = complaints - planned.len();
    other_complaints(world, others, &mut planned);
    // A stable sort: ties keep the order of planning.
    planned.sort_by_key(|one| (one.day, one.second));
    planned
}

/// The conduct complaints about an officer: a Poisson process whose rate follows the work.
fn officer(world: &World<'_>, number: usize, planned: &mut Vec<Planned>) {
    let person = &world.people.all[number];
    let mut chance = SeededRng::new(world.seed, "conduct", number as u64);
    let (begins, ends) = (person.spans[0].from, person.spans[person.spans.len() - 1].to);
    for month in &world.timeline.months {
        let (from, to) = (month.from.max(begins), month.to.min(ends));
        // The rate changes at the onset of the recurrence: split the month there.
        for (from, to) in [(from, to.min(person.onset)), (from.max(person.onset), to)] {
            if from >= to {
                continue;
            }
            let years = f64::from(to - from) / 365.25;
            let expected = BASE * person.work * person.ratio_on(from) * month.level * years;
            for _ in 0..chance.poisson(expected) {
                let day = world.timeline.some_day(&mut chance, from, to);
                episode(world, &mut chance, number, person, day, planned);
            }
        }
    }
}

fn episode(
    world: &World<'_>,
    chance: &mut SeededRng,
    number: usize,
    person: &Person,
    day: i32,
    planned: &mut Vec<Planned>,
) {
    let branch = person.span_on(day).branch;
    let enterprise = (!chance.is(ANONYMOUS)).then(|| world.enterprises.of_branch(chance, branch));
    let first = about(world, chance, number, person, day, enterprise);
    let again = enterprise.is_some() && chance.is(WRITES_AGAIN);
    if again {
        let later = day + 1 + i32::try_from(chance.below(6)).unwrap_or(0);
        if later < world.timeline.days {
            let second = about(world, chance, number, person, later, enterprise);
            planned.push(Planned {
                occurred: None,
                category: first.category,
                branch: first.branch,
                team: first.team,
                ..second
            });
        }
    }
    planned.push(first);
}

/// Adds a complaint about the conduct of an officer, received on `day`.
fn about(
    world: &World<'_>,
    chance: &mut SeededRng,
    number: usize,
    person: &Person,
    day: i32,
    enterprise: Option<u32>,
) -> Planned {
    let occurred = chance.is(0.6).then(|| (chance.log_normal(1.5, 0.8) as i32).min(30).min(day));
    let span = person.span_on(day - occurred.unwrap_or(0));
    let blames_here = if world.units.branches[span.branch].blames_system {
        chance.is(0.35)
    } else {
        // Elsewhere officers blame the system mostly on days of failures.
        let lag = day - occurred.unwrap_or(0);
        let failed = failures_about(world.incidents, lag).any(|incident| incident.strikes(span.branch));
        chance.is(if failed { 0.5 } else { 0.01 })
    };
    let category = if blames_here {
        category_by_code(world.categories, "BLAMES_SYSTEM")
    } else {
        category_of(world.categories, chance, |category| category.kind == CategoryKind::Conduct)
    };
    Planned {
        day,
        second: some_second(chance),
        occurred,
        officers: vec![u32::try_from(number).unwrap_or(0)],
        enterprise,
        branch: u16::try_from(span.branch).unwrap_or(0),
        team: u8::try_from(span.team).ok(),
        category,
        blames_system: blames_here,
        campaign: None,
    }
}

/// The incidents of a day.
fn failures_about(incidents: &[Incident], day: i32) -> impl Iterator<Item = &Incident> {
    let from = incidents.partition_point(|incident| incident.day < day);
    incidents[from..].iter().take_while(move |incident| incident.day <= day)
}

fn category_by_code(categories: &[Category], code: &str) -> u8 {
    categories.iter().position(|category| category.code == code).and_then(|at| u8::try_from(at).ok()).unwrap_or(0)
}

pub fn category_of(categories: &[Category], chance: &mut SeededRng, among: impl Fn(&Category) -> bool) -> u8 {
    let weights = Weights::new(categories.iter().map(|category| if among(category) { category.weight } else { 0.0 }));
    u8::try_from(weights.pick(chance)).unwrap_or(0)
}

/// A feud: one enterprise complains about one officer every ten days over the last ten months.
fn plan_feud(world: &World<'_>, number: u32, officer: usize, planned: &mut Vec<Planned>) {
    let person = &world.people.all[officer];
    let mut chance = SeededRng::new(world.seed, "feud", u64::from(number));
    let enterprise = world.enterprises.of_branch(&mut chance, person.spans[0].branch);
    for nth in 0..FEUD {
        let back = 5 + nth * 10 + chance.below(4);
        let day = (world.timeline.days - 1 - i32::try_from(back).unwrap_or(0)).max(0);
        planned.push(about(world, &mut chance, officer, person, day, Some(enterprise)));
    }
}

/// A campaign: several enterprises complain about one officer in nearly the same words, within four weeks.
fn campaign_of(world: &World<'_>, number: u32, officer: usize, many: usize, planned: &mut Vec<Planned>) {
    let person = &world.people.all[officer];
    let mut chance = SeededRng::new(world.seed, "campaign", u64::from(number));
    let back = chance.between(35.0, 300.0) as i32;
    let first = (world.timeline.days - 1 - back).max(0);
    let members = world.enterprises.several(&mut chance, person.spans[0].branch, many);
    let category = category_of(world.categories, &mut chance, |category| category.kind == CategoryKind::Conduct);
    for enterprise in members {
        let day = first + i32::try_from(chance.below(28)).unwrap_or(0);
        let one = about(world, &mut chance, officer, person, day.min(world.timeline.days - 1), Some(enterprise));
        planned.push(Planned { category, blames_system: false, campaign: Some(number), ..one });
    }
}

/// The number of last days with three times the usual weight of complaints about refunds.
const RISING: i32 = 40;

fn other_complaints(world: &World<'_>, many: usize, planned: &mut Vec<Planned>) {
    let months = &world.timeline.months;
    let by_month = Weights::new(months.iter().map(|month| month.level * f64::from(month.to - month.from)));
    let weights = |rising: bool| {
        Weights::new(world.categories.iter().map(|category| match category.kind {
            CategoryKind::Conduct => 0.0,
            _ if rising && category.code == "PRC-REFUND" => category.weight * 3.0,
            _ => category.weight,
        }))
    };
    let (usual, rising) = (weights(false), weights(true));
    let people_of = world.people.by_branch(world.units.branches.len());
    let mut incidents_of: Vec<Vec<usize>> = world.units.branches.iter().map(|_| Vec::new()).collect();
    let mut national = Vec::new();
    for (at, incident) in world.incidents.iter().enumerate() {
        match incident.branch {
            Some(branch) => incidents_of[branch].push(at),
            None => national.push(at),
        }
    }
    for number in 0..many {
        let mut chance = SeededRng::new(world.seed, "other", number as u64);
        let month = months[by_month.pick(&mut chance)];
        let mut day = world.timeline.some_day(&mut chance, month.from, month.to);
        let branch = world.units.by_weight.pick(&mut chance);
        let at_risk = day >= world.timeline.days - RISING;
        let category = if at_risk { rising.pick(&mut chance) } else { usual.pick(&mut chance) };
        let mut occurred = chance.is(0.5).then(|| (chance.log_normal(1.5, 0.8) as i32).min(30));
        let mut blames_system = false;
        if world.categories[category].kind == CategoryKind::Technical && chance.is(0.5) {
            // Half of the technical complaints follow a recorded failure within three days.
            let own = &incidents_of[branch];
            let from = if own.is_empty() || chance.is(0.5) { &national } else { own };
            if let Some(incident) = from.get(chance.below(from.len())).map(|at| &world.incidents[*at]) {
                let lag = i32::try_from(chance.below(3)).unwrap_or(0);
                day = (incident.day + lag).min(world.timeline.days - 1);
                occurred = Some(day - incident.day);
                blames_system = chance.is(0.5);
            }
        } else if world.units.branches[branch].blames_system {
            blames_system = chance.is(0.3);
        } else {
            blames_system = chance.is(0.01);
        }
        // Some name the officer in charge without complaining about conduct.
        let there = &people_of[branch];
        let mut officers = Vec::new();
        if !there.is_empty() && chance.is(0.08) {
            officers.push(*chance.pick(there));
            if chance.is(0.2) {
                officers.push(*chance.pick(there));
            }
            officers.dedup();
        }
        let teams = world.units.branches[branch].teams.len();
        planned.push(Planned {
            day,
            second: some_second(&mut chance),
            occurred: occurred.map(|before| before.min(day)),
            officers,
            enterprise: (!chance.is(0.03)).then(|| world.enterprises.of_branch(&mut chance, branch)),
            branch: u16::try_from(branch).unwrap_or(0),
            team: chance.is(0.5).then(|| u8::try_from(chance.below(teams)).unwrap_or(0)),
            category: u8::try_from(category).unwrap_or(0),
            blames_system,
            campaign: None,
        });
    }
}
