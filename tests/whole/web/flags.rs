//! The views of flags: what they show to whom, and decisions from the page.

use super::Visitor;
use schema::enums::Role;
use serde_json::{Value, json};
use tests::{Beside, Client, Json, TestApp};

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
fn the_board_derives_the_run_of_a_flag_again_on_its_page() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        let (board, admin) = (app.as_role(Role::Board), app.as_role(Role::Admin));
        let (path, run) = flag_of(&board, "CC01");
        let asked = "query Again($id: ID!) { runReproduction(id: $id) { runId asOf knownAt reproduced recordedHash \
                     derivedHash } }";
        let (asked, difference) = (asked, asked.replace("derivedHash", "firstDifference"));
        let variables = json!({ "id": run });
        let again = admin.data_with(asked, &variables)["runReproduction"].clone();
        assert_eq!((&again["reproduced"], &again["runId"]), (&json!(true), &json!(run)), "{again}");
        assert_eq!((&again["asOf"], &again["recordedHash"]), (&json!("2024-03-31"), &again["derivedHash"]));
        let refused = admin.request_with(&difference, &variables);
        assert!(refused.codes().contains(&"FORBIDDEN".to_owned()), "a difference may name an officer: {refused:?}");
        let flag = json!({ "id": path.trim_start_matches("/flags/") });
        assert_eq!(board.data_with(asked, &flag)["runReproduction"], Value::Null, "no run has this id");
        for role in [Role::Dashboard, Role::UnitHead] {
            let answer = app.as_any(role, "02CV").request_with(asked, &variables);
            assert!(answer.codes().iter().any(|code| code == "FORBIDDEN"), "{role}: {answer:?}");
        }

        let mut visitor = Visitor::signed_in(app.server(), &board.token);
        let page = visitor.get(&path).text;
        assert!(page.contains("name=\"derive\"") && !page.contains("Khớp: "), "{page}");
        let page = visitor.get(&format!("{path}?derive=again")).text;
        assert!(page.contains("Khớp: ") && page.contains(again["derivedHash"].text()), "{page}");
        let logged = "{ auditLog(first: 200, filter: {action: {eq: LOOK}}) { nodes { operation objects } } }";
        let began = std::time::Instant::now();
        while !admin.data(logged).to_string().contains("query.runReproduction.id") {
            assert!(began.elapsed().as_secs() < 5, "the audit log does not say which run was derived again");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }

        app.database.tamper("UPDATE flag_assessments SET tier = CASE tier WHEN 'WATCH' THEN 'REVIEW' ELSE 'WATCH' END");
        let changed = board.data_with(&difference, &variables)["runReproduction"].clone();
        assert_eq!(changed["reproduced"], false, "{changed}");
        assert!(changed["firstDifference"].text().starts_with("outputs: tier of "), "{changed}");
        let page = visitor.get(&format!("{path}?derive=again")).text;
        assert!(page.contains("Không khớp") && page.contains("outputs: tier of"), "{page}");
    }
}

#[test]
fn the_board_sees_a_flag_without_any_enterprise_of_its_evidence() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let (path, _) = flag_of(&board, "CC01");
        let mut visitor = Visitor::signed_in(app.server(), &board.token);
        let page = visitor.get(&path).text.replace("&#x2f;", "/");
        for code in ["0100233488", "0314409058", "0314409058-002"] {
            assert!(page.contains(&format!("href=\"{path}?without={code}#without\"")), "{code}: {page}");
        }
        assert!(!page.contains("table-chosen"), "{page}");
        let without = visitor.get(&format!("{path}?without=0100233488"));
        assert_eq!(without.status, 200, "{without:?}");
        for words in [
            "Khi không tính Công ty A (0100233488)",
            "Trong 180 ngày còn 2 phản ánh, từ 1 doanh nghiệp khác nhau.",
            "id=\"table-chosen\"",
        ] {
            assert!(without.text.contains(words), "{words}: {}", without.text);
        }
        assert!(without.text.replace("&#x2f;", "/").contains(&format!("href=\"{path}#without\"")), "{}", without.text);
        let csv = visitor.get(&format!("{path}?without=0100233488&as=csv&table=chosen"));
        assert!(csv.text.contains("\n180,1,2,2,1,"), "{}", csv.text);
        let unknown = visitor.get(&format!("{path}?without=001099012345"));
        assert_eq!(unknown.status, 422, "{unknown:?}");
        assert!(unknown.text.contains("Không có phản ánh nào trong căn cứ là của doanh nghiệp này."), "{unknown:?}");

        let english = format!("{}; phananh-language=en", visitor.cookie.clone().expect("a session"));
        let page = app.server().send("GET", &format!("{path}?without=0314409058"), &[("cookie", &english)], "").text;
        for words in ["One enterprise remains in 180 days, with 1 complaint.", "Numbers without this enterprise"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        let head =
            Visitor::signed_in(app.server(), &app.as_head("03TG").token).get(&format!("{path}?without=0314409058"));
        assert_eq!(head.status, 200, "{head:?}");
        assert!(!head.text.contains("#without") && !head.text.contains("table-chosen"), "{}", head.text);
    }
}

#[test]
fn a_flag_is_shown_also_if_its_numbers_without_an_enterprise_take_too_long() {
    let app = TestApp::postgres().world_with_flags("2024-03-31").arguments(&["--no-jobs"]).start();
    let board = app.as_role(Role::Board);
    let (path, _) = flag_of(&board, "CC01");
    let mut visitor = Visitor::signed_in(app.server(), &board.token);
    let address = format!("{path}?without=0100233488");
    // Nothing else on the page reads the results of jobs.
    let mut beside = Beside::new(&app.database);
    beside.lock("job_results");
    let late = visitor.get(&address);
    beside.unlock();
    assert_eq!(late.status, 200, "{late:?}");
    let page = late.text.replace("&#x2f;", "/");
    for words in [
        "Khi không tính Công ty A (0100233488)",
        "mất quá nhiều thời gian nên đã dừng lại",
        &format!("href=\"{address}\">Thử lại</a>"),
        "Cán bộ đòi tiền",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("table-chosen"), "{page}");
    let page = visitor.get(&address).text;
    assert!(page.contains("id=\"table-chosen\"") && !page.contains("Thử lại"), "{page}");
}

#[test]
fn a_head_reads_the_flags_of_its_officers_without_numbers_and_records_what_they_say() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let (path, run) = flag_of(&board, "CC01");
        let of_board = Visitor::signed_in(app.server(), &board.token).get(&path).text;
        assert!(!of_board.contains("#do-record"), "the Board records no measure: {of_board}");
        assert!(of_board.contains("<button disabled hidden></button>"), "Enter decides nothing: {of_board}");
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
        let text = own.get(&path).text.replace("&#x2f;", "/").replace("&amp;", "&");
        assert!(text.contains("Thừa nhận."));
        let id = path.trim_start_matches("/flags/");
        let measure = format!("/measures?officer=CC01&flag={id}");
        assert!(text.contains(&format!("href=\"{measure}#do-record\"")), "the flag leads to a measure: {text}");
        let form = own.get(&measure).text;
        assert!(form.contains("id=\"do-record\" open") && form.contains(&format!("value=\"{id}\"")), "{form}");
        assert!(!own.get("/measures?officer=CC01").text.contains("id=\"do-record\" open"), "else it is folded");
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
