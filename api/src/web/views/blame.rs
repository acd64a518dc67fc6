//! The blame check: who blames the system where no incident is recorded.

use super::numbers::{Form, cell};
use crate::web::address::{address, encoded};
use crate::web::{Cell, Page, PageError, Table, Visit, once_in, text};
use actix_web::HttpResponse;
use actix_web::web::{ServiceConfig, get};
use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

const CHECK: &str = include_str!("../queries/blame-check.graphql");

/// The page does not remark on a larger probability, because chance explains it.
const SELDOM: f64 = 0.2;

pub fn routes(config: &mut ServiceConfig) {
    config.route("/blame", get().to(check));
}

async fn check(visit: Visit) -> HttpResponse {
    let page = page(&visit).await;
    visit.respond(page)
}

async fn page(visit: &Visit) -> Result<Page, PageError> {
    if !visit.may("Query", "blameCheck") {
        return Err(PageError::Forbidden);
    }
    let data = visit.query(CHECK, json!({})).await?;
    let check = &data["blameCheck"];
    let wanted = visit.argument("code");
    let is_wanted = |subject: &&Value| wanted.is_none_or(|code| subject["code"] == code);
    let subjects = check["subjects"].as_array().into_iter().flatten().filter(is_wanted);
    let columns = ["subject", "kind", "blamed", "without", "share", "limits", "others", "chance"]
        .map(|column| visit.t(&format!("blame-{column}")));
    let rows = subjects.map(|subject| row(visit, check, subject));
    Ok(Page::new("blame.html", visit.t("blame-title"))
        .table(Table::new("blame", visit.t("blame-caption"), &columns, rows))
        .with("code", wanted.unwrap_or_default())
        .with("as_of", check["asOf"].as_str())
        .with("days", check["days"].as_i64())
        .with("blamed", check["blamed"].as_i64())
        .with("without", check["withoutIncident"].as_i64()))
}

fn row(visit: &Visit, check: &Value, subject: &Value) -> Vec<Cell> {
    let number = |field: &str, form: Form| cell(visit, form, &subject[field]);
    let share = |field: &str| number(field, Form::Share).text;
    let named = Cell { href: complaints_of(check, subject), ..Cell::text(text(&subject["code"])) };
    vec![
        if subject["flagged"] == true { named.marked("mark-unusual") } else { named },
        Cell::text(visit.t(&format!("blame-kind-{}", text(&subject["kind"])))),
        number("blamed", Form::Count),
        number("withoutIncident", Form::Count),
        number("share", Form::Share),
        Cell::text(format!("{} – {}", share("shareLower"), share("shareUpper"))),
        number("peersShare", Form::Share),
        match subject["q"].as_f64() {
            Some(q) if q < SELDOM => {
                Cell::number(q, visit.t_with("blame-once-in", &[("once", once_in(visit, q).into())]))
            }
            Some(q) => Cell::number(q, String::new()),
            None => Cell::default(),
        },
    ]
}

/// The address of the list of complaints in which the subject blamed the system.
fn complaints_of(check: &Value, subject: &Value) -> Option<String> {
    let until: NaiveDate = check["asOf"].as_str()?.parse().ok()?;
    let from = until - Days::new(check["days"].as_u64()?.saturating_sub(1));
    let code = text(&subject["code"]);
    let (from, until) = (from.to_string(), until.to_string());
    let who = if subject["kind"] == "OFFICER" { "officer" } else { "unit" };
    let list = address("/complaints", [("blames", "1"), ("from", from.as_str()), ("until", until.as_str())]);
    Some(format!("{list}&{who}={}", encoded(code)))
}
