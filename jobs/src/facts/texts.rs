//! Reads and sketches the texts of complaints: one thread reads while the others sketch what was read.

use super::minhash::{Shingles, TextSketch};
use super::{Changes, Facts};
use crate::JobError;
use chrono::NaiveDate;
use diesel::prelude::*;
use polars_core::runtime::THREAD_POOL;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use schema::db::cancellation::check_cancelled;
use schema::domain::calendar::{local_date, start_of_day};
use schema::events::Entity;
use schema::tables::complaints;
use schema::{Conn, Id, Timestamp};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

/// Texts of one statement.
const AT_ONCE: usize = 2_000;
/// Lists of texts that wait for their sketches. More would only take memory.
const MOST_WAITING: usize = 3;

type Sketches = Vec<(Id, Arc<TextSketch>)>;

impl Facts {
    /// Reads and sketches the texts of complaints about conduct received in (`after`, `until`], and of all complaints
    /// in `changes`, which may have been about conduct before the change. After a change of a category it reads all
    /// texts received in the period.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load_texts(
        &mut self,
        conn: &mut Conn,
        after: NaiveDate,
        until: NaiveDate,
        changes: &Changes,
    ) -> Result<(), JobError> {
        let touched: HashSet<Id> = changes.complaints.iter().map(|change| change.id).collect();
        let kinds_changed = changes.reference.iter().any(|change| change.entity == Entity::Category.as_str());
        let from = start_of_day(after);
        let mut wanted: Vec<(Timestamp, Id)> = self
            .complaints
            .iter()
            .filter(|fact| {
                let in_time = || {
                    let received = local_date(fact.received_at);
                    after < received && received <= until
                };
                // A change may have moved the day of receipt.
                touched.contains(&fact.id)
                    || fact.received_at >= from && in_time() && (kinds_changed || self.is_about_conduct(fact))
            })
            .map(|fact| (fact.received_at, fact.id))
            .collect();
        // Complaints that came one after the other are next to each other in the database.
        wanted.sort_unstable();
        self.texts.reserve(wanted.len());
        let shingles = Shingles::default();
        let mut waiting: VecDeque<Receiver<Sketches>> = VecDeque::new();
        THREAD_POOL.in_place_scope(|scope| {
            for chunk in wanted.chunks(AT_ONCE) {
                let texts = complaints::table
                    .filter(complaints::id.eq_any(chunk.iter().map(|(_, id)| *id)))
                    .select((complaints::id, complaints::text))
                    .load::<(Id, Option<String>)>(conn)?;
                check_cancelled()?;
                if waiting.len() == MOST_WAITING {
                    // A thread that panicked sends nothing, and the scope panics at its end.
                    let first = waiting.pop_front().and_then(|first| first.recv().ok());
                    self.texts.extend(first.into_iter().flatten());
                }
                let ((sender, receiver), shingles) = (channel(), &shingles);
                scope.spawn(move |_| {
                    // If reading failed meanwhile, the receiver is gone.
                    let _unless_given_up = sender.send(sketched(&texts, shingles));
                });
                waiting.push_back(receiver);
            }
            self.texts.extend(waiting.drain(..).filter_map(|next| next.recv().ok()).flatten());
            Ok::<_, JobError>(())
        })
    }
}

fn sketched(texts: &[(Id, Option<String>)], shingles: &Shingles) -> Sketches {
    let sketch = |(id, text): &(Id, Option<String>)| Some((*id, Arc::new(shingles.sketch(text.as_deref()?))));
    texts.par_iter().filter_map(sketch).collect()
}
