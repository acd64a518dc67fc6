//! Guidance documents on the page: drafts, opinions and issue, each by the role that may.

use super::Visitor;
use schema::Timestamp;
use schema::domain::calendar::local_date;
use schema::enums::Role;
use tests::work::with_headquarters;
use tests::{Client, Json, TestApp};

/// The path of the only document that a client reads.
fn path(client: &Client<'_>) -> String {
    let data = client.data("{ guidanceDocuments { nodes { id } } }");
    format!("/guidance/{}", data["guidanceDocuments"]["nodes"][0]["id"].text())
}

/// The words of the state and the version of that document.
fn state(client: &Client<'_>) -> (String, i64) {
    let data = client.data("{ guidanceDocuments { nodes { state version } } }");
    let document = &data["guidanceDocuments"]["nodes"][0];
    (document["state"].text().to_owned(), document["version"].integer())
}

#[test]
fn a_headquarters_unit_drafts_the_board_opines_and_the_unit_issues() {
    for app in TestApp::both().filled(with_headquarters).arguments(&["--no-jobs"]) {
        let (board, head) = (app.as_role(Role::Board), app.as_head("HQ1"));
        let mut unit = Visitor::signed_in(app.server(), &head.token);
        let mut opines = Visitor::signed_in(app.server(), &board.token);
        let empty = unit.get("/guidance");
        assert!(empty.status == 200 && empty.text.contains("id=\"request-title\""), "{empty:?}");
        let lacks = unit.post_with_secret("/guidance", &[("step", "request"), ("title", "Thông quan khi lỗi")]);
        assert_eq!(lacks.status, 422, "{lacks:?}");
        assert!(
            lacks.text.contains("href=\"#request-text\"") && lacks.text.contains("Thông quan khi lỗi"),
            "{lacks:?}"
        );
        let unknown = [("step", "request"), ("title", "T"), ("text", "N"), ("category", "XX")];
        let unknown = unit.post_with_secret("/guidance", &unknown);
        assert!(unknown.status == 422 && unknown.text.contains("href=\"#request-category\""), "{unknown:?}");
        let draft = [
            ("step", "request"),
            ("title", "Thông quan khi lỗi"),
            ("text", "Làm trên giấy.\nGhi nhận sau."),
            ("category", "TD1"),
        ];
        assert_eq!(unit.post("/guidance", &draft).status, 403, "without the secret of the session");
        let sent = unit.post_with_secret("/guidance", &draft);
        assert_eq!((sent.status, sent.header("location")), (303, "/guidance?done=done-guidance-request"));
        let path = path(&board);

        let page = unit.get(&path).text;
        assert!(page.contains("Ghi nhận sau.") && page.contains("id=\"do-revise\""), "{page}");
        assert!(!page.contains("id=\"do-issue\"") && !page.contains("id=\"do-opinion\""), "{page}");
        let early = [("step", "issue"), ("version", "1"), ("number", "1"), ("issuedOn", "2024-01-01")];
        assert_eq!(unit.post_with_secret(&path, &early).status, 422, "without the opinion");
        let mut branch = Visitor::signed_in(app.server(), &app.as_head("02CV").token);
        assert_eq!(branch.get(&path).status, 404, "a draft is not for other units");
        assert!(!branch.get("/guidance").text.contains("id=\"request-title\""), "branches draft no guidance");

        assert!(opines.get("/guidance?state=OPINION_REQUESTED").text.contains("Thông quan khi lỗi"));
        assert!(!opines.get("/guidance?state=ISSUED").text.contains("Thông quan khi lỗi"));
        let page = opines.get(&path).text;
        assert!(page.contains("id=\"do-opinion\"") && !page.contains("id=\"do-revise\""), "{page}");
        let opinion =
            |version| [("step", "opinion"), ("version", version), ("verdict", "NOT_AGREED"), ("text", "Chưa rõ.")];
        let stale = opines.post_with_secret(&path, &opinion("7"));
        assert_eq!(stale.status, 422, "another version than the one that was read: {stale:?}");
        assert_eq!(state(&board), ("OPINION_REQUESTED".to_owned(), 1));
        let given = opines.post_with_secret(&path, &opinion("1"));
        let shown = format!("{path}?done=done-guidance-opinion");
        assert_eq!((given.status, given.header("location")), (303, shown.as_str()));
        assert!(opines.get(&shown).text.contains("Chưa rõ."));

        let today = local_date(Timestamp::now()).to_string();
        let issue = |reason| {
            [("step", "issue"), ("version", "2"), ("number", "12-HD"), ("issuedOn", today.as_str()), ("reason", reason)]
        };
        let without = unit.post_with_secret(&path, &issue(""));
        assert!(without.status == 422 && without.text.contains("href=\"#issue-reason\""), "{without:?}");
        assert_eq!(unit.post_with_secret(&path, &issue("Theo luật.")).status, 303);
        assert_eq!(state(&board), ("ISSUED".to_owned(), 3));
        let read = branch.get(&path);
        assert!(read.status == 200 && read.text.contains("12-HD"), "all heads read what was issued: {read:?}");
        assert!(!read.text.contains("id=\"do-"), "{}", read.text);
        let mut team = Visitor::signed_in(app.server(), &app.as_role(Role::DataTeam).token);
        assert_eq!((team.get("/guidance").status, team.get(&path).status), (403, 403));
        assert_eq!(opines.get("/guidance/nonsense").status, 404);
        let csv = opines.get("/guidance?as=csv").text;
        assert!(csv.contains("12-HD"), "{csv}");
    }
}
