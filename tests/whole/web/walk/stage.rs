//! A register in which each view has something to show, its readers, and the addresses of all views.

use crate::web::Visitor;
use crate::web::readers::{DAY, world_with_a_grave_flag};
use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::work::{Mutations, add_headquarters, some_of_each};
use tests::{Client, Database, Json, Program, Server, TestApp};

/// The small world with a grave flag and headquarters units.
pub fn filled(database: &Database) {
    world_with_a_grave_flag(database);
    add_headquarters(database);
}

/// An address of a view.
pub struct Address {
    /// The path of its route.
    pub route: &'static str,
    pub path: String,
    /// The status that it has for readers who may see the view: 200, or 422 where a filter is wrong.
    pub status: u16,
}

/// The readers and the addresses.
pub struct Stage {
    /// Each with a name and a token; the Board comes first, an administrator last.
    pub readers: Vec<(&'static str, String)>,
    pub addresses: Vec<Address>,
    /// The address of a complaint that waits for an answer.
    pub waiting: String,
    /// The subscription of a mail address.
    pub subscription: String,
}

/// The id of the first of some objects for which a condition holds.
#[track_caller]
fn id_of(list: &Value, what: &str, is_wanted: impl Fn(&Value) -> bool) -> String {
    let found = list.list().iter().find(|one| is_wanted(one));
    found.unwrap_or_else(|| panic!("no {what} in {list}"))["id"].text().to_owned()
}

impl Stage {
    /// Does what the views show. `folder` takes a digest.
    pub fn set(app: &TestApp, server: &Server, folder: &Files) -> Self {
        let token = |role: &str, unit: Option<&str>| Program::built().token(&app.database, role, unit);
        let readers = vec![
            ("Board", token("BOARD", None)),
            ("head of 03TG", token("UNIT_HEAD", Some("03TG"))),
            ("head of 02CV", token("UNIT_HEAD", Some("02CV"))),
            ("head of HQ1", token("UNIT_HEAD", Some("HQ1"))),
            ("data team", token("DATA_TEAM", None)),
            ("dashboard", token("DASHBOARD", None)),
            ("administrator", token("ADMIN", None)),
        ];
        let client = |place: usize| Client { server, token: readers[place].1.clone() };
        let (board, head, admin) = (client(0), client(1), client(readers.len() - 1));
        let made = some_of_each(&app.database, server);
        let [guidance, proposal, measure] = &made[..] else { panic!("three objects: {made:?}") };
        proposes_and_corrects(&board, &head);
        // Views of the last days have a complaint, too, in the columns that they read.
        let intake = Client { server, token: token("INTAKE", None) };
        let fresh = json!({ "category": "TD1", "unit": "03TG", "taxCode": "0100233488" });
        let position = intake.submitted("fresh", &fresh)["position"].clone();
        let seen = "query($p: Int) { complaintStatistics(minPosition: $p) { totals { complaints } } }";
        board.data_with(seen, &json!({ "p": position }));
        let hook = json!({ "channel": "EMAIL", "name": "Phòng trực", "address": "duty@example.org" });
        admin.done("createNotificationEndpoint", "endpoint { id }", &hook);
        subscribes(app, folder);

        let data = board.data(
            "{ complaints(first: 50) { nodes { id text state confidential } }
               flags(first: 50) { nodes { id officer { code } } }
               digests(first: 50, filter: {locale: {eq: VI}}) { nodes { id } }
               digestSubscriptions { id address channel digests { id } } }",
        );
        let complaints = &data["complaints"]["nodes"];
        let complaint = |what: &str, is_wanted: &dyn Fn(&Value) -> bool| {
            format!("/complaints/{}", id_of(complaints, what, is_wanted))
        };
        let waiting = complaint("complaint that waits", &|one| one["text"] == "Gây khó 1");
        let answered = complaint("answered complaint", &|one| one["state"] == "ANSWERED");
        let secret = complaint("confidential complaint", &|one| one["confidential"] == true);
        let flags = &data["flags"]["nodes"];
        let flag = format!("/flags/{}", id_of(flags, "flag on CC03", |one| one["officer"]["code"] == "CC03"));
        let branch = format!("/flags/{}", id_of(flags, "flag on a branch", |one| one["officer"].is_null()));
        let without = without_an_enterprise(server, &board.token, &flag);
        let digest = format!("/digests/{}", data["digests"]["nodes"][0]["id"].text());
        let subscriptions = &data["digestSubscriptions"];
        let subscription = id_of(subscriptions, "subscription of a mail", |one| one["address"] == "own@example.org");
        let folder = subscriptions.list().iter().find(|one| one["channel"] == "FOLDER").expect("that of a folder");
        let (own, kept) = (
            format!("/digests/subscriptions/{subscription}"),
            format!("/digests/subscriptions/{}", folder["id"].text()),
        );
        let sent = format!("{kept}/sent/{}", folder["digests"][0]["id"].text());

        let text = str::to_owned;
        let views: Vec<(&'static str, Vec<String>)> = vec![
            ("/", vec![text("/")]),
            ("/flags", vec![text("/flags"), text("/flags?state=all")]),
            ("/flags/{id}", vec![flag.clone(), without, format!("{flag}?derive=again"), branch]),
            ("/alerts", vec![text("/alerts")]),
            ("/units", vec![text("/units"), text("/units?search=chuyen+phat")]),
            ("/units/{code}", vec![text("/units/03TG?days=730"), text("/units/02")]),
            ("/complaints", vec![text("/complaints"), text("/complaints?channel=HOTLINE&order=overdue")]),
            ("/complaints/{id}", vec![waiting.clone(), answered, secret]),
            ("/complaints/redacted", vec![text("/complaints/redacted")]),
            ("/complaints/changes", vec![text("/complaints/changes?after=-1&until=5")]),
            (
                "/complaints/corrections",
                vec![text("/complaints/corrections"), text("/complaints/corrections?state=ALL")],
            ),
            ("/categories", vec![text("/categories"), text("/categories?category=TD")]),
            ("/categories/proposals", vec![text("/categories/proposals")]),
            ("/categories/proposals/{id}", vec![format!("/categories/proposals/{proposal}")]),
            ("/overdue", vec![text("/overdue"), text("/overdue?unit=03&days=100000")]),
            ("/overdue/escalations", vec![text("/overdue/escalations?all=1")]),
            ("/blame", vec![text("/blame")]),
            ("/guidance", vec![text("/guidance")]),
            ("/guidance/{id}", vec![format!("/guidance/{guidance}")]),
            ("/measures", vec![text("/measures"), text("/measures?officer=CC01")]),
            ("/measures/{id}", vec![format!("/measures/{measure}")]),
            (
                "/explore",
                vec![
                    text("/explore"),
                    text("/explore?by=MONTH&day-from=2024-01-01"),
                    text("/explore?by=KIND&and=CHANNEL&measure=COST_VND"),
                    text("/explore?by=CATEGORY&as-of=2024-06-30&day-from=2024-01-01"),
                ],
            ),
            ("/digests", vec![text("/digests")]),
            ("/digests/sent", vec![text("/digests/sent"), text("/digests/sent?state=FAILED")]),
            ("/digests/{id}", vec![digest.clone()]),
            ("/digests/{id}/message", vec![format!("{digest}/message")]),
            ("/digests/subscriptions", vec![text("/digests/subscriptions")]),
            ("/digests/subscriptions/{id}", vec![own.clone(), kept]),
            ("/digests/subscriptions/{id}/preview", vec![format!("{own}/preview")]),
            ("/digests/subscriptions/{id}/preview/message", vec![format!("{own}/preview/message")]),
            ("/digests/subscriptions/{id}/sent/{digest}", vec![sent]),
            ("/jobs", vec![text("/jobs"), text("/jobs?state=FAILED")]),
            ("/webhooks", vec![text("/webhooks"), text("/webhooks?event=alert.raised")]),
            ("/audit", vec![text("/audit")]),
        ];
        let wrong = [
            ("/complaints", "/complaints?from=yesterday"),
            ("/overdue", "/overdue?days=many"),
            ("/alerts", "/alerts?state=STANDING&kind=none"),
            ("/explore", "/explore?from=March"),
        ];
        let views = views.into_iter().flat_map(|(route, paths)| paths.into_iter().map(move |path| (route, path, 200)));
        let all = views.chain(wrong.map(|(route, path)| (route, path.to_owned(), 422)));
        let addresses: Vec<Address> = all.map(|(route, path, status)| Address { route, path, status }).collect();
        for address in &addresses {
            assert!(is_of(&address.path, address.route), "{} is no address of {}", address.path, address.route);
        }
        Self { readers, addresses, waiting, subscription }
    }
}

/// Whether an address belongs to a route.
fn is_of(path: &str, route: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let (parts, of_route): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), route.split('/').collect());
    let fits = |(part, wanted): (&&str, &&str)| part == wanted || wanted.starts_with('{') && !part.is_empty();
    parts.len() == of_route.len() && parts.iter().zip(&of_route).all(fits)
}

/// A head proposes a correction, and the Board records that complaints blame the system.
fn proposes_and_corrects(board: &Client<'_>, head: &Client<'_>) {
    let data = board.data("{ complaints(first: 50) { nodes { id version text } } }");
    for one in data["complaints"]["nodes"].list() {
        let input = json!({ "complaintId": one["id"], "expectedVersion": one["version"], "reason": "Ghi nhầm." });
        let with = |name: &str, value: Value| {
            let mut input = input.clone();
            input[name] = value;
            input
        };
        if one["text"].text().starts_with("Gây khó") {
            board.done("correctComplaint", "complaint { id }", &with("blamesSystem", json!(true)));
        } else if one["text"] == "Ẩn danh" {
            // A proposal has the input of a correction.
            let propose = "mutation ($input: CorrectComplaintInput!) { proposeCorrection(input: $input) \
                           { proposal { id } } }";
            head.data_with(propose, &json!({ "input": with("costVnd", json!("777")) }));
        }
    }
}

/// Digests to a folder, to a reader, and to the Board's common address; the jobs that make them, and alerts.
fn subscribes(app: &TestApp, folder: &Files) {
    let folder = folder.path().to_str().expect("a path");
    let subscribe = |more: &[&str]| app.run(&[&["digest", "subscribe", "--locale", "vi"][..], more].concat());
    subscribe(&["--folder", folder, "--reader", "BOARD-all"]);
    subscribe(&["--email", "own@example.org", "--reader", "BOARD-all"]);
    subscribe(&["--email", "chair@example.org"]);
    for job in ["blame-check", "digest", "reader-digests", "deliver-digests"] {
        app.run(&["jobs", "run", job, "--as-of", DAY]);
    }
    app.run(&["jobs", "run", "alerts"]);
}

/// The address of a flag without the first enterprise of its evidence, as the page offers it.
fn without_an_enterprise(server: &Server, token: &str, flag: &str) -> String {
    let page = Visitor::signed_in(server, token).get(flag).text.replace("&#x2f;", "/");
    let offered = page.split(&format!("href=\"{flag}?without=")).nth(1).and_then(|rest| rest.split(['#', '"']).next());
    format!("{flag}?without={}", offered.unwrap_or_else(|| panic!("no enterprise to leave out: {page}")))
}
