//! What readers do in a real browser, on both databases: each role works through visible controls only.

use super::in_browser;
use super::units::with_each_role;
use crate::reader_digests::config;
use mail_parser::MessageParser;
use serde_json::json;
use tests::fixtures::{self, Files};
use tests::work::Mutations;
use tests::{Database, Json, MailServer, Program, Role, TestApp};

/// The day of the flags and of the digest.
pub const DAY: &str = "2024-03-31";

/// The small world, in which five more enterprises complain about CC03, so that one flag is graver than the others.
pub fn world_with_a_grave_flag(database: &Database) {
    database.fill_once("page with a grave flag", |database| {
        fixtures::fill(database);
        let row = |number: u32| {
            // The complaints are about two branches, whose flags then have a lower tier than the officer's.
            let unit = if number < 4 { "03TG" } else { "02CV" };
            format!(
                "PB-{number};0{number}/03/2024;00109901235{number};Hộ {number};{unit};CC03;TD2;;;;;Gây khó {number};"
            )
        };
        let header = fixtures::COMPLAINTS.lines().next().expect("a header").to_owned();
        let lines: Vec<String> = std::iter::once(header).chain((1..=5).map(row)).collect();
        let import = Files::new();
        let arguments = import.import("complaints", lines.join("\n"), fixtures::COMPLAINTS_MAP);
        let program = Program::built();
        program.run(database, arguments).ok();
        fixtures::run_counting(database, DAY);
        for job in ["timeliness", "trends", "escalate-overdue"] {
            program.run(database, ["jobs", "run", job, "--as-of", DAY]).ok();
        }
    });
}

/// Submits a complaint about the unit 02CV and an officer; its id and its reference.
fn submitted(app: &TestApp, key: &str) -> [String; 2] {
    let receipt = app.as_role(Role::Intake).submitted(key, &json!({ "unit": "02CV", "officers": ["CC01"] }));
    ["id", "reference"].map(|field| receipt[field].text().to_owned())
}

#[test]
fn the_board_dismisses_the_gravest_flag_and_reads_it_in_its_digest() {
    let folder = Files::new();
    let server = MailServer::started();
    let config = config(folder.path(), server.port);
    for app in TestApp::both().filled(world_with_a_grave_flag).arguments(&["--no-jobs", "--config", &config]) {
        let board = app.as_holder(&["--name", "chair", "--role", "BOARD"]);
        let mail = "chair@example.org";
        app.run(&["digest", "subscribe", "--email", mail, "--locale", "vi", "--reader", "chair"]);
        let sent = |day: &[&str]| {
            let before = server.mails().len();
            app.run(&[&["jobs", "run", "reader-digests", "--config", &config][..], day].concat());
            app.run(&["jobs", "run", "deliver-digests", "--config", &config]);
            let mails = server.mails();
            assert_eq!(mails.len(), before + 1, "one digest is sent");
            let digest = MessageParser::default().parse(&mails[before]).expect("a mail that parses");
            [digest.body_text(0), digest.body_html(0)].map(|part| part.expect("a part of the digest").into_owned())
        };
        // The digest before, in which the flag stands.
        let before = sent(&["--as-of", DAY]);
        let grounds = "Cùng một vụ việc.";
        let found = in_browser("flags.js", app.server(), &[&board.token, grounds, mail]);
        let (listed, waiting) = (found["listed"].list(), found["waiting"].list());
        assert_eq!((found["today"].list().len(), listed.len()), (1, 1), "{found}");
        assert!(listed[0].text().contains("Lê Văn Cường") && waiting[0].text().contains("Lê Văn Cường"), "{found}");
        assert!(waiting.len() > 1, "the gravest comes first: {found}");
        let evidence = found["evidence"].list();
        assert!(evidence.iter().any(|text| text.text() == "Gây khó 5"), "{found}");
        assert!(found["pictures"].integer() >= 1, "{found}");
        let done = ["Đã tiếp nhận cảnh báo.", "Đã bắt đầu xem xét cảnh báo.", "Đã bỏ cảnh báo."];
        assert_eq!(found["done"], json!(done), "{found}");
        assert_eq!(found["problems"], json!(["Hãy ghi lý do của quyết định."]), "{found}");
        assert_eq!((found["focused"].text(), found["led"].text()), ("problems", "#reason"), "{found}");
        assert!(found["decisions"].list().iter().any(|row| row.text().contains(grounds)), "{found}");
        for part in ["digest", "message"] {
            let text = found[part].text();
            let says = text.contains("Ban đã bác cảnh báo") && text.contains("CC03") && text.contains(grounds);
            assert!(says, "{part}: {text}");
        }
        // The next digest that is sent says so, too.
        let after = sent(&[]);
        let says = |digest: &[String; 2], words: &str| digest.iter().all(|part| part.contains(words));
        for words in ["Ban đã bác cảnh báo", grounds] {
            assert!(says(&after, words) && !before[0].contains(words), "{words}: {before:?} {after:?}");
        }
        assert!(says(&before, "CC03") && says(&after, "CC03"), "{before:?} {after:?}");
        let id = found["path"].text().trim_start_matches("/flags/");
        let state = board.data(&format!("{{ flag(id: \"{id}\") {{ state }} }}"));
        assert_eq!(state["flag"]["state"], "DISMISSED");
    }
}

#[test]
fn a_complaint_is_assigned_answered_and_corrected_in_two_tabs() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let [id, reference] = submitted(&app, "browser");
        let (board, head) = (app.as_role(Role::Board), app.as_head("02CV"));
        let answer = "Đã nhận lại hồ sơ.";
        let arguments = [board.token.as_str(), &head.token, &reference, answer];
        let found = in_browser("complaints.js", app.server(), &arguments);
        assert_eq!(found["path"], format!("/complaints/{id}"), "{found}");
        let done = ["Đã phân loại.", "Đã ghi mức xác nhận.", "Đã giao.", "Đã ghi trả lời.", "Đã sửa.", "Đã sửa."];
        assert_eq!(found["done"], json!(done), "{found}");
        assert_eq!(found["offeredToHead"], json!(["do-respond", "do-propose"]), "{found}");
        assert!(found["answers"][0].text().contains(answer), "{found}");
        let conflict = found["conflict"][0].text();
        assert!(conflict.starts_with("Có người vừa thay đổi dữ liệu sau khi"), "{found}");
        // What the second tab wrote stays, and what the first one changed shows.
        let kept = json!({ "Thiệt hại (đồng)": "2000000", "Chậm trễ (giờ)": "4.5", "Lý do": "Có hóa đơn." });
        assert_eq!(found["kept"], kept, "{found}");
        let query = format!("{{ complaint(id: \"{id}\") {{ costVnd delayHours state category {{ code }} }} }}");
        let stored = board.data(&query)["complaint"].clone();
        let wanted =
            json!({ "costVnd": "2000000", "delayHours": 4.5, "state": "ANSWERED", "category": { "code": "TD1" } });
        assert_eq!(stored, wanted, "nothing is lost");
    }
}

#[test]
fn a_data_team_explores_and_saves_what_it_sees() {
    for app in TestApp::both().generated(3_000, 7).arguments(&["--no-jobs"]) {
        let branch =
            app.as_role(Role::Board).data("{ units(first: 1, filter: {kind: {eq: BRANCH}}) { nodes { code } } }");
        with_each_role(&app, branch["units"]["nodes"][0]["code"].text(), |server, tokens| {
            let found = in_browser("explore.js", server, &[&tokens[2]]);
            assert!(found["categories"].list().len() > 3, "{found}");
            assert_eq!((found["picture"].integer(), found["noPicture"].integer()), (1, 0), "{found}");
            assert!(found["measured"].list().iter().any(|name| name == "Thời gian chậm trễ nêu ra (giờ)"), "{found}");
            // What is chosen is in the address, which can be sent to another reader, and nothing else is.
            assert_eq!(found["path"], "/explore?by=CATEGORY&and=STATE&measure=DELAY_HOURS&channel=HOTLINE", "{found}");
            assert_eq!(found["focused"], "and", "the field that was changed keeps the focus: {found}");
            assert_eq!(found["files"], json!(["statistics.csv", "statistics.xlsx"]), "{found}");
            let rows = i64::try_from(found["rows"].list().len()).expect("a number of rows");
            assert!(rows > 4, "{found}");
            assert_eq!((found["csvRows"].integer(), found["bookRows"].integer()), (rows, rows), "{found}");
        });
    }
}

#[test]
fn a_dashboard_changes_nothing_and_sees_no_person() {
    for app in TestApp::both().filled(world_with_a_grave_flag).arguments(&["--no-jobs"]) {
        let found = in_browser("dashboard.js", app.server(), &[&app.as_role(Role::Dashboard).token]);
        let views = found["views"].list();
        let paths: Vec<&str> = views.iter().map(|view| view["path"].text()).collect();
        assert_eq!(paths, ["/", "/units", "/explore"], "what the navigation offers");
        for view in views {
            assert_eq!(view["changes"], json!(["/sign-out", "/sign-out/everywhere"]), "{view}");
            for hidden in ["CC01", "Lê Văn Cường", "Công ty", "Hộ 1", "0100233488", "Gây khó"] {
                assert!(!view["text"].text().contains(hidden), "{hidden}: {view}");
            }
        }
    }
}

#[test]
fn an_administrator_runs_jobs_reads_the_log_and_signs_out_everywhere() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let admin = app.as_role(Role::Admin);
        let found = in_browser("jobs.js", app.server(), &[&admin.token, "trends"]);
        let done = ["Công việc đã bắt đầu chạy.", "Đã tạm dừng công việc.", "Công việc chạy lại theo lịch."];
        assert_eq!(found["done"], json!(done), "{found}");
        let runs = found["runs"].text();
        assert!(runs.contains("Thành công") && runs.contains("Người"), "{found}");
        let (paused, resumed) = (found["paused"].text(), found["resumed"].text());
        assert!(paused.contains("Bảo trì máy chủ.") && !resumed.contains("Bảo trì máy chủ."), "{found}");
        let tokens = found["tokens"].list();
        assert!(!tokens.is_empty() && tokens.len() <= found["log"].list().len(), "{found}");
        assert!(tokens.iter().all(|row| row.text().contains("Cấp mã truy cập")), "{found}");
        assert_eq!(found["before"], json!(["Công việc tự động"]), "{found}");
        assert_eq!((&found["after"], &found["elsewhereAfter"]), (&json!(["Đăng nhập"]), &json!(["Đăng nhập"])));
    }
}

#[test]
fn the_page_works_without_scripts() {
    for app in TestApp::both().filled(world_with_a_grave_flag).arguments(&["--no-jobs"]) {
        let [id, reference] = submitted(&app, "plain");
        let board = app.as_role(Role::Board);
        let found = in_browser("plain.js", app.server(), &[&board.token, &reference]);
        assert_eq!(found["scripts"], "undefined", "{found}");
        let late = found["late"].text();
        assert!(late.contains("state=RECEIVED") && late.contains("overdue=1"), "{found}");
        let overdue = found["overdue"].list();
        assert!(!overdue.is_empty() && overdue.iter().all(|one| *one != *reference), "{found}");
        assert_eq!(found["listed"], json!([reference]), "{found}");
        let unknown = "Mã đơn vị: Hệ thống không có mã “99”. Hãy kiểm tra lại mã.";
        assert_eq!(found["problems"], json!([unknown]), "{found}");
        assert_eq!(found["kept"], "Đúng chức năng hơn.", "{found}");
        let subscribed = "Đã đăng ký. Bản tin đầu tiên được gửi vào giờ kế tiếp trong lịch.";
        assert_eq!(found["done"], json!(["Đã chuyển.", subscribed]), "{found}");
        assert!(found["digest"].text().contains("CC03"), "{found}");
        assert!(found["groups"].list().len() > 2, "{found}");
        assert_eq!(found["after"], json!(["Đăng nhập"]), "{found}");
        let stored = board.data(&format!("{{ complaint(id: \"{id}\") {{ responsibleUnit {{ code }} }} }}"));
        assert_eq!(stored["complaint"]["responsibleUnit"]["code"], "03TG");
    }
}
