//! Read queries: filters, sort orders, keyset pagination and batched loads, with the same meaning on both databases.

mod changes;
mod children;
mod classification;
mod complaint_children;
mod complaints;
mod corrections;
mod first_of_each;
mod flags;
mod flags_about;
mod history;
mod in_select;
mod intake;
mod interventions;
mod keyset;
mod limited;
mod list_ids;
mod lists;
mod merged;
mod not_true;
mod officers;
mod overdue;
mod response_children;
mod revisions;
mod search;
pub(crate) mod shuffled;
mod single;
mod source_reference;

pub use changes::*;
pub use children::*;
pub use classification::*;
pub use complaint_children::*;
pub use complaints::*;
pub use corrections::*;
pub use first_of_each::{Page, Parent, count_complaints_of, first_complaints_of};
pub use flags::*;
pub use flags_about::{MergedInto, flags_of_branches_served, flags_on_officer, merged_into};
pub use history::{
    ComplaintEventPlace, PersonalText, ReferenceEventPlace, complaint_event_values_of, complaint_events_of,
    measure_events_of, principals_by_name, reference_event_values_of, reference_events_of,
};
pub use in_select::{InSelect, in_select};
pub use intake::*;
pub use interventions::{
    categories_of_proposals, complaints_of_measures, measure_meets, measures_in, officers_with_measures, opinions_of,
    units_of_proposals,
};
pub use keyset::{Direction, Key, ListOrder, Pred, Slice, Window};
pub use list_ids::{category_ids, enterprise_ids, officer_ids, unit_ids};
pub use lists::*;
pub use not_true::{NotTrue, not_true};
pub use officers::*;
pub use overdue::{
    EscalatedTo, answered_in_time, answered_late, escalated_to, escalation_to_level, escalations_between,
    escalations_of, overdue_by, overdue_on, waiting,
};
pub use response_children::*;
pub use revisions::*;
pub use search::{Purpose, Search, count_up_to, name_contains, text_contains, with_search_index};
pub use single::*;
pub use source_reference::{Registered, of_a_register, registered};
