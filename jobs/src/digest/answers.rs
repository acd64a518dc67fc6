//! Summarises the answers of units to the complaints of a period, and lists which units answered best and worst.

use crate::analyses::timeliness::{TimelinessDocument, UnitTimeliness};
use serde::{Deserialize, Serialize};

/// Branches listed as best, and as worst, at most.
const RANKED: usize = 5;
/// The fewest complaints with a passed deadline of a ranked branch.
const LEAST: u32 = 20;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnswersPart {
    pub days: i32,
    pub least: u32,
    pub share_in_time: Option<f64>,
    pub median_days: Option<f64>,
    pub best: Vec<RankedUnit>,
    pub worst: Vec<RankedUnit>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RankedUnit {
    pub name_vi: String,
    pub name_en: Option<String>,
    pub code: String,
    pub share_in_time: f64,
    /// The rank's key: the share after shrinkage.
    #[serde(default)]
    pub shrunk_share: f64,
    pub median_days: Option<f64>,
    pub due: u32,
}

pub(super) fn answers_part(answers: &TimelinessDocument) -> AnswersPart {
    let mut ranked: Vec<RankedUnit> = answers
        .branches
        .iter()
        .chain(&answers.headquarters)
        .filter(|unit| unit.handled.due >= LEAST)
        .filter_map(|unit: &UnitTimeliness| {
            Some(RankedUnit {
                name_vi: unit.name_vi.clone(),
                name_en: unit.name_en.clone(),
                code: unit.code.clone(),
                share_in_time: unit.share_in_time?,
                shrunk_share: unit.shrunk_share.or(unit.share_in_time)?,
                median_days: unit.handled.median_days,
                due: unit.handled.due,
            })
        })
        .collect();
    // A share of more complaints is more certain, so it precedes an equal share of fewer.
    ranked.sort_by(|a, b| {
        b.shrunk_share.total_cmp(&a.shrunk_share).then(b.due.cmp(&a.due)).then_with(|| a.code.cmp(&b.code))
    });
    // At most half each, so that no unit is among the best and the worst.
    let many = RANKED.min(ranked.len() / 2).max(usize::from(!ranked.is_empty()));
    let mut worst: Vec<RankedUnit> = ranked.iter().rev().take(many).cloned().collect();
    if ranked.len() < 2 {
        worst.clear();
    }
    ranked.truncate(many);
    AnswersPart {
        days: answers.days,
        least: LEAST,
        share_in_time: answers.share_in_time,
        median_days: answers.all.median_days,
        best: ranked,
        worst,
    }
}
