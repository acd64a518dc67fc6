//! The tables `officers` and `enterprises`: pseudonyms, and what identifies nobody.

pub(super) mod officers {
    use crate::JobError;
    use crate::tables::columns::{Day, Text, declare_table};
    use crate::tables::names::{Context, Emit};
    use schema::Conn;

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
    /// When the rows do not fit the columns.
    pub(in crate::tables) fn make(of: &Context<'_>, _: &mut Conn, emit: &mut Emit<'_>) -> Result<(), JobError> {
        let all = of.names.officers();
        let mut rows = Rows::new(all.len());
        for (officer, id) in all {
            let Some(known) = of.snapshot.officers.get(id) else { continue };
            rows.push(Row { officer, rank: known.rank.as_deref(), appointed_on: known.appointed_on });
        }
        emit(rows.finish()?)
    }
}

pub(super) mod enterprises {
    use crate::JobError;
    use crate::tables::columns::{Text, declare_table};
    use crate::tables::names::{Context, Emit};
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
    /// When the rows do not fit the columns.
    pub(in crate::tables) fn make(of: &Context<'_>, _: &mut Conn, emit: &mut Emit<'_>) -> Result<(), JobError> {
        let enterprises = &of.snapshot.enterprises;
        let mut all: Vec<(Cow<'_, str>, &str)> = Vec::new();
        for (id, place) in enterprises.in_order() {
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
