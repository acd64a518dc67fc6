//! Filter operators for each type of value, and the macros that turn them into conditions.

use crate::graphql::enums;
use crate::graphql::scalars::{Decimal, Moment};
use async_graphql::{ID, InputObject};
use chrono::NaiveDate;

macro_rules! ordered {
    ($(#[$doc:meta])* $name:ident, $type:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, InputObject)]
        pub struct $name {
            pub eq: Option<$type>,
            pub ne: Option<$type>,
            #[graphql(name = "in")]
            pub r#in: Option<Vec<$type>>,
            pub gt: Option<$type>,
            pub gte: Option<$type>,
            pub lt: Option<$type>,
            pub lte: Option<$type>,
            pub is_null: Option<bool>,
        }
    };
}

ordered!(DateTimeOps, Moment);
ordered!(DateOps, NaiveDate);
ordered!(IntOps, i32);
ordered!(FloatOps, f64);
ordered!(
    /// Operators on amounts in whole VND.
    DecimalOps, Decimal
);

/// Operators on texts, compared bytewise. In `like`, % stands for any characters and _ for one; a backslash
/// escapes them.
#[derive(Debug, Clone, Default, InputObject)]
pub struct StringOps {
    pub eq: Option<String>,
    pub ne: Option<String>,
    #[graphql(name = "in")]
    pub r#in: Option<Vec<String>>,
    pub gt: Option<String>,
    pub gte: Option<String>,
    pub lt: Option<String>,
    pub lte: Option<String>,
    pub like: Option<String>,
    pub is_null: Option<bool>,
}

macro_rules! words {
    ($($name:ident, $type:ty;)+) => {
        $(
            #[derive(Debug, Clone, Default, InputObject)]
            pub struct $name {
                pub eq: Option<$type>,
                pub ne: Option<$type>,
                #[graphql(name = "in")]
                pub r#in: Option<Vec<$type>>,
                pub is_null: Option<bool>,
            }
        )+
    };
}

words! {
    IdOps, ID;
    UnitKindOps, enums::UnitKind;
    PeerGroupOps, enums::PeerGroup;
    CategoryKindOps, enums::CategoryKind;
    LegalFormOps, enums::LegalForm;
    ChannelOps, enums::Channel;
    ComplaintStateOps, enums::ComplaintState;
    AttributionOps, enums::Attribution;
    FindingOps, enums::Finding;
    ResponseActionOps, enums::ResponseAction;
    TierOps, enums::Tier;
    FlagStateOps, enums::FlagState;
    SubjectKindOps, enums::SubjectKind;
    RunStateOps, enums::RunState;
    AlertKindOps, enums::AlertKind;
    LocaleOps, enums::Locale;
    DeliveryStateOps, enums::DeliveryState;
    RoleOps, enums::Role;
    AuditActionOps, enums::AuditAction;
    GuidanceStateOps, enums::GuidanceState;
    ProposalStateOps, enums::ProposalState;
    MeasureKindOps, enums::MeasureKind;
    CorrectionStateOps, enums::CorrectionState;
}

#[derive(Debug, Clone, Default, InputObject)]
pub struct BooleanOps {
    pub eq: Option<bool>,
    pub ne: Option<bool>,
    pub is_null: Option<bool>,
}

/// Conditions for `eq`, `ne`, `in` and `isNull`.
macro_rules! equal_ops {
    ($conditions:ident, $ops:expr, $column:expr, $convert:expr) => {
        if let Some(ops) = &$ops {
            let convert = $convert;
            if let Some(value) = &ops.eq {
                $conditions.push(Box::new($column.eq(convert(value)?).nullable()));
            }
            if let Some(value) = &ops.ne {
                $conditions.push(Box::new($column.ne(convert(value)?).nullable()));
            }
            if let Some(values) = &ops.r#in {
                let values = values.iter().map(convert).collect::<Result<Vec<_>, schema::StoreError>>()?;
                $conditions.push(Box::new($column.eq_any(values).nullable()));
            }
            $crate::graphql::filter::null_op!($conditions, ops, $column);
        }
    };
}
pub(in crate::graphql) use equal_ops;

macro_rules! null_op {
    ($conditions:ident, $ops:expr, $column:expr) => {
        match $ops.is_null {
            Some(true) => $conditions.push(Box::new($column.is_null().nullable())),
            Some(false) => $conditions.push(Box::new($column.is_not_null().nullable())),
            None => {}
        }
    };
}
pub(in crate::graphql) use null_op;

/// The operators of `equal_ops!`, and `gt`, `gte`, `lt`, `lte`.
macro_rules! ordered_ops {
    ($conditions:ident, $ops:expr, $column:expr, $convert:expr) => {
        $crate::graphql::filter::equal_ops!($conditions, $ops, $column, $convert);
        if let Some(ops) = &$ops {
            let convert = $convert;
            if let Some(value) = &ops.gt {
                $conditions.push(Box::new($column.gt(convert(value)?).nullable()));
            }
            if let Some(value) = &ops.gte {
                $conditions.push(Box::new($column.ge(convert(value)?).nullable()));
            }
            if let Some(value) = &ops.lt {
                $conditions.push(Box::new($column.lt(convert(value)?).nullable()));
            }
            if let Some(value) = &ops.lte {
                $conditions.push(Box::new($column.le(convert(value)?).nullable()));
            }
        }
    };
}
pub(in crate::graphql) use ordered_ops;

/// The same, and `like`.
macro_rules! text_ops {
    ($conditions:ident, $ops:expr, $column:expr) => {
        $crate::graphql::filter::ordered_ops!(
            $conditions,
            $ops,
            $column,
            |value: &String| Ok::<_, schema::StoreError>(value.clone())
        );
        if let Some(pattern) = $ops.as_ref().and_then(|ops| ops.like.clone()) {
            $conditions.push(Box::new($column.like(pattern).escape('\\').nullable()));
        }
    };
}
pub(in crate::graphql) use text_ops;

macro_rules! truth_ops {
    ($conditions:ident, $ops:expr, $column:expr) => {
        if let Some(ops) = &$ops {
            if let Some(value) = ops.eq {
                $conditions.push(Box::new($column.eq(value).nullable()));
            }
            if let Some(value) = ops.ne {
                $conditions.push(Box::new($column.ne(value).nullable()));
            }
            $crate::graphql::filter::null_op!($conditions, ops, $column);
        }
    };
}
pub(in crate::graphql) use truth_ops;

/// Parses an id of a filter.
///
/// # Errors
/// `Rule` if it is not a UUID.
pub fn as_id(id: &ID) -> Result<schema::Id, schema::StoreError> {
    uuid::Uuid::parse_str(id.as_str())
        .map(schema::Id)
        .map_err(|_| schema::refusal::InputRefusal::NotAnId { id: id.as_str().to_owned() }.into())
}

/// Converts an enum value of a filter to the stored one.
///
/// # Errors
/// Never; conversions that may fail have the same type.
pub fn as_word<W: enums::Mirror>(word: &W) -> Result<W::Stored, schema::StoreError> {
    Ok((*word).into())
}

/// Converts a time of a filter to the stored one.
///
/// # Errors
/// Never, as [`as_word`].
pub fn as_time(moment: &Moment) -> Result<schema::Timestamp, schema::StoreError> {
    Ok(moment.0)
}

/// Converts an amount of a filter to the stored one.
///
/// # Errors
/// Never, as [`as_word`].
pub fn as_money(amount: &Decimal) -> Result<i64, schema::StoreError> {
    Ok(amount.0)
}

/// A value that needs no translation.
///
/// # Errors
/// Never, as [`as_word`].
pub fn as_is<V: Clone>(value: &V) -> Result<V, schema::StoreError> {
    Ok(value.clone())
}
