//! Reads the further pages of a list for a file: an answer has one page of a list, and a file has all of them.

use super::error::PageError;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Rows of a table in a file.
pub const ROWS: u32 = 10_000;

/// The questions of one file may take this long together.
const LONGEST: Duration = Duration::from_secs(60);

/// The names of arguments and fields for one direction of paging.
struct Way {
    /// The argument with the number of rows.
    size: &'static str,
    /// The argument with the cursor.
    from: &'static str,
    cursor: &'static str,
    has_more: &'static str,
    backwards: bool,
}

const ONWARDS: Way =
    Way { size: "first", from: "after", cursor: "endCursor", has_more: "hasNextPage", backwards: false };
const BACKWARDS: Way =
    Way { size: "last", from: "before", cursor: "startCursor", has_more: "hasPreviousPage", backwards: true };

/// Adds the further pages of the list in an answer, up to [`ROWS`] rows. `ask` asks the document with other variables:
/// each page is a question within the limits of the reader. All of them together may take a minute.
///
/// # Errors
/// The errors of the questions; `TookTooLong` if they take too long together.
pub async fn with_the_rest(
    document: &str,
    mut variables: Value,
    mut data: Value,
    ask: impl AsyncFn(Value) -> Result<Value, PageError>,
) -> Result<Value, PageError> {
    let way = if variables["last"].is_null() { ONWARDS } else { BACKWARDS };
    let Some(page) = variables[way.size].as_u64() else { return Ok(data) };
    let Some(list) = list_of(&mut data).filter(|_| document.contains("$after")) else { return Ok(data) };
    let began = Instant::now();
    loop {
        let rows = list["nodes"].as_array().map_or(0, Vec::len);
        let left = u64::from(ROWS).saturating_sub(rows as u64);
        let (cursor, has_more) = (list["pageInfo"][way.cursor].clone(), list["pageInfo"][way.has_more] == true);
        if left == 0 || !has_more || cursor.is_null() {
            return Ok(data);
        }
        if began.elapsed() > LONGEST {
            return Err(PageError::TookTooLong);
        }
        (variables[way.size], variables[way.from]) = (page.min(left).into(), cursor);
        let mut next = ask(variables.clone()).await?;
        match list_of(&mut next) {
            Some(next) => add(list, next, &way),
            None => return Ok(data),
        }
    }
}

/// The list of an answer that has pages.
fn list_of(data: &mut Value) -> Option<&mut Value> {
    if data.get("pageInfo").is_some_and(Value::is_object) {
        return Some(data);
    }
    data.as_object_mut()?.values_mut().find_map(list_of)
}

/// Adds a page to a list. The list takes over the `pageInfo` of the page.
fn add(list: &mut Value, page: &mut Value, way: &Way) {
    let Value::Array(mut rows) = page["nodes"].take() else { return };
    if let Some(all) = list["nodes"].as_array_mut() {
        match way.backwards {
            true => {
                rows.append(all);
                *all = rows;
            }
            false => all.append(&mut rows),
        }
    }
    for name in [way.cursor, way.has_more] {
        list["pageInfo"][name] = page["pageInfo"][name].take();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pages_are_added_in_the_order_of_the_list() {
        let page = |nodes: Value, cursor: &str, more: bool| {
            json!({ "a": { "list": { "nodes": nodes, "pageInfo": {
                "endCursor": cursor, "hasNextPage": more, "startCursor": cursor, "hasPreviousPage": more } } } })
        };
        for (way, wanted) in [(ONWARDS, json!([1, 2, 3])), (BACKWARDS, json!([3, 1, 2]))] {
            let (mut data, mut next) = (page(json!([1, 2]), "x", true), page(json!([3]), "y", false));
            add(list_of(&mut data).unwrap(), list_of(&mut next).unwrap(), &way);
            let list = &data["a"]["list"];
            assert_eq!(list["nodes"], wanted);
            assert_eq!((&list["pageInfo"][way.cursor], &list["pageInfo"][way.has_more]), (&json!("y"), &json!(false)));
        }
        assert!(list_of(&mut json!({ "a": [{ "pageInfo": {} }], "b": 1 })).is_none());
    }
}
