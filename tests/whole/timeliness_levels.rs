//! Timeliness at every level of units: what a unit has to answer counts for it and for those above it, as in scorecards.

use crate::responsible::{apps, complaint};
use serde_json::{Value, json};
use tests::work::Mutations;
use tests::{Client, Json, Role, merged};

/// Sends a mutation about a complaint at its present version.
fn act(client: &Client<'_>, board: &Client<'_>, id: &Value, mutation: &str, more: &Value) {
    let of = json!({ "complaintId": id, "expectedVersion": complaint(board, id)["version"] });
    client.done(mutation, "position", &merged(&of, more));
}

/// Waits until the server has a position in memory, with the tree of units.
fn wait_for(board: &Client<'_>, position: &Value) {
    board.data(&format!("{{ complaintStatistics(minPosition: {position}) {{ position }} }}"));
}

/// What `responseTimeliness` of a level says about a unit; zeros if it does not name the unit.
fn row(board: &Client<'_>, level: &str, unit: &str) -> Value {
    let query = format!(
        "{{ responseTimeliness(level: {level}, days: 36500) {{ unitCode complaints open overdue due inTime }} }}"
    );
    let rows = board.data(&query)["responseTimeliness"].clone();
    let found = rows.list().iter().find(|row| row["unitCode"] == unit);
    let number = |field: &str| found.map_or(json!(0), |row| row[field].clone());
    json!({
        "complaints": number("complaints"), "open": number("open"), "overdue": number("overdue"),
        "due": number("due"), "answeredInTime": number("inTime"),
    })
}

fn scorecard(board: &Client<'_>, unit: &str) -> Value {
    let query = format!(
        "{{ unit(code: \"{unit}\") {{ scorecard(days: 36500) {{ complaints open overdue due answeredInTime }} }} }}"
    );
    board.data(&query)["unit"]["scorecard"].clone()
}

#[test]
fn each_level_counts_what_its_units_and_those_below_them_have_to_answer() {
    for app in apps() {
        let (board, admin, intake) = (app.as_role(Role::Board), app.as_role(Role::Admin), app.as_role(Role::Intake));
        // A team of a headquarters unit, and a branch that began after the complaints were received.
        for new in [
            json!({ "code": "CNTT-P1", "nameVi": "Phòng Phần mềm", "kind": "TEAM", "parent": "CNTT" }),
            json!({ "code": "03MM", "nameVi": "Chi cục MM", "kind": "BRANCH", "parent": "03", "validFrom": "2025-01-01" }),
        ] {
            let made = admin.done("createUnit", "position", &new);
            wait_for(&board, &made["position"]);
        }
        let new = |key: &str, unit: &str| {
            let more = json!({ "unit": unit, "category": "TD1", "receivedAt": "2024-05-01T08:00:00+07:00" });
            intake.submitted(key, &more)["id"].clone()
        };
        let answer = json!({ "action": "EXPLANATION", "text": "Đã kiểm tra." });
        for (key, unit, answered) in [("a", "CNTT-P1", false), ("b", "CNTT-P1", true), ("c", "03MM", false)] {
            let id = new(key, "02CV");
            let to = json!({ "unit": unit, "reason": "Đúng đơn vị." });
            act(&board, &board, &id, "transferComplaint", &to);
            if answered {
                act(&app.as_head(unit), &board, &id, "respondToComplaint", &answer);
            }
        }
        // One of two complaints about a branch that moves is answered before.
        let [answered, _waiting] = ["d", "e"].map(|key| new(key, "02DS"));
        act(&app.as_head("02DS"), &board, &answered, "respondToComplaint", &answer);
        let revision = admin.data("{ unit(code: \"02DS\") { revision } }")["unit"]["revision"].clone();
        let there = json!({ "unit": "02DS", "expectedRevision": revision, "parent": "03", "from": "2025-01-01" });
        let moved = admin.done("moveUnit", "position", &there);
        wait_for(&board, &moved["position"]);

        for (level, units) in [
            ("DEPARTMENT", &["02", "03"][..]),
            ("BRANCH", &["02CV", "02DS", "03TG", "03MM"][..]),
            ("TEAM", &["02CV-D1", "CNTT-P1"][..]),
            ("HEADQUARTERS_UNIT", &["CNTT"][..]),
        ] {
            for unit in units {
                assert_eq!(row(&board, level, unit), scorecard(&board, unit), "{unit} on {}", app.database.name);
            }
        }
        let complaints = |level: &str, unit: &str| row(&board, level, unit)["complaints"].integer();
        assert_eq!(complaints("HEADQUARTERS_UNIT", "CNTT"), 3, "KT-1, and both of its team");
        assert_eq!(complaints("DEPARTMENT", "03"), 4, "PA-4, the branch that began later, and both that wait for 02DS");
        assert_eq!(complaints("DEPARTMENT", "02"), 5, "four of 02CV, and what 02DS answered there");
    }
}
