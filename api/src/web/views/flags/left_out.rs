//! The numbers of a flag without an enterprise that the reader chose from its evidence.

use super::evidence::{Shown, enterprise_of_code};
use super::numbers::{days_of_rule, main_window, table_of_windows};
use crate::web::{PageError, Table, Visit, once_in, times};
use fluent_bundle::FluentValue;
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;

/// The page waits this long for the numbers. Everything else on it is there sooner.
const PATIENCE: Duration = Duration::from_secs(5);

const WITHOUT: &str = include_str!("../../queries/flags-without.graphql");

/// The sentences about the numbers without an enterprise.
#[derive(Debug, Serialize)]
pub struct LeftOut {
    title: String,
    sentences: Vec<String>,
    /// The address of the page with all enterprises.
    back: String,
    /// The address to ask again; None if the numbers are there.
    again: Option<String>,
}

/// Whether the reader may leave out an enterprise: a role that reads all numbers of the flag, where it has some.
pub fn offers(visit: &Visit, flag: &Value) -> bool {
    visit.may("Query", "flagWithoutEnterprise") && !flag["numbers"].is_null()
}

/// The numbers without the enterprise that the address names (`without`), with their table. None if it names none, or
/// they are not offered. Numbers that take too long have no table.
///
/// # Errors
/// `Refused` if no complaint of the evidence is by the enterprise; else the errors of the question.
pub async fn left_out(
    visit: &Visit,
    flag: &Value,
    complaints: &[Shown],
) -> Result<Option<(LeftOut, Option<Table>)>, PageError> {
    let Some(tax_code) = visit.argument("without").filter(|_| offers(visit, flag)) else { return Ok(None) };
    let answer = ask(visit, flag, tax_code).await?;
    let enterprise = enterprise_of_code(complaints, tax_code);
    let title = visit.t_with("flags-left-out-title", &[("enterprise", enterprise.as_str().into())]);
    let back = format!("{}#without", visit.link(&[("without", None)]));
    let Some(mut data) = answer else {
        // Without a fragment: a browser that shows this address would only scroll to it.
        let again = Some(visit.link(&[]));
        let sentences = vec![visit.t("flags-left-out-late")];
        return Ok(Some((LeftOut { title, sentences, back, again }, None)));
    };
    let found = data["flagWithoutEnterprise"].take();
    if found.is_null() {
        return Ok(None);
    }
    let sentences = sentences(visit, flag, &found);
    let table = table(visit, &found, &enterprise);
    Ok(Some((LeftOut { title, sentences, back, again: None }, Some(table))))
}

/// Asks for the numbers. None if they take longer than the page waits, or than the deadline of the reader.
async fn ask(visit: &Visit, flag: &Value, tax_code: &str) -> Result<Option<Value>, PageError> {
    let asking = Box::pin(visit.query(WITHOUT, json!({ "id": flag["id"], "taxCode": tax_code })));
    // A file would hide why it lacks the numbers.
    if visit.argument("as").is_some() {
        return asking.await.map(Some);
    }
    match tokio::time::timeout(PATIENCE, asking).await {
        Err(_) | Ok(Err(PageError::TookTooLong)) => Ok(None),
        Ok(answer) => answer.map(Some),
    }
}

/// Sentences about what remains in the window of the tier, and whether the limits of the tier still hold.
fn sentences(visit: &Visit, flag: &Value, found: &Value) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(window) = main_window(found, days_of_rule(&flag["run"]["rules"], &flag["tier"])) {
        let count = |name: &str| window[name].as_i64().unwrap_or(0);
        let counts: [(&str, FluentValue<'_>); 3] = [
            ("enterprises", count("distinctEnterprises").into()),
            ("complaints", count("complaints").into()),
            ("days", count("days").into()),
        ];
        said.push(visit.t_with("flags-left-out-sentence", &counts));
        let adjusted = &window["adjusted"];
        if let (Some(ratio), Some(p)) = (adjusted["ratio"].as_f64(), adjusted["p"].as_f64()) {
            let values: [(&str, FluentValue<'_>); 2] =
                [("times", times(visit, ratio).into()), ("once", once_in(visit, p).into())];
            said.push(visit.t_with("flags-left-out-adjusted", &values));
        }
    }
    said.extend(
        found["holds"]
            .as_bool()
            .map(|holds| visit.t(if holds { "flags-left-out-holds" } else { "flags-left-out-fails" })),
    );
    said
}

fn table(visit: &Visit, found: &Value, enterprise: &str) -> Table {
    let caption = visit.t_with("flags-left-out-caption", &[("enterprise", enterprise.to_owned().into())]);
    table_of_windows(visit, ("chosen", caption), found, (&[("left-out-complaints", "leftOut")], &[]))
}
