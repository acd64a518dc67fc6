//! The table `flag_numbers`.

use super::columns::{Day, Flag, Float, Text, Whole, declare_table};
use super::flags::{Shown, present, shown};
use super::names::{Context, Emit};
use crate::JobError;
use crate::analyses::recurrence::{Adjusted, WindowNumbers};
use schema::{Conn, StoreError};

declare_table! {
    "flag_numbers": "The numbers of each flag, one row for each window of days, from the run that assessed its subject last."
    {
        flag: Text = "Pseudonym of the flag.",
        as_of: Option<Day> = "Last day of the window: the day of the run.",
        window_days: Whole = "Length of the window in days.",
        basis: Option<Text> = "Measure of exposure: DECLARATIONS, POSTING_DAYS or NONE.",
        unadjusted: Flag = "Whether the tier rests on the number of enterprises alone.",
        complaints: Whole = "Complaints.",
        complaints_without_not_sustained: Whole = "Complaints without those found NOT_SUSTAINED.",
        episodes: Whole = "Episodes that began in the window.",
        d: Whole = "Distinct enterprises; a campaign counts as one.",
        d_campaigns_apart: Whole = "Distinct enterprises, with each enterprise of a campaign counted.",
        d_confirmed: Whole = "Distinct enterprises of complaints with a CONFIRMED attribution.",
        d_without_not_sustained: Whole = "Distinct enterprises without complaints found NOT_SUSTAINED.",
        campaign_complaints: Whole = "Complaints that belong to a campaign.",
        anonymous: Whole = "Anonymous complaints.",
        serious: Whole = "Complaints of a serious category.",
        serious_confirmed: Whole = "Complaints of a serious category with a CONFIRMED attribution.",
        observed: Option<Whole> = "Observed episodes (O). Null, as the following columns, in windows that no tier uses, and without exposure.",
        exposure: Option<Float> = "Exposure in the window.",
        expected: Option<Float> = "Expected episodes (E).",
        ratio: Option<Float> = "O / E.",
        ratio_lower: Option<Float> = "Lower exact 95 % limit of O / E.",
        ratio_upper: Option<Float> = "Upper exact 95 % limit of O / E.",
        p: Option<Float> = "Mid-p upper tail of the Poisson distribution.",
        q: Option<Float> = "False discovery rate (Benjamini and Hochberg).",
        ebgm: Option<Float> = "Rate ratio after shrinkage.",
        eb05: Option<Float> = "Value that the rate ratio exceeds with a probability of 95 %.",
        eb95: Option<Float> = "Value that the rate ratio stays below with a probability of 95 %.",
        largest: Option<Whole> = "Episodes of the enterprise that has most of them.",
        p_without_largest: Option<Float> = "p without that enterprise.",
        eb05_without_largest: Option<Float> = "eb05 without that enterprise.",
        p_without_anonymous: Option<Float> = "p without anonymous complaints.",
        eb05_without_anonymous: Option<Float> = "eb05 without anonymous complaints.",
        widened: Option<Float> = "Share of E that comes from widened strata.",
        carried: Option<Flag> = "Whether some of the exposure is carried over from another month.",
        observed_confirmed: Option<Whole> = "observed, of complaints with a CONFIRMED attribution, as the following columns.",
        expected_confirmed: Option<Float> = "expected of these.",
        q_confirmed: Option<Float> = "q of these.",
        ebgm_confirmed: Option<Float> = "ebgm of these.",
        eb05_confirmed: Option<Float> = "eb05 of these.",
        eb95_confirmed: Option<Float> = "eb95 of these.",
    }
}

/// The numbers of the flags, in the order of the flags, the shortest window first.
///
/// # Errors
/// When the database fails, or the numbers of a flag cannot be parsed.
pub(super) fn make(of: &Context<'_>, conn: &mut Conn, emit: &mut Emit<'_>) -> Result<(), JobError> {
    // The numbers count complaints that are withheld from an officer.
    if of.reader.officer.is_some() {
        return emit(Rows::new(0).finish()?);
    }
    let shown = shown(of, conn)?;
    let mut rows = Rows::new(shown.len() * 4);
    for (flag, assessment) in present(&shown, conn)? {
        let numbers = assessment.numbers.0;
        let windows: Vec<WindowNumbers> = serde_json::from_value(numbers["windows"].clone())
            .map_err(|e| StoreError::Rule(format!("the numbers of flag {} cannot be parsed: {e}", flag.flag.id)))?;
        let basis = ["DECLARATIONS", "POSTING_DAYS", "NONE"].into_iter().find(|word| numbers["basis"] == *word);
        let unadjusted = numbers["unadjusted"].as_bool().unwrap_or(true);
        for window in &windows {
            rows.push(row(flag, basis, unadjusted, window));
        }
    }
    emit(rows.finish()?)
}

fn row<'a>(flag: &'a Shown, basis: Option<&'a str>, unadjusted: bool, window: &WindowNumbers) -> Row<'a> {
    let (all, confirmed) = (window.adjusted.as_ref(), window.adjusted_confirmed.as_ref());
    let of = |number: fn(&Adjusted) -> f64| all.map(number);
    let of_confirmed = |number: fn(&Adjusted) -> f64| confirmed.map(number);
    Row {
        flag: &flag.name,
        as_of: flag.as_of,
        window_days: i64::from(window.days),
        basis,
        unadjusted,
        complaints: i64::from(window.complaints),
        complaints_without_not_sustained: i64::from(window.complaints_without_not_sustained),
        episodes: i64::from(window.episodes),
        d: i64::from(window.enterprises),
        d_campaigns_apart: i64::from(window.enterprises_of_campaigns_apart),
        d_confirmed: i64::from(window.enterprises_confirmed),
        d_without_not_sustained: i64::from(window.enterprises_without_not_sustained),
        campaign_complaints: i64::from(window.campaign_complaints),
        anonymous: i64::from(window.anonymous),
        serious: i64::from(window.serious),
        serious_confirmed: i64::from(window.serious_confirmed),
        observed: all.map(|one| i64::from(one.observed)),
        exposure: of(|one| one.exposure),
        expected: of(|one| one.expected),
        ratio: of(|one| one.ratio),
        ratio_lower: of(|one| one.lower),
        ratio_upper: of(|one| one.upper),
        p: of(|one| one.p),
        q: of(|one| one.q),
        ebgm: of(|one| one.ebgm),
        eb05: of(|one| one.eb05),
        eb95: of(|one| one.eb95),
        largest: all.map(|one| i64::from(one.largest)),
        p_without_largest: of(|one| one.p_without_largest),
        eb05_without_largest: of(|one| one.eb05_without_largest),
        p_without_anonymous: of(|one| one.p_without_anonymous),
        eb05_without_anonymous: of(|one| one.eb05_without_anonymous),
        widened: of(|one| one.widened),
        carried: all.map(|one| one.carried),
        observed_confirmed: confirmed.map(|one| i64::from(one.observed)),
        expected_confirmed: of_confirmed(|one| one.expected),
        q_confirmed: of_confirmed(|one| one.q),
        ebgm_confirmed: of_confirmed(|one| one.ebgm),
        eb05_confirmed: of_confirmed(|one| one.eb05),
        eb95_confirmed: of_confirmed(|one| one.eb95),
    }
}
