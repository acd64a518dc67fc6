//! The tables `officers` and `enterprises`: pseudonyms, and columns that identify no person.

pub(super) mod officers {
    use crate::JobError;
    use crate::tables::columns::{Day, Text, declare_table};
    use crate::tables::names::{Context, Emit};
    use crate::tables::withheld::officers_named;
    use schema::Conn;
    use std::collections::HashSet;

    declare_table! {
        "officers": "Officers, under pseudonyms."
        {
            officer: Text = "Pseudonym of the officer.",
            rank: Option<Text> = "Rank.",
            appointed_on: Option<Day> = "Day of appointment.",
        }
    }

    /// The officers, in the order of pseudonyms.
    ///
    /// # Errors
    /// When a column is missing, or the rows do not fit the columns.
    pub(in crate::tables) fn make(of: &Context<'_>, _: &mut Conn, emit: &mut Emit<'_>) -> Result<(), JobError> {
        let all = of.names.officers();
        let named = officers_named(of)?;
        let mut rows = Rows::new(all.len());
        for (officer, id) in all {
            let Some(known) = of.snapshot.officers.get(id) else { continue };
            // A code that is known only from a complaint would reveal that complaint.
            let is_named = |named: &HashSet<u32>| of.snapshot.officers.place(id).is_some_and(|at| named.contains(&at));
            if known.unknown && !named.as_ref().is_none_or(is_named) {
                continue;
            }
            rows.push(Row { officer, rank: known.rank.as_deref(), appointed_on: known.appointed_on });
        }
        emit(rows.finish()?)
    }
}

pub(super) mod enterprises {
    use crate::JobError;
    use crate::tables::columns::{Text, declare_table};
    use crate::tables::names::{Context, Emit};
    use crate::tables::withheld::enterprises_seen;
    use schema::Conn;
    use schema::pseudonyms::Subject;
    use std::borrow::Cow;

    declare_table! {
        "enterprises": "Enterprises, under pseudonyms. Branches of one enterprise, and enterprises of one group, count as one."
        {
            enterprise: Text = "Pseudonym of the enterprise.",
            enterprise_group: Text = "Pseudonym under which complaints have it: that of one of those that count as one.",
        }
    }

    /// The enterprises, in the order of pseudonyms.
    ///
    /// # Errors
    /// When the database fails, or the rows do not fit the columns.
    pub(in crate::tables) fn make(of: &Context<'_>, conn: &mut Conn, emit: &mut Emit<'_>) -> Result<(), JobError> {
        let seen = enterprises_seen(of, conn)?;
        let enterprises = &of.snapshot.enterprises;
        let mut all: Vec<(Cow<'_, str>, &str)> = Vec::new();
        for (id, place) in enterprises.in_order() {
            if seen.as_ref().is_some_and(|seen| !seen.contains(&id)) {
                continue;
            }
            let Some(group) = of.names.enterprise_at(place) else { continue };
            let own = if enterprises.at(place) == Some(id) {
                Cow::Borrowed(group)
            } else {
                Cow::Owned(of.reader.pseudonyms.of(Subject::Enterprise, id))
            };
            all.push((own, group));
        }
        all.sort_unstable();
        let mut rows = Rows::new(all.len());
        for (enterprise, enterprise_group) in &all {
            rows.push(Row { enterprise, enterprise_group });
        }
        emit(rows.finish()?)
    }
}
