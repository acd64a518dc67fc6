//! What every kind of import needs while it writes.

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
}

impl<'a> Context<'a> {
    pub fn new(columns: &'a Columns<'a>, mapping: &'a Mapping) -> Self {
        Self { columns, mapping, created: RefCell::default() }
    }

    /// Records reference data that was created because the register did not have its code.
    pub fn record_created(&self, all: impl Iterator<Item = (Entity, Id, String)>) {
        self.created.borrow_mut().extend(all);
    }

    /// Takes what the current batch created.
    pub fn take_created(&self) -> Vec<(Entity, Id, String)> {
        self.created.take()
    }
}
