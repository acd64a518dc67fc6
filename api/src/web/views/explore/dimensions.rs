//! The dimensions that complaints may be grouped by.

use crate::web::address::{address, encoded};
use crate::web::{Cell, Visit, name, text};
use serde_json::Value;

/// Format in which the value of a dimension is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Unit,
    Category,
    /// A word of an enum, with the beginning of the keys of its words.
    Word(&'static str),
    /// A month, quarter or year, as the answer writes it.
    Period,
    Day,
    Person,
}

/// A dimension of statistics.
#[derive(Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Its value of the enum `StatisticsDimension`; its words are `explore-by-…`.
    pub value: &'static str,
    /// Its field in the rows of the answer.
    pub field: &'static str,
    pub shape: Shape,
}

const fn dimension(value: &'static str, field: &'static str, shape: Shape) -> Dimension {
    Dimension { value, field, shape }
}

/// The dimensions, in the order in which a reader is offered them.
pub static DIMENSIONS: [Dimension; 20] = [
    dimension("CATEGORY", "category", Shape::Category),
    dimension("CATEGORY_GROUP", "categoryGroup", Shape::Category),
    dimension("KIND", "kind", Shape::Word("numbers-kind")),
    dimension("DEPARTMENT", "department", Shape::Unit),
    dimension("BRANCH", "branch", Shape::Unit),
    dimension("TEAM", "team", Shape::Unit),
    dimension("UNIT", "unit", Shape::Unit),
    dimension("RESPONSIBLE_UNIT", "responsibleUnit", Shape::Unit),
    dimension("PEER_GROUP", "peerGroup", Shape::Word("numbers-peers")),
    dimension("CHANNEL", "channel", Shape::Word("numbers-channel")),
    dimension("STATE", "state", Shape::Word("state")),
    dimension("LEGAL_FORM", "legalForm", Shape::Word("numbers-legal")),
    dimension("FINDING", "finding", Shape::Word("numbers-finding")),
    dimension("YEAR", "year", Shape::Period),
    dimension("QUARTER", "quarter", Shape::Period),
    dimension("MONTH", "month", Shape::Period),
    dimension("WEEK", "week", Shape::Day),
    dimension("DAY", "day", Shape::Day),
    dimension("OFFICER", "officer", Shape::Person),
    dimension("ENTERPRISE", "enterprise", Shape::Person),
];

impl Dimension {
    /// Its name in the language of the reader.
    pub fn name(&self, visit: &Visit) -> String {
        visit.t(&format!("explore-by-{}", self.value))
    }

    pub fn is_time(&self) -> bool {
        matches!(self.shape, Shape::Period | Shape::Day)
    }

    /// Whether each complaint is in exactly one group, so that groups add up to all complaints.
    pub fn divides(&self) -> bool {
        !matches!(self.value, "FINDING" | "OFFICER")
    }

    /// The value of a group.
    pub fn cell(&self, visit: &Visit, row: &Value) -> Cell {
        let value = &row[self.field];
        if value.is_null() {
            return Cell::text(visit.t("explore-without"));
        }
        let named = || name(value, visit.locale());
        let code = text(&value["code"]);
        match self.shape {
            Shape::Unit => Cell::link(named(), format!("/units/{}", encoded(code))),
            Shape::Category if visit.may("Query", "categoryTrends") => {
                Cell::link(named(), address("/categories", [("category", code)]))
            }
            Shape::Category => Cell::text(named()),
            Shape::Word(prefix) => Cell::text(visit.t(&format!("{prefix}-{}", text(value)))),
            Shape::Period => Cell::text(value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
            Shape::Day => visit.day_cell(value),
            Shape::Person => {
                let parts = ["pseudonym", "code", "taxCode", "name"].iter().filter_map(|part| value[*part].as_str());
                Cell::text(parts.collect::<Vec<_>>().join(" · "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::allowed;
    use schema::enums::Role;

    #[test]
    fn every_dimension_exists_in_the_schema_and_has_words() {
        let words = include_str!("../../../../assets/web/words/explore.vi.ftl");
        for one in &DIMENSIONS {
            assert!(allowed(Role::Board, "StatisticsDimension", one.value), "{one:?}");
            assert!(allowed(Role::Board, "ComplaintStatisticsRow", one.field), "{one:?}");
            assert!(words.contains(&format!("explore-by-{} = ", one.value)), "{one:?}");
        }
    }
}
