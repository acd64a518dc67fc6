//! Decides what a viewer may read in the history of a complaint.
//!
//! A field is shown to the viewers to whom the access table shows it now, and left out for others. The values of a
//! history are older than those of the complaint, so two kinds of viewers read less of it, whatever a complaint's past:
//! missing only where there was something to hide, a value would tell of it.
//!
//! - The head of a unit: the complaint may have been confidential, when the head read nothing of it but a redaction.
//! - A viewer who is an officer: the complaint may have named the viewer.

use crate::access::{Viewer, allowed};
use schema::enums::Role;

/// Manner in which a change is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Showing {
    /// Shows the change with its values before and after.
    Shown,
    /// Shows that the field changed, without its values.
    Withheld,
    /// Omits the change.
    LeftOut,
}
use Showing::{LeftOut, Shown, Withheld};

/// A field of an event.
#[derive(Debug)]
pub struct Field {
    /// Its name in the event.
    pub stored: &'static str,
    /// The type and the field of the API that show its present value.
    pub of: (&'static str, &'static str),
    /// Manner in which the change is shown to the head of a unit.
    heads: Showing,
    /// Whether a person wrote it, who may have named an officer in it.
    is_text: bool,
}

const fn field(stored: &'static str, of: (&'static str, &'static str), heads: Showing) -> Field {
    Field { stored, of, heads, is_text: false }
}

const fn text(stored: &'static str, of: (&'static str, &'static str), heads: Showing) -> Field {
    Field { stored, of, heads, is_text: true }
}

/// The fields of a complaint, in the order in which an entry lists them. What a redaction hides, and might tell who
/// complained, is withheld from heads.
pub const COMPLAINT: &[Field] = &[
    field("state", ("Complaint", "state"), Shown),
    field("received_at", ("Complaint", "receivedAt"), Withheld),
    field("occurred_at", ("Complaint", "occurredAt"), Withheld),
    field("legal_form", ("Complaint", "legalForm"), Shown),
    field("channel", ("Complaint", "channel"), Shown),
    field("enterprise_id", ("Complaint", "enterprise"), Withheld),
    field("unit_id", ("Complaint", "unit"), Shown),
    field("department_id", ("Complaint", "department"), Shown),
    field("branch_id", ("Complaint", "branch"), Shown),
    field("team_id", ("Complaint", "team"), Shown),
    field("responsible_unit_id", ("Complaint", "responsibleUnit"), Shown),
    field("category_id", ("Complaint", "category"), Shown),
    field("declaration_number", ("Complaint", "declarationNumber"), Withheld),
    text("text", ("Complaint", "text"), Withheld),
    field("cost_vnd", ("Complaint", "costVnd"), Withheld),
    field("delay_hours", ("Complaint", "delayHours"), Withheld),
    field("blames_system", ("Complaint", "blamesSystem"), Shown),
    // Heads read complaints that are not confidential: a change would tell that one was.
    field("confidential", ("Complaint", "confidential"), LeftOut),
    text("redacted_text", ("Complaint", "redactedText"), LeftOut),
    field("finding", ("Complaint", "finding"), Shown),
    field("decided_on", ("Complaint", "decidedOn"), Shown),
    // Only the Board reads which other complaint says the same.
    field("duplicate_of", ("Complaint", "duplicateOf"), LeftOut),
    text("addition_text", ("Complaint", "additions"), Withheld),
    text("attachments", ("Complaint", "attachments"), Withheld),
];

/// The fields of a response. Only the satisfaction of the complainant changes: a viewer who reads a
/// field in the complaint reads it here.
pub const RESPONSE: &[Field] = &[
    field("response_unit_id", ("UnitResponse", "unit"), Shown),
    field("action", ("UnitResponse", "action"), Shown),
    field("response_text", ("UnitResponse", "text"), Shown),
    field("outcome", ("UnitResponse", "outcome"), Shown),
    field("satisfied", ("UnitResponse", "satisfied"), Shown),
    field("visibility", ("UnitResponse", "visibility"), Shown),
];

/// The fields of an allegation.
pub const ALLEGATION: &[Field] = &[
    field("officer_id", ("Allegation", "officer"), Shown),
    field("unit_id", ("Allegation", "unit"), Shown),
    field("category_id", ("Allegation", "category"), Shown),
    field("attribution", ("Allegation", "attribution"), Shown),
    field("finding", ("Allegation", "finding"), Shown),
    field("decided_on", ("Allegation", "decidedOn"), Shown),
    // The words of the source, which may say who complained.
    field("source_codes", ("Allegation", "sourceCodes"), Withheld),
];

/// The fields of a round of the legal clock. The first one begins with receipt.
pub const ROUND: &[Field] = &[
    field("started_at", ("ComplaintRound", "startedOn"), Withheld),
    field("accepted_on", ("ComplaintRound", "acceptedOn"), Shown),
    field("remote_area", ("ComplaintRound", "remoteArea"), Shown),
    field("extensions", ("ComplaintRound", "extensions"), Shown),
    field("extended_days", ("ComplaintRound", "extendedDays"), Shown),
    field("stops", ("ComplaintRound", "stops"), Shown),
    field("due_on", ("ComplaintRound", "dueOn"), Shown),
    field("answered_on", ("ComplaintRound", "answeredOn"), Shown),
];

/// Fields of events that say nothing of the complaint: they number it, or repeat what the entry says.
pub const TECHNICAL: &[&str] = &[
    "version",
    "state_since",
    "content_hash",
    "response_id",
    "confirmed_response_id",
    "addition_ordinal",
    "responded_at",
    "reason",
    "officers",
    "matters",
    "clocks",
    "merge_id",
];

/// The rights of one viewer.
#[derive(Debug, Clone)]
pub struct Rights {
    role: Role,
    is_an_officer: bool,
}

impl Rights {
    pub fn of(viewer: &Viewer) -> Self {
        Self { role: viewer.role, is_an_officer: viewer.is_an_officer() }
    }

    #[cfg(test)]
    pub fn of_role(role: Role, is_an_officer: bool) -> Self {
        Self { role, is_an_officer }
    }

    pub fn showing(&self, field: &Field) -> Showing {
        let (of, name) = field.of;
        let heads = if self.role == Role::UnitHead { field.heads } else { Shown };
        match heads {
            _ if !allowed(self.role, of, name) => LeftOut,
            Shown if field.is_text && self.is_an_officer => Withheld,
            heads => heads,
        }
    }

    /// Whether the viewer reads a field that the API does not show.
    pub fn reads_other_fields(&self) -> bool {
        self.role == Role::Board && !self.is_an_officer
    }

    /// Whether the viewer reads only of allegations against officers whom the complaint names now.
    pub fn reads_only_named(&self) -> bool {
        self.role == Role::UnitHead || self.is_an_officer
    }

    /// Whether the viewer reads of allegations against no named officer: for an officer, one that comes up later could
    /// have been an allegation against the viewer.
    pub fn reads_matters(&self) -> bool {
        !self.is_an_officer
    }

    /// Whether the viewer reads reasons; `in_confidence` tells whether the complaint was confidential at the time.
    pub fn reads_reasons(&self, in_confidence: bool) -> bool {
        !(self.is_an_officer || self.role == Role::UnitHead && in_confidence)
    }

    /// Whether the viewer reads the history of a complaint at all; `is_confidential` tells whether it is now.
    pub fn reads_history(&self, is_confidential: bool) -> bool {
        !(self.role == Role::UnitHead && is_confidential)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(rights: &Rights, showing: Showing) -> Vec<&'static str> {
        let all = [COMPLAINT, RESPONSE, ALLEGATION].into_iter().flatten();
        all.filter(|field| rights.showing(field) == showing).map(|field| field.stored).collect()
    }

    #[test]
    fn the_board_reads_everything_and_who_sees_no_complaint_reads_nothing() {
        assert_eq!(
            shown(&Rights::of_role(Role::Board, false), Shown).len(),
            COMPLAINT.len() + RESPONSE.len() + ALLEGATION.len()
        );
        for role in [Role::Admin, Role::Intake, Role::Dashboard] {
            assert_eq!(
                shown(&Rights::of_role(role, false), LeftOut).len(),
                COMPLAINT.len() + RESPONSE.len() + ALLEGATION.len()
            );
        }
    }

    #[test]
    fn a_head_reads_no_earlier_value_that_a_redaction_hides() {
        let head = Rights::of_role(Role::UnitHead, false);
        assert_eq!(
            shown(&head, Withheld),
            [
                "received_at",
                "occurred_at",
                "enterprise_id",
                "declaration_number",
                "text",
                "cost_vnd",
                "delay_hours",
                "addition_text",
                "attachments",
                "source_codes"
            ]
        );
        assert_eq!(shown(&head, LeftOut), ["confidential", "redacted_text", "duplicate_of"]);
        assert!(head.reads_reasons(false) && !head.reads_reasons(true) && !head.reads_history(true));
    }

    #[test]
    fn a_data_team_reads_no_text_and_no_response() {
        let left_out = shown(&Rights::of_role(Role::DataTeam, false), LeftOut);
        let responses = RESPONSE.iter().map(|field| field.stored);
        let texts = ["declaration_number", "text", "redacted_text", "duplicate_of", "addition_text", "attachments"];
        let expected: Vec<&str> = texts.into_iter().chain(responses).chain(["source_codes"]).collect();
        assert_eq!(left_out, expected);
    }

    #[test]
    fn an_officer_reads_no_earlier_text_whatever_the_role() {
        let member = Rights::of_role(Role::Board, true);
        assert_eq!(shown(&member, Withheld), ["text", "redacted_text", "addition_text", "attachments"]);
        assert!(member.reads_only_named() && !member.reads_matters() && !member.reads_reasons(false));
        assert!(!member.reads_other_fields());
    }
}
