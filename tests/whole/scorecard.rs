//! Scorecards of units and records of officers agree with lists of the same complaints.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::{Client, Json, Role, TestApp};

/// All complaints that a filter chooses, read page by page.
fn all(client: &Client<'_>, filter: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut after = Value::Null;
    loop {
        let query = format!(
            "query($after: String) {{ complaints(first: 100, after: $after, filter: {filter}) {{
               nodes {{ receivedAt state costVnd delayHours enterprise {{ taxCode groupCode }} category {{ kind }}
                 rounds {{ dueOn answeredOn }} }}
               pageInfo {{ hasNextPage endCursor }} }} }}"
        );
        let page = client.data_with(&query, &json!({ "after": after }))["complaints"].clone();
        found.extend_from_slice(page["nodes"].list());
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            return found;
        }
    }
}

fn day(day: &Value) -> Option<NaiveDate> {
    day.as_str().map(|day| day.parse().expect("a day"))
}

/// The measures of a scorecard, counted from a list of complaints.
fn by_hand(complaints: &[Value], today: NaiveDate) -> Value {
    let (mut due, mut in_time, mut open, mut overdue, mut cost) = (0, 0, 0, 0, 0);
    let mut enterprises = BTreeSet::new();
    for one in complaints {
        let state = one["state"].text();
        let ended = ["CLOSED", "WITHDRAWN", "REJECTED"].contains(&state);
        let rounds: Vec<(Option<NaiveDate>, Option<NaiveDate>)> =
            one["rounds"].list().iter().map(|round| (day(&round["dueOn"]), day(&round["answeredOn"]))).collect();
        // On the last day it is not overdue; a round that ended unanswered left nothing to answer.
        let passed = rounds.iter().filter_map(|(due, at)| {
            let due = due.filter(|due| *due < today && (at.is_some() || !ended))?;
            Some(at.is_some_and(|at| at <= due))
        });
        let passed: Vec<bool> = passed.collect();
        let (last_due, last_answer) = *rounds.last().expect("a round");
        open += i32::from(!ended);
        overdue += i32::from(!ended && last_answer.is_none() && last_due.is_some_and(|due| due < today));
        due += i32::from(!passed.is_empty());
        in_time += i32::from(!passed.is_empty() && passed.iter().all(|in_time| *in_time));
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
    for app in TestApp::both().arguments(&["--no-jobs"]) {
        let today = schema::domain::calendar::local_date(schema::Timestamp::now());
        let until = (today - Days::new(1)).to_string();
        app.run(&["generate", "--complaints", "3000", "--seed", "4", "--until", &until]);
        let board = app.as_role(Role::Board);
        let since = format!("{}T00:00:00+07:00", today - Days::new(89));
        for unit in ["TCHQ", "02", "01AF"] {
            let card = board.data(&format!("{{ unit(code: \"{unit}\") {{ scorecard(days: 90) {{ {MEASURES} }} }} }}"));
            let filter = format!("{{responsibleUnit: {{within: \"{unit}\"}}, receivedAt: {{gte: \"{since}\"}}}}");
            let complaints = all(&board, &filter);
            assert!(complaints.len() > usize::from(unit != "01AF"), "{unit}");
            assert_eq!(card["unit"]["scorecard"], by_hand(&complaints, today), "{unit} on {}", app.database.name);
        }
        let data = board.data("{ officers(first: 100) { nodes { code record { complaints } } } }");
        let officers = data["officers"]["nodes"].list();
        let busiest =
            officers.iter().max_by_key(|officer| officer["record"]["complaints"].as_u64()).expect("an officer");
        let code = busiest["code"].text();
        let record = board.data(&format!("{{ officer(code: \"{code}\") {{ record {{ {MEASURES} episodes }} }} }}"));
        let complaints = all(&board, &format!("{{officers: {{officer: {{code: {{eq: \"{code}\"}}}}}}}}"));
        let mut expected = by_hand(&complaints, today);
        expected["episodes"] = record["officer"]["record"]["episodes"].clone();
        assert_eq!(record["officer"]["record"], expected, "{code} on {}", app.database.name);
        assert!(
            record["officer"]["record"]["episodes"].integer() <= record["officer"]["record"]["complaints"].integer()
        );

        // A scorecard tells a head no more than a list does.
        let head = app.as_head("02");
        let query = format!(
            "{{ own: unit(code: \"02\") {{ scorecard(days: 90) {{ {MEASURES} }} }}
                other: unit(code: \"01\") {{ scorecard {{ {MEASURES} }} }} }}"
        );
        let cards = head.data(&query);
        assert_eq!(cards["other"]["scorecard"], by_hand(&[], today));
        let complaints = all(
            &board,
            &format!(
                "{{responsibleUnit: {{within: \"02\"}}, confidential: {{eq: false}}, receivedAt: {{gte: \"{since}\"}}}}"
            ),
        );
        assert_eq!(cards["own"]["scorecard"], by_hand(&complaints, today));
        let denied = app.as_role(Role::Intake).request("{ unit(code: \"02\") { scorecard { complaints } } }");
        assert!(denied.codes().iter().all(|code| code == "FORBIDDEN") && denied.status == 403, "{denied:?}");
        let wrong = board.codes("{ unit(code: \"02\") { scorecard(days: 0) { complaints } } }");
        assert_eq!(wrong, ["BAD_USER_INPUT"]);
    }
}
