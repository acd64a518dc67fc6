//! Episodes: complaints of one enterprise about one unit within a week of the first count as one.

use super::Snapshot;
use crate::JobError;

/// Days after the first complaint of an episode in which further ones belong to it.
const EPISODE_DAYS: i32 = 7;

impl Snapshot {
    /// The episode number of each row of `facts`. The unit is the branch, else the department, else the unit itself; an
    /// anonymous complaint is an episode of its own. Computed over all rows, before a query filters them.
    ///
    /// # Errors
    /// When a column is missing or has another type.
    pub fn episodes(&self) -> Result<&[u32], JobError> {
        if let Some(cached) = self.episodes.get() {
            return Ok(cached);
        }
        let computed = self.make_episodes()?;
        Ok(self.episodes.get_or_init(|| computed))
    }

    fn make_episodes(&self) -> Result<Vec<u32>, JobError> {
        let column = |name: &str| self.facts.column(name).and_then(|column| column.u32().cloned());
        let (branch, department, unit) = (column("branch")?, column("department")?, column("unit")?);
        let enterprise = column("enterprise")?;
        let days = self.facts.column("day")?.i32()?;
        let subjects = branch.iter().zip(department.iter()).zip(unit.iter()).map(|((b, d), u)| b.or(d).or(u));
        let mut rows: Vec<(u64, i32, u32)> = Vec::with_capacity(self.facts.height());
        let mut episodes: Vec<u32> = (0..u32::try_from(self.facts.height()).unwrap_or(u32::MAX)).collect();
        for (row, ((subject, enterprise), day)) in (0u32..).zip(subjects.zip(enterprise.iter()).zip(days.iter())) {
            if let (Some(enterprise), Some(day)) = (enterprise, day) {
                let subject = subject.map_or(0, |place| u64::from(place) + 1);
                rows.push((u64::from(enterprise) << 32 | subject, day, row));
            }
        }
        rows.sort_unstable();
        let mut open: Option<(u64, i32, u32)> = None;
        for (pair, day, row) in rows {
            match open {
                Some((same, first, of)) if same == pair && day - first <= EPISODE_DAYS => episodes[row as usize] = of,
                _ => open = Some((pair, day, row)),
            }
        }
        Ok(episodes)
    }
}
