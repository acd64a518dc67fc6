//! What one audience sees joins with nothing that another sees, and nothing stands in an order made of what is hidden.

use crate::program;
use crate::world::{self, Files};
use schema::Id;
use schema::domain::ids::reference_id;
use schema::enums::Role;
use schema::events::Entity;
use schema::keys::Keys;
use schema::pseudonyms::{Audience, Subject};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tests::{Database, Server};

struct Register {
    database: Database,
    server: Server,
    files: Files,
    key: String,
    board: String,
    data_team: String,
}

impl Register {
    /// A server with keys over what `fill` makes.
    fn new(database: Database, fill: impl FnOnce(&Database)) -> Self {
        fill(&database);
        let files = Files::new();
        let key = files.path().join("key").display().to_string();
        program().run(&database, ["key", "create", &key]).ok();
        let (board, data_team) =
            (program().token(&database, "BOARD", None), program().token(&database, "DATA_TEAM", None));
        let server = program().serve(&database, &["--no-jobs", "--key-file", &key]);
        Self { database, server, files, key, board, data_team }
    }

    fn keys(&self) -> Keys {
        Keys::load(self.key.as_ref()).unwrap()
    }

    fn export(&self, token: &str) -> String {
        let bearer = format!("Bearer {token}");
        let answer = self.server.send("GET", "/export/complaints.csv", &[("authorization", &bearer)], "");
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.text
    }

    fn sql(&self, token: &str, sql: &str) -> Vec<Value> {
        let query = "query ($sql: String!) { sql(query: $sql) { rows } }";
        self.server.data_with(token, query, &json!({ "sql": sql }))["sql"]["rows"].as_array().unwrap().clone()
    }

    /// The Board says what units may read of the first confidential complaints of each of some units.
    fn redact(&self, units: &[&str]) {
        let mutation =
            "mutation ($input: RedactComplaintInput!) { redactComplaint(input: $input) { complaint { version } } }";
        for unit in units {
            let query = format!(
                "{{ complaints(first: 6, filter: {{confidential: {{eq: true}}, unit: {{within: \"{unit}\"}}}}) {{ nodes {{ id version }} }} }}"
            );
            let found = self.server.data(&self.board, &query)["complaints"]["nodes"].as_array().unwrap().clone();
            for one in found {
                let input =
                    json!({ "complaintId": one["id"], "expectedVersion": one["version"], "text": "Đã che thông tin." });
                self.server.data_with(&self.board, mutation, &json!({ "input": input }));
            }
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
    "{ complaints(first: 200) { pageInfo { startCursor endCursor } edges { cursor node { pseudonym enterprise { pseudonym } officers { officer { pseudonym } } } } } }",
    "{ complaints(first: 200, orderBy: [{field: COST_VND, direction: DESC}]) { edges { cursor node { pseudonym enterprise { pseudonym } } } } }",
    "{ complaintStatistics(groupBy: [OFFICER], first: 50) { endCursor rows { officer { pseudonym } } } }",
    "{ unit(code: \"02\") { complaints(first: 100) { edges { cursor node { pseudonym officers { officer { pseudonym } } } } } } }",
];
const REDACTED: &str =
    "{ redactedComplaints(first: 100) { pageInfo { endCursor } edges { cursor node { pseudonym } } } }";
const SQL: [&str; 2] = ["SELECT * FROM complaints", "SELECT * FROM allegations"];

#[test]
fn what_one_audience_sees_joins_with_nothing_that_another_sees() {
    for database in Database::both() {
        let register = Register::new(database, |database| {
            drop(program().run(database, ["generate", "--complaints", "1500", "--seed", "11"]).ok())
        });
        let Register { server, database, board, data_team, .. } = &register;
        register.redact(&["02", "03"]);
        let heads: BTreeMap<&str, String> =
            ["02", "03"].into_iter().map(|unit| (unit, program().token(database, "UNIT_HEAD", Some(unit)))).collect();
        let ask = |token: &str, query: &str| server.data(token, query).to_string();
        let of_head = |token: &str| {
            let lists =
                LISTS.iter().chain([&REDACTED]).filter(|query| !query.contains("unit(")).map(|query| ask(token, query));
            marks(&lists.collect::<Vec<_>>())
        };
        let of_role = |token: &str| {
            let lists = LISTS.iter().map(|query| ask(token, query));
            let by_sql = SQL.iter().map(|sql| json!(register.sql(token, sql)).to_string());
            marks(&lists.chain(by_sql).collect::<Vec<_>>())
        };
        let path = register.files.path().join("by-command.csv").display().to_string();
        let command = |more: &[&str]| {
            let args = [&["export", path.as_str(), "--key-file", &register.key], more].concat();
            program().run(database, args).ok();
            std::fs::read_to_string(&path).unwrap()
        };
        let seen = [
            ("the head of 02", of_head(&heads["02"])),
            ("the head of 03", of_head(&heads["03"])),
            ("the Board", of_role(board)),
            ("the Board, redacted", marks(&[ask(board, REDACTED)])),
            ("the data team", of_role(data_team)),
            ("the data team's files", marks(&[register.export(data_team)])),
            ("the Board's files", marks(&[register.export(board)])),
        ];
        for (who, marks) in &seen {
            assert!(marks.len() > 5, "{who} {}: {marks:?}", database.name);
        }
        for (at, (who, one)) in seen.iter().enumerate() {
            for (whom, other) in &seen[at + 1..] {
                if (*who, *whom) != ("the Board", "the Board, redacted") {
                    let common: Vec<&String> = one.intersection(other).take(3).collect();
                    assert!(common.is_empty(), "{who} and {whom} on {}: {common:?}", database.name);
                }
            }
        }
        // Within one audience answers join: lists with SQL, one file with another, one token with another.
        let listed = marks(&[ask(data_team, LISTS[0]).replace("cursor", "not")]);
        let by_sql = marks(&[json!(register.sql(data_team, SQL[0])).to_string()]);
        assert!(listed.intersection(&by_sql).count() > 200);
        assert_eq!(register.export(data_team), command(&[]));
        assert_eq!(register.export(board), command(&["--for", "BOARD"]));
        let args = ["token", "create", "--name", "another", "--role", "DATA_TEAM"];
        let another = program().json(database, &args)["token"].as_str().unwrap().to_owned();
        assert_eq!(ask(&another, LISTS[0]), ask(data_team, LISTS[0]));
        let sql =
            ["sql", "SELECT complaint, enterprise FROM complaints ORDER BY complaint", "--key-file", &register.key];
        let by_command = program().json(database, &sql)["rows"].clone();
        assert_eq!(by_command, json!(register.sql(data_team, sql[1])));

        // The attack: who is behind a tax code, by the head's own answers, in a file that somebody left lying about.
        let query = "{ complaints(first: 200) { nodes { enterprise { taxCode pseudonym } } } }";
        let known: BTreeSet<String> = marks(&[ask(&heads["02"], query)]);
        let file = register.export(data_team);
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
        assert!(secret.len() > 20 && known.len() > 50);
        assert_eq!(secret.iter().filter(|one| known.contains(*one)).count(), 0);
    }
}

/// Complaints of a few days, of which a mapping tells the day alone: nothing but ids would order them.
fn fill_with_ties(database: &Database) {
    world::fill(database);
    let files = Files::new();
    let officers: Vec<String> = (1..=60).map(|n| format!("S{n:02}")).collect();
    let rows: String = officers.iter().map(|code| format!("{code},Cán bộ {code}\n")).collect();
    program().run(database, files.import("officers", format!("so_hieu,ho_ten\n{rows}"), world::OFFICERS_MAP)).ok();
    let header = world::COMPLAINTS.lines().next().unwrap();
    let mut csv = format!("{header}\n");
    for n in 0..240 {
        // Each names three officers.
        for k in 0..3 {
            let (day, officer) = (4 + n % 3, &officers[(n * 7 + k * 19) % 60]);
            csv.push_str(&format!("T-{n:03};{day:02}/06/2024;0100233488;Công ty A;02CV;{officer};TD1;;;;;x;\n"));
        }
    }
    program().run(database, files.import("complaints", csv, world::COMPLAINTS_MAP)).ok();
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
    // Of 200 pairs 100 by chance, give or take 7.
    assert!(pairs > 150 && (0.33..0.67).contains(&share), "{what}: {share:.2} of {pairs} stand in the order of ids");
}

#[test]
fn nothing_stands_in_an_order_made_of_what_is_hidden() {
    for database in Database::both() {
        let register = Register::new(database, fill_with_ties);
        let Register { server, data_team, .. } = &register;
        let keys = register.keys();
        let staff: Vec<(String, Id)> = (1..=60)
            .map(|n| format!("S{n:02}"))
            .map(|code| (code.clone(), reference_id(Entity::Officer, &code)))
            .collect();
        let ids: Vec<(Id, schema::Timestamp)> = register
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

        // Complaints that a list does not tell apart, whatever it is ordered by and however it is read.
        let field = "pseudonym officers { finding officer { pseudonym } }";
        let lists = [("RECEIVED_AT", "DESC"), ("RECEIVED_AT", "ASC"), ("COST_VND", "DESC"), ("DELAY_HOURS", "ASC")];
        let mut officers_named: Vec<Vec<String>> = Vec::new();
        for (order, direction) in lists {
            let (mut rows, mut after) = (Vec::new(), Value::Null);
            loop {
                let query = format!(
                    "query ($after: String) {{ complaints(first: 50, after: $after, orderBy: [{{field: {order}, direction: {direction}}}]) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {field} }} }} }}"
                );
                let page = server.data_with(data_team, &query, &json!({ "after": after }))["complaints"].clone();
                rows.extend(page["nodes"].as_array().unwrap().clone());
                if page["pageInfo"]["hasNextPage"] == false {
                    break;
                }
                after = page["pageInfo"]["endCursor"].clone();
            }
            let names: BTreeSet<&str> = rows.iter().map(|row| row["pseudonym"].as_str().unwrap()).collect();
            assert_eq!((rows.len(), names.len()), (246, 246), "{order} {direction} on {}", register.database.name);
            let placed: Vec<_> = rows
                .iter()
                .map(|row| by_pseudonym[row["pseudonym"].as_str().unwrap()])
                .map(|(id, at)| (if order == "RECEIVED_AT" { Some(at) } else { None }, id))
                .collect();
            is_by_chance(&format!("{order} {direction} on {}", register.database.name), &placed);
            // Read from the other end they are the same.
            let back = format!(
                "{{ complaints(last: 20, orderBy: [{{field: {order}, direction: {direction}}}]) {{ nodes {{ pseudonym }} }} }}"
            );
            let back = server.data(data_team, &back)["complaints"]["nodes"].as_array().unwrap().clone();
            let end: Vec<&Value> = rows[226..].iter().map(|row| &row["pseudonym"]).collect();
            assert_eq!(back.iter().map(|row| &row["pseudonym"]).collect::<Vec<_>>(), end);
            officers_named.extend(rows.iter().map(|row| {
                let named = row["officers"].as_array().unwrap().iter();
                named.map(|one| one["officer"]["pseudonym"].as_str().unwrap().to_owned()).collect()
            }));
        }
        let of_unit = format!("{{ unit(code: \"02CV\") {{ complaints(first: 200) {{ nodes {{ {field} }} }} }} }}");
        let of_unit = server.data(data_team, &of_unit)["unit"]["complaints"]["nodes"].as_array().unwrap().clone();
        let placed = of_unit.iter().map(|row| by_pseudonym[row["pseudonym"].as_str().unwrap()]);
        is_by_chance("of a unit", &placed.map(|(id, at)| (at, id)).collect::<Vec<_>>());

        // SQL hands over rows in no other order either; nor does it where the complaint is not asked for.
        let rows = register.sql(data_team, "SELECT complaint, received_on FROM complaints");
        let placed = rows.iter().map(|row| by_pseudonym[row["complaint"].as_str().unwrap()]);
        is_by_chance("SQL", &placed.map(|(id, at)| (at, id)).collect::<Vec<_>>());
        let rows = register.sql(data_team, "SELECT complaint, officer FROM allegations");
        let mut of_complaint: Vec<(String, Vec<String>)> = Vec::new();
        for row in &rows {
            let (complaint, officer) = (row["complaint"].as_str().unwrap(), row["officer"].as_str().unwrap());
            match of_complaint.last_mut() {
                Some((last, officers)) if last == complaint => officers.push(officer.to_owned()),
                _ => of_complaint.push((complaint.to_owned(), vec![officer.to_owned()])),
            }
        }
        let placed = of_complaint.iter().map(|(complaint, _)| by_pseudonym[complaint]);
        is_by_chance("allegations", &placed.map(|(id, at)| (at, id)).collect::<Vec<_>>());
        officers_named.extend(of_complaint.into_iter().map(|(_, officers)| officers));
        let grouped = register.sql(data_team, "SELECT officer, COUNT(*) AS n FROM allegations GROUP BY officer");
        let code = |pseudonyms: &schema::pseudonyms::Pseudonyms| -> BTreeMap<String, Id> {
            staff.iter().map(|(_, id)| (pseudonyms.of(Subject::Officer, *id), *id)).collect()
        };
        let by_officer = code(&seen);
        let groups: Vec<((), Id)> =
            grouped.iter().filter_map(|row| Some(((), *by_officer.get(row["officer"].as_str()?)?))).collect();
        let (share, pairs) = in_order(&groups);
        assert!(pairs > 50 && (0.25..0.75).contains(&share), "groups of SQL: {share} of {pairs}");

        // A file.
        let text = register.export(data_team);
        let mut csv = csv::Reader::from_reader(text.as_bytes());
        let headers = csv.headers().unwrap().clone();
        let at = |name: &str| headers.iter().position(|column| column == name).unwrap();
        let rows: Vec<csv::StringRecord> = csv.records().map(Result::unwrap).collect();
        let placed = rows.iter().map(|row| by_exported[&row[at("complaint")]]);
        is_by_chance("a file", &placed.map(|(id, at)| (at, id)).collect::<Vec<_>>());
        let of_file: Vec<Vec<String>> =
            rows.iter().map(|row| row[at("officers")].split(';').map(str::to_owned).collect()).collect();

        // The attack: whoever has a staff list puts it in the order of ids and names those who stand in lists by it.
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
    for database in Database::both() {
        let register = Register::new(database, |database| {
            world::fill(database);
            let header = world::COMPLAINTS.lines().next().unwrap();
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
            let import = files.import("complaints", format!("{header}\n{rows}"), world::COMPLAINTS_MAP);
            program().run(database, import).ok();
        });
        for _ in 0..5 {
            register.redact(&["02"]);
            // Those that are redacted are found again: the next of them have no text yet.
            let left =
                "{ complaints(first: 200, filter: {confidential: {eq: true}}) { nodes { id version redactedText } } }";
            let left = register.server.data(&register.board, left)["complaints"]["nodes"].as_array().unwrap().clone();
            for one in left.iter().filter(|one| one["redactedText"].is_null()) {
                let input = json!({ "complaintId": one["id"], "expectedVersion": one["version"], "text": "Đã che." });
                let mutation =
                    "mutation ($input: RedactComplaintInput!) { redactComplaint(input: $input) { position } }";
                register.server.data_with(&register.board, mutation, &json!({ "input": input }));
            }
        }
        let head = program().token(&register.database, "UNIT_HEAD", Some("02CV"));
        let (mut rows, mut after) = (Vec::new(), Value::Null);
        loop {
            let query = "query ($after: String) { redactedComplaints(first: 7, after: $after) { totalCount pageInfo { hasNextPage endCursor } nodes { pseudonym month } } }";
            let page =
                register.server.data_with(&head, query, &json!({ "after": after }))["redactedComplaints"].clone();
            assert_eq!(page["totalCount"], 25);
            rows.extend(page["nodes"].as_array().unwrap().clone());
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(rows.len(), 25);
        let stands: Vec<(std::cmp::Reverse<&str>, &str)> = rows
            .iter()
            .map(|row| (std::cmp::Reverse(row["month"].as_str().unwrap()), row["pseudonym"].as_str().unwrap()))
            .collect();
        assert!(stands.is_sorted() && stands.first() != stands.last(), "{stands:?}");
        let back = "{ redactedComplaints(last: 4) { nodes { pseudonym } pageInfo { hasPreviousPage } } }";
        let back = register.server.data(&head, back)["redactedComplaints"].clone();
        let last: Vec<&Value> = rows[21..].iter().map(|row| &row["pseudonym"]).collect();
        assert_eq!(back["nodes"].as_array().unwrap().iter().map(|row| &row["pseudonym"]).collect::<Vec<_>>(), last);
        assert_eq!(back["pageInfo"]["hasPreviousPage"], true);
        // A pseudonym of another audience answers nothing, nor does one of the head of a unit above.
        let above = program().token(&register.database, "UNIT_HEAD", Some("02"));
        let query = "{ redactedComplaints(first: 1) { nodes { pseudonym version } } }";
        let respond = "mutation ($input: RespondToRedactedComplaintInput!) { respondToRedactedComplaint(input: $input) { position } }";
        let of_above = register.server.data(&above, query)["redactedComplaints"]["nodes"][0].clone();
        let input = json!({ "pseudonym": of_above["pseudonym"], "expectedVersion": of_above["version"], "action": "CORRECTION", "text": "x" });
        let refused = register.server.graphql(&head, respond, &json!({ "input": input }));
        assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{}", refused.text);
        // One of a key that was current before still answers.
        let own = register.server.data(&head, query)["redactedComplaints"]["nodes"][0].clone();
        program().run(&register.database, ["key", "rotate", &register.key]).ok();
        let rotated = program().serve(&register.database, &["--no-jobs", "--key-file", &register.key]);
        let now = rotated.data(&head, query)["redactedComplaints"]["nodes"][0]["pseudonym"].clone();
        assert!(now.as_str().unwrap().starts_with("k2-"), "{now}");
        let input = json!({ "pseudonym": own["pseudonym"], "expectedVersion": own["version"], "action": "CORRECTION", "text": "x" });
        assert!(
            rotated.data_with(&head, respond, &json!({ "input": input }))["respondToRedactedComplaint"]["position"]
                .is_i64()
        );
    }
}
