//! The row scope over the columns of a snapshot: the same complaints as in lists. Statistics take it as an expression
//! of polars, pages of a list as a condition that is evaluated row by row.

use super::{OfUnit, Rows, Scope};
use chrono::NaiveDate;
use jobs::JobError;
use jobs::snapshot::{ColumnCondition, Snapshot, any_named, meaning};
use polars::prelude::{Expr, col, lit};
use schema::Id;
use std::sync::Arc;

impl Scope {
    /// The scope as conditions, to be joined by AND; none for all complaints.
    pub fn expressions(&self, snapshot: &Snapshot) -> Vec<Expr> {
        let mut conditions = match &self.rows {
            Rows::Everything => Vec::new(),
            Rows::Unit(of, part) => vec![col("confidential").not(), of.expression(snapshot, *part)],
            Rows::Nothing => vec![lit(false)],
        };
        if let Some(place) = self.except_officer.and_then(|officer| snapshot.officers.place(officer)) {
            conditions.push(any_named(move |word| meaning(word).0 == Some(place)).not());
        }
        conditions
    }

    /// The scope as a condition for pages. None if the columns do not hold what it asks for: SQL then answers.
    pub fn column_condition(&self, snapshot: &Snapshot) -> Option<ColumnCondition> {
        let mut conditions = match &self.rows {
            Rows::Everything => Vec::new(),
            Rows::Unit(of, part) => {
                vec![ColumnCondition::Confidential.negated(), of.column_condition(&snapshot.reference, *part)?]
            }
            Rows::Nothing => vec![ColumnCondition::Constant(false)],
        };
        if let Some(place) = self.except_officer.and_then(|officer| snapshot.officers.place(officer)) {
            conditions.push(ColumnCondition::Names(place).negated());
        }
        Some(ColumnCondition::All(conditions))
    }

    /// The scope as one condition.
    pub fn expression(&self, snapshot: &Snapshot) -> Expr {
        self.expressions(snapshot).into_iter().reduce(Expr::and).unwrap_or(lit(true))
    }

    /// The complaints of the scope that a unit or one below it has to answer on a day.
    pub fn expression_answered(&self, snapshot: &Snapshot, unit: Id, today: NaiveDate) -> Expr {
        self.expression(snapshot).and(OfUnit::new(&snapshot.reference.tree, unit, today).answered_columns(snapshot))
    }

    /// The snapshot reduced to the scope.
    ///
    /// # Errors
    /// If the computation fails or is cancelled.
    pub fn of_snapshot(&self, snapshot: Arc<Snapshot>) -> Result<Arc<Snapshot>, JobError> {
        match self.expressions(&snapshot).into_iter().reduce(Expr::and) {
            None => Ok(snapshot),
            Some(visible) => Ok(Arc::new(snapshot.of(visible)?)),
        }
    }
}
