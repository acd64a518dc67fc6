//! The views of categories: trends, and proposals from the first to the last step.

use super::Visitor;
use super::units::{page, with_each_role, world_of_today};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::{Client, Json, Role, TestApp};

/// The newest proposal: its id, state, version and day.
fn proposal(board: &Client<'_>) -> Value {
    let query = "{ proposals(first: 1, orderBy: [{ field: PROPOSED_AT, direction: DESC }]) {
        nodes { id state version implementedOn categories { code } units { code } } } }";
    board.data(query)["proposals"]["nodes"][0].clone()
}

#[test]
fn the_board_and_heads_see_categories_and_only_the_board_proposals() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        with_each_role(&app, "02CV", |server, tokens| {
            for (place, token) in tokens.iter().enumerate() {
                let mut visitor = Visitor::signed_in(server, token);
                let answer = visitor.get("/categories");
                assert_eq!(answer.status, if place < 2 { 200 } else { 403 }, "{place}: {answer:?}");
                assert_eq!(answer.text.contains("id=\"proposals\""), place == 0, "{place}: {answer:?}");
                let entry = visitor.get("/").text.contains("href=\"&#x2f;categories\"");
                assert_eq!(entry, place < 2, "{place}");
            }
            let fields = [("title", "A"), ("text", "B"), ("categories", "TD")];
            let refused = Visitor::signed_in(server, &tokens[1]).post_with_secret("/categories/proposals", &fields);
            assert_eq!(refused.status, 403, "a head proposes nothing: {refused:?}");
        });
    }
}

#[test]
fn a_proposal_goes_from_the_page_into_force() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let mut visitor = Visitor::signed_in(app.server(), &board.token);
        let missing = visitor.post_with_secret("/categories/proposals", &[("title", "Bỏ giấy tờ trùng")]);
        assert_eq!(missing.status, 422, "{missing:?}");
        for field in ["text", "categories"] {
            assert!(missing.text.contains(&format!("href=\"#{field}\"")), "{field}: {}", missing.text);
        }
        assert!(missing.text.contains("Bỏ giấy tờ trùng"), "what was written stays");
        let codes_alone = visitor.post_with_secret("/categories/proposals", &[("categories", "TD1")]);
        let unfolded = |page: &str| page.matches("<details open><summary>").count();
        assert!(codes_alone.status == 422 && unfolded(&codes_alone.text) == 1, "{codes_alone:?}");
        let new = [("title", "Bỏ giấy tờ trùng"), ("text", "Không yêu cầu bản giấy.")];
        let unknown = [&new[..], &[("categories", "NOWHERE")]].concat();
        let unknown = visitor.post_with_secret("/categories/proposals", &unknown);
        assert!(unknown.status == 422 && unknown.text.contains("href=\"#categories\""), "{unknown:?}");
        let whole = [&new[..], &[("categories", "TD1, TD2"), ("units", "02")]].concat();
        let done = visitor.post_with_secret("/categories/proposals", &whole);
        assert_eq!((done.status, done.header("location")), (303, "/categories?done=done-categories-proposed"));
        let made = proposal(&board);
        assert_eq!((made["categories"].list().len(), &made["units"][0]["code"]), (2, &json!("02")));

        let path = format!("/categories/proposals/{}", made["id"].text());
        let version = |board: &Client<'_>| proposal(board)["version"].to_string();
        let first = version(&board);
        let step = |visitor: &mut Visitor<'_>, version: &str, fields: &[(&str, &str)]| {
            visitor.post_with_secret(&path, &[fields, &[("version", version)]].concat())
        };
        let without = step(&mut visitor, &first, &[("step", "REJECTED")]);
        assert!(without.status == 422 && without.text.contains("href=\"#reason-"), "{without:?}");
        assert_eq!(unfolded(&without.text), 1, "the field of the grounds is to be seen: {without:?}");
        let proposals = page(&mut visitor, "/categories");
        assert_eq!(unfolded(&proposals), 0, "{proposals}");
        let form = proposals.split(&format!("action=\"{path}\"")).nth(1).expect("the form of the proposal");
        let button = form.split("<button").nth(1).and_then(|rest| rest.split('>').next());
        assert_eq!(button, Some(" disabled hidden"), "Enter decides nothing: {form}");
        assert_eq!(
            visitor.post(&path, &[("step", "ACCEPTED"), ("version", first.as_str())]).status,
            403,
            "without the secret"
        );
        assert_eq!(step(&mut visitor, &first, &[("step", "ACCEPTED")]).status, 303);
        let stale = step(&mut visitor, &first, &[("step", "WITHDRAWN"), ("reason", "Thử.")]);
        assert!(stale.status == 422 && stale.text.contains("Người khác vừa thay đổi"), "{stale:?}");
        let second = version(&board);
        let future = step(&mut visitor, &second, &[("step", "IMPLEMENTED"), ("day", "2999-01-01")]);
        assert!(future.status == 422 && future.text.contains("href=\"#day-"), "{future:?}");
        let done = step(&mut visitor, &second, &[("step", "IMPLEMENTED"), ("day", "2024-02-01")]);
        assert_eq!(done.status, 303, "{done:?}");
        let now = proposal(&board);
        assert_eq!((&now["state"], &now["implementedOn"]), (&json!("IMPLEMENTED"), &json!("2024-02-01")));
        let shown = page(&mut visitor, "/categories");
        assert!(shown.contains("Có hiệu lực từ 01/02/2024"), "{shown}");
        assert!(!page(&mut visitor, "/categories?state=PROPOSED").contains("Bỏ giấy tờ trùng"));
    }
}

#[test]
fn trends_are_those_of_the_api() {
    for app in TestApp::both().filled(world_of_today).arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let mut visitor = Visitor::signed_in(app.server(), &board.token);
        let data = board.data("{ categoryTrends { categories { categoryCode parentCode before recent } } }");
        let all = data["categoryTrends"]["categories"].list();
        for level in ["1", "2"] {
            let csv = page(&mut visitor, &format!("/categories?level={level}&as=csv"));
            let wanted: Vec<String> = all
                .iter()
                .filter(|row| row["parentCode"].is_null() == (level == "1"))
                .map(|row| (row["before"].integer() + row["recent"].integer()).to_string())
                .collect();
            let shown: Vec<&str> = csv.lines().skip(1).filter_map(|line| line.rsplit(',').nth(6)).collect();
            assert!(!wanted.is_empty(), "level {level} has categories");
            assert_eq!(shown, wanted, "{csv}");
        }
        let chosen = all.iter().find(|row| !row["parentCode"].is_null()).expect("a category");
        let one = page(&mut visitor, &format!("/categories?category={}", chosen["categoryCode"].text()));
        assert!(one.contains("id=\"trend-title\"") && one.contains("id=\"pareto-title\""), "{one}");
        assert_eq!(visitor.get("/categories?unit=nowhere").status, 422);
    }
}

#[test]
fn a_file_holds_more_proposals_than_one_question_may_ask_for() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let propose = "mutation($input: ProposeInput!) { propose(input: $input) { proposal { id } } }";
        let titles: BTreeSet<String> = (0..53).map(|number| format!("Đề xuất {number}")).collect();
        for title in &titles {
            let input = json!({ "title": title, "text": "Bỏ giấy tờ trùng.", "categories": ["TD1"] });
            board.data_with(propose, &json!({ "input": input }));
        }
        let mut visitor = Visitor::signed_in(app.server(), &board.token);
        let csv = page(&mut visitor, "/categories?as=csv&table=proposals");
        let titles_of = |csv: &str| -> Vec<String> {
            csv.lines().skip(1).map(|line| line.split(',').next().unwrap_or_default().to_owned()).collect()
        };
        let shown = titles_of(&csv);
        assert_eq!(shown.len(), titles.len(), "each once: {csv}");
        assert_eq!(shown.into_iter().collect::<BTreeSet<_>>(), titles, "{csv}");
        let (mut of_pages, mut seen, mut path) = (Vec::new(), BTreeSet::new(), "/categories".to_owned());
        let mut pages = Vec::new();
        loop {
            let shown = page(&mut visitor, &path);
            of_pages.push(shown.matches("<article class=\"proposal\"").count());
            seen.extend(titles.iter().filter(|title| shown.contains(&format!(">{title}</h3>"))).cloned());
            let next = shown.split("<a rel=\"next\" href=\"").nth(1).and_then(|rest| rest.split('"').next());
            let next = next.map(|next| next.trim_end_matches("#proposals").replace("&amp;", "&"));
            pages.push(shown);
            match next {
                Some(next) => path = next,
                None => break,
            }
        }
        assert_eq!((of_pages, seen), (vec![20, 20, 13], titles), "a page shows fewer, and all pages each once");

        // A step that is refused shows the page of its proposal.
        let action = pages[1].split("action=\"/categories/proposals/").nth(1).and_then(|rest| rest.split('"').next());
        let action = action.expect("a form of a proposal").replace("&amp;", "&");
        let (id, _) = action.split_once("?after=").expect("the page");
        let step = [("step", "REJECTED"), ("version", "1")];
        let refused = visitor.post_with_secret(&format!("/categories/proposals/{action}"), &step);
        let shows = refused.text.contains(&format!("id=\"reason-{id}\""));
        assert!(refused.status == 422 && shows, "{refused:?}");
    }
}
