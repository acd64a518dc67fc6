//! The views of flags: what they show to whom, and decisions from the page.

use super::Visitor;
use schema::enums::Role;
use serde_json::{Value, json};
use tests::{Client, Json, TestApp, chromium, node};

/// The path of the flag on an officer, and the run that found it.
fn flag_of(board: &Client<'_>, officer: &str) -> (String, String) {
    let data = board.data("{ flags { nodes { id runId officer { code } } } }");
    let flags = data["flags"]["nodes"].list();
    let flag = flags.iter().find(|flag| flag["officer"]["code"] == officer).expect("a flag");
    (format!("/flags/{}", flag["id"].text()), flag["runId"].text().to_owned())
}

fn state_of(board: &Client<'_>, path: &str) -> Value {
    let id = path.trim_start_matches("/flags/");
    board.data_with("query($id: ID!) { flag(id: $id) { state } }", &json!({ "id": id }))["flag"]["state"].clone()
}

#[test]
fn the_board_reads_a_flag_and_dismisses_it_with_grounds() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let (path, run) = flag_of(&board, "CC01");
        let mut visitor = Visitor::signed_in(app.server(), &board.token);
        let list = visitor.get("/flags").text.replace("&#x2f;", "/");
        assert!(list.contains(&format!("href=\"{path}\"")) && list.contains("Nguyễn Văn An"), "{list}");
        let page = visitor.get(&path);
        assert_eq!(page.status, 200, "{page:?}");
        for words in ["Cán bộ đòi tiền", "Xin giữ kín", "phananh flags reproduce", "picture-wide", "Tiếp nhận"]
        {
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }
        let send = |visitor: &mut Visitor<'_>, fields: &[(&str, &str)]| visitor.post_with_secret(&path, fields);
        assert_eq!(visitor.post(&path, &[("step", "ACKNOWLEDGED")]).status, 403, "without the secret of the session");
        let done = send(&mut visitor, &[("step", "ACKNOWLEDGED"), ("run", run.as_str())]);
        let shown = format!("{path}?done=done-flags-acknowledged");
        assert_eq!((done.status, done.header("location")), (303, shown.as_str()));
        assert!(visitor.get(&shown).text.contains("Đã tiếp nhận cảnh báo."));

        let id = path.trim_start_matches("/flags/").to_owned();
        for (fields, words) in [
            (vec![("step", "DISMISSED"), ("run", run.as_str())], "href=\"#reason\""),
            (vec![("step", "UPHELD"), ("run", run.as_str()), ("reason", "Đã xác minh.")], "href=\"#notified_on\""),
            (vec![("step", "DISMISSED"), ("run", id.as_str()), ("reason", "Khác.")], "lần tính toán mới hơn"),
            (vec![("step", "EXPIRED"), ("run", run.as_str())], "class=\"problems\""),
        ] {
            let refused = send(&mut visitor, &fields);
            assert_eq!(refused.status, 422, "{fields:?}: {refused:?}");
            assert!(refused.text.contains(words), "{fields:?}: {}", refused.text);
        }
        assert_eq!(state_of(&board, &path), "ACKNOWLEDGED", "what was refused changed nothing");
        let done = send(&mut visitor, &[("step", "DISMISSED"), ("run", run.as_str()), ("reason", "Cùng một vụ việc.")]);
        assert_eq!(done.status, 303, "{done:?}");
        assert_eq!(state_of(&board, &path), "DISMISSED");
        let page = visitor.get(&path).text;
        assert!(page.contains("Cùng một vụ việc.") && !page.contains("name=\"step\""), "{page}");
        assert!(!visitor.get("/flags").text.replace("&#x2f;", "/").contains(&path), "it waits no more");
        assert!(visitor.get("/flags?state=DISMISSED").text.replace("&#x2f;", "/").contains(&path));
        let csv = visitor.get(&format!("{path}?as=csv&table=evidence"));
        assert!(csv.text.contains("Cán bộ đòi tiền"), "{}", csv.text);
    }
}

#[test]
fn a_head_reads_the_flags_of_its_officers_without_numbers_and_records_what_they_say() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let (path, run) = flag_of(&board, "CC01");
        // CC01 serves at 03TG today.
        let mut own = Visitor::signed_in(app.server(), &app.as_head("03TG").token);
        let page = own.get(&path);
        assert_eq!(page.status, 200, "{page:?}");
        for hidden in ["Xin giữ kín", "phananh flags reproduce", "value=\"DISMISSED\"", "table-numbers"] {
            assert!(!page.text.contains(hidden), "{hidden}: {}", page.text);
        }
        assert_eq!(own.post_with_secret(&path, &[("step", "DISMISSED"), ("reason", "Không.")]).status, 403);
        let missing = own.post_with_secret(&path, &[("step", "EXPLAINED"), ("run", run.as_str())]);
        assert!(missing.status == 422 && missing.text.contains("href=\"#explanation\""), "{missing:?}");
        let said = [
            ("step", "EXPLAINED"),
            ("run", run.as_str()),
            ("notified_on", "2024-04-02"),
            ("explanation", "Thừa nhận."),
        ];
        assert_eq!(own.post_with_secret(&path, &said).status, 303);
        assert!(own.get(&path).text.contains("Thừa nhận."));
        assert!(Visitor::signed_in(app.server(), &board.token).get(&path).text.contains("Thừa nhận."));

        let mut other = Visitor::signed_in(app.server(), &app.as_head("02CV").token);
        assert_eq!(other.get(&path).status, 404, "the flag of a neighbour");
        assert_eq!(other.get("/flags/nonsense").status, 404);
        assert_eq!(Visitor::signed_in(app.server(), &app.as_role(Role::DataTeam).token).get("/flags").status, 403);
        let mut himself = Visitor::signed_in(app.server(), &app.as_member("cc01", "CC01").token);
        assert_eq!(himself.get(&path).status, 404, "nobody reads the flag on themselves");
    }
}

#[test]
fn filters_of_flags_are_in_the_address() {
    let app = TestApp::sqlite().world_with_flags("2024-03-31").arguments(&["--no-jobs"]).start();
    let board = app.as_role(Role::Board);
    let (path, _) = flag_of(&board, "CC01");
    let mut visitor = Visitor::signed_in(app.server(), &board.token);
    for (filter, finds) in [
        ("search=CC01", true),
        ("search=nguyen%20van%20an", true),
        ("search=CC99", false),
        ("kind=OFFICER", true),
        ("kind=BRANCH", false),
        ("unit=03TG", true),
        ("since=2999-01-01", false),
        ("order=changed", true),
    ] {
        let page = visitor.get(&format!("/flags?{filter}"));
        assert_eq!(page.status, 200, "{filter}: {page:?}");
        assert_eq!(page.text.replace("&#x2f;", "/").contains(&path), finds, "{filter}");
    }
    for (wrong, words) in [("since=yesterday", "href=\"#since\""), ("tier=NONE", "href=\"#tier\"")] {
        let page = visitor.get(&format!("/flags?{wrong}"));
        assert!(page.status == 422 && page.text.contains(words), "{wrong}: {page:?}");
    }
}

#[test]
fn a_reader_decides_about_a_flag_in_a_browser() {
    let app = TestApp::sqlite().world_with_flags("2024-03-31").arguments(&["--no-jobs"]).start();
    let board = app.as_role(Role::Board);
    let (path, _) = flag_of(&board, "CC01");
    let address = &app.server().address;
    let walked = node("page.js", &[chromium(), address, &board.token, &format!("/,/flags,{path}")]);
    let walked: Value = serde_json::from_str(&walked).unwrap_or_else(|e| panic!("{e}: {walked}"));
    for what in ["violations", "elsewhere", "errors"] {
        assert_eq!(walked[what], json!([]), "{what}");
    }
    let said = node("flags.js", &[chromium(), address, &board.token, "Cùng một vụ việc."]);
    let found: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    assert_eq!((&found["errors"], &found["refused"]), (&json!([]), &json!("#reason")), "{found}");
    assert!(!found["evidence"].list().is_empty() && found["pictures"].as_u64() >= Some(1), "{found}");
    assert_eq!(found["done"], "Đã bỏ cảnh báo.");
    assert!(found["decisions"].text().contains("Cùng một vụ việc."), "{found}");
    assert_eq!(state_of(&board, found["path"].text()), "DISMISSED");
}
