//! What the histories tell of the story, to each role as far as it may see.

use super::conduct::{EXPLANATION, GROUNDS, SEEN, VERIFIED};
use super::people::{OFFICER, People, Submitted, assert_forbidden};
use crate::program;
use serde_json::{Value, json};
use tests::{Client, Json, Role, TestApp};

const STEPS: &str = "history(first: 100) { totalCount nodes { kind reason actor { kind name role } \
    changes { field before after withheld } } }";
/// What a role reads that is shown no reason and no name.
const STEPS_WITHOUT_NAMES: &str =
    "history(first: 100) { totalCount nodes { kind actor { kind role } changes { field before after withheld } } }";
/// Reference data change without reasons.
const CHANGES: &str = "history(first: 100) { totalCount nodes { kind actor { kind name role } \
    changes { field before after withheld } } }";

/// The steps of a history, each as a line: what it is, who did it, what changed, and why. `?` is a value that is
/// withheld.
fn lines(history: &Value) -> Vec<String> {
    let nodes = history["nodes"].list();
    assert_eq!(history["totalCount"], nodes.len());
    nodes.iter().map(line).collect()
}

fn line(step: &Value) -> String {
    let actor = &step["actor"];
    let who = [&actor["role"], &actor["name"]].into_iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
    let who = if who.is_empty() { actor["kind"].text().to_owned() } else { who };
    let changes: Vec<String> = step["changes"].list().iter().map(change).collect();
    let why = step["reason"].as_str().map(|reason| format!(" | {reason}")).unwrap_or_default();
    format!("{} | {who} | {}{why}", step["kind"].text(), changes.join(", "))
}

fn change(of: &Value) -> String {
    let field = of["field"].text();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    match (of["withheld"].truth(), of["before"].as_str()) {
        (true, _) => format!("{field} ?"),
        (false, None) => format!("{field} {}", text(&of["after"])),
        (false, Some(before)) => format!("{field} {before} > {}", text(&of["after"])),
    }
}

fn of_complaint(client: &Client<'_>, id: &Value) -> Vec<String> {
    let data = client.data(&format!("{{ complaint(id: {id}) {{ {STEPS} }} }}"));
    lines(&data["complaint"]["history"])
}

pub fn the_history_of_the_complaint_tells_every_step(people: &People<'_>, first: &Submitted) {
    let named = format!(
        "officers.officer {OFFICER}, officers.unit 02CV, officers.category TD3, officers.attribution ASSERTED, \
         officers.finding PENDING"
    );
    let all = [
        "RECEIVED | INTAKE INTAKE-all | state RECEIVED, receivedAt 2024-03-04T09:00:00+07:00, legalForm FEEDBACK, \
         channel PORTAL, enterprise 0100233488, unit 02CV, department 02, branch 02CV, responsibleUnit 02CV, \
         text Chi cục không cho thông quan và nói là do hệ thống mới bị lỗi., costVnd 12000000, delayHours 30.0, \
         blamesSystem true, confidential false"
            .to_owned(),
        "STATE_CHANGED | BOARD BOARD-all | state RECEIVED > CLASSIFIED, responsibleUnit 02CV > CNTT, category TD3"
            .to_owned(),
        "UPDATED | UNIT_HEAD UNIT_HEAD-CNTT | responsibleUnit CNTT > 02CV \
         | Chi cục 02CV làm thủ tục và phải trả lời."
            .to_owned(),
        "STATE_CHANGED | BOARD BOARD-all | state CLASSIFIED > ASSIGNED".to_owned(),
        "ESCALATED | JOB | escalation.level 1, escalation.unit 02, escalation.dueOn 2024-03-18".to_owned(),
        "ESCALATED | JOB | escalation.level 2, escalation.unit TC, escalation.dueOn 2024-03-18".to_owned(),
        "STATE_CHANGED | UNIT_HEAD UNIT_HEAD-02CV | state ASSIGNED > ANSWERED".to_owned(),
        "RESPONDED | UNIT_HEAD UNIT_HEAD-02CV | response.unit 02CV, response.action EXPLANATION, \
         response.text Hệ thống có lỗi, chi cục phải chờ., response.visibility COMPLAINANT"
            .to_owned(),
        format!("CORRECTED | BOARD BOARD-all | {named} | {SEEN}"),
        format!("CORRECTED | BOARD BOARD-all | officers.attribution ASSERTED > CONFIRMED | {VERIFIED}"),
    ];
    assert_eq!(of_complaint(&people.board, &first.id), all);

    // A head reads neither who complained nor the name of anybody but a head.
    let received = "RECEIVED | INTAKE | state RECEIVED, receivedAt ?, legalForm FEEDBACK, channel PORTAL, \
        enterprise ?, unit 02CV, department 02, branch 02CV, responsibleUnit 02CV, text ?, costVnd ?, delayHours ?, \
        blamesSystem true";
    let mut of_heads = all.clone().map(|line| line.replace("BOARD BOARD-all", "BOARD"));
    of_heads[0] = received.to_owned();
    for head in [&people.branch, &people.department, &people.general] {
        assert_eq!(of_complaint(head, &first.id), of_heads);
    }

    // The data team reads pseudonyms, and no text, reason or name.
    let query = format!(
        "{{ complaints(first: 50, filter: {{costVnd: {{eq: \"12000000\"}}}}) {{ nodes {{ enterprise {{ pseudonym }} \
         officers {{ officer {{ pseudonym }} }} {STEPS_WITHOUT_NAMES} }} }} }}"
    );
    let found = people.data_team.data(&query)["complaints"]["nodes"].clone();
    let [one] = found.list() else { panic!("one complaint: {found}") };
    let [enterprise, officer] = [&one["enterprise"], &one["officers"][0]["officer"]].map(|of| of["pseudonym"].text());
    let of_data_team: Vec<String> = all
        .iter()
        .filter(|line| !line.starts_with("RESPONDED"))
        .map(|line| {
            let line = [" INTAKE-all", " BOARD-all", " UNIT_HEAD-CNTT", " UNIT_HEAD-02CV"]
                .into_iter()
                .fold(line.clone(), |line, name| line.replace(name, ""));
            // The last part of a line with three bars is the reason.
            let parts: Vec<&str> = line.split(" | ").take(3).collect();
            let line = parts.join(" | ").replace("0100233488", enterprise).replace(OFFICER, officer);
            line.replace("text Chi cục không cho thông quan và nói là do hệ thống mới bị lỗi., ", "")
        })
        .collect();
    assert_eq!(lines(&one["history"]), of_data_team);

    // The other heads do not see the complaint, and the other roles no history.
    for head in [&people.field, &people.elsewhere] {
        assert_eq!(head.data(&format!("{{ complaint(id: {}) {{ {STEPS} }} }}", first.id))["complaint"], Value::Null);
    }
    let query = format!("{{ complaint(id: {}) {{ {STEPS_WITHOUT_NAMES} }} }}", first.id);
    let dashboard = people.app.as_role(Role::Dashboard);
    for client in [&people.admin, &people.intake, &dashboard] {
        assert_forbidden(&client.codes(&query));
    }
}

pub fn the_history_of_a_further_complaint_tells_every_step(people: &People<'_>, further: &Value) {
    let of_board = of_complaint(&people.board, further);
    let kinds: Vec<&str> = of_board.iter().filter_map(|line| line.split(" | ").next()).collect();
    assert_eq!(kinds, ["RECEIVED", "CORRECTED", "CORRECTED"]);
    assert!(of_board[1].contains("officers.category TD2") && of_board[1].ends_with(SEEN), "{of_board:?}");
    let confirmed = format!("CORRECTED | BOARD | officers.attribution ASSERTED > CONFIRMED | {VERIFIED}");
    assert_eq!(of_complaint(&people.branch, further)[2], confirmed);
}

pub fn the_history_of_the_officer_tells_every_step(people: &People<'_>, flag: &Value) {
    let query = format!("{{ officer(code: \"{OFFICER}\") {{ {CHANGES} }} }}");
    let of = |client: &Client<'_>| lines(&client.data(&query)["officer"]["history"]);
    let by_admin = [
        format!("CREATED | ADMIN ADMIN-all | code {OFFICER}, name Nguyễn Văn An, unknown false"),
        "CREATED | ADMIN ADMIN-all | postings 02CV-D1 2020-01-01/..".to_owned(),
    ];
    let measure = format!(
        "CREATED | UNIT_HEAD UNIT_HEAD-02CV | measure.basis FLAG, measure.decidedOn 2024-04-05, \
         measure.decisionMaker Chi cục trưởng 02CV, measure.endsOn 2024-05-02, measure.extensionLimitDays 15, \
         measure.flag {}, measure.ground HARASSMENT_OF_ENTERPRISES, measure.grounds {GROUNDS}, \
         measure.kind SUSPENSION, measure.limitDays 15, measure.limitsVersion 1, measure.recordedByUnit 02CV, \
         measure.startsOn 2024-04-08, measure.unit 02CV-D1",
        flag.text()
    );
    assert_eq!(of(&people.board), [&by_admin[..], &[measure]].concat());
    assert_eq!(of(&people.admin), by_admin, "an ADMIN reads no measure");
    let ids = people.board.data(&format!(
        "{{ officer(code: \"{OFFICER}\") {{ history {{ nodes {{ measureId }} }} }} measures {{ nodes {{ id }} }} }}"
    ));
    let recorded = ids["measures"]["nodes"][0]["id"].clone();
    let expected = [Value::Null, Value::Null, recorded].map(|id| json!({ "measureId": id }));
    assert_eq!(ids["officer"]["history"]["nodes"], json!(expected));
    let dashboard = people.app.as_role(Role::Dashboard);
    for client in [&people.branch, &people.department, &people.data_team, &people.intake, &dashboard] {
        assert_forbidden(&client.codes(&query));
    }
    // The history of the flag has the questions and the answers about it.
    let reviews = "{ flags(filter: {subjectKind: {eq: OFFICER}}) { nodes { id reviews { fromState toState reason \
        notifiedOn explanation actor } } } }";
    let review = json!({
        "fromState": "OPEN", "toState": "OPEN", "reason": null, "notifiedOn": "2024-04-02",
        "explanation": EXPLANATION, "actor": "token:UNIT_HEAD-02CV",
    });
    assert_eq!(people.board.data(reviews)["flags"]["nodes"], json!([{ "id": flag, "reviews": [review] }]));
}

pub fn the_history_of_the_unit_tells_every_step(people: &People<'_>) {
    let query =
        format!("{{ field: unit(code: \"CNTT\") {{ {CHANGES} }} branch: unit(code: \"02CV\") {{ {CHANGES} }} }}");
    for client in [&people.board, &people.admin] {
        let data = client.data(&query);
        assert_eq!(
            lines(&data["field"]["history"]),
            [
                "CREATED | ADMIN ADMIN-all | code CNTT, field Hệ thống công nghệ thông tin, kind HEADQUARTERS_UNIT, \
                 nameVi Cục Công nghệ thông tin, unknown false",
                "CREATED | ADMIN ADMIN-all | parents TC ../..",
            ]
        );
        assert_eq!(
            lines(&data["branch"]["history"]),
            [
                "CREATED | danh-muc | code 02CV, kind BRANCH, nameVi Chi cục HQ CK cảng Sài Gòn KV I, \
                 peerGroup SEAPORT, unknown false",
                "CREATED | danh-muc | parents 02 ../..",
            ]
        );
    }
    for client in [&people.branch, &people.field, &people.data_team, &people.intake] {
        assert_forbidden(&client.codes(&query));
    }
}

/// A member of the Board who is the officer.
pub fn the_officer_reads_nothing_of_the_own_case(app: &TestApp, five: &[Value]) {
    let member = app.as_member("An", OFFICER);
    for id in five {
        assert_eq!(member.data(&format!("{{ complaint(id: {id}) {{ state }} }}"))["complaint"], Value::Null);
    }
    let counted = member.data(
        "{ flags { totalCount } measures { totalCount } digests { totalCount } escalations { totalCount } \
           complaints { totalCount } }",
    );
    // The nine complaints about colleagues.
    for (list, number) in [("flags", 0), ("measures", 0), ("digests", 0), ("escalations", 0), ("complaints", 9)] {
        assert_eq!(counted[list]["totalCount"], number, "{list}");
    }
    let own = format!("{{ officer(code: \"{OFFICER}\") {{ history {{ totalCount nodes {{ kind }} }} }} }}");
    assert_eq!(member.data(&own)["officer"]["history"], json!({ "totalCount": 0, "nodes": [] }));
}

pub fn nothing_of_the_story_breaks_a_seal(app: &TestApp, key: &str) {
    app.run(&["audit", "seal", "--key-file", key]);
    let report = program().json(&app.database, &["audit", "verify", "--key-file", key]);
    assert_eq!(report["verified"], true, "{report}");
}
