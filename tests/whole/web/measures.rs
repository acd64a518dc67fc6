//! Measures on the page: heads record and change them, the Board reads them, no officer reads those on themselves.

use super::Visitor;
use schema::enums::Role;
use serde_json::Value;
use tests::{Client, Json, TestApp};

fn measure(client: &Client<'_>) -> Value {
    let data = client.data("{ measures { nodes { id version state endsOn kind } } }");
    data["measures"]["nodes"][0].clone()
}

#[test]
fn a_head_records_a_measure_lifts_it_and_voids_it() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let mut own = Visitor::signed_in(app.server(), &app.as_head("02DS").token);
        let form = own.get("/measures?officer=CC02").text;
        assert!(
            form.contains("id=\"record-officer\" name=\"officer\" required") && form.contains("value=\"CC02\""),
            "{form}"
        );
        let basis = [
            ("step", "record"),
            ("officer", "CC02"),
            ("kind", "FORMAL_REVIEW"),
            ("grounds", "Chậm trả lời doanh nghiệp."),
            ("decisionMaker", "Chi cục trưởng"),
            ("decisionNumber", "7-QD"),
            ("decidedOn", "2024-02-08"),
            ("startsOn", "2024-02-10"),
            ("endsOn", "2024-03-10"),
        ];
        let refused = own.post_with_secret("/measures", &basis);
        assert_eq!(refused.status, 422, "it rests on nothing: {refused:?}");
        let whole = [&basis[..], &[("noBasisReason", "Nội bộ.")]].concat();
        assert_eq!(own.post("/measures", &whole).status, 403, "without the secret of the session");
        let recorded = own.post_with_secret("/measures", &whole);
        assert_eq!((recorded.status, recorded.header("location")), (303, "/measures?done=done-measures-record"));
        let made = measure(&board);
        assert_eq!((made["kind"].text(), made["endsOn"].text()), ("FORMAL_REVIEW", "2024-03-10"));
        let path = format!("/measures/{}", made["id"].text());

        let list = own.get("/measures?kind=FORMAL_REVIEW&officer=CC02").text.replace("&#x2f;", "/");
        assert!(list.contains(&format!("href=\"{path}\"")) && list.contains("7-QD"), "{list}");
        assert!(!own.get("/measures?kind=SUSPENSION").text.contains("7-QD"));
        assert!(!own.get("/measures?until=2024-02-07").text.contains("7-QD"));
        let page = own.get(&path);
        assert!(page.status == 200 && page.text.contains("table-outcome"), "{page:?}");
        assert!(page.text.contains("id=\"do-end\"") && page.text.contains("id=\"do-void\""), "{}", page.text);
        for (days, words, is_shown) in [("0", "“0” không dùng được", true), ("a%00b", "“days” trong địa chỉ", false)]
        {
            let wrong = own.get(&format!("{path}?days={days}"));
            assert!(wrong.status == 422 && wrong.text.contains(words), "{days}: {wrong:?}");
            assert!(wrong.text.contains("<form class=\"filters\""), "the days can be changed: {wrong:?}");
            assert_eq!(wrong.text.contains("7-QD"), is_shown, "{days}: {wrong:?}");
        }
        let read = Visitor::signed_in(app.server(), &board.token).get(&path);
        assert!(read.status == 200 && !read.text.contains("id=\"do-"), "the Board only reads: {read:?}");
        let mut other = Visitor::signed_in(app.server(), &app.as_head("02CV").token);
        assert_eq!(other.get(&path).status, 404, "a measure of a neighbour");
        let himself = ["--name", "own", "--role", "UNIT_HEAD", "--unit", "02DS", "--officer", "CC02"];
        let mut himself = Visitor::signed_in(app.server(), &app.as_holder(&himself).token);
        assert_eq!(himself.get(&path).status, 404, "a measure on oneself");
        assert_eq!(Visitor::signed_in(app.server(), &app.as_role(Role::Admin).token).get("/measures").status, 403);

        let end = |version, day, reason| [("step", "end"), ("version", version), ("endsOn", day), ("reason", reason)];
        for (fields, words) in [
            (end("1", "2024-01-01", "Sớm hơn."), "href=\"#end-endsOn\""),
            (end("1", "2024-04-01", ""), "href=\"#end-reason\""),
            (end("9", "2024-04-01", "Muộn."), "class=\"problems\""),
        ] {
            let refused = own.post_with_secret(&path, &fields);
            assert!(refused.status == 422 && refused.text.contains(words), "{fields:?}: {refused:?}");
        }
        assert_eq!(measure(&board)["version"], 1, "what was refused changed nothing");
        let ended = own.post_with_secret(&path, &end("1", "2024-04-01", "Đã khắc phục."));
        let shown = format!("{path}?done=done-measures-end");
        assert_eq!((ended.status, ended.header("location")), (303, shown.as_str()));
        assert!(own.get(&shown).text.contains("Đã ghi ngày kết thúc."));
        let voided = own.post_with_secret(&path, &[("step", "void"), ("version", "2"), ("reason", "Nhầm người.")]);
        assert_eq!(voided.status, 303, "{voided:?}");
        assert_eq!(measure(&board)["state"], "VOID");
        assert!(!own.get(&path).text.contains("id=\"do-"), "what is void no longer changes");
    }
}
