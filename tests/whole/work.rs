//! What the Board and headquarters units do about the causes of complaints: guidance, and proposals.

use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::work::{DOCUMENT, Mutations, PROPOSAL, with_headquarters};
use tests::{Client, Json, Role, TestApp, merged};

#[test]
fn no_guidance_is_issued_without_the_boards_opinion_about_its_text() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let key = files.key_file();
        let app = app.filled(with_headquarters).arguments(&["--no-jobs", "--key-file", &key]).start();
        let board = app.as_role(Role::Board);
        let [own, other, branch, above] = ["HQ1", "HQ2", "02CV", "TC"].map(|unit| app.as_head(unit));
        let send = |client: &Client<'_>, mutation: &str, input: &Value| client.send(mutation, DOCUMENT, input);
        let done = |client: &Client<'_>, mutation: &str, input: &Value| {
            client.done(mutation, DOCUMENT, input)["document"].clone()
        };
        let listed = |client: &Client<'_>| {
            client.data("{ guidanceDocuments { totalCount } }")["guidanceDocuments"]["totalCount"].clone()
        };

        let draft = json!({ "title": "Hướng dẫn khai báo", "text": "Bước một.", "category": "TD1" });
        let from_branch = send(&branch, "requestOpinion", &draft);
        assert_eq!(from_branch.codes(), ["BAD_USER_INPUT"], "{}", from_branch.text);
        let blank = send(&own, "requestOpinion", &json!({ "title": " ", "text": "Bước một." }));
        assert!(blank.codes() == ["BAD_USER_INPUT"] && blank.text.contains("title"), "{}", blank.text);
        let document = done(&own, "requestOpinion", &draft);
        assert_eq!(
            (&document["state"], &document["unit"]["code"], &document["category"]["code"], &document["opinions"]),
            (&json!("OPINION_REQUESTED"), &json!("HQ1"), &json!("TD1"), &json!([]))
        );
        // The unit, the units above it and the Board see a draft.
        let seen = [&board, &own, &above, &other, &branch].map(listed);
        assert_eq!(seen, [1, 1, 1, 0, 0].map(|n| json!(n)));
        let node = format!("{{ node(id: {}) {{ ... on GuidanceDocument {{ title }} }} }}", document["id"]);
        assert_eq!(own.data(&node)["node"]["title"], "Hướng dẫn khai báo");
        assert_eq!(other.data(&node)["node"], Value::Null);

        let at = |version: i64, more: Value| {
            merged(&json!({ "documentId": document["id"], "expectedVersion": version }), &more)
        };
        let today = schema::domain::calendar::local_date(schema::Timestamp::now()).to_string();
        let issue = json!({ "number": "123/HD-TCHQ", "issuedOn": today });
        assert_eq!(send(&own, "issueGuidance", &at(1, issue.clone())).codes(), ["CONFLICT"], "nobody was heard");
        let opinion = json!({ "verdict": "NOT_AGREED", "text": "Chưa rõ bước hai." });
        assert_eq!(send(&own, "giveOpinion", &at(1, opinion.clone())).codes()[0], "FORBIDDEN");
        assert_eq!(send(&other, "withdrawGuidance", &at(1, json!({}))).codes(), ["NOT_FOUND"]);
        let heard = done(&board, "giveOpinion", &at(1, opinion.clone()));
        assert_eq!((&heard["state"], &heard["version"]), (&json!("OPINION_GIVEN"), &json!(2)));
        assert_eq!(send(&board, "giveOpinion", &at(2, opinion.clone())).codes(), ["CONFLICT"], "once for each text");
        assert_eq!(send(&own, "issueGuidance", &at(1, issue.clone())).codes(), ["CONFLICT"], "an older version");
        let against = send(&own, "issueGuidance", &at(2, issue.clone()));
        assert!(against.codes() == ["BAD_USER_INPUT"] && against.text.contains("reason"), "{}", against.text);

        // A revised text needs an opinion of its own.
        let revised = done(&own, "reviseGuidance", &at(2, json!({ "text": "Bước một, bước hai." })));
        assert_eq!((&revised["revision"], &revised["state"]), (&json!(2), &json!("OPINION_REQUESTED")));
        assert_eq!(send(&own, "issueGuidance", &at(3, issue.clone())).codes(), ["CONFLICT"], "not about this text");
        // The database itself refuses the state.
        let by_hand = app.database.open().read(|conn| {
            use diesel::prelude::*;
            Ok(match conn {
                schema::Conn::Sqlite(c) => {
                    diesel::sql_query("UPDATE guidance_documents SET state = 'ISSUED'").execute(c)
                }
                schema::Conn::Pg(c) => diesel::sql_query("UPDATE guidance_documents SET state = 'ISSUED'").execute(c),
            })
        });
        assert!(by_hand.unwrap().is_err());
        done(&board, "giveOpinion", &at(3, json!({ "verdict": "AGREED", "text": "Đồng ý." })));
        let early = json!({ "number": "123/HD-TCHQ", "issuedOn": "2024-01-01" });
        assert_eq!(send(&own, "issueGuidance", &at(4, early)).codes(), ["BAD_USER_INPUT"], "before the opinion");
        let issued = done(&own, "issueGuidance", &at(4, issue));
        assert_eq!((&issued["state"], &issued["number"]), (&json!("ISSUED"), &json!("123/HD-TCHQ")));
        assert_eq!(
            issued["opinions"],
            json!([
                { "revision": 1, "verdict": "NOT_AGREED", "text": "Chưa rõ bước hai." },
                { "revision": 2, "verdict": "AGREED", "text": "Đồng ý." },
            ])
        );
        assert_eq!(send(&own, "withdrawGuidance", &at(5, json!({}))).codes(), ["CONFLICT"], "it is over");
        // Everybody who has to follow an issued document reads it, but not the opinions about its drafts.
        assert_eq!([&other, &branch].map(listed), [json!(1), json!(1)]);
        let told = |client: &Client<'_>| {
            let data = client.data("{ guidanceDocuments { nodes { text actor opinions { revision } } } }");
            data["guidanceDocuments"]["nodes"][0].clone()
        };
        let published = json!({ "text": "Bước một, bước hai.", "actor": null, "opinions": [{ "revision": 2 }] });
        assert_eq!((told(&branch), told(&other)), (published.clone(), published));
        assert_eq!(told(&above)["opinions"], json!([{ "revision": 1 }, { "revision": 2 }]));
        for (filter, number) in [
            ("{state: {eq: ISSUED}}", 1),
            ("{search: \"BUOC HAI\"}", 1),
            ("{search: \"bước ba\"}", 0),
            ("{unit: {code: {eq: \"HQ1\"}}, category: {code: {eq: \"TD1\"}}}", 1),
            ("{not: {number: {like: \"123%\"}}}", 0),
            ("{issuedOn: {gte: \"2999-01-01\"}}", 0),
        ] {
            let query = format!("{{ guidanceDocuments(filter: {filter}) {{ totalCount nodes {{ id }} }} }}");
            assert_eq!(branch.data(&query)["guidanceDocuments"]["totalCount"], number, "{filter}");
        }
        // A seal covers the events of all steps.
        app.run(&["audit", "seal", "--key-file", &key]);
        app.run(&["audit", "verify", "--key-file", &key]);
    }
}

#[test]
fn a_proposal_is_measured_from_the_day_it_is_in_force() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, head) = (app.as_role(Role::Board), app.as_head("02"));
        let new = json!({ "title": "Tập huấn", "text": "Tập huấn về thái độ.", "categories": ["TD"], "units": ["02"] });
        assert_eq!(head.send("propose", PROPOSAL, &new).codes()[0], "FORBIDDEN");
        for (wrong, what) in [
            (json!({ "title": "a", "text": "b" }), "categories"),
            (json!({ "title": "a", "text": "b", "categories": ["XX"] }), "XX"),
            (json!({ "title": "a", "text": "b", "units": ["99"] }), "99"),
        ] {
            let refused = board.send("propose", PROPOSAL, &wrong);
            assert!(refused.codes() == ["BAD_USER_INPUT"] && refused.text.contains(what), "{}", refused.text);
        }
        let made = board.done("propose", PROPOSAL, &new)["proposal"].clone();
        assert_eq!((&made["state"], &made["effect"]), (&json!("PROPOSED"), &Value::Null));
        assert_eq!((&made["categories"], &made["units"]), (&json!([{ "code": "TD" }]), &json!([{ "code": "02" }])));
        let change = |version: i64, more: Value| {
            let input = merged(&json!({ "proposalId": made["id"], "expectedVersion": version }), &more);
            board.send("changeProposalState", PROPOSAL, &input)
        };
        let in_force = json!({ "state": "IMPLEMENTED", "implementedOn": "2024-02-07" });
        assert_eq!(change(1, in_force.clone()).codes(), ["CONFLICT"], "it was not accepted");
        assert_eq!(change(1, json!({ "state": "REJECTED" })).codes(), ["BAD_USER_INPUT"], "no reason");
        assert!(change(1, json!({ "state": "ACCEPTED" })).codes().is_empty());
        assert_eq!(change(1, in_force.clone()).codes(), ["CONFLICT"], "an older version");
        assert_eq!(change(2, json!({ "state": "IMPLEMENTED" })).codes(), ["BAD_USER_INPUT"], "since when?");
        assert_eq!(
            change(2, json!({ "state": "IMPLEMENTED", "implementedOn": "2999-01-01" })).codes(),
            ["BAD_USER_INPUT"]
        );
        let now = change(2, in_force).json()["data"]["changeProposalState"]["proposal"].clone();
        // Counted by hand: PA-1 and PA-2 before, PA-3 and PA-6 since; elsewhere PA-4 and PA-5 since.
        let effect = &now["effect"];
        assert_eq!(
            (&effect["before"], &effect["after"]),
            (
                // The register begins with PA-1.
                &json!({
                    "from": "2024-01-05", "until": "2024-02-06", "days": 33, "complaints": 2, "complaintsElsewhere": 0,
                }),
                &json!({
                    "from": "2024-02-07", "until": "2024-03-17", "days": 40, "complaints": 2, "complaintsElsewhere": 2,
                }),
            )
        );
        let ratio = |field: &str| effect["rateRatio"][field].number();
        assert!((ratio("ratio") - 33.0 / 40.0).abs() < 1e-12, "{effect}");
        // scipy: the exact limits of two in four, with 33 days against 40.
        assert!((ratio("lower") - 0.059_800_09).abs() < 1e-6 && (ratio("upper") - 11.381_672).abs() < 1e-4, "{effect}");
        assert_eq!(effect["rateRatioElsewhere"], json!({ "ratio": null, "upper": null }), "there were none before");
        // The day can be given once more. A day in 1924 is refused.
        assert!(change(3, json!({ "state": "IMPLEMENTED", "implementedOn": "2024-02-07" })).codes().is_empty());
        assert_eq!(
            change(4, json!({ "state": "IMPLEMENTED", "implementedOn": "1924-02-07" })).codes(),
            ["BAD_USER_INPUT"]
        );
        let of_all = "{ proposals { nodes { effect(days: 40) { before { complaints complaintsElsewhere } \
            after { complaints complaintsElsewhere } } } } }";
        let seen = app.as_member("own", "CC02").data(of_all)["proposals"]["nodes"][0]["effect"].clone();
        // PA-3 names CC02: no number that CC02 sees counts it, neither here nor elsewhere.
        assert_eq!(
            seen,
            json!({
                "before": { "complaints": 2, "complaintsElsewhere": 0 },
                "after": { "complaints": 1, "complaintsElsewhere": 2 },
            })
        );
        for (filter, number) in [
            ("{state: {eq: IMPLEMENTED}, implementedOn: {lte: \"2024-02-07\"}}", 1),
            ("{category: {code: {eq: \"TD\"}}, unit: {within: \"TC\"}}", 1),
            ("{unit: {within: \"03\"}}", 0),
            ("{search: \"tap huan\"}", 1),
        ] {
            let query = format!("{{ proposals(filter: {filter}) {{ totalCount }} }}");
            assert_eq!(board.data(&query)["proposals"]["totalCount"], number, "{filter}");
        }
    }
}

#[test]
fn of_two_steps_from_one_version_one_is_taken() {
    for app in TestApp::both().filled(with_headquarters).arguments(&["--no-jobs"]) {
        let (board, own) = (app.as_role(Role::Board), app.as_head("HQ1"));
        for round in 0..10 {
            let draft = json!({ "title": format!("Văn bản {round}"), "text": "Một." });
            let document = own.done("requestOpinion", DOCUMENT, &draft)["document"].clone();
            let at = |more: Value| merged(&json!({ "documentId": document["id"], "expectedVersion": 1 }), &more);
            let agreed = at(json!({ "verdict": "AGREED", "text": "Đồng ý." }));
            let revised = at(json!({ "text": "Hai." }));
            let codes = std::thread::scope(|scope| {
                let opinion = scope.spawn(|| board.send("giveOpinion", DOCUMENT, &agreed).codes());
                let revision = scope.spawn(|| own.send("reviseGuidance", DOCUMENT, &revised).codes());
                [opinion.join().unwrap(), revision.join().unwrap()]
            });
            let conflicts = codes.iter().filter(|codes| **codes == ["CONFLICT"]).count();
            assert!(conflicts == 1 && codes.iter().any(Vec::is_empty), "{codes:?}");
        }
    }
}
