//! One table of state × role × mutation: what it allows works, and everything else is refused with its code and changes
//! nothing.

mod effects;
mod operations;
mod stage;
mod table;

use crate::access::guard;
use crate::intake::often;
use effects::{Register, expected_events, number_of_versions, recorded_since};
use operations::{code_of, expects_a_version, operation};
use schema::Id;
use serde_json::{Value, json};
use stage::{Allowed, Stage, Staged};
use std::collections::BTreeSet;
use table::{ELSEWHERE, NAMING, ROLES, ROWS, STATES};
use tests::fixtures::Files;
use tests::{Answer, Client, Connections, Database, Role, TestApp, in_parallel};

/// Threads that send requests.
const THREADS: usize = 8;

/// A request that must be refused.
struct Refused<'s> {
    row: usize,
    column: usize,
    role: char,
    code: &'static str,
    of: &'s Staged,
    /// -1 where the client knows an older version.
    shift: i32,
}

/// The clients by the letters of their roles.
struct Clients<'a> {
    connections: Connections,
    by_role: Vec<(char, Client<'a>)>,
}

impl<'a> Clients<'a> {
    fn of(app: &'a TestApp) -> Self {
        let client = |role: char| match role {
            'B' => app.as_role(Role::Board),
            'U' => app.as_head("02CV"),
            'O' => app.as_head("03TG"),
            'T' => app.as_role(Role::DataTeam),
            'D' => app.as_role(Role::Dashboard),
            'I' => app.as_role(Role::Intake),
            'A' => app.as_role(Role::Admin),
            _ => app.anonymous(),
        };
        let by_role = ROLES.map(|role| (role, client(role))).into();
        Self { connections: Connections::keeping(2 * THREADS), by_role }
    }

    fn client(&self, role: char) -> &Client<'a> {
        &self.by_role.iter().find(|(of, _)| *of == role).expect("a client").1
    }

    fn send(&self, role: char, (document, variables): &(String, Value)) -> Answer {
        let client = self.client(role);
        self.connections.graphql(client.server, &client.token, document, variables)
    }
}

/// A cell, for messages.
fn cell(row: usize, column: usize, role: char) -> String {
    format!("{} in {} by {role}", ROWS[row].name, STATES[column].0)
}

#[test]
fn every_mutation_of_the_schema_is_in_the_table_or_changes_no_complaint() {
    let guard = guard();
    let of_schema: BTreeSet<&str> =
        guard.fields().filter(|(of, _)| *of == "Mutation").map(|(_, mutation)| mutation).collect();
    let of_table: BTreeSet<&str> = ROWS.iter().map(|row| row.parts().0).collect();
    let elsewhere: BTreeSet<&str> = ELSEWHERE.split_whitespace().collect();
    let known: BTreeSet<&str> = of_table.union(&elsewhere).copied().collect();
    let missing: Vec<_> = of_schema.difference(&known).collect();
    assert!(missing.is_empty(), "{missing:?} stand neither in TABLE nor in ELSEWHERE");
    let gone: Vec<_> = known.difference(&of_schema).collect();
    assert!(gone.is_empty(), "the schema has no {gone:?}");
    let twice: Vec<_> = of_table.intersection(&elsewhere).collect();
    assert!(twice.is_empty(), "{twice:?} stand in both");
    // Whoever names a complaint changes it, but for those that say so.
    let typed = guard.typed();
    let arguments = |of: &str| -> Vec<(String, String)> {
        typed.iter().filter(|(within, ..)| within == of).map(|(_, name, of)| ((*name).into(), (*of).into())).collect()
    };
    let names_a_complaint = |mutation: &str| {
        let mut waiting = arguments(&format!("Mutation.{mutation}"));
        let mut seen = BTreeSet::new();
        while let Some((name, of)) = waiting.pop() {
            if ["complaintId", "complaintIds", "receipt", "pseudonym"].contains(&name.as_str()) {
                return true;
            }
            if seen.insert(of.clone()) {
                waiting.extend(arguments(&of));
            }
        }
        false
    };
    assert!(names_a_complaint("splitOfficer") && names_a_complaint("confirmClassifications"));
    let naming: Vec<&str> = elsewhere.iter().copied().filter(|mutation| names_a_complaint(mutation)).collect();
    assert_eq!(naming, NAMING, "what names a complaint stands in TABLE");
}

#[test]
fn what_the_table_allows_works_and_all_else_is_refused_and_changes_nothing() {
    for builder in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let [flag, config] = often(&files);
        let app = builder.world().keyed(&files).arguments(&["--no-jobs", &flag, &config]).start();
        let db = app.database.open();
        let mut stage = Stage::set(&db);
        let clients = Clients::of(&app);
        stage.find_pseudonyms(clients.client('U'));
        let before = Register::read(&app.database, &db);
        let refused = refused(&stage);
        assert!(refused.len() > 2_000 && stage.allowed.len() > 200, "{} and {}", refused.len(), stage.allowed.len());
        refuses(&clients, &refused);
        let after = Register::read(&app.database, &db);
        let changed: Vec<String> = before.differing(&after).iter().map(|id| staged_as(&stage, *id)).collect();
        assert!(changed.is_empty(), "refused, and yet changed on {}: {changed:?}", app.database.name);
        assert_eq!((after.position, &after.rows), (before.position, &before.rows), "{}", app.database.name);
        allows(&clients, &stage, &after, &app.database);
    }
}

/// The requests that must be refused: those of all roles that may not, and those of roles that may and know an older
/// version.
fn refused(stage: &Stage) -> Vec<Refused<'_>> {
    let mut refused = Vec::new();
    for (row, rule) in ROWS.iter().enumerate() {
        let late = expects_a_version(rule).then_some(("CONFLICT", -1));
        for column in 0..STATES.len() {
            let of = &stage.kept[&(rule.kind, column)];
            for role in ROLES {
                let code = rule.refusal(role, column).map(|code| (code, 0)).or(late);
                refused.extend(code.map(|(code, shift)| Refused { row, column, role, code, of, shift }));
            }
        }
    }
    refused
}

/// The place of a complaint on the stage.
fn staged_as(stage: &Stage, id: Id) -> String {
    let kept = stage.kept.iter().find(|(_, of)| of.id == id);
    let own = || stage.allowed.iter().find(|one| one.of.id == id);
    match kept {
        Some(((kind, column), _)) => format!("{kind:?} in {}", STATES[*column].0),
        None => own().map_or_else(|| id.to_string(), |one| cell(one.row, one.column, one.role)),
    }
}

/// Sends what must be refused, and compares the codes.
fn refuses(clients: &Clients<'_>, refused: &[Refused<'_>]) {
    let failures = in_parallel(THREADS, refused, |one| {
        let rule = &ROWS[one.row];
        let answer = clients.send(one.role, &operation(rule, one.of, one.shift));
        let code = code_of(rule, &answer);
        let version = if one.shift == 0 { "" } else { " at an older version" };
        (code.as_deref() != Some(one.code)).then(|| {
            let cell = cell(one.row, one.column, one.role);
            format!("{cell}{version}: {code:?} in place of {}: {}", one.code, answer.text)
        })
    });
    let failures: Vec<String> = failures.into_iter().flatten().collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Sends what is allowed. Each complaint must be in the state that follows, and each transaction must have recorded the
/// events of its cell and no others.
fn allows(clients: &Clients<'_>, stage: &Stage, before: &Register, database: &Database) {
    let answers: Vec<(Option<String>, Value)> = in_parallel(THREADS, &stage.allowed, |one| {
        let rule = &ROWS[one.row];
        let answer = clients.send(one.role, &operation(rule, &one.of, 0));
        let json = answer.json();
        (code_of(rule, &answer).map(|code| format!("{code}: {json}")), json["data"][rule.parts().0].clone())
    });
    let db = database.open();
    let (after, mut recorded) = (Register::read(database, &db), recorded_since(&db, before.position));
    let positions: Vec<i64> = recorded.keys().copied().collect();
    assert_eq!(positions, (before.position + 1..=after.position).collect::<Vec<_>>(), "positions without events");
    let mut failures = Vec::new();
    for (one, (error, data)) in stage.allowed.iter().zip(&answers) {
        let mut fail = |what: String| failures.push(format!("{}: {what}", cell(one.row, one.column, one.role)));
        if let Some(error) = error {
            fail(error.clone());
            continue;
        }
        // A receipt tells no position.
        let of_complaint = || recorded.iter().find(|(_, of)| of.complaints.contains(&one.of.id)).map(|(at, _)| *at);
        let position = data["position"].as_i64().or_else(of_complaint);
        let found = position.and_then(|position| recorded.remove(&position)).unwrap_or_default();
        let (events, expected) = (found.events.join("; "), expected_events(&ROWS[one.row], one.column));
        if events != expected {
            fail(format!("recorded {events:?}, not {expected:?}"));
        }
        if found.complaints.iter().any(|id| *id != one.of.id) {
            fail(format!("changed {:?}, too", found.complaints));
        }
        let complaint = &after.cases[&one.of.id].complaint;
        let version = i64::from(one.of.version) + i64::try_from(number_of_versions(&expected)).expect("a few");
        let (state, now) = (ROWS[one.row].then(one.column), (complaint.state.as_str(), i64::from(complaint.version)));
        if now != (state, version) {
            fail(format!("is {now:?}, not {:?}", (state, version)));
        }
        if let Some(told) = shown(data).filter(|told| *told != now) {
            fail(format!("the answer says {told:?}, and it is {now:?}"));
        }
        if ROWS[one.row].name == "renewReceipt" {
            failures.extend(renewed(clients, one, data));
        }
    }
    failures.extend(recorded.iter().map(|(position, of)| format!("nobody asked for {of:?} at {position}")));
    let asked: BTreeSet<Id> = stage.allowed.iter().map(|one| one.of.id).collect();
    let others = before.differing(&after).into_iter().filter(|id| !asked.contains(id));
    failures.extend(others.map(|id| format!("{} changed, too", staged_as(stage, id))));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The state and the version that an answer shows, if it shows them.
fn shown(data: &Value) -> Option<(&str, i64)> {
    let of_one = &data["results"][0]["complaint"];
    let complaint = if of_one.is_null() { &data["complaint"] } else { of_one };
    Some((complaint["state"].as_str()?, complaint["version"].as_i64()?))
}

/// Says what is wrong with a renewed code: the new one opens the complaint, and the earlier one nothing.
fn renewed(clients: &Clients<'_>, one: &Allowed, data: &Value) -> Option<String> {
    let document = "query ($receipt: String!) { complaintStatus(receipt: $receipt) { state } }";
    let asked = |code: &str| clients.send('R', &(document.to_owned(), json!({ "receipt": code })));
    let new = asked(data["receiptCode"].as_str().unwrap_or_default());
    let earlier = asked(&one.of.receipt);
    let is_right =
        new.json()["data"]["complaintStatus"]["state"] == STATES[one.column].1 && earlier.codes() == ["NOT_FOUND"];
    let cell = cell(one.row, one.column, one.role);
    (!is_right).then(|| format!("{cell}: the new code: {}, the earlier one: {}", new.text, earlier.text))
}
