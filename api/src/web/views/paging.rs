//! Pages of a list: the variables that ask for one, the links to the previous and the next page, and the number of
//! rows.

use crate::web::Visit;
use serde_json::Value;

/// Adds the page that the address asks for to the variables of a list.
pub fn ask(visit: &Visit, rows: u32, variables: &mut Value) {
    match visit.argument("before") {
        Some(before) => (variables["last"], variables["before"]) = (visit.rows(rows).into(), before.into()),
        None => {
            variables["first"] = visit.rows(rows).into();
            variables["after"] = visit.argument("after").into();
        }
    }
}

/// Up to which number the page counts the rows of a list, if they may take long to count.
const COUNTED: u64 = 1_000;

/// Adds the variables of the count: all rows if `exact`, else as many as tell the reader whether there are more than
/// [`COUNTED`].
pub fn ask_count(exact: bool, variables: &mut Value) {
    (variables["exact"], variables["most"]) = (exact.into(), (COUNTED + 1).into());
}

/// The number of rows on all pages, and whether there are more; None without an answer.
pub fn total(list: &Value) -> Option<(u64, bool)> {
    counted(list, COUNTED)
}

/// The same of a list that is counted exactly, or up to one more than `most`.
pub fn counted(list: &Value, most: u64) -> Option<(u64, bool)> {
    let exact = list["totalCount"].as_u64().map(|number| (number, false));
    exact.or_else(|| list["totalCountUpTo"].as_u64().map(|number| (number.min(most), number > most)))
}

/// The addresses of the page before this one and of the page after it.
pub fn links(visit: &Visit, list: &Value) -> (Option<String>, Option<String>) {
    let info = &list["pageInfo"];
    let (has, paged) =
        (|name: &str| info[name].as_bool().unwrap_or(false), |name: &str| visit.argument(name).is_some());
    let link =
        |name: &str, other: &str, cursor: &Value| Some(visit.link(&[(name, Some(cursor.as_str()?)), (other, None)]));
    let newer = has("hasPreviousPage") || paged("after");
    let older = has("hasNextPage") || paged("before");
    (
        link("before", "after", &info["startCursor"]).filter(|_| newer),
        link("after", "before", &info["endCursor"]).filter(|_| older),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_is_counted_exactly_or_up_to_a_number() {
        let mut variables = json!({});
        ask_count(false, &mut variables);
        assert_eq!(variables, json!({ "exact": false, "most": 1_001 }));
        assert_eq!(total(&json!({ "totalCount": 5_000 })), Some((5_000, false)));
        assert_eq!(total(&json!({ "totalCountUpTo": 1_000 })), Some((1_000, false)));
        assert_eq!(total(&json!({ "totalCountUpTo": 1_001 })), Some((1_000, true)));
        assert_eq!(total(&Value::Null), None);
        assert_eq!(counted(&json!({ "totalCountUpTo": 5_000 }), 5_000), Some((5_000, false)));
        assert_eq!(counted(&json!({ "totalCountUpTo": 5_001 }), 5_000), Some((5_000, true)));
    }
}
