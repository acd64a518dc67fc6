//! No pseudonym or cursor that one audience sees occurs in the answers to another, and no list stands in an order of
//! hidden ids.

use crate::program;
use schema::Id;
use schema::domain::ids::reference_id;
use schema::events::Entity;
use schema::keys::Keys;
use schema::pseudonyms::{Audience, Subject};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tests::fixtures::{self, Files};
use tests::{Client, Database, Json, Role, TestApp, TestAppBuilder};

/// An application whose server has keys.
struct Register {
    app: TestApp,
    files: Files,
    key: String,
}

impl Register {
    fn new(app: TestAppBuilder) -> Self {
        let files = Files::new();
        let key = files.key_file();
        let app = app.arguments(&["--no-jobs", "--key-file", &key]).start();
        Self { app, files, key }
    }
}

fn export(client: &Client<'_>) -> String {
    let bearer = format!("Bearer {}", client.token);
    let answer = client.server.send("GET", "/export/complaints.csv", &[("authorization", &bearer)], "");
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.text
}

/// The Board redacts the first confidential complaints of each of these units.
fn redact(board: &Client<'_>, units: &[&str]) {
    let mutation =
        "mutation ($input: RedactComplaintInput!) { redactComplaint(input: $input) { complaint { version } } }";
    for unit in units {
        let query = format!(
            "{{ complaints(first: 6, filter: {{confidential: {{eq: true}}, unit: {{within: \"{unit}\"}}}}) \
                {{ nodes {{ id version }} }} }}"
        );
        for one in board.data(&query)["complaints"]["nodes"].list() {
            let input =
                json!({ "complaintId": one["id"], "expectedVersion": one["version"], "text": "Đã che thông tin." });
            board.data_with(mutation, &json!({ "input": input }));
        }
    }
}

/// All pseudonyms and cursors of some answers.
fn marks(texts: &[String]) -> BTreeSet<String> {
    let words = texts.iter().flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-'));
    let pseudonyms = words.filter(|word| word.starts_with("k1-") && word.len() > 20);
    let cursors = texts.iter().flat_map(|text| text.split("ursor\":\"").skip(1));
    let cursors = cursors.map(|rest| rest.split('"').next().unwrap());
    pseudonyms.chain(cursors).map(str::to_owned).collect()
}

const LISTS: [&str; 4] = [
    "{ complaints(first: 200) { pageInfo { startCursor endCursor } edges { cursor node { pseudonym \
        enterprise { pseudonym } officers { officer { pseudonym } } } } } }",
    "{ complaints(first: 200, orderBy: [{field: COST_VND, direction: DESC}]) \
        { edges { cursor node { pseudonym enterprise { pseudonym } } } } }",
    "{ complaintStatistics(groupBy: [OFFICER], first: 50) { endCursor rows { officer { pseudonym } } } }",
    "{ unit(code: \"02\") { complaints(first: 100) { edges { cursor node { pseudonym \
        officers { officer { pseudonym } } } } } } }",
];
const REDACTED: &str =
    "{ redactedComplaints(first: 100) { pageInfo { endCursor } edges { cursor node { pseudonym } } } }";
const SQL: [&str; 2] = ["SELECT * FROM complaints", "SELECT * FROM allegations"];

#[test]
fn what_one_audience_sees_joins_with_nothing_that_another_sees() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let register = Register::new(app.generated(1_500, 11));
        let Register { app, files, key } = &register;
        let (board, data_team) = (app.as_role(Role::Board), app.as_role(Role::DataTeam));
        redact(&board, &["02", "03"]);
        let (south, north) = (app.as_head("02"), app.as_head("03"));
        let ask = |client: &Client<'_>, query: &str| client.data(query).to_string();
        let of_head = |client: &Client<'_>| {
            let lists = LISTS.iter().chain([&REDACTED]).filter(|query| !query.contains("unit("));
            marks(&lists.map(|query| ask(client, query)).collect::<Vec<_>>())
        };
        let of_role = |client: &Client<'_>| {
            let lists = LISTS.iter().map(|query| ask(client, query));
            let by_sql = SQL.iter().map(|sql| json!(client.rows(sql)).to_string());
            marks(&lists.chain(by_sql).collect::<Vec<_>>())
        };
        let path = files.path().join("by-command.csv").display().to_string();
        let command = |more: &[&str]| {
            app.run(&[&["export", path.as_str(), "--key-file", key], more].concat());
            std::fs::read_to_string(&path).unwrap()
        };
        let seen = [
            ("the head of 02", of_head(&south)),
            ("the head of 03", of_head(&north)),
            ("the Board", of_role(&board)),
            ("the Board, redacted", marks(&[ask(&board, REDACTED)])),
            ("the data team", of_role(&data_team)),
            ("the data team's files", marks(&[export(&data_team)])),
            ("the Board's files", marks(&[export(&board)])),
        ];
        for (who, marks) in &seen {
            assert!(marks.len() > 5, "{who} {}: {marks:?}", app.database.name);
        }
        for (at, (who, one)) in seen.iter().enumerate() {
            for (whom, other) in &seen[at + 1..] {
                if (*who, *whom) != ("the Board", "the Board, redacted") {
                    let common: Vec<&String> = one.intersection(other).take(3).collect();
                    assert!(common.is_empty(), "{who} and {whom} on {}: {common:?}", app.database.name);
                }
            }
        }
        // Within one audience answers join: lists with SQL, one file with another, one token with another.
        let listed = marks(&[ask(&data_team, LISTS[0]).replace("cursor", "not")]);
        let by_sql = marks(&[json!(data_team.rows(SQL[0])).to_string()]);
        assert!(listed.intersection(&by_sql).count() > 200);
        assert_eq!(export(&data_team), command(&[]));
        assert_eq!(export(&board), command(&["--for", "BOARD"]));
        let another = app.as_holder(&["--name", "another", "--role", "DATA_TEAM"]);
        assert_eq!(ask(&another, LISTS[0]), ask(&data_team, LISTS[0]));
        let sql = ["sql", "SELECT complaint, enterprise FROM complaints ORDER BY complaint", "--key-file", key];
        let by_command = program().json(&app.database, &sql)["rows"].clone();
        assert_eq!(by_command, json!(data_team.rows(sql[1])));

        // The attack: a head knows the pseudonyms of tax codes and looks for them in a file that somebody left behind.
        let query = "{ complaints(first: 200) { nodes { enterprise { taxCode pseudonym } } } }";
        let pseudonyms_of_head: BTreeSet<String> = marks(&[ask(&south, query)]);
        let file = export(&data_team);
        let mut csv = csv::Reader::from_reader(file.as_bytes());
        let (enterprise, confidential) = {
            let headers = csv.headers().unwrap().clone();
            let at = |name: &str| headers.iter().position(|column| column == name).unwrap();
            (at("enterprise"), at("confidential"))
        };
        let secret: Vec<String> = csv
            .records()
            .map(Result::unwrap)
            .filter(|row| &row[confidential] == "true")
            .map(|row| row[enterprise].to_owned())
            .collect();
        assert!(secret.len() > 20 && pseudonyms_of_head.len() > 50);
        assert_eq!(secret.iter().filter(|one| pseudonyms_of_head.contains(*one)).count(), 0);
    }
}

/// Adds complaints of three days without times: only their ids could order the complaints of a day.
fn fill_with_ties(database: &Database) {
    fixtures::fill(database);
    let officers: Vec<String> = (1..=60).map(|n| format!("S{n:02}")).collect();
    let rows: String = officers.iter().map(|code| format!("{code},Cán bộ {code}\n")).collect();
    fixtures::import(database, "officers", format!("so_hieu,ho_ten\n{rows}"), fixtures::OFFICERS_MAP);
    let header = fixtures::COMPLAINTS.lines().next().unwrap();
    let mut csv = format!("{header}\n");
    for n in 0..240 {
        // Each complaint names three officers.
        for k in 0..3 {
            let (day, officer) = (4 + n % 3, &officers[(n * 7 + k * 19) % 60]);
            csv.push_str(&format!("T-{n:03};{day:02}/06/2024;0100233488;Công ty A;02CV;{officer};TD1;;;;;x;\n"));
        }
    }
    fixtures::import(database, "complaints", csv, fixtures::COMPLAINTS_MAP);
}

/// The share of neighbours that stand in the order of their ids, within groups.
fn in_order<'a, G: PartialEq, T: Ord + 'a>(rows: &[(G, T)]) -> (f64, usize) {
    let pairs = || rows.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    let (all, up) = (pairs().count(), pairs().filter(|pair| pair[0].1 < pair[1].1).count());
    (up as f64 / all as f64, all)
}

#[track_caller]
fn is_by_chance<G: PartialEq, T: Ord>(what: &str, rows: &[(G, T)]) {
    let (share, pairs) = in_order(rows);
    // By chance 100 of 200 pairs are in this order, give or take 7.
    assert!(pairs > 150 && (0.33..0.67).contains(&share), "{what}: {share:.2} of {pairs} stand in the order of ids");
}

#[test]
fn nothing_stands_in_an_order_made_of_what_is_hidden() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let register = Register::new(app.filled(fill_with_ties));
        let app = &register.app;
        let data_team = app.as_role(Role::DataTeam);
        let keys = Keys::load(register.key.as_ref()).unwrap();
        let staff: Vec<(String, Id)> = (1..=60)
            .map(|n| format!("S{n:02}"))
            .map(|code| (code.clone(), reference_id(Entity::Officer, &code)))
            .collect();
        let ids: Vec<(Id, schema::Timestamp)> = app
            .database
            .open()
            .read(|conn| {
                use diesel::prelude::*;
                use schema::tables::complaints::dsl::*;
                Ok(complaints.select((id, received_at)).load(conn)?)
            })
            .unwrap();
        let (seen, exported) =
            (keys.pseudonyms(Audience::Role(Role::DataTeam)), keys.pseudonyms(Audience::Export(Role::DataTeam)));
        let of = |pseudonyms: &schema::pseudonyms::Pseudonyms| -> BTreeMap<String, (Id, schema::Timestamp)> {
            ids.iter().map(|one| (pseudonyms.of(Subject::Complaint, one.0), *one)).collect()
        };
        let (by_pseudonym, by_exported) = (of(&seen), of(&exported));

        // A list in any order, page by page: complaints with equal values have a random order.
        let field = "pseudonym officers { finding officer { pseudonym } }";
        let lists = [("RECEIVED_AT", "DESC"), ("RECEIVED_AT", "ASC"), ("COST_VND", "DESC"), ("DELAY_HOURS", "ASC")];
        let mut officers_named: Vec<Vec<String>> = Vec::new();
        for (order, direction) in lists {
            let (mut rows, mut after) = (Vec::new(), Value::Null);
            loop {
                let query = format!(
                    "query ($after: String) {{ complaints(first: 50, after: $after, orderBy: [{{field: {order}, \
                        direction: {direction}}}]) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {field} }} }} }}"
                );
                let page = data_team.data_with(&query, &json!({ "after": after }))["complaints"].clone();
                rows.extend(page["nodes"].list().to_vec());
                if page["pageInfo"]["hasNextPage"] == false {
                    break;
                }
                after = page["pageInfo"]["endCursor"].clone();
            }
            let names: BTreeSet<&str> = rows.iter().map(|row| row["pseudonym"].text()).collect();
            assert_eq!((rows.len(), names.len()), (246, 246), "{order} {direction} on {}", app.database.name);
            let placed: Vec<_> = rows
                .iter()
                .map(|row| by_pseudonym[row["pseudonym"].text()])
                .map(|(id, at)| (if order == "RECEIVED_AT" { Some(at) } else { None }, id))
                .collect();
            is_by_chance(&format!("{order} {direction} on {}", app.database.name), &placed);
            // A page from the other end holds the same complaints.
            let back = format!(
                "{{ complaints(last: 20, orderBy: [{{field: {order}, direction: {direction}}}]) \
                    {{ nodes {{ pseudonym }} }} }}"
            );
            let back = data_team.data(&back)["complaints"]["nodes"].list().to_vec();
            let end: Vec<&Value> = rows[226..].iter().map(|row| &row["pseudonym"]).collect();
            assert_eq!(back.iter().map(|row| &row["pseudonym"]).collect::<Vec<_>>(), end);
            officers_named.extend(rows.iter().map(|row| {
                let named = row["officers"].list().iter();
                named.map(|one| one["officer"]["pseudonym"].text().to_owned()).collect()
            }));
        }
        let of_unit = format!("{{ unit(code: \"02CV\") {{ complaints(first: 200) {{ nodes {{ {field} }} }} }} }}");
        let of_unit = data_team.data(&of_unit)["unit"]["complaints"]["nodes"].list().to_vec();
        let placed = of_unit.iter().map(|row| by_pseudonym[row["pseudonym"].text()]);
        is_by_chance("of a unit", &placed.map(|(id, at)| (at, id)).collect::<Vec<_>>());

        // SQL returns rows in a random order too, also where a query does not select the complaint.
        let rows = data_team.rows("SELECT complaint, received_on FROM complaints");
        let placed = rows.iter().map(|row| by_pseudonym[row["complaint"].text()]);
        is_by_chance("SQL", &placed.map(|(id, at)| (at, id)).collect::<Vec<_>>());
        let rows = data_team.rows("SELECT complaint, officer FROM allegations");
        let mut of_complaint: Vec<(String, Vec<String>)> = Vec::new();
        for row in &rows {
            let (complaint, officer) = (row["complaint"].text(), row["officer"].text());
            match of_complaint.last_mut() {
                Some((last, officers)) if last == complaint => officers.push(officer.to_owned()),
                _ => of_complaint.push((complaint.to_owned(), vec![officer.to_owned()])),
            }
        }
        let placed = of_complaint.iter().map(|(complaint, _)| by_pseudonym[complaint]);
        is_by_chance("allegations", &placed.map(|(id, at)| (at, id)).collect::<Vec<_>>());
        officers_named.extend(of_complaint.into_iter().map(|(_, officers)| officers));
        let grouped = data_team.rows("SELECT officer, COUNT(*) AS n FROM allegations GROUP BY officer");
        let code = |pseudonyms: &schema::pseudonyms::Pseudonyms| -> BTreeMap<String, Id> {
            staff.iter().map(|(_, id)| (pseudonyms.of(Subject::Officer, *id), *id)).collect()
        };
        let by_officer = code(&seen);
        let groups: Vec<((), Id)> =
            grouped.iter().filter_map(|row| Some(((), *by_officer.get(row["officer"].as_str()?)?))).collect();
        let (share, pairs) = in_order(&groups);
        assert!(pairs > 50 && (0.25..0.75).contains(&share), "groups of SQL: {share} of {pairs}");

        // An exported file.
        let text = export(&data_team);
        let mut csv = csv::Reader::from_reader(text.as_bytes());
        let headers = csv.headers().unwrap().clone();
        let at = |name: &str| headers.iter().position(|column| column == name).unwrap();
        let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
        let placed = rows.iter().map(|row| by_exported[&row[at("complaint")]]);
        is_by_chance("a file", &placed.map(|(id, at)| (at, id)).collect::<Vec<_>>());
        let of_file: Vec<Vec<String>> =
            rows.iter().map(|row| row[at("officers")].split(';').map(str::to_owned).collect()).collect();

        // The attack: somebody sorts a staff list by ids and compares it with the order of officers in lists.
        for (lists, names) in [(&officers_named, &by_officer), (&of_file, &code(&exported))] {
            assert!(lists.iter().all(|list| list.is_sorted()), "officers stand in the order of what is shown of them");
            let pairs: Vec<(usize, Id)> = lists
                .iter()
                .enumerate()
                .flat_map(|(at, list)| list.iter().filter_map(move |one| Some((at, *names.get(one)?))))
                .collect();
            is_by_chance("officers of a complaint", &pairs);
        }
    }
}

#[test]
fn redacted_complaints_stand_in_no_order_but_that_of_months() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let register = Register::new(app.world().filled(|database| {
            let header = fixtures::COMPLAINTS.lines().next().unwrap();
            let rows: String = (0..24)
                .map(|n| {
                    format!(
                        "R-{n:02};{:02}/{:02}/2024;0100233488;Công ty A;02CV;CC02;TD1;;;;;x;x\n",
                        n % 12 * 2 + 1,
                        5 + n / 12
                    )
                })
                .collect();
            let files = Files::new();
            let import = files.import("complaints", format!("{header}\n{rows}"), fixtures::COMPLAINTS_MAP);
            program().run(database, import).ok();
        }));
        let app = &register.app;
        let board = app.as_role(Role::Board);
        for _ in 0..5 {
            redact(&board, &["02"]);
            // `redact` finds redacted complaints again, so this redacts those that have no text yet.
            let left =
                "{ complaints(first: 200, filter: {confidential: {eq: true}}) { nodes { id version redactedText } } }";
            let left = board.data(left);
            let left = left["complaints"]["nodes"].list().iter();
            for one in left.filter(|one| one["redactedText"].is_null()) {
                let input = json!({ "complaintId": one["id"], "expectedVersion": one["version"], "text": "Đã che." });
                let mutation =
                    "mutation ($input: RedactComplaintInput!) { redactComplaint(input: $input) { position } }";
                board.data_with(mutation, &json!({ "input": input }));
            }
        }
        let head = app.as_head("02CV");
        let (mut rows, mut after) = (Vec::new(), Value::Null);
        loop {
            let query = "query ($after: String) { redactedComplaints(first: 7, after: $after) \
                { totalCount pageInfo { hasNextPage endCursor } nodes { pseudonym month } } }";
            let page = head.data_with(query, &json!({ "after": after }))["redactedComplaints"].clone();
            assert_eq!(page["totalCount"], 25);
            rows.extend(page["nodes"].list().to_vec());
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(rows.len(), 25);
        let stands: Vec<(std::cmp::Reverse<&str>, &str)> =
            rows.iter().map(|row| (std::cmp::Reverse(row["month"].text()), row["pseudonym"].text())).collect();
        assert!(stands.is_sorted() && stands.first() != stands.last(), "{stands:?}");
        let back = "{ redactedComplaints(last: 4) { nodes { pseudonym } pageInfo { hasPreviousPage } } }";
        let back = head.data(back)["redactedComplaints"].clone();
        let last: Vec<&Value> = rows[21..].iter().map(|row| &row["pseudonym"]).collect();
        assert_eq!(back["nodes"].list().iter().map(|row| &row["pseudonym"]).collect::<Vec<_>>(), last);
        assert_eq!(back["pageInfo"]["hasPreviousPage"], true);
        // A pseudonym that another audience sees is refused, also one of the head of the unit above.
        let query = "{ redactedComplaints(first: 1) { nodes { pseudonym version } } }";
        let respond = "mutation ($input: RespondToRedactedComplaintInput!) { respondToRedactedComplaint(input: $input) \
            { position } }";
        let of_above = app.as_head("02").data(query)["redactedComplaints"]["nodes"][0].clone();
        let input = |of: &Value| {
            let (pseudonym, version) = (&of["pseudonym"], &of["version"]);
            let input =
                json!({ "pseudonym": pseudonym, "expectedVersion": version, "action": "CORRECTION", "text": "x" });
            json!({ "input": input })
        };
        let refused = head.request_with(respond, &input(&of_above));
        assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{}", refused.text);
        // A pseudonym by the key before a rotation is still accepted.
        let own = head.data(query)["redactedComplaints"]["nodes"][0].clone();
        app.run(&["key", "rotate", &register.key]);
        let rotated = program().serve(&app.database, &["--no-jobs", "--key-file", &register.key]);
        let head = Client { server: &rotated, token: head.token };
        let now = head.data(query)["redactedComplaints"]["nodes"][0]["pseudonym"].clone();
        assert!(now.text().starts_with("k2-"), "{now}");
        let responded = head.data_with(respond, &input(&own));
        assert!(responded["respondToRedactedComplaint"]["position"].is_i64());
    }
}
