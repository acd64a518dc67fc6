//! Reference data: units, officers, enterprises, categories, routing rules, holidays, workload and incidents.

use crate::enums::{CategoryKind, DeadlineUnit, PeerGroup, UnitKind};
use crate::sql_types::{Id, JsonValue, Timestamp};
use crate::tables;
use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

model!(units Unit {
    id: Id,
    code: String,
    name_vi: String,
    name_en: Option<String>,
    kind: UnitKind,
    peer_group: Option<PeerGroup>,
    /// The field of a headquarters unit, for routing.
    field: Option<String>,
    valid_from: NaiveDate,
    /// The last day, inclusive; None for "until now".
    valid_to: Option<NaiveDate>,
    /// Created by an import that met its code before the unit was imported.
    unknown: bool,
    /// The successor after the last day.
    successor_id: Option<Id>,
});

model!(unit_parents UnitParent {
    unit_id: Id,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
    parent_id: Id,
});

model!(officers Officer {
    id: Id,
    code: String,
    name: Option<String>,
    rank: Option<String>,
    appointed_on: Option<NaiveDate>,
    unknown: bool,
});

model!(postings Posting {
    officer_id: Id,
    unit_id: Id,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
});

model!(enterprises Enterprise {
    id: Id,
    tax_code: String,
    name: Option<String>,
    group_code: Option<String>,
});

model!(issue_categories IssueCategory {
    id: Id,
    code: String,
    parent_id: Option<Id>,
    name_vi: String,
    name_en: Option<String>,
    kind: CategoryKind,
    serious: bool,
    deadline_days: Option<i32>,
    owner_unit_id: Option<Id>,
    unknown: bool,
    /// None for working days.
    deadline_unit: Option<DeadlineUnit>,
    /// The last day, inclusive; None for "until now".
    valid_to: Option<NaiveDate>,
});

model!(
    /// A rule that says which unit must answer some complaints. At least one of `category_id`, `kind` and `unit_id` is
    /// set; a complaint must meet all that are.
    routing_rules RoutingRule {
        id: Id,
        /// Complaints of this category, or of one below it.
        category_id: Option<Id>,
        kind: Option<CategoryKind>,
        /// Complaints about this unit, or about one below it.
        unit_id: Option<Id>,
        /// None for the branch complained about (else the department, else the unit), also where a unit owns the
        /// category.
        responsible_unit_id: Option<Id>,
        valid_from: NaiveDate,
        /// The last day, inclusive; None for "until now".
        valid_to: Option<NaiveDate>,
    }
);

model!(
    /// A year of public holidays that the register has itself. Without days it is left to the configuration and the
    /// program.
    holiday_years HolidayYear {
        id: Id,
        year: i32,
        /// A list of days, in order of time, like the next one.
        days_off: Option<JsonValue>,
        days_worked: Option<JsonValue>,
        /// The reason for the last change.
        reason: String,
    }
);

model!(
    /// Declarations handled in a month by a unit, or by one of its officers.
    workload Workload {
        id: Id,
        unit_id: Id,
        officer_id: Option<Id>,
        month: NaiveDate,
        declarations: i64,
    }
);

model!(system_incidents SystemIncident {
    id: Id,
    reference: String,
    /// None for the whole country.
    unit_id: Option<Id>,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    description: Option<String>,
});

model!(
    /// A fact about the register as a whole, by key.
    register_info RegisterInfo { key: String, value: JsonValue }
);
