//! Lists in the order of what is overdue.

use serde_json::{Value, json};
use tests::work::Mutations;
use tests::{Json, Role, TestApp};

#[test]
fn what_is_overdue_comes_first_and_each_part_in_a_second_order_page_by_page() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        for key in ["a", "b", "c"] {
            let new = json!({ "idempotencyKey": key, "text": "Chậm.", "unit": "02CV", "category": "TD1" });
            intake.done("submitComplaint", "position", &new);
        }
        let query = "query ($after: String, $direction: SortDirection!) { complaints(first: 2, after: $after, \
            orderBy: [{field: OVERDUE, direction: $direction}, {field: RECEIVED_AT}]) \
            { nodes { overdue receivedAt } pageInfo { hasNextPage endCursor } } }";
        let read = |direction: &str| {
            let (mut rows, mut after): (Vec<(bool, String)>, Value) = (Vec::new(), Value::Null);
            loop {
                let variables = json!({ "after": after, "direction": direction });
                let page = board.data_with(query, &variables)["complaints"].clone();
                let nodes = page["nodes"].list().iter();
                rows.extend(nodes.map(|one| (one["overdue"] == true, one["receivedAt"].text().to_owned())));
                after = page["pageInfo"]["endCursor"].clone();
                if page["pageInfo"]["hasNextPage"] == false {
                    return rows;
                }
            }
        };
        let last = read("ASC");
        // PA-1 is answered, and nothing of today is overdue.
        let overdue = last.iter().filter(|row| row.0).count();
        assert_eq!((overdue, last.len()), (5, 9), "{}", app.database.name);
        assert!(last.is_sorted(), "{last:?}");
        let first = read("DESC");
        assert!(first.iter().take(5).all(|row| row.0), "{first:?}");
        assert_eq!([&first[5..], &first[..5]].concat(), last, "the parts have the same order");
    }
}
