//! The rights of readers of digests: those of viewers, so that a digest has what its reader sees in lists.

use super::Viewer;
use jobs::digest::reader::{Reader, ReaderRights};
use jobs::snapshot::Snapshot;
use polars::prelude::Expr;
use schema::domain::tree::UnitTree;
use schema::enums::Role;
use schema::queries::Pred;
use schema::tables::{alerts, complaints, escalations, flags, measures};

#[derive(Debug, Clone, Copy)]
pub struct Readers;

/// The reader as a viewer. Who reads about one unit gets what the head of that unit sees, a member of the Board, too.
fn viewer(reader: &Reader) -> Viewer {
    let role = if reader.unit_id.is_some() { Role::UnitHead } else { reader.principal.role };
    Viewer { role, unit_id: reader.unit_id, ..principal(reader) }
}

/// The reader as it signs in.
fn principal(reader: &Reader) -> Viewer {
    let principal = &reader.principal;
    Viewer {
        token_id: principal.id,
        principal_id: principal.id,
        name: principal.name.clone(),
        role: principal.role,
        unit_id: principal.unit_id,
        officer_id: principal.officer_id,
        outside: principal.outside,
        expires_at: None,
        day: None,
    }
}

impl ReaderRights for Readers {
    fn complaints(&self, reader: &Reader, snapshot: &Snapshot) -> Expr {
        viewer(reader).scope(&snapshot.reference.tree).expression(snapshot)
    }

    fn complaint_rows(&self, reader: &Reader, tree: &UnitTree) -> Option<Pred<complaints::table>> {
        viewer(reader).scope(tree).condition()
    }

    fn flags(&self, reader: &Reader, tree: &UnitTree) -> Option<Pred<flags::table>> {
        // A member of the Board who is an officer sees no flags of branches where it served, of which a head sees some.
        viewer(reader).flags_also_seen_by(&principal(reader), tree)
    }

    fn measures(&self, reader: &Reader, tree: &UnitTree) -> Option<Pred<measures::table>> {
        viewer(reader).measures(tree)
    }

    fn escalations(&self, reader: &Reader, tree: &UnitTree) -> Option<Pred<escalations::table>> {
        viewer(reader).escalations(tree)
    }

    fn alerts(&self, reader: &Reader) -> Option<Pred<alerts::table>> {
        principal(reader).alerts()
    }
}
