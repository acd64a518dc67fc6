//! What a head reads by addresses that are typed by hand, in a real browser: nothing of the neighbour, of confidential
//! complaints, or about the head itself.

use super::in_browser;
use super::readers::world_with_a_grave_flag;
use serde_json::{Value, json};
use tests::work::Mutations;
use tests::{Client, Json, Role, TestApp};

/// Views without those of one object.
const VIEWS: [&str; 14] = [
    "/",
    "/complaints",
    "/complaints?from=yesterday",
    "/complaints?channel=HOTLINE&order=overdue",
    "/complaints/changes?after=-1&until=5",
    "/complaints/corrections",
    "/overdue",
    "/blame",
    "/explore?by=CATEGORY&as-of=2024-06-30&day-from=2024-01-01",
    "/overdue?days=many",
    "/overdue/escalations?all=1",
    "/alerts",
    "/alerts?state=STANDING&kind=none",
    "/digests/subscriptions",
];

/// The words that tell a complaint: its reference and its text.
fn words(complaint: &Value) -> [String; 2] {
    ["reference", "text"].map(|field| complaint[field].text().to_owned())
}

fn ids(client: &Client<'_>, root: &str) -> Vec<String> {
    let data = client.data(&format!("{{ {root}(first: 50) {{ nodes {{ id }} }} }}"));
    data[root]["nodes"].list().iter().map(|node| node["id"].text().to_owned()).collect()
}

#[test]
fn a_head_finds_nothing_behind_any_address() {
    for app in TestApp::both().filled(world_with_a_grave_flag).arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        // The head of 02DS is the officer CC02, about whom PA-3 complains.
        let head = app.as_holder(&["--name", "head", "--role", "UNIT_HEAD", "--unit", "02DS", "--officer", "CC02"]);
        let own = app.as_role(Role::Intake).submitted("own", &json!({ "unit": "02DS" }))["id"].text().to_owned();
        let input = json!({
            "officer": "CC03", "kind": "FORMAL_REVIEW", "decidedOn": "2024-02-08", "grounds": "Nhiều phản ánh.",
            "decisionMaker": "Chi cục trưởng Cảng", "noBasisReason": "Nội bộ.",
        });
        let measure =
            app.as_head("03TG").done("recordMeasure", "measure { id }", &input)["measure"]["id"].text().to_owned();
        app.run(&["digest", "subscribe", "--email", "chair@example.org", "--locale", "vi", "--reader", "BOARD-all"]);
        let subscription =
            board.data("{ digestSubscriptions { id } }")["digestSubscriptions"][0]["id"].text().to_owned();

        assert_eq!(ids(&head, "complaints"), std::slice::from_ref(&own), "what names the head is not among them");
        let data = board.data("{ complaints(first: 50) { nodes { id reference text } } }");
        let hidden: Vec<&Value> = data["complaints"]["nodes"].list().iter().filter(|one| one["id"] != own).collect();
        let flags = ids(&board, "flags");
        assert!(hidden.len() > 8 && flags.len() > 1 && ids(&head, "flags").is_empty(), "{hidden:?} {flags:?}");

        let objects: Vec<String> = [
            hidden.iter().map(|one| format!("/complaints/{}", one["id"].text())).collect::<Vec<String>>(),
            flags.iter().map(|id| format!("/flags/{id}")).collect(),
            ["", "/preview", "/preview/message"]
                .map(|part| format!("/digests/subscriptions/{subscription}{part}"))
                .to_vec(),
            vec![format!("/measures/{measure}")],
        ]
        .concat();
        let mut lists: Vec<String> = VIEWS.iter().map(|view| (*view).to_owned()).collect();
        for one in &hidden {
            lists.push(format!("/complaints?search={}", one["reference"].text()));
            lists.push(format!("/complaints/corrections?state=ALL&complaint={}", one["id"].text()));
        }
        for unit in ["02CV", "03TG", "02", "TC"] {
            for view in [
                "complaints?unit=",
                "complaints?responsible=",
                "flags?state=all&unit=",
                "units/",
                "explore?unit=",
                "explore?by=OFFICER&unit=",
                "explore?by=ENTERPRISE&unit=",
                "categories?unit=",
                "measures?unit=",
                "overdue?unit=",
            ] {
                lists.push(format!("/{view}{unit}"));
            }
        }
        for officer in ["CC01", "CC02", "CC03"] {
            for view in ["complaints?officer=", "flags?state=all&search=", "measures?officer="] {
                lists.push(format!("/{view}{officer}"));
            }
        }
        for view in [
            "complaints/redacted",
            "complaints?confidential=true",
            "complaints?enterprise=0100233488",
            "digests",
            "jobs",
            "audit",
            "webhooks",
            "guidance",
            "flags?state=all",
            "measures",
            "explore?by=OFFICER",
        ] {
            lists.push(format!("/{view}"));
        }

        let mut secret: Vec<String> = hidden.iter().flat_map(|one| words(one)).collect();
        // The word for an anonymous complaint is the whole text of one.
        secret.retain(|word| word != "Ẩn danh");
        secret.extend(flags);
        let names = [
            "Nguyễn Văn An",
            "Lê Văn Cường",
            "Công ty A",
            "Công ty B",
            "Chi nhánh B",
            "Hộ C",
            "Hộ 1",
            "0314409058",
            "001099012345",
            "CC01",
            "CC03",
            "Nhiều phản ánh.",
            "Chi cục trưởng Cảng",
            "chair@example.org",
        ];
        secret.extend(names.map(str::to_owned));
        let paths = json!([&objects[..], &lists[..]].concat()).to_string();
        let found = in_browser("addresses.js", app.server(), &[&head.token, &paths]);
        let answers = found["answers"].list();
        assert_eq!(answers.len(), 2 * (objects.len() + lists.len()));
        for answer in answers {
            let (path, text) = (answer["path"].text(), answer["text"].text());
            // A page repeats its own address, and what was typed into its filter.
            let told: Vec<&String> =
                secret.iter().filter(|word| !path.contains(*word) && text.contains(*word)).collect();
            assert!(told.is_empty(), "{path} tells {told:?}: {text}");
            if objects.iter().any(|object| path == object || path == format!("{object} as=csv")) {
                assert_eq!(answer["status"], 404, "{path}");
            }
        }
        // The same addresses tell the Board what is hidden here.
        let sees =
            in_browser("addresses.js", app.server(), &[&board.token, &json!(["/complaints", "/flags"]).to_string()]);
        let texts: Vec<&str> = sees["answers"].list().iter().map(|answer| answer["text"].text()).collect();
        for name in ["Lê Văn Cường", "03TG"] {
            assert!(texts.iter().any(|text| text.contains(name)), "{name}: {texts:?}");
        }
    }
}
