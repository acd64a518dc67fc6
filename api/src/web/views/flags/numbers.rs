//! The numbers behind a flag: in one sentence, by window, and without the enterprise that complained most.

use crate::web::{Cell, Table, Visit, amount, once_in, times};
use fluent_bundle::FluentValue;
use serde_json::Value;

/// The window that a flag is explained with: the one of its tier's rule where it is known, else the longest, of those
/// with numbers adjusted for workload if there are some.
pub fn main_window(numbers: &Value, days: Option<i64>) -> Option<&Value> {
    let windows = numbers["windows"].as_array()?;
    let of_rule = windows.iter().find(|window| days.is_some() && window["days"].as_i64() == days);
    let longest = |adjusted: bool| {
        let fitting = windows.iter().filter(|window| !adjusted || !window["adjusted"].is_null());
        fitting.max_by_key(|window| window["days"].as_i64())
    };
    of_rule.or_else(|| longest(true)).or_else(|| longest(false))
}

/// The days of the window that the rule of a tier uses, by the rules of a run.
pub fn days_of_rule(rules: &Value, tier: &Value) -> Option<i64> {
    let rule = match tier.as_str()? {
        "WATCH" => "watch",
        "REVIEW" => "review",
        _ => "suspension_review",
    };
    rules[rule]["days"].as_i64()
}

/// The sentences of a flag.
pub fn sentence(visit: &Visit, subject: &str, window: &Value, is_officer: bool) -> String {
    let count = |name: &str| window[name].as_i64().unwrap_or(0);
    let mut values: Vec<(&str, FluentValue<'_>)> = vec![
        ("subject", subject.to_owned().into()),
        ("enterprises", count("distinctEnterprises").into()),
        ("complaints", count("complaints").into()),
        ("days", count("days").into()),
    ];
    let adjusted = &window["adjusted"];
    let (Some(ratio), Some(p)) = (adjusted["ratio"].as_f64(), adjusted["p"].as_f64()) else {
        return visit.t_with("flags-sentence-unadjusted", &values);
    };
    values.push(("times", times(visit, ratio).into()));
    values.push(("once", once_in(visit, p).into()));
    visit.t_with(if is_officer { "flags-sentence-officer" } else { "flags-sentence-branch" }, &values)
}

/// The cell of a number; empty for null.
pub fn cell(visit: &Visit, value: &Value, shown: impl Fn(&Visit, f64) -> String) -> Cell {
    match amount(value) {
        Some(number) => Cell::number(number, shown(visit, number)),
        None => Cell::default(),
    }
}

pub fn whole(visit: &Visit, number: f64) -> String {
    visit.number(number, 0)
}

fn chance(visit: &Visit, p: f64) -> String {
    visit.t_with("flags-once-in", &[("once", once_in(visit, p).into())])
}

/// The cell of the limits of a ratio; empty without numbers adjusted for workload.
fn limits_of(visit: &Visit, adjusted: &Value) -> Cell {
    match (adjusted["ratioLower"].as_f64(), adjusted["ratioUpper"].as_f64()) {
        (Some(lower), Some(upper)) => Cell::text(format!("{} – {}", times(visit, lower), times(visit, upper))),
        _ => Cell::text(String::new()),
    }
}

/// Keys of the columns that compare what a window counts with the expected number.
const COMPARED: [&str; 8] = ["complaints", "episodes", "enterprises", "expected", "times", "limits", "least", "chance"];

/// The cells of these columns.
fn compared(visit: &Visit, window: &Value) -> [Cell; 8] {
    let adjusted = &window["adjusted"];
    [
        cell(visit, &window["complaints"], whole),
        cell(visit, &window["episodes"], whole),
        cell(visit, &window["distinctEnterprises"], whole),
        cell(visit, &adjusted["expected"], times),
        cell(visit, &adjusted["ratio"], times),
        limits_of(visit, adjusted),
        cell(visit, &adjusted["eb05"], times),
        cell(visit, &adjusted["p"], chance),
    ]
}

/// A column of whole numbers: the key of its name, and its field in a window.
type Counted<'c> = (&'c str, &'c str);

/// A table with the numbers of each window: its days, the counts `before`, what all windows have, the counts `after`.
pub fn table_of_windows(
    visit: &Visit,
    (name, caption): (&'static str, String),
    numbers: &Value,
    (before, after): (&[Counted<'_>], &[Counted<'_>]),
) -> Table {
    let keys = |counted: &[Counted<'_>]| counted.iter().map(|(key, _)| (*key).to_owned()).collect::<Vec<_>>();
    let columns = [vec!["days".to_owned()], keys(before), COMPARED.map(str::to_owned).to_vec(), keys(after)].concat();
    let columns: Vec<String> = columns.iter().map(|column| visit.t(&format!("flags-{column}"))).collect();
    let rows = numbers["windows"].as_array().into_iter().flatten().map(|window| {
        let counts = |counted: &[Counted<'_>]| -> Vec<Cell> {
            counted.iter().map(|(_, field)| cell(visit, &window[*field], whole)).collect()
        };
        let days = vec![cell(visit, &window["days"], whole)];
        [days, counts(before), compared(visit, window).to_vec(), counts(after)].concat()
    });
    Table::new(name, caption, &columns, rows)
}

/// The numbers of each window.
pub fn windows(visit: &Visit, numbers: &Value) -> Table {
    let named = ("numbers", visit.t("flags-numbers-caption"));
    table_of_windows(visit, named, numbers, (&[], &[("serious", "serious"), ("anonymous", "anonymous")]))
}

/// Numbers of a window without the enterprise that complained most, without anonymous complaints, and with confirmed
/// attributions alone. None without numbers adjusted for workload.
pub fn without(visit: &Visit, window: &Value, largest: Option<String>) -> Option<Table> {
    let adjusted = &window["adjusted"];
    if adjusted.is_null() {
        return None;
    }
    let episodes = adjusted["largest"].as_i64().unwrap_or(0);
    let without_one = match largest {
        Some(enterprise) => {
            visit.t_with("flags-without-this", &[("enterprise", enterprise.into()), ("episodes", episodes.into())])
        }
        None => visit.t_with("flags-without-largest", &[("episodes", episodes.into())]),
    };
    let confirmed = &window["adjustedConfirmed"];
    let cases = [
        (visit.t("flags-with-all"), &adjusted["eb05"], &adjusted["p"]),
        (without_one, &adjusted["eb05WithoutLargest"], &adjusted["pWithoutLargest"]),
        (visit.t("flags-without-anonymous"), &adjusted["eb05WithoutAnonymous"], &adjusted["pWithoutAnonymous"]),
        (visit.t("flags-confirmed-only"), &confirmed["eb05"], &confirmed["p"]),
    ];
    let rows = cases
        .into_iter()
        .filter(|(_, eb05, _)| !eb05.is_null())
        .map(|(what, eb05, p)| vec![Cell::text(what), cell(visit, eb05, times), cell(visit, p, chance)]);
    let columns = ["counted", "least", "chance"].map(|column| visit.t(&format!("flags-{column}")));
    Some(Table::new("without", visit.t("flags-without-caption"), &columns, rows))
}

/// Number of enterprises that complained, counted in other ways.
pub fn enterprises(visit: &Visit, window: &Value) -> Table {
    let columns = [visit.t("flags-counted"), visit.t("flags-enterprises")];
    let ways = [
        ("flags-with-all", "distinctEnterprises"),
        ("flags-campaigns-apart", "distinctEnterprisesOfCampaignsApart"),
        ("flags-confirmed-only", "distinctEnterprisesConfirmed"),
        ("flags-without-not-sustained", "distinctEnterprisesWithoutNotSustained"),
    ];
    let rows = ways.map(|(key, field)| vec![Cell::text(visit.t(key)), cell(visit, &window[field], whole)]);
    Table::new("enterprises", visit.t("flags-enterprises-caption"), &columns, rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_flag_is_explained_by_the_window_of_its_rule_or_by_the_longest_with_adjusted_numbers() {
        let numbers = json!({ "windows": [
            { "days": 90, "adjusted": {} }, { "days": 180, "adjusted": {} }, { "days": 365, "adjusted": null },
        ] });
        let days = |rule| main_window(&numbers, rule).unwrap()["days"].clone();
        assert_eq!(
            (days(Some(90)), days(Some(365)), days(None), days(Some(7))),
            (90.into(), 365.into(), 180.into(), 180.into())
        );
        assert!(main_window(&Value::Null, None).is_none());
        let rules = json!({ "suspension_review": { "days": 365 }, "watch": { "days": 180 } });
        assert_eq!(days_of_rule(&rules, &json!("SUSPENSION_REVIEW")), Some(365));
        assert_eq!(days_of_rule(&Value::Null, &json!("WATCH")), None);
    }
}
