//! The fields of an answer by name: which measures they show, and which fields are below them.

use super::dimensions::StatisticsDimension;
use super::measures::StatisticsMeasure;
use async_graphql::SelectionField;
use async_graphql::resolver_utils::EnumType;
use jobs::statistics::SelectedMeasures;

/// Marks the measures that are selected; only these are computed.
pub fn wanted_of(asked: SelectionField<'_>, wanted: &mut SelectedMeasures) {
    for field in asked.selection_set() {
        match measure_of(field.name()) {
            Some(measure) => wanted.add(measure.into()),
            None if FIELDS_WITH_MEASURES.contains(&field.name()) => wanted_of(field, wanted),
            None => {}
        }
    }
}

/// The fields of an answer that have measures below them.
const FIELDS_WITH_MEASURES: [&str; 4] = ["rows", "totals", "previous", "totalsBefore"];

/// The fields of an answer that show the measures of all complaints.
const TOTALS: [&str; 2] = ["totals", "totalsBefore"];

/// Whether the totals are selected; only then they are computed.
pub fn asks_for_totals(asked: SelectionField<'_>) -> bool {
    asked.selection_set().any(|field| TOTALS.contains(&field.name()))
}

/// Whether a field with fields below it belongs to an answer: it has measures below it, or shows a dimension.
pub fn is_part_of_an_answer(field: &str) -> bool {
    let mut dimensions = StatisticsDimension::items().iter().filter(|item| item.value.shown().is_object());
    FIELDS_WITH_MEASURES.contains(&field) || dimensions.any(|item| is_named(field, item.name))
}

/// A name in snake case as the name of a field: `cost_vnd` is `costVnd`.
pub fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut field = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        field.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        field.push_str(letters.as_str());
    }
    field
}

/// The measure that a field shows.
fn measure_of(field: &str) -> Option<StatisticsMeasure> {
    StatisticsMeasure::items().iter().find(|item| is_named(field, item.name)).map(|item| item.value)
}

/// Whether a field has the name of an enum value in camel case.
fn is_named(field: &str, value: &str) -> bool {
    let mut letters = field.chars();
    let mut words = value.split('_').enumerate().flat_map(|(nth, word)| {
        let letter = move |(at, letter): (usize, char)| {
            if nth > 0 && at == 0 { letter } else { letter.to_ascii_lowercase() }
        };
        word.char_indices().map(letter)
    });
    words.all(|letter| letters.next() == Some(letter)) && letters.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Guard;
    use crate::graphql::types::statistics::Shown;

    #[test]
    fn every_measure_of_an_answer_is_computed_when_it_is_selected() {
        let guard = Guard::new(&crate::graphql::sdl(&crate::graphql::schema(false))).unwrap();
        let typed = guard.typed();
        let fields = |of: &str| -> Vec<&str> {
            typed.iter().filter(|(within, ..)| within == of).map(|(_, field, _)| *field).collect()
        };
        let measures = fields("StatisticsMeasures");
        assert_eq!(measures.len(), StatisticsMeasure::items().len());
        assert!(measures.iter().all(|field| measure_of(field).is_some()), "{measures:?}");
        // A row has the measures, too; its other fields are dimensions, or say something of the row itself.
        let plain = ["isOther", "previous", "suppressed"];
        let dimensions = StatisticsDimension::items();
        for item in dimensions {
            let field = camel_case(item.value.field());
            assert!(is_named(&field, item.name), "{field}");
            let shown = typed.iter().find(|(within, name, _)| within == "ComplaintStatisticsRow" && *name == field);
            let (.., of) = shown.unwrap_or_else(|| panic!("{field}"));
            let is_what_it_says = match item.value.shown() {
                Shown::Unit => *of == "Unit",
                Shown::Category => *of == "IssueCategory",
                Shown::Officer => *of == "Officer",
                Shown::Enterprise => *of == "Enterprise",
                Shown::Word => typed.iter().any(|(within, _, word)| within == of && word.is_empty()),
                Shown::Day => *of == "NaiveDate",
                Shown::Period => *of == "String",
                Shown::Year => *of == "Int",
            };
            assert!(is_what_it_says, "{field}: {of} is not {:?}", item.value.shown());
            assert_eq!(is_part_of_an_answer(&field), item.value.shown().is_object(), "{field}");
        }
        for item in StatisticsMeasure::items() {
            let field = camel_case(item.value.field());
            assert!(is_named(&field, item.name), "{field}");
        }
        for field in fields("ComplaintStatisticsRow") {
            let is_dimension = dimensions.iter().any(|dimension| is_named(field, dimension.name));
            assert!(is_dimension || plain.contains(&field) || measure_of(field).is_some(), "{field}");
        }
        for (within, field, of) in typed.iter().filter(|(within, ..)| within == "ComplaintStatistics") {
            assert_eq!(*of == "StatisticsMeasures", TOTALS.contains(field), "{within}.{field}");
        }
        for field in fields("ComplaintStatistics") {
            let has_measures = typed.iter().any(|(within, name, of)| {
                within == "ComplaintStatistics"
                    && *name == field
                    && ["StatisticsMeasures", "ComplaintStatisticsRow"].contains(of)
            });
            assert_eq!(has_measures, FIELDS_WITH_MEASURES.contains(&field), "{field}");
        }
    }
}
