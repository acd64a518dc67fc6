//! The views for those who run the system: jobs, the audit log, and the archive of digests.

use super::Visitor;
use schema::enums::Role;
use tests::{Json, TestApp, wait_until};

#[test]
fn an_administrator_runs_pauses_and_resumes_jobs() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let admin = app.as_role(Role::Admin);
        let mut visitor = Visitor::signed_in(app.server(), &admin.token);
        let page = visitor.get("/jobs");
        assert_eq!(page.status, 200, "{page:?}");
        for words in ["recurrence", "id=\"do-run\"", "id=\"do-pause\"", "table-runs", "Chưa lần nào"] {
            assert!(page.text.contains(words), "{words}: {}", page.text);
        }
        let wrong = visitor.post_with_secret("/jobs", &[("step", "run"), ("name", "nothing")]);
        assert!(wrong.status == 422 && wrong.text.contains("href=\"#run-name\""), "{wrong:?}");
        let future = visitor.post_with_secret("/jobs", &[("step", "run"), ("name", "trends"), ("asOf", "2199-01-01")]);
        assert!(future.status == 422 && future.text.contains("href=\"#run-asOf\""), "{future:?}");
        let fields = [("step", "run"), ("name", "trends"), ("asOf", "2024-03-31")];
        assert_eq!(visitor.post("/jobs", &fields).status, 403, "without the secret of the session");
        let begun = visitor.post_with_secret("/jobs", &fields);
        assert_eq!((begun.status, begun.header("location")), (303, "/jobs?done=done-jobs-run"));
        wait_until(30, "the run succeeds", || {
            visitor.get("/jobs?job=trends&state=SUCCEEDED&as=csv&table=runs").text.lines().count() == 2
        });
        assert_eq!(visitor.get("/jobs?job=recurrence&as=csv&table=runs").text.lines().count(), 1);

        let paused =
            visitor.post_with_secret("/jobs", &[("step", "pause"), ("name", "trends"), ("reason", "Bảo trì máy chủ.")]);
        assert_eq!(paused.status, 303, "{paused:?}");
        let page = visitor.get("/jobs").text;
        assert!(page.contains("Bảo trì máy chủ.") && page.contains("id=\"do-resume\""), "{page}");
        let again = visitor.post_with_secret("/jobs", &[("step", "pause"), ("name", "trends")]);
        assert_eq!(again.status, 422, "it is paused already: {again:?}");
        assert_eq!(visitor.post_with_secret("/jobs", &[("step", "resume"), ("name", "trends")]).status, 303);
        assert!(!visitor.get("/jobs").text.contains("id=\"do-resume\""));

        let board = visitor_of(&app, Role::Board).get("/jobs");
        assert!(board.status == 200 && !board.text.contains("id=\"do-"), "the Board only reads: {board:?}");
        let by_board = visitor_of(&app, Role::Board).post_with_secret("/jobs", &[("step", "run"), ("name", "trends")]);
        assert_eq!(by_board.status, 422, "{by_board:?}");
        assert_eq!(visitor_of(&app, Role::DataTeam).get("/jobs").status, 403);
    }
}

fn visitor_of(app: &TestApp, role: Role) -> Visitor<'_> {
    Visitor::signed_in(app.server(), &app.as_role(role).token)
}

#[test]
fn an_administrator_reads_who_looked_at_whom() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        app.as_role(Role::Board).data("query WhoIsIt { officers { nodes { code name } } }");
        let mut admin = visitor_of(&app, Role::Admin);
        // Entries are written a little later than the answer.
        wait_until(10, "the look is in the log", || admin.get("/audit").text.contains("WhoIsIt"));
        for (filter, finds) in [
            ("action=LOOK", true),
            ("action=SQL", false),
            ("role=BOARD", true),
            ("role=DATA_TEAM", false),
            ("actor=token:BOARD-all", true),
            ("actor=nobody", false),
            ("until=2024-01-01", false),
        ] {
            let page = admin.get(&format!("/audit?{filter}"));
            assert_eq!(page.status, 200, "{filter}: {page:?}");
            assert_eq!(page.text.contains("WhoIsIt"), finds, "{filter}: {}", page.text);
        }
        for (wrong, words) in [("action=NONE", "href=\"#action\""), ("from=yesterday", "href=\"#from\"")] {
            let page = admin.get(&format!("/audit?{wrong}"));
            assert!(page.status == 422 && page.text.contains(words), "{wrong}: {page:?}");
        }
        assert!(!admin.get("/audit").text.contains("Nguyễn Văn An"), "people are named by pseudonyms");
        assert_eq!(visitor_of(&app, Role::Board).get("/audit").status, 403);
    }
}

/// A world with a digest that waits for a mail server.
fn with_a_digest(app: &TestApp) -> String {
    for job in ["timeliness", "trends", "escalate-overdue"] {
        app.run(&["jobs", "run", job, "--as-of", "2024-03-31"]);
    }
    app.run(&["digest", "subscribe", "--email", "chair@example.org", "--locale", "vi"]);
    app.run(&["jobs", "run", "digest", "--as-of", "2024-03-31"]);
    let data = app.as_role(Role::Board).data("{ digests(filter: {locale: {eq: VI}}) { nodes { id } } }");
    format!("/digests/{}", data["digests"]["nodes"][0]["id"].text())
}

#[test]
fn the_board_reads_what_was_sent_to_whom() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        let path = with_a_digest(&app);
        let mut board = visitor_of(&app, Role::Board);
        let list = board.get("/digests").text.replace("&#x2f;", "/");
        assert!(list.contains(&format!("href=\"{path}\"")), "{list}");
        let english = board.get("/digests?locale=EN").text.replace("&#x2f;", "/");
        assert!(!english.contains(&path), "{english}");
        assert!(!board.get("/digests?until=2024-03-30").text.replace("&#x2f;", "/").contains(&path));
        let page = board.get(&path);
        assert!(page.status == 200 && page.text.contains("chair@example.org"), "{page:?}");
        assert!(page.text.contains("Chờ gửi"), "{}", page.text);
        let message = board.get(&format!("{path}/message"));
        let policy = message.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.ends_with("sandbox"), "{policy}");
        assert!(message.status == 200 && message.text.contains("<html"), "{message:?}");
        assert!(!message.text.contains("cid:"), "its pictures are inside: {message:?}");
        let mut member = Visitor::signed_in(app.server(), &app.as_member("An", "CC01").token);
        assert!(
            !member.get("/digests").text.replace("&#x2f;", "/").contains(&path),
            "totals count complaints on oneself"
        );
        assert_eq!((member.get(&path).status, member.get(&format!("{path}/message")).status), (404, 404));
        for role in [Role::Admin, Role::DataTeam, Role::Dashboard] {
            let mut other = visitor_of(&app, role);
            assert_eq!((other.get("/digests").status, other.get(&path).status), (403, 403), "{role}");
        }
    }
}
