//! Pages of a list: the variables that ask for one, and the links to those beside it.

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
