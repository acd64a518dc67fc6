//! The measures of a fixed cell, before noise is added.

use super::super::by_group::distinct;
use super::super::measures::{Measures, Rows, SelectedMeasures, Shares};
use crate::analyses::timeliness::median_survival;

/// Computes what decides how a fixed cell is shown, and its measures except the number of complaints. They
/// cover only complaints that are not confidential, so that a unit head, who knows all of those, learns
/// nothing about confidential ones. For dominance all anonymous complaints count as one enterprise, since
/// they may come from one.
pub fn disclose(
    rows: &Rows,
    group_rows: &[u32],
    shares: &mut Shares,
    measures: &mut Measures,
    wanted: SelectedMeasures,
) {
    let non_confidential = || group_rows.iter().map(|row| *row as usize).filter(|row| rows.non_confidential[*row]);
    let cell = &mut measures.cell;
    for row in group_rows {
        cell.key = cell.key.wrapping_add(rows.cell_key[*row as usize]);
        cell.shared.add(rows.attributes[*row as usize]);
    }
    for row in non_confidential() {
        cell.non_confidential += 1;
        cell.non_confidential_key = cell.non_confidential_key.wrapping_add(rows.cell_key[row]);
        cell.non_confidential_shared.add(rows.attributes[row]);
    }
    if wanted.episodes {
        measures.episodes = distinct(&mut Vec::new(), non_confidential().map(|row| rows.episode[row]));
    }
    if wanted.timeliness {
        let due = || non_confidential().map(|row| rows.due[row]);
        measures.due = count(due().filter(|row| row.was_due));
        measures.in_time = count(due().filter(|row| row.in_time));
    }
    if wanted.median {
        measures.median_days = median_survival(non_confidential().map(|row| rows.waited[row]).collect());
    }
    if !wanted.sums {
        return;
    }
    shares.clear();
    shares.extend(non_confidential().map(|row| {
        // A constant factor from 0.8 to 1.2 for each enterprise. Without it, an attacker who adds complaints
        // with known costs until the sum is suppressed would learn the cost of the others exactly.
        let weight = 0.8 + 0.4 * f64::from(rows.decision_weight[row]) / f64::from(u32::MAX);
        (rows.enterprise[row], rows.cost[row] as f64 * weight, rows.delay[row] * weight)
    }));
    shares.sort_unstable_by_key(|(enterprise, ..)| *enterprise);
    let add = |sum: (f64, f64), (_, cost, delay): &(u32, f64, f64)| (sum.0 + cost, sum.1 + delay);
    let whole = shares.iter().fold((0.0, 0.0), add);
    let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
    for of_one in shares.chunk_by(|a, b| a.0 == b.0) {
        let part = of_one.iter().fold((0.0, 0.0), add);
        cell.cost_dominance = cell.cost_dominance.max(share(part.0, whole.0));
        cell.delay_dominance = cell.delay_dominance.max(share(part.1, whole.1));
    }
    (measures.cost_vnd, measures.delay_hours) = (0, 0.0);
    for row in group_rows {
        let (cost, delay) = rows.noised[*row as usize];
        // The range was checked for sums without noise.
        measures.cost_vnd = measures.cost_vnd.saturating_add(cost);
        measures.delay_hours += delay;
    }
}

fn count(items: impl Iterator) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
