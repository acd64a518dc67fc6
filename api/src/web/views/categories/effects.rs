//! The effects of proposals in force: complaints per day, compared with the days before.

use crate::web::{PageError, Picture, Visit, picture, text, times};
use jobs::charts::Unusual;
use jobs::charts::interval::{self, IntervalData, IntervalRow};
use serde_json::Value;

/// The effect of a proposal with its limits; None if it is not in force, or a period has no complaint.
pub fn effect_of(proposal: &Value) -> Option<IntervalRow> {
    let ratio = &proposal["effect"]["rateRatio"];
    Some(IntervalRow {
        label: text(&proposal["title"]).to_owned(),
        ratio: ratio["ratio"].as_f64()?,
        lower: ratio["lower"].as_f64()?,
        upper: ratio["upper"].as_f64()?,
    })
}

/// The effect in words; empty if it is not known.
pub fn sentence(visit: &Visit, effect: &Value) -> String {
    let count = |period: &str, field: &str| effect[period][field].as_i64().unwrap_or(0);
    if effect.is_null() {
        return String::new();
    }
    let counts = visit.t_with(
        "categories-effect-counts",
        &[
            ("before", count("before", "complaints").into()),
            ("before_days", count("before", "days").into()),
            ("after", count("after", "complaints").into()),
            ("after_days", count("after", "days").into()),
        ],
    );
    let number = |of: &str, field: &str| effect[of][field].as_f64();
    let (Some(ratio), Some(lower), Some(upper)) =
        (number("rateRatio", "ratio"), number("rateRatio", "lower"), number("rateRatio", "upper"))
    else {
        return counts;
    };
    let key = match (lower > 1.0, upper < 1.0) {
        (true, _) => "categories-effect-more",
        (_, true) => "categories-effect-less",
        _ => "categories-effect-chance",
    };
    let words = |ratio: f64| times(visit, ratio);
    let change = visit
        .t_with(key, &[("times", words(ratio).into()), ("lower", words(lower).into()), ("upper", words(upper).into())]);
    let elsewhere = number("rateRatioElsewhere", "ratio")
        .map(|ratio| visit.t_with("categories-effect-elsewhere", &[("times", words(ratio).into())]));
    [Some(counts), Some(change), elsewhere].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The chart of the effects of all proposals in force, with a line at no change; None without an effect.
///
/// # Errors
/// `Internal` if the words of charts are broken.
pub fn effects_picture<'p>(
    visit: &Visit,
    proposals: impl Iterator<Item = &'p Value>,
) -> Result<Option<Picture>, PageError> {
    let rows: Vec<IntervalRow> = proposals.filter_map(effect_of).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let less = rows.iter().filter(|row| row.unusual() == Some(Unusual::Low)).count();
    let data = IntervalData {
        title: visit.t_with("categories-effects-title", &[("count", rows.len().into()), ("less", less.into())]),
        rows_name: visit.t("categories-proposal-title"),
        ratio_name: visit.t("categories-effects-axis"),
        limits_name: visit.t("categories-proposal-limits"),
        rows,
    };
    picture("effects", visit.locale(), |words, style| interval::chart(&data, words, style)).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_effect_without_complaints_before_has_no_limits() {
        let ratio = |upper: Value| json!({ "title": "A", "effect": { "rateRatio": { "ratio": 0.5, "lower": 0.3, "upper": upper } } });
        let drawn = effect_of(&ratio(json!(0.8))).unwrap();
        assert_eq!((drawn.label.as_str(), drawn.unusual()), ("A", Some(Unusual::Low)));
        assert_eq!(effect_of(&ratio(Value::Null)), None);
        assert_eq!(effect_of(&json!({ "title": "A", "effect": null })), None);
    }
}
