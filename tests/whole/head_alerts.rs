//! Alerts for heads of units: made of what the head may see, and sent while it may see it.

use crate::alerts::{Place, alerts, change, of_kind};
use crate::program;
use crate::reader_digests::token;
use crate::web::Visitor;
use diesel::prelude::*;
use schema::Id;
use schema::domain::ids::human_reference;
use schema::enums::{CategoryKind, UnitKind};
use schema::tables::{complaint_officers, complaints, escalations, issue_categories, officers, units};
use serde_json::{Value, json};
use tests::{Json, MailServer, Receiver, Role, TestApp};

pub fn settings(place: &Place, mail: &MailServer) -> String {
    place.config(&format!(
        "[links]\nbase_url = \"https://phananh.example\"\n[webhooks]\nallow_networks = [\"127.0.0.0/8\"]\n\
         [smtp]\nhost = \"127.0.0.1\"\nport = {}\nencryption = \"none\"\nfrom = \"Ban <board@example.org>\"\n",
        mail.port
    ))
}

pub fn subscribe(app: &TestApp, place: &Place, address: &str, reader: &str) {
    let args = ["alerts", "subscribe", "--email", address, "--locale", "en", "--reader", reader, "--key-file"];
    program().run(&app.database, [&args[..], &[place.key.as_str()]].concat()).ok();
}

/// The text of the last mail to an address.
pub fn mail_to(server: &MailServer, address: &str) -> Option<String> {
    let all = server.mails();
    let texts = all.iter().map(|mail| {
        let mail = mail_parser::MessageParser::default().parse(mail.as_slice()).expect("a mail that parses");
        let to = mail.to().and_then(|to| to.first()).and_then(|to| to.address()).map(str::to_owned);
        (to, mail.body_text(0).expect("text").into_owned())
    });
    let mut found = texts.filter(|(to, _)| to.as_deref() == Some(address)).map(|(_, text)| text);
    found.next_back()
}

/// Twelve technical complaints about one branch within the hour: three are confidential, and some name an officer.
/// Returns the code of the branch, the code of the officer, and how many a head who is that officer may see.
pub fn burst(app: &TestApp) -> (String, String, usize) {
    let mut made = None;
    change(&app.database, |tx| {
        let technical: Id = issue_categories::table
            .filter(issue_categories::kind.eq(CategoryKind::Technical))
            .select(issue_categories::id)
            .first(tx.conn)?;
        let named: Vec<(Id, Id)> = complaint_officers::table
            .inner_join(complaints::table.on(complaints::id.eq(complaint_officers::complaint_id)))
            .filter(complaints::branch_id.is_not_null())
            .order((complaints::id, complaint_officers::officer_id))
            .select((complaints::id, complaint_officers::officer_id))
            .load(tx.conn)?;
        let (first, officer) = named[0];
        let of_officer: Vec<Id> =
            named.iter().filter(|(_, other)| *other == officer).map(|(complaint, _)| *complaint).collect();
        let others: Vec<Id> = complaints::table
            .filter(complaints::branch_id.is_not_null())
            .order(complaints::id)
            .select(complaints::id)
            .load(tx.conn)?;
        let others = others.into_iter().filter(|id| !of_officer.contains(id)).take(11);
        let ids: Vec<Id> = std::iter::once(first).chain(others).collect();
        let (department, branch): (Option<Id>, Option<Id>) =
            complaints::table.find(first).select((complaints::department_id, complaints::branch_id)).first(tx.conn)?;
        let code: String = units::table.find(branch.expect("a branch")).select(units::code).first(tx.conn)?;
        diesel::update(complaints::table.filter(complaints::id.eq_any(&ids)))
            .set((
                complaints::received_at.eq(tx.now),
                complaints::category_id.eq(Some(technical)),
                complaints::department_id.eq(department),
                complaints::branch_id.eq(branch),
                complaints::confidential.eq(false),
            ))
            .execute(tx.conn)?;
        diesel::update(complaints::table.filter(complaints::id.eq_any(ids[9..].to_vec())))
            .set(complaints::confidential.eq(true))
            .execute(tx.conn)?;
        let officer: String = officers::table.find(officer).select(officers::code).first(tx.conn)?;
        made = Some((code, officer, 12 - 3 - 1));
        Ok(())
    });
    made.expect("a burst")
}

#[test]
fn a_head_is_told_of_a_burst_by_what_it_may_see() {
    let place = Place::new();
    let receiver = Receiver::start();
    for app in TestApp::both().generated(3_000, 7).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let mail = MailServer::started();
        let config = settings(&place, &mail);
        let (branch, officer, visible) = burst(&app);
        let head = token(database, "head", &["--role", "UNIT_HEAD", "--unit", &branch, "--officer", &officer]);
        let other = token(database, "other", &["--role", "UNIT_HEAD", "--unit", &branch]);
        subscribe(&app, &place, "head@example.org", "head");
        let before = receiver.received().len();
        let url = receiver.url("/ok");
        let add = ["webhook", "add", &url, "--name", "x", "--reader", "head"];
        program().run(database, [&add[..], &["--config", &config, "--key-file", &place.key]].concat()).ok();
        let board = ["alerts", "subscribe", "--email", "chair@example.org", "--locale", "en"];
        program().run(database, board).ok();

        place.job(database, &config, "alerts");
        let found = of_kind(&alerts(database), "TECHNICAL_BURST");
        let [of_head, of_board]: [Vec<&Value>; 2] =
            [false, true].map(|of_board| found.iter().filter(|one| one["readerId"].is_null() == of_board).collect());
        assert_eq!((of_head.len(), of_board.len()), (1, 1), "{found:?}");
        assert_eq!((&of_head[0]["subject"], &of_board[0]["subject"]), (&json!(branch), &json!(branch)));
        assert_eq!(
            (&of_head[0]["details"]["complaints"], &of_board[0]["details"]["complaints"]),
            (&json!(visible), &json!(12))
        );
        // Each sees its own alone, by the API and on the page.
        let query = "{ alerts(filter: {kind: {eq: TECHNICAL_BURST}}) { nodes { id subject details } } }";
        let ids = |token: &str| -> Vec<Value> {
            let data = app.server().data(token, query);
            data["alerts"]["nodes"].list().iter().map(|node| node["id"].clone()).collect()
        };
        assert_eq!(ids(&head), [of_head[0]["id"].clone()], "{}", database.name);
        assert_eq!(ids(&other), Vec::<Value>::new(), "another head of the unit has not subscribed");
        assert_eq!(ids(&app.as_role(Role::Board).token), [of_board[0]["id"].clone()]);
        let mut visitor = Visitor::signed_in(app.server(), &head);
        let page = visitor.get("/alerts?kind=TECHNICAL_BURST&as=csv");
        assert!(page.status == 200 && page.text.lines().count() == 2, "{page:?}");
        assert!(visitor.get("/").text.contains("table-alerts"), "those that stand are on Today");

        assert_eq!(place.job(database, &config, "notify")["failed"], 0);
        let told = mail_to(&mail, "head@example.org").expect("a mail to the head");
        let line = format!("Unusually many technical complaints ({branch}): {visible} from ");
        assert!(told.contains(&line), "{told}");
        // How often chance alone would raise it: the number of the API and the page.
        let rate = of_head[0]["details"]["falseAlarmsPerMonth"].number();
        let chance = format!("Chance alone would raise such an alert at most {rate} times a month.");
        assert!(told.contains(&chance), "{told}");
        let shown = visitor.get("/alerts?kind=TECHNICAL_BURST").text;
        let shown_rate = rate.to_string().replace('.', ",");
        assert!(shown.contains(&format!("nhiều nhất {shown_rate} lần mỗi tháng")), "{shown}");
        assert!(
            told.contains(&format!("https://phananh.example/alerts?kind=TECHNICAL_BURST&subject={branch}")),
            "{told}"
        );
        let told = mail_to(&mail, "chair@example.org").expect("a mail to the Board");
        assert!(told.contains(&format!("({branch}): 12 from ")) && told.contains(&chance), "{told}");
        let posted = receiver.received().split_off(before);
        let bodies: Vec<Value> = posted.iter().map(|one| serde_json::from_str(&one.body).expect("JSON")).collect();
        assert_eq!(bodies.len(), 1, "only what is the head's: {bodies:?}");
        assert_eq!(bodies[0]["data"]["alert"], of_head[0]["id"]);
        assert!(!bodies[0].to_string().contains("complaints"), "thin: {}", bodies[0]);
    }
}

/// A department to which complaints are escalated that it may see; it and the complaints, two at least.
fn escalate(app: &TestApp) -> (String, Vec<Id>) {
    app.run(&["jobs", "run", "escalate-overdue"]);
    let mut made = None;
    change(&app.database, |tx| {
        let rows: Vec<(Id, String, Id)> = escalations::table
            .inner_join(units::table.on(units::id.nullable().eq(escalations::unit_id)))
            .filter(units::kind.eq(UnitKind::ProvincialDepartment))
            .order((units::code, escalations::complaint_id))
            .select((units::id, units::code, escalations::complaint_id))
            .load(tx.conn)?;
        let of = |unit: Id| rows.iter().filter(move |(other, ..)| *other == unit).map(|(.., complaint)| *complaint);
        let (unit, code, _) = rows.iter().find(|(unit, ..)| of(*unit).count() > 1).expect("a department");
        let mut all: Vec<Id> = of(*unit).collect();
        all.dedup();
        diesel::update(complaints::table.filter(complaints::id.eq_any(&all)))
            .set(complaints::confidential.eq(false))
            .execute(tx.conn)?;
        made = Some((code.clone(), all));
        Ok(())
    });
    made.expect("escalations")
}

fn hide(app: &TestApp, complaint: Id) {
    change(&app.database, |tx| {
        diesel::update(complaints::table.find(complaint)).set(complaints::confidential.eq(true)).execute(tx.conn)?;
        Ok(())
    });
}

#[test]
fn a_head_is_told_of_escalations_that_it_may_see_when_they_are_sent() {
    let place = Place::new();
    for app in TestApp::both().generated(3_000, 7).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let mail = MailServer::started();
        let config = settings(&place, &mail);
        let (department, escalated) = escalate(&app);
        for name in ["head", "former"] {
            token(database, name, &["--role", "UNIT_HEAD", "--unit", &department]);
            subscribe(&app, &place, &format!("{name}@example.org"), name);
        }
        place.job(database, &config, "alerts");
        let of_heads = of_kind(&alerts(database), "COMPLAINT_ESCALATED");
        assert_eq!(of_heads.len(), 2 * escalated.len(), "for each of the two heads: {of_heads:?}");
        let board =
            app.as_role(Role::Board).data("{ alerts(filter: {kind: {eq: COMPLAINT_ESCALATED}}) { totalCount } }");
        assert_eq!(board["alerts"]["totalCount"], 0, "they are not for the Board");
        // Before the mails go out one complaint becomes confidential, and one head loses its token.
        hide(&app, escalated[0]);
        app.run(&["token", "revoke", "--name", "former"]);
        assert_eq!(place.job(database, &config, "notify"), json!({ "sent": 1, "failed": 1 }), "{}", database.name);
        let told = mail_to(&mail, "head@example.org").expect("a mail to the head");
        assert!(!told.contains(&human_reference(escalated[0])) && !told.contains(&escalated[0].to_string()), "{told}");
        for complaint in &escalated[1..] {
            let link = format!("https://phananh.example/complaints/{complaint}");
            assert!(told.contains(&human_reference(*complaint)) && told.contains(&link), "{told}");
        }
        assert_eq!(mail_to(&mail, "former@example.org"), None);
        let log = program().json(database, &["webhook", "deliveries"]);
        let refused: Vec<&Value> = log.list().iter().filter(|one| one["state"] == "FAILED").collect();
        assert!(refused.len() == 1 && refused[0]["error"].text().contains("no valid token"), "{log}");
        // The next look ends what may not be seen any more, and raises nothing again.
        let next = place.job(database, &config, "alerts");
        assert_eq!((&next["raised"], &next["cleared"]), (&json!(0), &json!(1 + escalated.len())), "{next}");
    }
}

#[test]
fn a_head_subscribes_itself_and_ends_what_it_has() {
    let place = Place::new();
    let app = TestApp::sqlite().world().arguments(&["--no-jobs"]).start();
    token(&app.database, "screen", &["--role", "DASHBOARD"]);
    for (reader, why) in [("screen", "is a DASHBOARD"), ("nobody", "there is no token with the name")] {
        let args = ["alerts", "subscribe", "--email", "a@example.org", "--reader", reader, "--key-file", &place.key];
        let refused = program().run(&app.database, args);
        assert!(refused.status == 1 && refused.err.contains(why), "{refused:?}");
    }
    // A head subscribes itself, by the page, and ends what it has, and no other reader's.
    let [head, other] =
        ["02DS", "02CV"].map(|unit| token(&app.database, unit, &["--role", "UNIT_HEAD", "--unit", unit]));
    let mut visitor = Visitor::signed_in(app.server(), &head);
    let wrong = visitor.post_with_secret("/alerts", &[("step", "subscribe"), ("address", "nobody"), ("locale", "VI")]);
    assert!(wrong.status == 422 && wrong.text.contains("class=\"problems\""), "{wrong:?}");
    let wish = [("step", "subscribe"), ("address", "Head@example.org"), ("locale", "VI")];
    let done = visitor.post_with_secret("/alerts", &wish);
    assert_eq!((done.status, done.header("location")), (303, "/alerts?done=done-alerts-subscribe"), "{done:?}");
    let own = |token: &str| {
        let data = app.server().data(token, "{ alertSubscriptions { id address locale } }");
        data["alertSubscriptions"].clone()
    };
    let made = own(&head);
    assert_eq!((&made[0]["address"], &made[0]["locale"]), (&json!("head@example.org"), &json!("VI")), "{made}");
    assert_eq!(own(&other), json!([]));
    let end = format!(
        "mutation {{ endAlertSubscription(input: {{subscriptionId: {}}}) {{ subscription {{ id }} }} }}",
        made[0]["id"]
    );
    let client = |token: &str| app.server().graphql(token, &end, &json!({}));
    assert_eq!(client(&other).codes(), ["NOT_FOUND"]);
    assert!(client(&head).codes().is_empty());
    assert_eq!(own(&head), json!([]));
    let listed = program().json(&app.database, &["webhook", "list"]);
    assert!(listed[0]["disabledReason"].text().contains("its reader ended it"), "{listed}");
}
