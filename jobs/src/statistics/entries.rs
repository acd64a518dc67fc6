//! The entries to group: the rows of complaints, or each (officer, finding) of a row.

/// The entries that are grouped.
#[derive(Default)]
pub struct Entries {
    /// The number of rows.
    height: usize,
    /// The row of each entry, ascending; None if each row is one entry.
    rows: Option<Vec<u32>>,
    /// (officer, finding) of each entry.
    officer_findings: Vec<(Option<u32>, u32)>,
}

impl Entries {
    /// Each of `height` rows is one entry.
    pub fn of_rows(height: usize) -> Self {
        Self { height, ..Self::default() }
    }

    /// Sets the entries: `rows` has the row of each, ascending, and `officer_findings` its (officer, finding).
    pub fn explode(&mut self, rows: Vec<u32>, officer_findings: Vec<(Option<u32>, u32)>) {
        self.rows = Some(rows);
        self.officer_findings = officer_findings;
    }

    /// Whether entries are the (officer, finding) of rows instead of rows.
    pub fn is_exploded(&self) -> bool {
        self.rows.is_some()
    }

    pub fn officer_findings(&self) -> &[(Option<u32>, u32)] {
        &self.officer_findings
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.rows.as_ref().map_or(self.height, Vec::len)
    }

    /// A value of the row of each entry.
    pub fn values<T>(&self, of_row: impl Fn(usize) -> T) -> Vec<T> {
        match &self.rows {
            None => (0..self.height).map(of_row).collect(),
            Some(rows) => rows.iter().map(|row| of_row(*row as usize)).collect(),
        }
    }

    /// Each distinct (group, row), in the order of rows. `groups` has the group of each entry; entries of the group
    /// `u32::MAX` are left out.
    pub fn pairs<'g>(&self, groups: &'g [u32]) -> Pairs<'g> {
        if !self.is_exploded() && !groups.contains(&u32::MAX) {
            return Pairs::All(groups);
        }
        let mut pairs: Vec<(u32, u32)> = Vec::with_capacity(groups.len());
        match &self.rows {
            None => pairs.extend(groups.iter().copied().zip(0u32..).filter(|(group, _)| *group != u32::MAX)),
            Some(rows) => {
                for (group, row) in groups.iter().copied().zip(rows.iter().copied()) {
                    let of_row = pairs.iter().rev().take_while(|(_, other)| *other == row);
                    let seen = of_row.map(|(group, _)| *group).any(|other| other == group);
                    if group != u32::MAX && !seen {
                        pairs.push((group, row));
                    }
                }
            }
        }
        Pairs::Listed(pairs)
    }
}

/// The (group, row) pairs to measure.
pub enum Pairs<'a> {
    /// The group of each row; each row belongs to exactly one.
    All(&'a [u32]),
    Listed(Vec<(u32, u32)>),
}

impl Pairs<'_> {
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> + Clone {
        let (all, listed): (&[u32], &[(u32, u32)]) = match self {
            Self::All(groups) => (groups, &[]),
            Self::Listed(pairs) => (&[], pairs),
        };
        all.iter().copied().zip(0u32..).chain(listed.iter().copied())
    }

    /// Each group with a value of the row.
    pub fn map<'s>(&'s self, of_row: &'s [u32]) -> impl Iterator<Item = (u32, u32)> + Clone {
        self.iter().map(|(group, row)| (group, of_row[row as usize]))
    }
}
