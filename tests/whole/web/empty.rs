//! A register without a complaint: every view says so, and what to do next.

use super::units::{page, with_each_role};
use super::{Visitor, accessible};
use serde_json::json;
use tests::{Database, Role, TestApp, fixtures};

/// Units and categories, and nothing else.
fn reference_data(database: &Database) {
    database.fill_once("reference data alone", |database| {
        for (kind, csv, mapping) in [
            ("units", fixtures::UNITS, fixtures::UNITS_MAP),
            ("officers", fixtures::OFFICERS, fixtures::OFFICERS_MAP),
            ("postings", fixtures::POSTINGS, fixtures::POSTINGS_MAP),
            ("categories", fixtures::CATEGORIES, fixtures::CATEGORIES_MAP),
        ] {
            fixtures::import(database, kind, csv, mapping);
        }
    });
}

/// The addresses of the views that the navigation of a page offers.
fn views(page: &str) -> Vec<String> {
    let navigation = page.split("<nav ").nth(1).and_then(|rest| rest.split("</nav>").next()).expect("a navigation");
    let links = navigation.split("href=\"").skip(1);
    links.map(|rest| rest.split('"').next().expect("an address").to_owned()).collect()
}

#[test]
fn every_view_of_an_empty_register_says_what_to_do_next() {
    for app in TestApp::both().filled(reference_data).arguments(&["--no-jobs"]) {
        with_each_role(&app, "02CV", |server, tokens| {
            for (place, token) in tokens.iter().enumerate() {
                let mut visitor = Visitor::signed_in(server, token);
                let views = views(&page(&mut visitor, "/"));
                assert!(views.len() > 2, "{place}: {views:?}");
                // Only those whose numbers are exact and of the whole register may know that it is empty.
                let knows_all = [true, false, true, false, true][place];
                for view in &views {
                    let text = page(&mut visitor, view);
                    assert_eq!(text.contains("Sổ chưa có phản ánh nào."), knows_all, "{view} for {place}: {text}");
                    assert!(!text.contains("<tbody></tbody>"), "{view} for {place} has an empty table: {text}");
                    // Units are there.
                    let says = text.contains("class=\"nothing\"") || view == "/units";
                    assert!(says || knows_all, "{view} for {place} says nothing: {text}");
                }
            }
        });
    }
}

#[test]
fn what_a_view_says_of_nothing_is_accessible() {
    let app = TestApp::sqlite().filled(reference_data).arguments(&["--no-jobs"]).start();
    let readers =
        [(Role::Board, &["/", "/flags", "/complaints/corrections"][..]), (Role::Dashboard, &["/", "/explore"][..])];
    let readers = readers.map(|(role, paths)| {
        let pages: Vec<(&str, u16)> = paths.iter().map(|path| (*path, 200)).collect();
        json!({ "token": app.as_role(role).token, "pages": pages, "letters": true })
    });
    accessible(app.server(), &json!({ "readers": readers }));
}
