//! The columns of exposures, as they are added up.

use super::{Basis, Exposure, Span};
use crate::numeric::sums::Compensated;
use polars::prelude::*;

/// An exposure before those of one subject, peer group and span are added up.
struct Row {
    subject: u32,
    group: i32,
    span: u32,
    month: u32,
    exposure: f64,
    carried: bool,
}

#[derive(Default)]
pub(super) struct Columns {
    /// Rows that are not in the columns yet.
    waiting: Vec<Row>,
    subject: Vec<u32>,
    group: Vec<i32>,
    span: Vec<u32>,
    month: Vec<u32>,
    exposure: Vec<f64>,
    carried: Vec<bool>,
}

impl Columns {
    pub fn with_capacity(rows: usize) -> Self {
        Self {
            waiting: Vec::new(),
            subject: Vec::with_capacity(rows),
            group: Vec::with_capacity(rows),
            span: Vec::with_capacity(rows),
            month: Vec::with_capacity(rows),
            exposure: Vec::with_capacity(rows),
            carried: Vec::with_capacity(rows),
        }
    }

    /// Number of rows that are added up.
    pub fn len(&self) -> usize {
        self.subject.len()
    }

    pub fn push(&mut self, subject: u32, group: i32, at: usize, span: Span, exposure: f64, carried: bool) {
        if exposure > 0.0 {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            self.waiting.push(Row { subject, group, span: at, month: span.month, exposure, carried });
        }
    }

    /// Adds up the rows that wait, as of an officer posted twice within a span. Those of later subjects come later. The
    /// order of the sums is fixed, so that hashes are reproducible.
    pub fn add_up(&mut self) {
        let key = |row: &Row| (row.subject, row.group, row.span);
        self.waiting.sort_unstable_by(|a, b| key(a).cmp(&key(b)).then(a.exposure.total_cmp(&b.exposure)));
        for rows in self.waiting.chunk_by(|a, b| key(a) == key(b)) {
            let exposure: Compensated = rows.iter().map(|row| row.exposure).collect();
            self.subject.push(rows[0].subject);
            self.group.push(rows[0].group);
            self.span.push(rows[0].span);
            self.month.push(rows[0].month);
            self.exposure.push(exposure.total());
            self.carried.push(rows.iter().any(|row| row.carried));
        }
        self.waiting.clear();
    }

    /// Adds the columns of later subjects, all added up.
    pub fn append(&mut self, mut later: Self) {
        self.subject.append(&mut later.subject);
        self.group.append(&mut later.group);
        self.span.append(&mut later.span);
        self.month.append(&mut later.month);
        self.exposure.append(&mut later.exposure);
        self.carried.append(&mut later.carried);
    }

    /// Builds the frame of exposure from the columns.
    ///
    /// # Errors
    /// If the columns differ in length.
    pub fn into_exposure(mut self, basis: Basis) -> PolarsResult<Exposure> {
        self.add_up();
        let height = self.subject.len();
        let basis = if height == 0 { Basis::None } else { basis };
        let rows = DataFrame::new(
            height,
            vec![
                Column::new("subject".into(), self.subject),
                Column::new("group".into(), self.group),
                Column::new("span".into(), self.span),
                Column::new("month".into(), self.month),
                Column::new("exposure".into(), self.exposure),
                Column::new("carried".into(), self.carried),
            ],
        )?;
        Ok(Exposure { basis, rows })
    }
}
