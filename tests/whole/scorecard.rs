//! Scorecards of units and records of officers agree with lists of the same complaints.

use crate::program;
use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::{Database, Server};

/// All complaints that a filter chooses, page by page.
fn all(server: &Server, token: &str, filter: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut after = Value::Null;
    loop {
        let query = format!(
            "query($after: String) {{ complaints(first: 100, after: $after, filter: {filter}) {{
               nodes {{ receivedAt state stateSince costVnd delayHours enterprise {{ taxCode groupCode }}
                 category {{ kind deadlineDays }} responses(first: 1) {{ nodes {{ respondedAt }} }} }}
               pageInfo {{ hasNextPage endCursor }} }} }}"
        );
        let page = server.data_with(token, &query, &json!({ "after": after }))["complaints"].clone();
        found.extend(page["nodes"].as_array().expect("nodes").clone());
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            return found;
        }
    }
}

/// The local day of a moment: the API writes moments in the time of Vietnam.
fn day(moment: &Value) -> NaiveDate {
    moment.as_str().expect("a moment")[..10].parse().expect("a day")
}

/// The measures of a scorecard, by hand.
fn by_hand(complaints: &[Value], today: NaiveDate) -> Value {
    let (mut due, mut in_time, mut open, mut overdue, mut cost) = (0, 0, 0, 0, 0);
    let mut enterprises = BTreeSet::new();
    for one in complaints {
        let state = one["state"].as_str().expect("a state");
        let ended = ["CLOSED", "WITHDRAWN", "REJECTED"].contains(&state);
        let response = &one["responses"]["nodes"][0]["respondedAt"];
        let answered = if response.is_string() {
            Some(day(response))
        } else {
            ["ANSWERED", "CLOSED"].contains(&state).then(|| day(&one["stateSince"]))
        };
        let deadline = one["category"]["deadlineDays"].as_u64().map(|days| day(&one["receivedAt"]) + Days::new(days));
        let passed = deadline.is_some_and(|deadline| deadline <= today);
        open += i32::from(!ended);
        overdue += i32::from(!ended && answered.is_none() && passed);
        let was_due = passed && (answered.is_some() || !ended);
        due += i32::from(was_due);
        in_time +=
            i32::from(was_due && answered.zip(deadline).is_some_and(|(answered, deadline)| answered <= deadline));
        cost += one["costVnd"].as_str().map_or(0, |cost| cost.parse::<i64>().expect("VND"));
        let enterprise = &one["enterprise"];
        if let Some(tax_code) = enterprise["taxCode"].as_str() {
            enterprises
                .insert(enterprise["groupCode"].as_str().unwrap_or(&tax_code[..tax_code.len().min(10)]).to_owned());
        }
    }
    json!({
        "complaints": complaints.len(), "distinctEnterprises": enterprises.len(), "costVnd": cost.to_string(),
        "due": due, "answeredInTime": in_time, "open": open, "overdue": overdue,
    })
}

const MEASURES: &str = "complaints distinctEnterprises costVnd due answeredInTime open overdue";

#[test]
fn scorecards_say_what_lists_say() {
    for database in Database::both() {
        let today = schema::domain::calendar::local_date(schema::Timestamp::now());
        let until = (today - Days::new(1)).to_string();
        program().run(&database, ["generate", "--complaints", "3000", "--seed", "4", "--until", &until]).ok();
        let server = program().serve(&database, &["--no-jobs"]);
        let board = program().token(&database, "BOARD", None);
        let since = format!("{}T00:00:00+07:00", today - Days::new(89));
        for unit in ["TCHQ", "02", "01AF"] {
            let card = server
                .data(&board, &format!("{{ unit(code: \"{unit}\") {{ scorecard(days: 90) {{ {MEASURES} }} }} }}"));
            let filter = format!("{{unit: {{within: \"{unit}\"}}, receivedAt: {{gte: \"{since}\"}}}}");
            let complaints = all(&server, &board, &filter);
            assert!(complaints.len() > usize::from(unit != "01AF"), "{unit}");
            assert_eq!(card["unit"]["scorecard"], by_hand(&complaints, today), "{unit} on {}", database.name);
        }
        let flags = server.data(&board, "{ officers(first: 100) { nodes { code record { complaints } } } }");
        let officers = flags["officers"]["nodes"].as_array().expect("officers");
        let busiest =
            officers.iter().max_by_key(|officer| officer["record"]["complaints"].as_u64()).expect("an officer");
        let code = busiest["code"].as_str().expect("a code");
        let record =
            server.data(&board, &format!("{{ officer(code: \"{code}\") {{ record {{ {MEASURES} episodes }} }} }}"));
        let complaints = all(&server, &board, &format!("{{officers: {{officer: {{code: {{eq: \"{code}\"}}}}}}}}"));
        let mut expected = by_hand(&complaints, today);
        expected["episodes"] = record["officer"]["record"]["episodes"].clone();
        assert_eq!(record["officer"]["record"], expected, "{code} on {}", database.name);
        assert!(record["officer"]["record"]["episodes"].as_u64() <= record["officer"]["record"]["complaints"].as_u64());

        // A head sees no more on a scorecard than in a list.
        let head = program().token(&database, "UNIT_HEAD", Some("02"));
        let query = format!(
            "{{ own: unit(code: \"02\") {{ scorecard(days: 90) {{ {MEASURES} }} }} other: unit(code: \"01\") {{ scorecard {{ {MEASURES} }} }} }}"
        );
        let cards = server.data(&head, &query);
        assert_eq!(cards["other"]["scorecard"], by_hand(&[], today));
        let complaints = all(
            &server,
            &board,
            &format!("{{unit: {{within: \"02\"}}, confidential: {{eq: false}}, receivedAt: {{gte: \"{since}\"}}}}"),
        );
        assert_eq!(cards["own"]["scorecard"], by_hand(&complaints, today));
        let intake = program().token(&database, "INTAKE", None);
        let denied = server.graphql(&intake, "{ unit(code: \"02\") { scorecard { complaints } } }", &json!({}));
        assert!(denied.codes().iter().all(|code| code == "FORBIDDEN") && denied.status == 403, "{denied:?}");
        let wrong = server.graphql(&board, "{ unit(code: \"02\") { scorecard(days: 0) { complaints } } }", &json!({}));
        assert_eq!(wrong.codes(), ["BAD_USER_INPUT"]);
    }
}
