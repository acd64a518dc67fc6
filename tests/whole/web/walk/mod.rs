//! Every address of the page, by the routes of the program: its query, its files, and whether everyone can read it.

mod stage;

use self::stage::{Address, Stage, filled};
use super::files::workbook;
use super::{Visitor, accessible};
use api::web::navigation::ENTRIES;
use jobs::notify::unsubscribe::{self, Of};
use schema::keys::Keys;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tests::fixtures::Files;
use tests::{Answer, Json, Program, Server, TestApp, project};

/// The routes that answer GET with no view: they lead on, or belong to a page.
const NO_VIEWS: [&str; 7] = [
    "/assets/{file:.*}",
    "/prefer",
    // Strangers look at it.
    "/sign-in",
    "/sign-in/code/{code}",
    "/sign-in/oidc",
    "/sign-in/oidc/back",
    "/session",
];

/// The paths of the routes in the sources of the page that answer GET.
fn routes(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("the sources of the page") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            found.extend(routes(&path));
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a source");
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for rest in code.split(".route(").skip(1) {
            let route = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"'));
            let (route, rest) = route.unwrap_or_else(|| panic!("{}: write the path of a route", path.display()));
            if rest.trim_start_matches([',', ' ']).starts_with("get()") {
                found.insert(route.to_owned());
            }
        }
    }
    found
}

/// Fails where a route of the program, or an entry of the navigation, is in no list.
#[track_caller]
fn covers_all_routes(addresses: &[Address]) {
    let walked = addresses.iter().map(|address| address.route).chain(NO_VIEWS);
    let walked: BTreeSet<String> = walked.map(str::to_owned).collect();
    assert_eq!(routes(&project().join("api/src/web")), walked, "the routes, and those that this test walks");
    for (path, ..) in ENTRIES {
        assert!(walked.contains(*path), "the navigation leads to {path}");
    }
}

/// A page without the escapes of HTML.
fn plain(html: &str) -> String {
    let escapes = [("&#x2f;", "/"), ("&#x27;", "'"), ("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    escapes.into_iter().fold(html.to_owned(), |text, (escape, letter)| text.replace(escape, letter))
}

/// A part of the query of an address as it was meant.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let (digits, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).expect("two digits"));
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).expect("a text")
}

/// The questions that a page opens in GraphiQL, with their variables.
fn questions(page: &str) -> Vec<(String, Value)> {
    let links = page.split("href=\"/graphiql?").skip(1).map(|rest| rest.split('"').next().expect("an address"));
    let argument = |link: &str, name: &str| {
        let value = link.split('&').find_map(|one| one.strip_prefix(name)?.strip_prefix('='));
        decoded(value.unwrap_or_else(|| panic!("no {name} in {link}")))
    };
    let question = |link| (argument(link, "query"), argument(link, "variables"));
    let read = |(query, variables): (String, String)| (query, serde_json::from_str(&variables).expect("JSON"));
    links.map(question).map(read).collect()
}

/// The addresses of a page as files, by their forms.
fn files(page: &str) -> Vec<&str> {
    let links = page.split("\" download>");
    let before: Vec<&str> = links.collect();
    let links = &before[..before.len() - 1];
    links.iter().map(|before| before.rsplit("href=\"").next().expect("an address")).collect()
}

/// The tables of a page that are not those of its pictures: the name, how many columns it has, and how many rows.
fn tables(page: &str) -> Vec<(&str, usize, usize)> {
    let table = |rest: &str| {
        let table = rest.split("</table>").next().unwrap_or_default();
        (table.matches("<th scope=\"col\"").count(), table.matches("<th scope=\"row\"").count())
    };
    // A picture has its numbers in a figure of its own.
    let outside = page.split("<figure").enumerate().map(|(at, part)| match at {
        0 => part,
        _ => part.split_once("</figure>").map_or("", |(_, after)| after),
    });
    let named =
        outside.flat_map(|part| part.split("<table id=\"table-").skip(1)).filter_map(|rest| rest.split_once('"'));
    named.map(|(name, rest)| (name, table(rest).0, table(rest).1)).collect()
}

fn csv(text: &str) -> Vec<Vec<String>> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}

/// What readers found on a route.
#[derive(Default)]
struct Found {
    has_files: bool,
    has_rows: bool,
}

/// Asks the questions of a page again, and reads its tables as CSV. Returns the address of the workbook with the lines
/// of its sheets.
#[track_caller]
fn read(
    (server, token): (&Server, &str),
    visitor: &mut Visitor<'_>,
    (path, answer): (&str, &Answer),
    found: &mut Found,
) -> Option<(String, BTreeMap<String, usize>)> {
    let page = plain(&answer.text);
    let questions = questions(&page);
    assert!(!questions.is_empty() && page.contains("class=\"queries\""), "{path} shows no query: {page}");
    for (query, variables) in questions {
        let again = server.graphql(token, &query, &variables).json();
        assert!(again["data"].is_object() && again["errors"].is_null(), "{path}: {query} {variables}: {again}");
    }
    let links = files(&page);
    let tables = tables(&page);
    if links.is_empty() {
        assert!(tables.is_empty(), "{path} offers no file of {tables:?}");
        return None;
    }
    let [of_csv, of_book] = links[..] else { panic!("{path}: {links:?}") };
    assert!(of_csv.ends_with("as=csv") && of_book.ends_with("as=xlsx"), "{path}: {links:?}");
    found.has_files = true;
    let first = visitor.get(of_csv);
    assert!(first.status == 200 && first.content_type.starts_with("text/csv"), "{path}: {first:?}");
    found.has_rows |= csv(&first.text).len() > 1;
    let mut sheets = BTreeMap::new();
    for (name, columns, rows) in tables {
        let file = visitor.get(&format!("{of_csv}&table={name}"));
        assert_eq!(file.status, 200, "{path}: {name}: {file:?}");
        let lines = csv(&file.text);
        assert!(lines.iter().all(|line| line.len() == columns), "{path}: {name} has {columns} columns: {}", file.text);
        assert!(lines.len() > rows && rows > 0, "{path}: {name} shows {rows} rows: {}", file.text);
        found.has_rows = true;
        sheets.insert(name.to_owned(), lines.len());
    }
    Some((of_book.to_owned(), sheets))
}

/// A server with a key file over the stage.
fn started(app: &TestApp, files: &Files) -> Server {
    let key = files.key_file();
    Program::built().serve(&app.database, &["--no-jobs", "--key-file", &key])
}

#[test]
fn each_view_shows_its_query_and_offers_what_it_shows_as_files() {
    for app in TestApp::both().filled(filled) {
        let files = Files::new();
        let server = started(&app, &files);
        let stage = Stage::set(&app, &server, &files);
        covers_all_routes(&stage.addresses);
        let mut by_route: BTreeMap<&str, Found> = BTreeMap::new();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for (name, token) in &stage.readers {
            let mut visitor = Visitor::signed_in(&server, token);
            let mut books = Vec::new();
            for address in &stage.addresses {
                let (path, answer) = (address.path.as_str(), visitor.get(&address.path));
                assert!([address.status, 403, 404].contains(&answer.status), "{path} for the {name}: {answer:?}");
                if answer.status == address.status {
                    seen.insert(path);
                }
                if answer.status != 200 {
                    continue;
                }
                let found = by_route.entry(address.route).or_default();
                // A message is a document of its own.
                if !answer.header("content-security-policy").ends_with("sandbox") {
                    books.extend(read((&server, token.as_str()), &mut visitor, (path, &answer), found));
                }
            }
            let paths = books.iter().map(|(path, _)| path.as_str());
            let arguments: Vec<&str> = [server.address.as_str(), token.as_str()].into_iter().chain(paths).collect();
            let said = workbook(&arguments);
            assert_eq!(said.list().len(), books.len());
            for (book, (path, sheets)) in said.list().iter().zip(&books) {
                for (sheet, lines) in sheets {
                    let rows = book[sheet].as_array().map_or(0, Vec::len);
                    assert_eq!(rows, *lines, "{path} for the {name}: {sheet}");
                }
            }
        }
        let unseen: Vec<&str> =
            stage.addresses.iter().map(|one| one.path.as_str()).filter(|path| !seen.contains(path)).collect();
        assert!(unseen.is_empty(), "nobody sees {unseen:?}");
        for (route, found) in by_route {
            assert!(found.has_rows || !found.has_files, "{route} is empty for everyone");
        }
    }
}

/// Looks at every view as each of its readers, in themes and widths, in a browser.
#[track_caller]
fn looked_at(app: &TestApp, looks: [(&str, u32); 2]) {
    let files = Files::new();
    let server = started(app, &files);
    let stage = Stage::set(app, &server, &files);
    covers_all_routes(&stage.addresses);
    let keys = Keys::load(&files.path().join("key")).expect("the keys");
    let subscription = stage.subscription.parse().expect("an id");
    let ends = unsubscribe::token(&keys, Of::Digests, subscription).expect("a token");
    let ends = format!("/unsubscribe/{ends}");
    let wrong = json!({
        "path": stage.waiting, "step": "Chuyển đơn vị khác", "shows": ".problems",
        "fields": { "Mã đơn vị": "99", "Lý do": "Đúng chức năng hơn." },
    });
    let webhook = json!({
        "path": "/webhooks", "step": "Thêm nơi nhận", "shows": "#secret",
        "fields": { "Dùng để làm gì": "Cổng thông tin", "Địa chỉ": "https://example.org/hook" },
    });
    let readers: Vec<Value> = stage
        .readers
        .iter()
        .map(|(name, token)| {
            let mut visitor = Visitor::signed_in(&server, token);
            let shown = stage.addresses.iter().filter(|address| visitor.get(&address.path).status == address.status);
            let mut pages: Vec<(&str, u16)> = shown.map(|address| (address.path.as_str(), address.status)).collect();
            assert!(pages.len() > 3, "{name}: {pages:?}");
            let mut forms = Vec::new();
            if *name == "Board" {
                pages.extend([("/nowhere", 404), ("/audit", 403)]);
                forms.push(&wrong);
            } else if *name == "administrator" {
                forms.push(&webhook);
            }
            json!({ "token": token, "pages": pages, "forms": forms, "letters": *name == "Board" })
        })
        .collect();
    let strangers = [("/sign-in", 200), ("/sign-in?next=/flags", 200), ("/nowhere", 404), (ends.as_str(), 200)];
    let found = accessible(&server, &json!({ "looks": looks, "strangers": strangers, "readers": readers }));
    assert_eq!(found["focus"], "skip", "the first stop of the keyboard leads to the content");
    assert_eq!(found["refused"], 1, "a refused sign-in says why: {found}");
    assert_eq!(found["signedIn"].list().len(), stage.readers.len(), "{found}");
    assert!(found["signedIn"].list().iter().all(|heading| heading == "Hôm nay"), "{found}");
    assert!(found["letters"].integer() > 500, "letters were looked at: {found}");
    assert_eq!(found["chosen"], json!(["dark", "rgb(20, 23, 27)"]), "the theme that a reader chose");
}

/// Each reader sees every view in both themes at both widths. Each database shows two of the four: what axe-core finds
/// depends on colours and on the layout, and the views of both databases have the same.
#[test]
fn every_view_is_accessible_to_each_of_its_readers() {
    looked_at(&TestApp::sqlite().filled(filled).start(), [("light", 390), ("dark", 1280)]);
}

#[test]
fn every_view_on_postgresql_is_accessible_to_each_of_its_readers() {
    looked_at(&TestApp::postgres().filled(filled).start(), [("dark", 390), ("light", 1280)]);
}
