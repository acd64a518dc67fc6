//! Recorded system incidents (failures) of the world.

use super::chance::SeededRng;
use super::timeline::Timeline;
use super::units::Units;
use crate::domain::ids::reference_id;
use crate::events::Entity;
use crate::models::SystemIncident;
use crate::sql_types::Timestamp;

/// A failure of a branch, or of all branches: its day, second of the day and duration in hours.
pub struct Incident {
    pub branch: Option<usize>,
    pub day: i32,
    pub second: u32,
    pub hours: f64,
}

impl Incident {
    pub fn strikes(&self, branch: usize) -> bool {
        self.branch.is_none_or(|at| at == branch)
    }
}

/// Draws all incidents, in the order of time.
pub fn incidents(seed: u64, timeline: &Timeline, units: &Units) -> Vec<Incident> {
    let mut chance = SeededRng::new(seed, "incidents", 0);
    let years = f64::from(timeline.days) / 365.25;
    let mut all = Vec::new();
    // On average each branch fails twice a year, and the whole country three times.
    for _ in 0..chance.poisson(3.0 * years) {
        all.push(incident(&mut chance, None, timeline));
    }
    for branch in 0..units.branches.len() {
        for _ in 0..chance.poisson(2.0 * years) {
            all.push(incident(&mut chance, Some(branch), timeline));
        }
    }
    // One shortly before the last day, about which complaints still arrive then.
    let lately = Incident { branch: None, day: timeline.days - 12, second: 9 * 3600, hours: 7.5 };
    all.push(lately);
    all.sort_by_key(|incident| (incident.day, incident.second, incident.branch));
    all
}

fn incident(chance: &mut SeededRng, branch: Option<usize>, timeline: &Timeline) -> Incident {
    Incident {
        branch,
        day: timeline.some_day(chance, 0, timeline.days),
        second: (chance.between(7.0, 16.0) * 3600.0) as u32,
        hours: chance.log_normal(3.0, 0.6).min(36.0),
    }
}

pub fn rows(source: &str, incidents: &[Incident], timeline: &Timeline, units: &Units) -> Vec<SystemIncident> {
    (1..)
        .zip(incidents)
        .map(|(number, incident)| {
            let reference = format!("{source}:incident-{number:04}");
            let started_at = timeline.moment(incident.day, incident.second);
            let lasted = (incident.hours * 3_600_000_000.0) as i64;
            SystemIncident {
                id: reference_id(Entity::Incident, &reference),
                reference,
                unit_id: incident.branch.map(|branch| units.branches[branch].id),
                started_at,
                ended_at: Timestamp::from_micros(started_at.micros() + lasted),
                description: Some("Hệ thống thông quan gián đoạn (minh họa)".to_owned()),
            }
        })
        .collect()
}
