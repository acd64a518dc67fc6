//! The subjects of alerts: their names and addresses on the page.

use crate::web::address::{address, encoded};
use crate::web::{Cell, PageError, Visit, name, nodes, text};
use schema::Id;
use schema::domain::ids::human_reference;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

const SUBJECTS: &str = include_str!("../../queries/alerts-subjects.graphql");
const UNITS: &str = include_str!("../../queries/alerts-units.graphql");

/// The subject of a burst at all units together.
pub const ALL_UNITS: &str = "ALL";

/// The subjects of some alerts, as far as the reader may see them.
pub struct Subjects {
    found: Value,
}

impl Subjects {
    /// Asks for the subjects of alerts.
    ///
    /// # Errors
    /// The errors of the question.
    pub async fn load(visit: &Visit, alerts: &Value) -> Result<Self, PageError> {
        let of = |kind: &str| -> BTreeSet<&str> {
            nodes(alerts).filter(|alert| alert["kind"] == kind).map(|alert| text(&alert["subject"])).collect()
        };
        let (flags, digests, mut units) = (of("SUSPENSION_REVIEW"), of("DIGEST_UNDELIVERED"), of("TECHNICAL_BURST"));
        units.remove(ALL_UNITS);
        let rows = flags.len().max(digests.len()).max(units.len());
        let found = if rows == 0 {
            Value::Null
        } else if visit.may("Query", "digests") && visit.may("Query", "flags") {
            let wanted = json!({ "flags": flags, "digests": digests, "units": units, "rows": rows });
            visit.query(SUBJECTS, wanted).await?
        } else if units.is_empty() {
            Value::Null
        } else {
            visit.query(UNITS, json!({ "units": units, "rows": rows })).await?
        };
        Ok(Self { found })
    }

    fn find(&self, list: &str, key: &str, value: &str) -> Option<&Value> {
        nodes(&self.found[list]).find(|one| one[key] == value)
    }

    /// The subject of an alert.
    pub fn cell(&self, visit: &Visit, alert: &Value) -> Cell {
        let subject = text(&alert["subject"]);
        match text(&alert["kind"]) {
            "SUSPENSION_REVIEW" => {
                let label = self.find("flags", "id", subject).and_then(|flag| label(visit, flag));
                let label = label.unwrap_or_else(|| visit.t("alerts-a-flag"));
                Cell::link(label, format!("/flags/{subject}"))
            }
            "TECHNICAL_BURST" if subject == ALL_UNITS => Cell::link(visit.t("alerts-all-units"), "/units"),
            "TECHNICAL_BURST" => {
                let unit = self.find("units", "code", subject).map(|unit| name(unit, visit.locale()).to_owned());
                let label = unit.unwrap_or_else(|| subject.to_owned());
                Cell::link(label, format!("/units/{}", encoded(subject)))
            }
            "DIGEST_UNDELIVERED" if is_never_made(alert) => {
                Cell::link(visit.t("alerts-digest"), "/jobs?job=reader-digests")
            }
            // Only its reader may open a reader's digest, so the link leads to the runs of the job that delivers it.
            "DIGEST_UNDELIVERED" => match self.find("digests", "id", subject) {
                Some(_) => Cell::link(visit.t("alerts-digest-of-board"), format!("/digests/{subject}")),
                None => Cell::link(visit.t("alerts-digest"), "/jobs?job=deliver-digests"),
            },
            "COMPLAINT_ESCALATED" => {
                let label = subject.parse::<Uuid>().map_or_else(|_| subject.to_owned(), |id| human_reference(Id(id)));
                Cell::link(label, format!("/complaints/{subject}"))
            }
            // The other kinds are about jobs.
            _ => Cell::link(subject, address("/jobs", [("job", subject)])),
        }
    }
}

/// Whether an alert is about a reader's digest that was not even made: its subject is a subscription.
pub fn is_never_made(alert: &Value) -> bool {
    alert["kind"] == "DIGEST_UNDELIVERED" && alert["details"]["scheduledAt"].is_string()
}

/// Label of a flag's subject: the code of an officer, or the name of a unit.
fn label(visit: &Visit, flag: &Value) -> Option<String> {
    if let Some(officer) = flag["officer"]["code"].as_str() {
        return Some(officer.to_owned());
    }
    let unit = name(&flag["unit"], visit.locale());
    (!unit.is_empty()).then(|| unit.to_owned())
}
