//! Who may see and do what: everything is denied by default.

use crate::program;
use crate::world;
use api::access::{Guard, TABLE, allowed};
use schema::enums::Role;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::Database;

pub fn guard() -> Guard {
    Guard::new(&api::graphql::sdl(&api::graphql::schema(false))).unwrap()
}

#[test]
fn the_table_knows_every_field_of_the_schema_and_nothing_else() {
    let guard = guard();
    let fields: BTreeSet<(&str, &str)> = guard.fields().collect();
    assert!(fields.len() > 250, "{}", fields.len());
    for (of, field) in &fields {
        let known = TABLE.iter().any(|(name, one, _)| name == of && (one == field || *one == "*"));
        assert!(known, "{of}.{field} stands in no row: it is denied to everybody");
    }
    for (of, field, _) in TABLE {
        let known = fields.iter().any(|(name, one)| name == of && (*field == "*" || one == field));
        assert!(known, "the table speaks of {of}.{field}, which is not in the schema");
    }
    // What is new is denied until somebody says who may see it.
    assert!(!allowed(Role::Board, "Complaint2", "text") && !allowed(Role::Board, "Query", "everything"));
}

#[test]
fn what_a_head_reads_of_a_flag_tells_nothing_of_who_complained_in_confidence() {
    for database in Database::both() {
        world::fill(&database);
        world::run_counting(&database, "2024-03-31");
        let (board, head) =
            (program().token(&database, "BOARD", None), program().token(&database, "UNIT_HEAD", Some("02CV")));
        let server = program().serve(&database, &["--no-jobs"]);
        let query =
            "{ flags { nodes { subjectKind tier evidenceIds reasonVi reasonEn numbers { windows { complaints } } } } }";
        let flags = |token: &str| server.data(token, query)["flags"]["nodes"].as_array().unwrap().clone();
        let withheld = |flag: &Value| ["numbers", "reasonVi", "reasonEn"].iter().all(|field| flag[*field].is_null());
        let shown = |flag: &Value| ["numbers", "reasonVi", "reasonEn"].iter().all(|field| !flag[*field].is_null());
        let (all, own) = (flags(&board), flags(&head));
        assert!(!all.is_empty() && all.iter().all(shown), "{all:?}");
        // PA-6 names the officer and the branch, and its own head is not to know of whom it is.
        assert!(!own.is_empty() && own.iter().all(withheld), "{own:?}");
        assert!(own.iter().all(|flag| flag["tier"].is_string()), "{own:?}");
        let files = world::Files::new();
        let import = |complaints: &str| {
            program().run(&database, files.import("complaints", complaints, world::COMPLAINTS_MAP)).ok();
        };
        // Nor once it is about somebody else, since the run counted it; nor where nothing is kept from him: numbers that are
        // missing only where something is would tell that it is.
        let kept = "02CV;CC01;TD1;;;;;Xin giữ kín;x";
        assert!(world::COMPLAINTS.contains(kept));
        import(&world::COMPLAINTS.replace(kept, "03TG;CC03;TD1;;;;;Xin giữ kín;x"));
        assert!(flags(&head).iter().all(withheld), "{:?}", flags(&head));
        let open = world::COMPLAINTS.replace("Xin giữ kín;x", "Xin giữ kín;");
        import(&open);
        let nothing_kept = flags(&head);
        assert!(nothing_kept.iter().all(withheld), "{nothing_kept:?}");
        // A further one changes nothing that he reads.
        import(&format!("{open}PA-7;12/03/2024;0100233488;Công ty A;02CV;CC01;TD1;;;;;Xin giữ kín;x\n"));
        assert_eq!(flags(&head), nothing_kept);
        // A member of the Board decides neither about himself nor about a branch in which he served.
        let named = program()
            .json(&database, &["token", "create", "--name", "named", "--role", "BOARD", "--officer", "CC01"])["token"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(flags(&named), [Value::Null; 0]);
        // Of others he sees that they are flagged, and no number that would count what names himself.
        let other = ["token", "create", "--name", "other", "--role", "BOARD", "--officer", "CC02"];
        let other = program().json(&database, &other)["token"].as_str().unwrap().to_owned();
        assert!(flags(&other).len() == all.len() && flags(&other).iter().all(withheld), "{:?}", flags(&other));
    }
}

#[test]
fn nobody_reads_who_blames_the_system_about_himself_and_whoever_reads_it_is_noted() {
    let database = Database::sqlite();
    program().run(&database, ["generate", "--complaints", "20000", "--seed", "3"]).ok();
    program().run(&database, ["jobs", "run", "blame-check"]).ok();
    let (board, admin) = (program().token(&database, "BOARD", None), program().token(&database, "ADMIN", None));
    let server = program().serve(&database, &["--no-jobs"]);
    let officers = |token: &str| -> BTreeSet<String> {
        let data = server.data(token, "query Blamed { blameCheck { subjects { kind code } } }");
        let subjects = data["blameCheck"]["subjects"].as_array().unwrap().clone();
        let officers = subjects.iter().filter(|one| one["kind"] == "OFFICER");
        officers.map(|one| one["code"].as_str().unwrap().to_owned()).collect()
    };
    let all = officers(&board);
    let one = all.first().unwrap();
    let args = ["token", "create", "--name", "one", "--role", "BOARD", "--officer", one];
    let own = program().json(&database, &args)["token"].as_str().unwrap().to_owned();
    let others: BTreeSet<String> = all.iter().filter(|code| *code != one).cloned().collect();
    assert_eq!(officers(&own), others);
    let looks = "{ auditLog(filter: {action: {eq: LOOK}}) { nodes { operation objects } } }";
    let noted = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        let entries = server.data(&admin, looks)["auditLog"]["nodes"].as_array().unwrap().clone();
        // Without a key file there are no pseudonyms to name them by.
        let seen = |entry: &Value| entry["objects"]["files"] == json!({ "count": all.len() });
        entries.iter().any(|entry| entry["operation"] == "Blamed" && seen(entry))
    });
    assert!(noted, "{}", server.data(&admin, looks));
}

#[test]
fn a_field_is_refused_wherever_it_hides() {
    let database = Database::sqlite();
    world::fill(&database);
    let admin = program().token(&database, "ADMIN", None);
    let head = program().token(&database, "UNIT_HEAD", Some("02CV"));
    let server = program().serve(&database, &[]);
    for query in [
        "{ complaints { nodes { text } } }",
        "query A { __typename } query B { complaints { totalCount } }",
        "{ ... { complaints { totalCount } } }",
        "{ ...F } fragment F on Query { x: complaints { totalCount } }",
        "{ units { nodes { code } } ...F } fragment F on Query { ... on Query { flags { totalCount } } }",
    ] {
        let body =
            json!({ "query": query, "operationName": if query.starts_with("query") { "B" } else { "" } }).to_string();
        let bearer = format!("Bearer {admin}");
        let answer =
            server.send("POST", "/graphql", &[("content-type", "application/json"), ("authorization", &bearer)], &body);
        assert!(
            answer.codes().iter().all(|code| code == "FORBIDDEN") && !answer.codes().is_empty(),
            "{query}: {}",
            answer.text
        );
        assert!(answer.json().get("data").is_none_or(Value::is_null), "{}", answer.text);
    }
    for query in [
        "{ complaints(filter: {officers: {officer: {unit: {code: {eq: \"03TG\"}}}}}) { totalCount } }",
        "{ complaints(filter: {or: [{not: {officers: {officer: {unit: {code: {eq: \"03TG\"}}}}}}]}) { totalCount } }",
        "query ($f: OfficerFilter = {unit: {within: \"03\"}}) { complaints(filter: {officers: {officer: $f}}) { totalCount } }",
        "{ complaints { nodes { officers { officer { postings { unit { code } } } } } } }",
    ] {
        let answer = server.graphql(&head, query, &json!({}));
        let codes = answer.codes();
        assert!(!codes.is_empty() && codes.iter().all(|code| code == "FORBIDDEN"), "{query}: {}", answer.text);
    }
}

#[test]
fn the_heads_of_two_branches_never_see_each_others_complaints() {
    for database in Database::both() {
        world::fill(&database);
        let phananh = program();
        let board = phananh.token(&database, "BOARD", None);
        let saigon = phananh.token(&database, "UNIT_HEAD", Some("02CV"));
        let express = phananh.token(&database, "UNIT_HEAD", Some("02DS"));
        let province = phananh.token(&database, "UNIT_HEAD", Some("02"));
        let server = phananh.serve(&database, &[]);
        let texts = |token: &str, filter: &str| -> Vec<String> {
            let query = format!(
                "{{ complaints(filter: {filter}, orderBy: [{{field: RECEIVED_AT}}]) {{ totalCount nodes {{ id text }} }} }}"
            );
            let data = server.data(token, &query);
            let nodes = data["complaints"]["nodes"].as_array().unwrap();
            assert_eq!(data["complaints"]["totalCount"], nodes.len());
            nodes.iter().map(|node| node["text"].as_str().unwrap().to_owned()).collect()
        };
        // PA-6 of 02CV asked for secrecy: its own head does not see it yet.
        assert_eq!(texts(&saigon, "{}"), ["Cán bộ đòi tiền", "Nói trống không,\nquát doanh nghiệp", "Không khai được"]);
        assert_eq!(texts(&express, "{}"), ["Chậm trả lời"]);
        assert_eq!(texts(&province, "{}").len(), 4);
        for filter in [
            "{confidential: {eq: true}}",
            "{enterprise: {taxCode: {eq: \"0314409058\"}}}",
            "{or: [{unit: {within: \"02DS\"}}, {confidential: {ne: false}}]}",
            "{not: {unit: {within: \"02CV\"}}}",
        ] {
            assert_eq!(texts(&saigon, filter), [""; 0], "{filter}");
        }
        // Nor by searching for its words, nor by counting whose it is.
        assert_eq!(texts(&board, "{search: \"xin giu kin\"}").len(), 1);
        assert_eq!(texts(&saigon, "{search: \"xin giu kin\"}"), [""; 0]);
        assert_eq!(texts(&express, "{search: \"doi tien\"}"), [""; 0]);
        let by = |token: &str, code: &str| {
            let query = format!(
                "{{ complaintStatistics(filter: {{enterpriseIn: [\"{code}\"]}}) {{ totals {{ complaints }} }} }}"
            );
            server.data(token, &query)["complaintStatistics"]["totals"]["complaints"].clone()
        };
        // One enterprise and its branch: two complaints, of which one is confidential.
        assert_eq!(
            (by(&board, "0314409058"), by(&saigon, "0314409058"), by(&express, "0314409058")),
            (json!(2), json!(1), json!(0))
        );
        let all = server.data(&board, "{ complaints { nodes { id text confidential unit { code } } } }");
        for complaint in all["complaints"]["nodes"].as_array().unwrap() {
            let seen = server.data(&express, &format!("{{ complaint(id: {}) {{ text }} }}", complaint["id"]));
            assert_eq!(seen["complaint"].is_null(), complaint["unit"]["code"] != "02DS", "{complaint}");
        }
        let responses = |token: &str| {
            server.data(token, "{ unitResponses { totalCount nodes { text } } }")["unitResponses"].clone()
        };
        assert_eq!(responses(&saigon)["totalCount"], 3);
        assert_eq!(responses(&express), json!({ "totalCount": 0, "nodes": [] }));
        let count = |token: &str| {
            server.data(token, "{ complaintStatistics { rows { complaints } } }")["complaintStatistics"]["rows"][0]["complaints"].clone()
        };
        assert_eq!(
            (count(&board), count(&saigon), count(&express), count(&province)),
            (json!(6), json!(3), json!(1), json!(4))
        );
        let cursor = server.data(&board, "{ complaints(first: 1) { pageInfo { endCursor } } }")["complaints"]["pageInfo"]["endCursor"].clone();
        let behind = server.data(&express, &format!("{{ complaints(after: {cursor}) {{ nodes {{ text }} }} }}"));
        assert_eq!(behind["complaints"]["nodes"].as_array().unwrap().len(), 1, "the Board's cursor opens no door");
    }
}

#[test]
fn tokens_are_shown_once_stored_hashed_and_end() {
    use diesel::prelude::*;
    use schema::tables::api_tokens;
    for database in Database::both() {
        world::fill(&database);
        let token = program().token(&database, "BOARD", None);
        let server = program().serve(&database, &[]);
        assert!(token.starts_with("pa_") && token.len() > 40, "{token}");
        let ask = || server.graphql(&token, "{ complaints { totalCount } }", &json!({})).status;
        assert_eq!(ask(), 200);
        let db = database.open();
        let hashes: Vec<Vec<u8>> = db.read(|conn| Ok(api_tokens::table.select(api_tokens::hash).load(conn)?)).unwrap();
        assert!(hashes.iter().all(|hash| hash.len() == 32
            && !hash.windows(8).any(|part| token.as_bytes().windows(8).any(|other| other == part))));
        let expire = |at: Option<schema::Timestamp>, revoke: Option<schema::Timestamp>| {
            db.write("test", |tx| {
                Ok(diesel::update(api_tokens::table)
                    .set((api_tokens::expires_at.eq(at), api_tokens::revoked_at.eq(revoke)))
                    .execute(tx.conn)?)
            })
            .unwrap();
        };
        expire(schema::Timestamp::from_micros(1), None);
        assert_eq!(ask(), 401, "expired");
        expire(None, Some(schema::Timestamp::now()));
        assert_eq!(ask(), 401, "revoked");
        expire(None, None);
        assert_eq!(ask(), 200);
        let other = program().run(&database, ["token", "create", "--name", "BOARD-all", "--role", "ADMIN"]);
        assert_eq!(other.status, 1, "a name has one role: {other:?}");
        let in_url = server.get(&format!("/graphql?query=%7Bcomplaints%7BtotalCount%7D%7D&token={token}"));
        assert_eq!(in_url.status, 401, "never in a URL");
    }
}

#[test]
fn a_head_sees_what_lies_below_also_where_levels_repeat_or_are_not_stored() {
    for database in Database::both() {
        world::fill(&database);
        let files = world::Files::new();
        let units = "\
ma,ten,cap,cha,nhom,tu,den
HQ,Cục Giám sát,HEADQUARTERS_UNIT,TC,,,
HQ-D1,Đội Giám sát,TEAM,HQ,,,
02CV-A,Chi cục trực thuộc,BRANCH,02CV,,,
";
        let phananh = program();
        phananh.run(&database, files.import("units", units, world::UNITS_MAP)).ok();
        let header = world::COMPLAINTS.lines().next().unwrap();
        let more = format!(
            "{header}\nPX-1;05/01/2024;;;HQ-D1;;TD1;;;;;Đội;\nPX-2;05/01/2024;;;02CV-A;;TD1;;;;;Chi cục con;\n"
        );
        phananh.run(&database, files.import("complaints", more, world::COMPLAINTS_MAP)).ok();
        let server = phananh.serve(&database, &[]);
        let board = phananh.token(&database, "BOARD", None);
        for (unit, seen, all) in
            [("HQ", 1, 1), ("02CV", 4, 5), ("02CV-A", 1, 1), ("02", 5, 6), ("TC", 7, 8), ("03TG", 1, 1)]
        {
            let head = phananh.token(&database, "UNIT_HEAD", Some(unit));
            let data = server
                .data(&head, "{ complaints { totalCount nodes { id } } complaintStatistics { rows { complaints } } }");
            assert_eq!(data["complaints"]["totalCount"], seen, "{unit} on {}", database.name);
            assert_eq!(data["complaintStatistics"]["rows"][0]["complaints"], seen, "{unit}");
            for complaint in data["complaints"]["nodes"].as_array().unwrap() {
                let one = server.data(&head, &format!("{{ complaint(id: {}) {{ id }} }}", complaint["id"]));
                assert_eq!(one["complaint"]["id"], complaint["id"]);
            }
            let within = format!(
                "{{ complaints(filter: {{unit: {{within: \"{unit}\"}}}}) {{ totalCount }} complaintStatistics(filter: {{unitWithin: \"{unit}\"}}) {{ rows {{ complaints }} }} }}"
            );
            let within = server.data(&board, &within);
            assert_eq!(
                (&within["complaints"]["totalCount"], &within["complaintStatistics"]["rows"][0]["complaints"]),
                (&json!(all), &json!(all)),
                "{unit}"
            );
        }
    }
}

#[test]
fn those_who_manage_make_and_end_tokens_and_read_who_looked() {
    for database in Database::both() {
        world::fill(&database);
        let (admin, board) = (program().token(&database, "ADMIN", None), program().token(&database, "BOARD", None));
        let server = program().serve(&database, &["--no-jobs"]);
        let outside = |name: &str, role: &str| {
            program().run(&database, ["token", "create", "--name", name, "--role", role, "--outside"])
        };
        assert!(outside("press", "BOARD").err.contains("leave outside out"));
        assert_eq!(outside("press", "DASHBOARD").ok().status, 0);
        let within = program().run(&database, ["token", "create", "--name", "press", "--role", "DASHBOARD"]);
        assert!(within.status == 1 && within.err.contains("outside the house already"), "{within:?}");
        let create = "mutation ($input: CreateTokenInput!) { createToken(input: $input) { token principal { name role unit { code } tokens { expiresAt revokedAt } } } }";
        let made = server.data_with(
            &admin,
            create,
            &json!({ "input": { "name": "cảng", "role": "UNIT_HEAD", "unit": "02CV", "expiresAt": "2999-01-01T00:00:00Z" } }),
        )["createToken"]
            .clone();
        assert_eq!(
            (&made["principal"]["role"], &made["principal"]["unit"]["code"]),
            (&json!("UNIT_HEAD"), &json!("02CV"))
        );
        let head = made["token"].as_str().unwrap().to_owned();
        let count = "{ complaints { totalCount } }";
        assert_eq!(server.graphql(&head, count, &json!({})).status, 200);
        for (input, code) in [
            (json!({ "name": "a", "role": "UNIT_HEAD" }), "BAD_USER_INPUT"),
            (json!({ "name": "a", "role": "BOARD", "unit": "02CV" }), "BAD_USER_INPUT"),
            (json!({ "name": "cảng", "role": "BOARD" }), "CONFLICT"),
            (json!({ "name": "a", "role": "BOARD", "expiresAt": "2001-01-01T00:00:00Z" }), "BAD_USER_INPUT"),
        ] {
            let answer = server.graphql(&admin, create, &json!({ "input": input }));
            assert_eq!(answer.codes(), [code], "{input}: {}", answer.text);
        }
        // A look at who somebody is, and who reads of it.
        server.data(&board, "query Nhin { officer(code: \"CC01\") { name } }");
        let looks = "{ auditLog(filter: {action: {eq: LOOK}}) { nodes { number actor role operation objects } } }";
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        let look = loop {
            let found = server.data(&admin, looks)["auditLog"]["nodes"][0].clone();
            if found["operation"] == "Nhin" {
                break found;
            }
            assert!(std::time::Instant::now() < deadline, "{found}");
        };
        assert_eq!((&look["actor"], &look["role"]), (&json!("token:BOARD-all"), &json!("BOARD")));
        // Ended, also for what a node remembers of it; and no further token is of use.
        let end = "mutation { revokeTokens(name: \"cảng\", disable: true) { revoked principal { disabledAt tokens { revokedAt } } } }";
        let ended = server.data(&admin, end)["revokeTokens"].clone();
        assert_eq!(ended["revoked"], 1);
        assert!(
            ended["principal"]["disabledAt"].is_string() && ended["principal"]["tokens"][0]["revokedAt"].is_string()
        );
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(3);
        while server.graphql(&head, count, &json!({})).status != 401 {
            assert!(std::time::Instant::now() < deadline, "a token that was ended is still taken");
        }
        let nobody = server.graphql(&admin, "mutation { revokeTokens(name: \"nobody\") { revoked } }", &json!({}));
        assert_eq!(nobody.codes(), ["BAD_USER_INPUT"]);
        let names = server
            .data(&admin, "{ principals(filter: {role: {in: [UNIT_HEAD, ADMIN]}}) { totalCount nodes { name } } }");
        assert_eq!(names["principals"]["totalCount"], 2, "{names}");
    }
}
