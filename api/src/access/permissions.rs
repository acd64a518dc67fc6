//! Looks up in the access table who may name a field, and what the audit log records of it.

use super::roles::Reader;
use super::table::{Audited, TABLE};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The rows of the table, each for one type and one field or `*`.
pub fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static [Reader], Audited)> {
    TABLE.into_iter().flatten().flat_map(|(types, fields, roles, audited)| {
        types.split(' ').flat_map(move |of| fields.split(' ').map(move |field| (of, field, *roles, *audited)))
    })
}

/// The row of the table for a field.
type Row = (&'static [Reader], Audited);

/// The rows of the table by type and field.
static ROWS: LazyLock<HashMap<&str, HashMap<&str, Row>>> = LazyLock::new(|| {
    let mut by_name: HashMap<&str, HashMap<&str, Row>> = HashMap::new();
    for (of, field, roles, audited) in rows() {
        by_name.entry(of).or_default().entry(field).or_insert((roles, audited));
    }
    by_name
});

fn row(type_name: &str, field: &str) -> Option<&'static Row> {
    let of_type = ROWS.get(type_name)?;
    of_type.get(field).or_else(|| of_type.get("*"))
}

/// Whether a reader may name a field of a type. A type or field without a row is denied.
pub fn allowed(reader: impl Into<Reader>, type_name: &str, field: &str) -> bool {
    let reader = reader.into();
    row(type_name, field).is_some_and(|(readers, _)| readers.contains(&reader))
}

/// Whether a field of a root is for the holders of receipts. Its documents hold a code.
pub fn takes_receipt(type_name: &str, field: &str) -> bool {
    allowed(Reader::Receipt, type_name, field)
}

/// The rule of the audit log for a field of a type; None if it has no row.
pub fn audited(type_name: &str, field: &str) -> Option<Audited> {
    row(type_name, field).map(|(_, audited)| *audited)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::roles::Reader::{Board, Dashboard, Receipt};
    use std::collections::BTreeSet;

    #[test]
    fn a_statistic_that_no_row_names_is_withheld_from_a_dashboard() {
        let of_people = ["ComplaintStatisticsRow", "ComplaintStatisticsFilter", "StatisticsDimension"];
        for of in of_people.into_iter().chain(["StatisticsMeasure", "StatisticsMeasures", "StatisticsHaving"]) {
            assert!(allowed(Board, of, "reopened") && !allowed(Dashboard, of, "reopened"), "{of}");
        }
    }

    #[test]
    fn a_receipt_opens_only_what_is_named_for_it() {
        let open: Vec<(&str, &str)> =
            rows().filter(|(.., readers, _)| readers.contains(&Receipt)).map(|(of, field, ..)| (of, field)).collect();
        let types: BTreeSet<&str> = open.iter().map(|(of, _)| *of).collect();
        let expected = ["AttachmentInput", "ComplaintAnswer", "ComplaintStatus", "Mutation", "Query", "StatusUnit"];
        assert_eq!(types.into_iter().collect::<Vec<_>>(), expected);
        assert!(!open.contains(&("Query", "*")) && !open.contains(&("Mutation", "*")), "{open:?}");
    }
}
