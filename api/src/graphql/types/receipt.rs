use crate::graphql::enums::ComplaintState;
use crate::graphql::scalars::{Moment, id};
use async_graphql::{ID, SimpleObject};
use schema::domain::ids::human_reference;
use schema::models;

/// What the sender may know of a complaint.
#[derive(SimpleObject)]
pub struct Receipt {
    pub id: ID,
    /// The reference that people write on paper.
    pub reference: String,
    pub received_at: Moment,
    pub state: ComplaintState,
    pub version: i32,
    /// False where the same submission had been made before.
    pub created: bool,
    /// The register's position of the change, for `minPosition`; null where nothing changed.
    pub position: Option<i64>,
}

impl Receipt {
    /// Of what was submitted before.
    pub fn of(complaint: &models::Complaint) -> Self {
        Self {
            id: id(complaint.id),
            reference: human_reference(complaint.id),
            received_at: complaint.received_at.into(),
            state: complaint.state.into(),
            version: complaint.version,
            created: false,
            position: None,
        }
    }
}
