//! The context of every kind of import while it writes.

use crate::events::Entity;
use crate::import::Mapping;
use crate::import::row::Columns;
use crate::sql_types::Id;
use std::cell::RefCell;

/// The context of a batch that is being written.
pub struct Context<'a> {
    pub columns: &'a Columns<'a>,
    pub mapping: &'a Mapping,
    /// Missing reference data that the current batch created, with its codes.
    created: RefCell<Vec<(Entity, Id, String)>>,
    /// Values that the batch left as the Board had corrected them, as notices.
    kept: RefCell<Vec<String>>,
}

impl<'a> Context<'a> {
    pub fn new(columns: &'a Columns<'a>, mapping: &'a Mapping) -> Self {
        Self { columns, mapping, created: RefCell::default(), kept: RefCell::default() }
    }

    /// Records reference data that was created because the register did not have its code.
    pub fn record_created(&self, all: impl Iterator<Item = (Entity, Id, String)>) {
        self.created.borrow_mut().extend(all);
    }

    /// Notes fields of a complaint of which the file says something else than the Board, which corrected them.
    pub fn note_kept(&self, reference: &str, fields: &[&str]) {
        if !fields.is_empty() {
            let fields = fields.join(", ");
            self.kept.borrow_mut().push(format!("complaint {reference:?} keeps what the Board corrected: {fields}"));
        }
    }

    /// Takes the notices of the current batch.
    pub fn take_kept(&self) -> Vec<String> {
        self.kept.take()
    }

    /// Takes what the current batch created.
    pub fn take_created(&self) -> Vec<(Entity, Id, String)> {
        self.created.take()
    }
}
