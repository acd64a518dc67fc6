//! Proposals of the Board about categories and units, with what has changed since they are in force.

use super::Refused;
use super::effects::{effect_of, effects_picture, sentence};
use crate::web::address::{address, encoded};
use crate::web::views::arguments::Arguments;
use crate::web::views::conditions::ask;
use crate::web::views::numbers::{options, today};
use crate::web::views::paging;
use crate::web::{Cell, Page, PageError, Picture, Problem, Table, Visit, name, nodes, text, times};
use schema::enums::ProposalState;
use serde::Serialize;
use serde_json::{Value, json};

const PROPOSALS: &str = include_str!("../../queries/categories-proposals.graphql");

/// Proposals of a page.
const ROWS: u32 = 20;
/// Proposals that one question asks for. Each effect costs as much as a statistic, so the limit of cost refuses the
/// rows of a file at once.
const AT_ONCE: u64 = 50;
/// Days before a proposal that its effect is compared with.
const WINDOW: [u32; 3] = [90, 180, 365];

/// A proposal as the page shows it.
#[derive(Debug, Serialize)]
struct Shown {
    id: String,
    title: String,
    text: String,
    /// Its state, and since when.
    state: String,
    reason: String,
    /// The categories and units that it concerns.
    about: Vec<Cell>,
    /// The effect in words; empty if it is not known.
    effect: String,
    version: i64,
    /// The states that it may enter, with the words of their buttons.
    steps: Vec<(&'static str, String)>,
    needs_reason: bool,
    needs_day: bool,
    given_reason: String,
    given_day: String,
}

/// Adds the proposals, for roles that see them; none where the filter is wrong, which is among the problems.
///
/// # Errors
/// The other errors of the question.
pub async fn add(visit: &Visit, page: Page, refused: &Refused, problems: &mut Vec<Problem>) -> Result<Page, PageError> {
    if !visit.may("Query", "proposals") {
        return Ok(page.with("proposals", None::<Vec<Shown>>).with("effects", None::<Picture>));
    }
    let mut arguments = Arguments::new(visit);
    let days = arguments.offered(("window", "categories-window"), WINDOW);
    let mut filter = json!({});
    if let Some(code) = visit.argument("category") {
        filter["category"] = json!({ "code": { "eq": code } });
    }
    let state = arguments.word(("state", "categories-proposal-state"), ProposalState::WORDS, "categories-state");
    if let Some(state) = state {
        filter["state"] = json!({ "eq": state });
    }
    if let Some(id) = arguments.id(("proposal", "filters-id")) {
        filter["id"] = json!({ "eq": id });
    }
    problems.extend(arguments.problems());
    let mut variables = json!({ "filter": filter, "days": days });
    paging::ask(visit, ROWS, &mut variables);
    for size in ["first", "last"] {
        if let Some(rows) = variables[size].as_u64() {
            variables[size] = rows.min(AT_ONCE).into();
        }
    }
    let data = ask(visit, PROPOSALS, variables, problems).await?;
    let proposals = &data["proposals"];
    let shown: Vec<Shown> = nodes(proposals).map(|proposal| template_row(visit, proposal, refused)).collect();
    // The proposals stand below the trends.
    let (newer, older) = paging::links(visit, proposals);
    let below = |link: Option<String>| link.map(|link| format!("{link}#proposals"));
    // The step of a proposal that is refused shows the same proposals again.
    let here = visit.link(&[]);
    let kept = here.split_once('?').map(|(_, arguments)| format!("?{arguments}"));
    let windows =
        WINDOW.map(|days| (days.to_string(), visit.t_with("categories-window-choice", &[("days", days.into())])));
    Ok(page
        .table(table(visit, proposals))
        .with("effects", effects_picture(visit, nodes(proposals))?)
        .with("proposals", shown)
        .with("newer", below(newer))
        .with("older", below(older))
        .with("kept", kept.unwrap_or_default())
        .with("total", proposals["totalCount"].as_u64())
        .with("windows", windows)
        .with("window", days.to_string())
        .with("states", options(visit, "categories-state", ProposalState::WORDS))
        .with("state", state.unwrap_or_default())
        .with("proposal", visit.argument("proposal").unwrap_or_default())
        .with("today", today().to_string()))
}

/// The states that a proposal may enter.
fn steps(state: &str) -> &'static [&'static str] {
    match state {
        "PROPOSED" => &["ACCEPTED", "REJECTED", "WITHDRAWN"],
        "ACCEPTED" => &["IMPLEMENTED", "WITHDRAWN"],
        // Corrects the day.
        "IMPLEMENTED" => &["IMPLEMENTED"],
        _ => &[],
    }
}

fn template_row(visit: &Visit, proposal: &Value, refused: &Refused) -> Shown {
    let (id, state) = (text(&proposal["id"]), text(&proposal["state"]));
    let since = visit.date(&proposal["stateSince"]);
    let state_words = match proposal["implementedOn"].is_null() {
        false => visit.t_with("categories-in-force", &[("day", visit.date(&proposal["implementedOn"]).into())]),
        true => visit.t_with(
            "categories-state-since",
            &[("state", visit.t(&format!("categories-state-{state}")).into()), ("day", since.into())],
        ),
    };
    let link = |one: &Value, address: String| Cell::link(name(one, visit.locale()), address);
    let categories = proposal["categories"].as_array().into_iter().flatten();
    let units = proposal["units"].as_array().into_iter().flatten();
    let about = categories
        .map(|one| link(one, address("/categories", [("category", text(&one["code"]))])))
        .chain(units.map(|one| link(one, format!("/units/{}", encoded(text(&one["code"]))))));
    let steps = steps(state);
    let is_refused = refused.proposal == id;
    let given = |value: &str| if is_refused { value.to_owned() } else { String::new() };
    let day = given(&refused.day);
    Shown {
        id: id.to_owned(),
        title: text(&proposal["title"]).to_owned(),
        text: text(&proposal["text"]).to_owned(),
        state: state_words,
        reason: text(&proposal["reason"]).to_owned(),
        about: about.collect(),
        effect: sentence(visit, &proposal["effect"]),
        version: proposal["version"].as_i64().unwrap_or(0),
        steps: steps.iter().map(|step| (*step, visit.t(&format!("categories-step-{state}-{step}")))).collect(),
        needs_reason: steps.contains(&"WITHDRAWN"),
        needs_day: steps.contains(&"IMPLEMENTED"),
        given_reason: given(&refused.reason),
        given_day: if day.is_empty() { text(&proposal["implementedOn"]).to_owned() } else { day },
    }
}

fn table(visit: &Visit, proposals: &Value) -> Table {
    let columns = ["title", "state", "force", "before", "after", "ratio", "limits", "elsewhere"]
        .map(|column| visit.t(&format!("categories-proposal-{column}")));
    let rows = nodes(proposals).map(|proposal| {
        let effect = &proposal["effect"];
        let ratio = |value: &Value| match value["ratio"].as_f64() {
            Some(ratio) => Cell::number(ratio, times(visit, ratio)),
            None => Cell::default(),
        };
        let count = |period: &str| match effect[period]["complaints"].as_f64() {
            Some(count) => Cell::number(count, visit.number(count, 0)),
            None => Cell::default(),
        };
        let limits =
            effect_of(proposal).map(|row| format!("{} – {}", times(visit, row.lower), times(visit, row.upper)));
        vec![
            Cell::text(text(&proposal["title"])),
            Cell::text(visit.t(&format!("categories-state-{}", text(&proposal["state"])))),
            visit.day_cell(&proposal["implementedOn"]),
            count("before"),
            count("after"),
            ratio(&effect["rateRatio"]),
            Cell::text(limits.unwrap_or_default()),
            ratio(&effect["rateRatioElsewhere"]),
        ]
    });
    Table::new("proposals", visit.t("categories-proposals-caption"), &columns, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_of_a_proposal_has_words_in_the_language_files() {
        for file in [
            include_str!("../../../../assets/web/words/categories.vi.ftl"),
            include_str!("../../../../assets/web/words/categories.en.ftl"),
        ] {
            for state in ProposalState::WORDS {
                assert!(file.contains(&format!("categories-state-{state} = ")), "{state}");
                for step in steps(state) {
                    assert!(ProposalState::WORDS.contains(step), "{step}");
                    assert!(file.contains(&format!("categories-step-{state}-{step} = ")), "{state} {step}");
                }
            }
        }
    }
}
