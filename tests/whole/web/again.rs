//! Pages of errors that pass: each leads to the same page again, and keeps what a form sent.

use super::Visitor;
use tests::fixtures::Files;
use tests::{Role, TestApp};

#[test]
fn whoever_asks_too_often_may_try_again_and_loses_nothing() {
    let files = Files::new();
    let config = files.put("phananh.toml", "[api.roles.BOARD]\nrequests_per_minute = 1\n");
    let arguments = ["--no-jobs", "--config", config.to_str().expect("a path")];
    for app in TestApp::both().world().arguments(&arguments) {
        let mut visitor = Visitor::signed_in(app.server(), &app.as_role(Role::Board).token);
        let path = "/complaints?state=CLOSED&order=due";
        let answers = [0; 3].map(|_| visitor.get(path));
        let refused = &answers[2];
        assert_eq!(refused.status, 429, "{refused:?}");
        let shown = refused.text.replace("&#x2f;", "/").replace("&amp;", "&");
        assert!(shown.contains(&format!("<a href=\"{path}\">Thử lại</a>")), "{shown}");
        assert!(!shown.contains("Gửi lại"), "nothing was sent: {shown}");

        let written = [("title", "Bỏ giấy tờ trùng"), ("text", "Dòng một.\nDòng <hai>."), ("categories", "TD1")];
        let answer = visitor.post_with_secret("/categories/proposals", &written);
        assert_eq!(answer.status, 429, "{answer:?}");
        let shown = answer.text.replace("&#x2f;", "/").replace("&lt;", "<").replace("&gt;", ">");
        let form = shown.split("<form method=\"post\" action=\"/categories/proposals\">").nth(1);
        let form = form.and_then(|rest| rest.split("</form>").next()).unwrap_or_else(|| panic!("no form: {shown}"));
        for (name, value) in written {
            assert!(form.contains(&format!("name=\"{name}\" value=\"{value}\"")), "{name}: {form}");
        }
        assert!(form.matches("name=\"csrf\"").count() == 1 && form.contains("<button>Gửi lại</button>"), "{form}");
        assert!(!shown.contains("Thử lại"), "the form is sent again, and not only looked at: {shown}");
    }
}

#[test]
fn what_does_not_pass_is_not_tried_again() {
    let app = TestApp::sqlite().world().arguments(&["--no-jobs"]).start();
    let mut head = Visitor::signed_in(app.server(), &app.as_head("02CV").token);
    for path in ["/nowhere", "/audit"] {
        let refused = head.get(path);
        assert!([403, 404].contains(&refused.status), "{path}: {refused:?}");
        assert!(!refused.text.contains("Thử lại"), "{path}: {refused:?}");
    }
    let refused =
        head.post_with_secret("/categories/proposals", &[("title", "A"), ("text", "B"), ("categories", "TD")]);
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(!refused.text.contains("Gửi lại"), "{refused:?}");
}
