//! Describes how the program stores the values of each column. PostgreSQL enforces most of it; SQLite keeps any value
//! in any column, and reads a text or a fraction as the number that it resembles, while conditions and indexes do not.

use crate::db::for_each_width;
use crate::sql_types::{Document, Uid, UtcMicros};
use crate::tables;
use diesel::expression::Expression;
use diesel::query_source::{Column, Table};
use diesel::sql_types::{BigInt, Binary, Bool, Date, Double, Integer, Nullable, SqlType, Text, is_nullable::NotNull};

/// The form in which a column stores its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Id,
    Text,
    Json,
    Bytes,
    /// 32 bits.
    Integer,
    /// 64 bits; timestamps, too.
    Long,
    Bool,
    Day,
    Fraction,
}

/// The columns of a table as the program writes them.
pub struct Stored {
    pub table: &'static str,
    /// The columns of the key.
    pub key: &'static [&'static str],
    pub columns: Vec<StoredColumn>,
}

#[derive(Debug, Clone, Copy)]
pub struct StoredColumn {
    pub name: &'static str,
    pub form: Form,
    pub nullable: bool,
}

/// The form of an SQL type.
trait Formed {
    const FORM: Form;
    const NULLABLE: bool = false;
}

macro_rules! formed {
    ($($sql:ty => $form:ident),+ $(,)?) => {
        $(impl Formed for $sql { const FORM: Form = Form::$form; })+
    };
}

formed!(
    Uid => Id,
    Text => Text,
    Document => Json,
    Binary => Bytes,
    Integer => Integer,
    BigInt => Long,
    UtcMicros => Long,
    Bool => Bool,
    Date => Day,
    Double => Fraction,
);

impl<T: Formed + SqlType<IsNull = NotNull>> Formed for Nullable<T> {
    const FORM: Form = T::FORM;
    const NULLABLE: bool = true;
}

/// The columns of a table, from the tuple in which diesel lists them.
trait Columns {
    fn columns() -> Vec<StoredColumn>;
}

macro_rules! columns {
    ($($column:ident)+) => {
        impl<$($column),+> Columns for ($($column,)+)
        where
            $($column: Column + Expression, <$column as Expression>::SqlType: Formed,)+
        {
            fn columns() -> Vec<StoredColumn> {
                vec![$(StoredColumn {
                    name: $column::NAME,
                    form: <<$column as Expression>::SqlType as Formed>::FORM,
                    nullable: <<$column as Expression>::SqlType as Formed>::NULLABLE,
                }),+]
            }
        }
    };
}

for_each_width!(columns);

macro_rules! stored {
    ($($table:ident ($($key:ident),+)),+ $(,)?) => {
        /// All tables, each with its key.
        pub fn stored() -> Vec<Stored> {
            vec![$(Stored {
                table: stringify!($table),
                key: &[$(<tables::$table::$key as Column>::NAME),+],
                columns: <<tables::$table::table as Table>::AllColumns as Columns>::columns(),
            }),+]
        }

        /// The key columns of a table; none if the table is unknown.
        pub fn key_of(table: &str) -> &'static [&'static str] {
            match table {
                $(stringify!($table) => &[$(<tables::$table::$key as Column>::NAME),+],)+
                _ => &[],
            }
        }
    };
}

stored!(
    register_position(id),
    deferred_indexes(name),
    units(id),
    unit_parents(unit_id, valid_from),
    officers(id),
    postings(officer_id, unit_id, valid_from),
    enterprises(id),
    issue_categories(id),
    routing_rules(id),
    holiday_years(id),
    workload(id),
    system_incidents(id),
    reference_events(position, ordinal),
    reference_event_values(position, ordinal, side, field),
    complaints(id),
    complaint_sources(source, reference),
    complaint_officers(complaint_id, officer_id, ordinal),
    complaint_matters(complaint_id, ordinal),
    complaint_clocks(complaint_id, round),
    legal_clock(id),
    complaint_events(complaint_id, position, ordinal),
    complaint_event_values(complaint_id, position, ordinal, side, field),
    unit_responses(complaint_id, id),
    redactions(complaint_id),
    receipts(complaint_id),
    complaint_additions(complaint_id, ordinal),
    attachments(complaint_id, id),
    complaint_links(complaint_id),
    job_runs(id),
    flags(id),
    flag_assessments(flag_id, run_id),
    flag_reviews(id),
    principals(id),
    api_tokens(id),
    trusted_operations(principal_id, signature),
    web_sessions(id),
    register_info(key),
    jobs(job),
    job_results(run_id, name),
    escalations(complaint_id, level),
    digests(id),
    digest_subscriptions(id),
    deliveries(digest_id, subscription_id),
    reader_digests(id),
    notification_endpoints(id),
    notifications(id),
    alerts(id),
    audit_position(id),
    audit_log(number),
    seals(chain, number),
    state_position(id),
    state_events(number),
    guidance_documents(id),
    guidance_opinions(document_id, revision),
    proposals(id),
    proposal_categories(proposal_id, category_id),
    proposal_units(proposal_id, unit_id),
    measures(id),
    classifier_models(id),
    classifier_weights(model_id),
    classifications(complaint_id),
    category_suggestions(complaint_id, rank),
    measure_complaints(measure_id, complaint_id),
    correction_proposals(id),
    correction_proposal_officers(proposal_id, officer_id),
    merges(id),
    saved_queries(id),
    saved_query_versions(id),
    __diesel_schema_migrations(version),
);

impl StoredColumn {
    /// SQL that is true of a value that PostgreSQL accepts, but the program never writes and reads as null; None if
    /// there is no such value.
    pub fn wrong_in_postgres(&self) -> Option<String> {
        let name = self.name;
        match self.form {
            Form::Json if self.nullable => Some(format!("(\"{name}\" = 'null'::jsonb)")),
            Form::Fraction => Some(format!("(\"{name}\" IN ('NaN', 'Infinity', '-Infinity'))")),
            _ => None,
        }
    }

    /// SQL that is true of a value in a form that the program never writes. The program writes each value in one form.
    pub fn wrong_in_sqlite(&self) -> String {
        let name = self.name;
        let wrong = match self.form {
            Form::Id => format!("typeof(\"{name}\") <> 'blob' OR length(\"{name}\") <> 16"),
            Form::Text => format!("typeof(\"{name}\") <> 'text'"),
            // JSON null would be read as SQL NULL.
            Form::Json if self.nullable => {
                format!("typeof(\"{name}\") <> 'text' OR trim(\"{name}\", char(9, 10, 13, 32)) = 'null'")
            }
            Form::Json => format!("typeof(\"{name}\") <> 'text'"),
            Form::Bytes => format!("typeof(\"{name}\") <> 'blob'"),
            Form::Integer => {
                format!("typeof(\"{name}\") <> 'integer' OR \"{name}\" NOT BETWEEN {} AND {}", i32::MIN, i32::MAX)
            }
            Form::Long => format!("typeof(\"{name}\") <> 'integer'"),
            Form::Bool => format!("typeof(\"{name}\") <> 'integer' OR \"{name}\" NOT IN (0, 1)"),
            // Years of more than four digits have a sign.
            Form::Day => format!(
                "typeof(\"{name}\") <> 'text' OR (\"{name}\" NOT GLOB '{DAY}' AND \"{name}\" NOT GLOB '-{DAY}' \
                 AND \"{name}\" NOT GLOB '[+-][1-9][0-9]{DAY}' AND \"{name}\" NOT GLOB '[+-][1-9]{DAY}')"
            ),
            // Infinity would be read as null.
            Form::Fraction => format!("typeof(\"{name}\") <> 'real' OR abs(\"{name}\") > {:e}", f64::MAX),
        };
        if self.nullable { format!("(\"{name}\" IS NOT NULL AND ({wrong}))") } else { format!("({wrong})") }
    }
}

const DAY: &str = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]";
