//! Tables of reference data (units, officers, enterprises, categories, routing rules, holidays, workload, incidents)
//! and of the register itself.

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    register_position (id) {
        id -> Integer,
        value -> BigInt,
    }
}

diesel::table! {
    deferred_indexes (name) {
        name -> Text,
        made_by -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    register_info (key) {
        key -> Text,
        value -> Document,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    units (id) {
        id -> Uid,
        code -> Text,
        name_vi -> Text,
        name_en -> Nullable<Text>,
        kind -> Text,
        peer_group -> Nullable<Text>,
        field -> Nullable<Text>,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
        unknown -> Bool,
        successor_id -> Nullable<Uid>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    unit_parents (unit_id, valid_from) {
        unit_id -> Uid,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
        parent_id -> Uid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    officers (id) {
        id -> Uid,
        code -> Text,
        name -> Nullable<Text>,
        rank -> Nullable<Text>,
        appointed_on -> Nullable<Date>,
        unknown -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    postings (officer_id, unit_id, valid_from) {
        officer_id -> Uid,
        unit_id -> Uid,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    enterprises (id) {
        id -> Uid,
        tax_code -> Text,
        name -> Nullable<Text>,
        group_code -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    issue_categories (id) {
        id -> Uid,
        code -> Text,
        parent_id -> Nullable<Uid>,
        name_vi -> Text,
        name_en -> Nullable<Text>,
        kind -> Text,
        serious -> Bool,
        deadline_days -> Nullable<Integer>,
        owner_unit_id -> Nullable<Uid>,
        unknown -> Bool,
        deadline_unit -> Nullable<Text>,
        valid_to -> Nullable<Date>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    routing_rules (id) {
        id -> Uid,
        category_id -> Nullable<Uid>,
        kind -> Nullable<Text>,
        unit_id -> Nullable<Uid>,
        responsible_unit_id -> Nullable<Uid>,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    holiday_years (id) {
        id -> Uid,
        year -> Integer,
        days_off -> Nullable<Document>,
        days_worked -> Nullable<Document>,
        reason -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    workload (id) {
        id -> Uid,
        unit_id -> Uid,
        officer_id -> Nullable<Uid>,
        month -> Date,
        declarations -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    system_incidents (id) {
        id -> Uid,
        reference -> Text,
        unit_id -> Nullable<Uid>,
        started_at -> UtcMicros,
        ended_at -> Nullable<UtcMicros>,
        description -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    reference_events (position, ordinal) {
        position -> BigInt,
        ordinal -> Integer,
        entity -> Text,
        entity_id -> Uid,
        kind -> Text,
        recorded_at -> UtcMicros,
        effective_at -> UtcMicros,
        actor -> Text,
        before -> Nullable<Document>,
        after -> Nullable<Document>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::sql_types::*;

    reference_event_values (position, ordinal, side, field) {
        position -> BigInt,
        ordinal -> Integer,
        side -> Text,
        field -> Text,
        salt -> Binary,
        value -> Text,
    }
}
