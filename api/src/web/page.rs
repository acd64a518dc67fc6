//! What a view makes of the answers: a template, values for it, and tables.

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
