//! The parts of a world, before anything is stored.

use super::Parameters;
use super::bursts::plant;
use super::enterprises::{Enterprises, enterprises};
use super::incidents::{Incident, incidents};
use super::people::{People, people};
use super::plan::{Planned, World, plan};
use super::timeline::Timeline;
use super::truth::TrueBurst;
use super::units::{Category, Units, categories, units};
use crate::db::StoreError;
use crate::models::IssueCategory;

pub struct Parts {
    pub parameters: Parameters,
    pub timeline: Timeline,
    pub units: Units,
    pub people: People,
    pub enterprises: Enterprises,
    pub incidents: Vec<Incident>,
    pub category_rows: Vec<IssueCategory>,
    pub categories: Vec<Category>,
}

impl Parts {
    /// # Errors
    /// `Rule` for invalid parameters.
    pub fn of(parameters: Parameters) -> Result<Self, StoreError> {
        parameters.check()?;
        let Parameters { complaints, seed, until, .. } = parameters;
        let timeline = Timeline::new(until);
        let mut units = units(seed, timeline.since);
        let people = people(seed, complaints, &timeline, &mut units);
        let enterprises = enterprises(seed, complaints, &units);
        let incidents = incidents(seed, &timeline, &units);
        let (category_rows, categories) = categories();
        Ok(Self { parameters, timeline, units, people, enterprises, incidents, category_rows, categories })
    }

    pub fn world(&self) -> World<'_> {
        World {
            seed: self.parameters.seed,
            timeline: &self.timeline,
            units: &self.units,
            people: &self.people,
            enterprises: &self.enterprises,
            incidents: &self.incidents,
            categories: &self.categories,
        }
    }

    /// The complaints in the order of receipt, and the bursts that are planted among them.
    pub fn plan(&self) -> (Vec<Planned>, Vec<TrueBurst>) {
        let world = self.world();
        let mut planned = plan(&world, self.parameters.complaints);
        let bursts = plant(&world, self.parameters, &mut planned);
        (planned, bursts)
    }
}
