//! Formats the numbers and rules of a flag as text.

use crate::cli::output::table;
use jobs::analyses::recurrence::{
    Adjusted, AnonymousRule, Rules, SubjectCounts, SubjectNumbers, TierRule, WindowNumbers,
};
use jobs::facts::exposure::Basis;
use serde_json::Value;

/// Names what the numbers of an assessment were adjusted for, in the same words as its reason.
pub fn adjustment(numbers: &Value) -> &'static str {
    match serde_json::from_value(numbers["basis"].clone()).unwrap_or_default() {
        Basis::Declarations => "adjusted for the number of declarations handled",
        Basis::PostingDays => "adjusted for days in posting",
        Basis::None => "not adjusted for workload",
    }
}

/// The counts of each window and, if adjusted, observed against expected numbers.
pub fn windows(numbers: &Value, rules: Option<&Value>) -> String {
    let windows: Vec<WindowNumbers> = serde_json::from_value(numbers["windows"].clone()).unwrap_or_default();
    let own = parsed(rules).is_some_and(|rules| rules.anonymous == AnonymousRule::OwnEnterprise);
    // Anonymous complaints may come from the same enterprise.
    let whose = if own { "ENTERPRISES AND ANONYMOUS" } else { "ENTERPRISES" };
    let counts = table(
        &["DAYS", "COMPLAINTS", "EPISODES", whose, "CONFIRMED", "W/O NOT SUSTAINED", "ANONYMOUS", "SERIOUS"],
        windows.iter().map(|window| {
            let numbers = [
                window.complaints,
                window.episodes,
                window.enterprises,
                window.enterprises_confirmed,
                window.enterprises_without_not_sustained,
                window.anonymous,
                window.serious,
            ];
            std::iter::once(window.days.to_string()).chain(numbers.map(|number| number.to_string())).collect()
        }),
    );
    let of = |window: &WindowNumbers, counted: &str, adjusted: &Option<Adjusted>| {
        adjusted.as_ref().map(|adjusted| compared(window.days, counted, adjusted))
    };
    let adjusted: Vec<Vec<String>> = windows
        .iter()
        .flat_map(|window| [of(window, "all", &window.adjusted), of(window, "confirmed", &window.adjusted_confirmed)])
        .flatten()
        .collect();
    if adjusted.is_empty() {
        return counts;
    }
    let header =
        ["DAYS", "COUNTED", "O", "E", "O/E", "95 %", "Q", "EBGM", "EB05", "EB95", "EB05 W/O LARGEST", "W/O ANONYMOUS"];
    format!("{counts}\n\n{}", table(&header, adjusted))
}

fn compared(days: i32, counted: &str, of: &Adjusted) -> Vec<String> {
    let short = |value: f64| format!("{value:.2}");
    vec![
        days.to_string(),
        counted.to_owned(),
        of.observed.to_string(),
        short(of.expected),
        short(of.ratio),
        format!("{:.2}-{:.2}", of.lower, of.upper),
        format!("{:.1e}", of.q),
        short(of.ebgm),
        short(of.eb05),
        short(of.eb95),
        short(of.eb05_without_largest),
        short(of.eb05_without_anonymous),
    ]
}

/// The adjusted numbers of all subjects with an expected number.
pub fn numbers(rows: &[SubjectNumbers]) -> String {
    let short = |value: f64| format!("{value:.4}");
    table(
        &["CODE", "O", "EXPOSURE", "E", "O/E", "95 %", "Q", "EBGM", "EB05"],
        rows.iter().map(|row| {
            vec![
                row.code.clone(),
                row.observed.to_string(),
                format!("{:.0}", row.exposure),
                short(row.expected),
                short(row.ratio),
                format!("{:.2}-{:.2}", row.lower, row.upper),
                format!("{:.2e}", row.q),
                short(row.ebgm),
                short(row.eb05),
            ]
        }),
    )
}

/// The counts of all subjects, if none has an expected number.
pub fn counts(rows: &[SubjectCounts]) -> String {
    table(
        &["CODE", "COMPLAINTS", "EPISODES", "ENTERPRISES", "CONFIRMED", "ANONYMOUS", "SERIOUS"],
        rows.iter().map(|row| {
            let numbers =
                [row.complaints, row.episodes, row.enterprises, row.enterprises_confirmed, row.anonymous, row.serious];
            std::iter::once(row.code.clone()).chain(numbers.map(|number| number.to_string())).collect()
        }),
    )
}

fn parsed(rules: Option<&Value>) -> Option<Rules> {
    serde_json::from_value(rules?.clone()).ok()
}

/// Rules as text; docs/rules.toml explains each setting.
pub fn rules(rules: Option<&Value>) -> String {
    let Some(rules) = parsed(rules) else { return "are those of another version of the program".to_owned() };
    let anonymous = match rules.anonymous {
        AnonymousRule::NotCounted => "an anonymous complaint counts as no enterprise",
        AnonymousRule::OwnEnterprise => "each anonymous complaint counts as an enterprise of its own",
    };
    let campaign = &rules.campaign;
    let mut lines = vec![
        format!(
            "{:?}: {anonymous}; an episode is what one enterprise says within {} days",
            rules.version, rules.episode_days
        ),
        format!(
            "  a campaign: {} enterprises in {} days, texts of {} characters or more that share {} of their runs; {} templates",
            campaign.enterprises,
            campaign.days,
            campaign.characters,
            campaign.similarity,
            campaign.templates.len()
        ),
        format!(
            "  adjusted if exposure is known for {} of the episodes, in strata of {} episodes or more",
            rules.exposure_coverage, rules.stratum_episodes
        ),
    ];
    lines.extend(rules.tiers().map(|(name, tier)| format!("  {name}: {}", conditions(tier))));
    lines.join("\n")
}

/// The conditions of a tier.
fn conditions(tier: &TierRule) -> String {
    let mut conditions = vec![format!("{} enterprises in {} days", tier.enterprises, tier.days)];
    conditions.extend(tier.confirmed.then(|| "confirmed attributions only".to_owned()));
    conditions.extend(tier.serious.then(|| "one complaint of a serious category".to_owned()));
    conditions.extend(tier.q.map(|q| format!("q at most {q}")));
    conditions.extend(tier.eb05.map(|eb05| format!("EB05 at least {eb05}")));
    conditions
        .extend(tier.robust.then(|| "also without any one enterprise and without anonymous complaints".to_owned()));
    conditions.join(", ")
}
