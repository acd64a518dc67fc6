//! The result of a view: a template, values for it, and tables.

use super::error::Problem;
use super::table::Table;
use minijinja::value::{Serde, Value};
use serde::Serialize;
use std::collections::BTreeMap;

/// A page that is to be rendered.
pub struct Page {
    pub(super) template: &'static str,
    pub(super) title: String,
    pub(super) values: BTreeMap<&'static str, Value>,
    pub(super) tables: Vec<Table>,
    pub(super) problems: Vec<Problem>,
}

impl Page {
    /// A page of a template in `assets/web/templates`. The title is its heading, too.
    pub fn new(template: &'static str, title: impl Into<String>) -> Self {
        let (values, tables, problems) = Default::default();
        Self { template, title: title.into(), values, tables, problems }
    }

    /// A part of a page, which [`Page::and`] adds to it: the questions of several parts run at the same time.
    pub fn part() -> Self {
        Self::new("", "")
    }

    /// Adds the values, tables and problems of a part.
    #[must_use]
    pub fn and(mut self, part: Self) -> Self {
        self.values.extend(part.values);
        self.tables.extend(part.tables);
        self.problems.extend(part.problems);
        self
    }

    /// Adds a value for the template.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Serialize) -> Self {
        self.values.insert(name, Value::from(Serde(value)));
        self
    }

    /// Adds a table: `tables.<name>` in the template, and a part of the files.
    #[must_use]
    pub fn table(mut self, table: Table) -> Self {
        self.tables.push(table);
        self
    }

    /// Why a change was refused; the answer then has the status 422.
    #[must_use]
    pub fn problems(mut self, problems: Vec<Problem>) -> Self {
        self.problems = problems;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_page_stand_in_their_order() {
        let of = |name: &'static str| Table::new(name, name, &[], []);
        let part =
            |name: &'static str| Page::part().table(of(name)).with(name, 1).problems(vec![Problem::of_form(name)]);
        let page = Page::new("whole.html", "Whole").table(of("own")).and(part("first")).and(part("second"));
        let tables: Vec<&str> = page.tables.iter().map(|table| table.name).collect();
        let problems: Vec<&str> = page.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!((page.template, page.title.as_str()), ("whole.html", "Whole"));
        assert_eq!(tables, ["own", "first", "second"]);
        assert_eq!(problems, ["first", "second"]);
        assert_eq!(page.values.keys().copied().collect::<Vec<_>>(), ["first", "second"]);
    }
}
