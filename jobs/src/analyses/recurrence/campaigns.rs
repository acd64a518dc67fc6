//! Campaigns: near-identical texts about one subject from several enterprises within a few weeks. A campaign
//! counts as one enterprise and one episode, since one author may have written all its texts.

use super::Rules;
use crate::facts::minhash::TextSketch;
use polars::prelude::*;
use polars_core::runtime::THREAD_POOL;
use rayon::iter::ParallelIterator;
use rayon::slice::ParallelSliceMut;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Number of preceding texts, by day, in the same bucket (texts that share a MinHash band) that a text is
/// compared with. A text similar to none of them is taken as no member of their campaigns.
const NEIGHBOURS: usize = 8;

/// A row with a text.
struct Text<'p> {
    subject: Option<u32>,
    row: usize,
    day: i32,
    enterprise: u32,
    sketch: &'p TextSketch,
}

/// Adds `campaign` (u32?): the index of the campaign's first row in `rows`; null outside campaigns.
///
/// Reads `subject` (u32), `enterprise` (u32?; without one a text is in no campaign), `day` (i32, days since 1970) and
/// `text` (u32?, an index into `sketches`) of `rows`, which are sorted by (subject, enterprise, day, complaint).
///
/// Two texts are linked if they are less than `rule.days` days apart and similar enough. Linked texts form a
/// campaign if enough enterprises take part within `rule.days` days. Short texts and texts similar to a
/// template are left out.
///
/// # Errors
/// If `rows` lacks a column that it reads, or a column has another type.
pub fn with_campaigns(rows: &DataFrame, sketches: &[Arc<TextSketch>], rules: &Rules) -> PolarsResult<DataFrame> {
    // Without texts there are no campaigns, and a column of one value needs no memory.
    if sketches.is_empty() {
        return rows.hstack(&[Column::full_null("campaign".into(), rows.height(), &DataType::UInt32)]);
    }
    let rule = &rules.campaign;
    let templates: Vec<TextSketch> = rule.templates.iter().map(|text| TextSketch::of(text)).collect();
    let subjects = rows.column("subject")?.u32()?;
    let enterprises = rows.column("enterprise")?.u32()?;
    let days = rows.column("day")?.i32()?;
    let places = rows.column("text")?.u32()?;
    let mut texts: Vec<Text<'_>> = Vec::new();
    let columns = subjects.iter().zip(enterprises.iter()).zip(days.iter()).zip(places.iter());
    for (row, (((subject, enterprise), day), index)) in columns.enumerate() {
        let sketch = index.and_then(|index| sketches.get(index as usize)).map(Arc::as_ref);
        let (Some(enterprise), Some(day), Some(sketch)) = (enterprise, day, sketch) else { continue };
        let of_a_form = || templates.iter().any(|template| template.similarity(sketch) >= rule.similarity);
        if sketch.length >= rule.characters as usize && !of_a_form() {
            texts.push(Text { subject, row, day, enterprise, sketch });
        }
    }
    // No subject depends on another: the threads of polars share them.
    let campaigns: Vec<Vec<usize>> = THREAD_POOL.install(|| {
        let of_subjects = texts.par_chunk_by_mut(|a, b| a.subject == b.subject);
        of_subjects.flat_map_iter(|texts| rows_of_campaigns(texts, rules)).collect()
    });
    let mut campaign: Vec<Option<u32>> = vec![None; rows.height()];
    for members in campaigns {
        let first = members.iter().min().and_then(|first| u32::try_from(*first).ok());
        for row in members {
            campaign[row] = first;
        }
    }
    rows.hstack(&[Column::new("campaign".into(), campaign)])
}

/// The rows of each campaign among the texts about one subject.
fn rows_of_campaigns(texts: &mut [Text<'_>], rules: &Rules) -> Vec<Vec<usize>> {
    if texts.len() < rules.campaign.enterprises as usize {
        return Vec::new();
    }
    let campaigns = found(texts, rules);
    campaigns.into_iter().map(|members| members.into_iter().map(|member| texts[member].row).collect()).collect()
}

/// The campaigns among the texts about one subject, as indices into `texts`, which it sorts by day.
fn found(texts: &mut [Text<'_>], rules: &Rules) -> Vec<Vec<usize>> {
    let rule = &rules.campaign;
    texts.sort_by_key(|text| (text.day, text.row));
    let distinct: HashSet<u32> = texts.iter().map(|text| text.enterprise).collect();
    if distinct.len() < rule.enterprises as usize {
        return Vec::new();
    }
    let mut buckets: Vec<((u8, u64), usize)> =
        texts.iter().enumerate().flat_map(|(at, text)| text.sketch.bands().map(move |key| (key, at))).collect();
    buckets.sort_unstable();
    let mut above: Vec<usize> = (0..texts.len()).collect();
    for bucket in buckets.chunk_by(|a, b| a.0 == b.0) {
        for (nth, (_, later)) in bucket.iter().enumerate() {
            for (_, earlier) in bucket[nth.saturating_sub(NEIGHBOURS)..nth].iter().rev() {
                let (a, b) = (&texts[*earlier], &texts[*later]);
                if b.day - a.day >= rule.days {
                    break;
                }
                let (one, other) = (root(&mut above, *earlier), root(&mut above, *later));
                if one != other && a.sketch.similarity(b.sketch) >= rule.similarity {
                    above[one.max(other)] = one.min(other);
                }
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for at in 0..texts.len() {
        groups.entry(root(&mut above, at)).or_default().push(at);
    }
    groups.into_values().filter(|members| has_enough_enterprises(texts, members, rules)).collect()
}

fn root(above: &mut [usize], mut at: usize) -> usize {
    while above[at] != at {
        above[at] = above[above[at]];
        at = above[at];
    }
    at
}

/// Whether enough enterprises take part within the days of a campaign.
fn has_enough_enterprises(texts: &[Text<'_>], members: &[usize], rules: &Rules) -> bool {
    let rule = &rules.campaign;
    members.iter().enumerate().any(|(nth, first)| {
        let until = texts[*first].day + rule.days;
        let within: HashSet<u32> = members[nth..]
            .iter()
            .map(|member| &texts[*member])
            .take_while(|text| text.day < until)
            .map(|text| text.enterprise)
            .collect();
        within.len() >= rule.enterprises as usize
    })
}
