//! Sets of columns of a table that a query reads.

use super::{Column, ColumnType, Table};

/// Most columns of a table.
pub(super) const MOST: usize = 64;

/// Some columns of a table, by their places in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ColumnSet(u64);

impl ColumnSet {
    pub fn all(table: &Table) -> Self {
        (0..table.columns.len()).collect()
    }

    /// The columns whose names satisfy a condition.
    pub fn named(table: &Table, is_meant: impl Fn(&str) -> bool) -> Self {
        let columns = table.columns.iter().enumerate().filter(|(_, column)| is_meant(column.name));
        columns.map(|(index, _)| index).collect()
    }

    pub fn has(self, index: usize) -> bool {
        index < MOST && self.0 >> index & 1 == 1
    }

    pub fn has_all(self, others: Self) -> bool {
        others.0 & !self.0 == 0
    }

    pub fn has_any(self, others: Self) -> bool {
        others.0 & self.0 != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// The places, in order.
    pub fn places(self) -> impl Iterator<Item = usize> {
        (0..MOST).filter(move |index| self.has(*index))
    }
}

impl FromIterator<usize> for ColumnSet {
    fn from_iter<I: IntoIterator<Item = usize>>(places: I) -> Self {
        Self(places.into_iter().filter(|index| *index < MOST).fold(0, |set, index| set | 1 << index))
    }
}

/// The columns of a table that a question reads, at least one: the rows of a batch without columns cannot be counted.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    pub table: &'static Table,
    pub columns: ColumnSet,
}

impl Wanted {
    pub fn all(table: &'static Table) -> Self {
        Self { table, columns: ColumnSet::all(table) }
    }

    /// Some columns; one that takes little memory if they are none.
    pub fn of(table: &'static Table, columns: ColumnSet) -> Self {
        let is_light = |column: &Column| !column.nullable && !matches!(column.of, ColumnType::Text | ColumnType::Texts);
        let light = || table.columns.iter().position(is_light).unwrap_or_default();
        let columns = if columns.is_empty() { std::iter::once(light()).collect() } else { columns };
        Self { table, columns }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{TABLES, table};
    use super::*;

    #[test]
    fn every_column_of_every_table_has_a_place() {
        for table in TABLES {
            assert!(table.columns.len() <= MOST, "{}", table.name);
            let all = ColumnSet::all(table);
            assert!(all.places().eq(0..table.columns.len()) && all.has_all(ColumnSet::named(table, |_| true)));
        }
    }

    #[test]
    fn sets_of_columns_join_and_compare() {
        let complaints = table("complaints").unwrap();
        let named = |names: &[&str]| ColumnSet::named(complaints, |name| names.contains(&name));
        let (few, more) = (named(&["kind"]), named(&["kind", "unit"]));
        assert!(more.has_all(few) && !few.has_all(more) && few.has_any(more) && !few.has_any(named(&["unit"])));
        assert_eq!(few.and(named(&["unit"])), more);
        assert!(named(&["nothing"]).is_empty());
        let rows = Wanted::of(complaints, ColumnSet::default());
        let names: Vec<&str> = rows.columns.places().map(|index| complaints.columns[index].name).collect();
        assert_eq!(names, ["received_on"], "one of few bytes");
    }
}
