//! The filter of complaints as a condition over the columns of the snapshot. It selects the same complaints as the
//! condition of SQL: a test of whole programs compares the two.

use crate::access::{OfUnit, within_places};
use crate::graphql::enums;
use crate::graphql::filter::{
    BooleanOps, ChannelOps, ComplaintStateOps, DateOps, DateTimeOps, DecimalOps, Filter, FloatOps, IdOps, IntOps,
    ReferenceData, StringOps, UnitKindOps, as_id, today,
};
use crate::graphql::scalars::{Decimal, Moment};
use crate::graphql::types::unit::unit_of_within;
use crate::graphql::types::{CategoryFilter, ComplaintFilter, ResponsibleUnitOps, UnitFilter};
use chrono::NaiveDate;
use jobs::facts::days::day_number;
use jobs::snapshot::{ColumnCondition, Comparison, IndexColumn, Nullable};
use schema::Id;
use schema::enums::{CategoryKind, Channel, ComplaintState, UnitKind};
use schema::models::{IssueCategory, Unit};

/// The condition of a filter. None if it asks for what no column holds, or is wrong: SQL then answers, or says what is
/// wrong.
pub fn column_condition(filter: &ComplaintFilter, reference: &ReferenceData) -> Option<ColumnCondition> {
    // The columns take their fields out of it.
    let mut rest = filter.clone();
    let mut all = Vec::new();
    all.extend(rest.received_at.take().map(|ops| received(&ops)));
    all.extend(rest.channel.take().map(|ops| of_channel(&ops)));
    all.extend(rest.state.take().map(|ops| of_state(&ops)));
    all.extend(rest.cost_vnd.take().map(|ops| cost(&ops)));
    all.extend(rest.delay_hours.take().map(|ops| delay(&ops)));
    all.extend(rest.blames_system.take().map(|ops| truth(&ops, &ColumnCondition::Blames)));
    all.extend(rest.confidential.take().map(|ops| truth(&ops, &ColumnCondition::Confidential)));
    all.extend(rest.anonymous.take().map(|ops| of_anonymous(&ops)));
    if let Some(unit) = rest.unit.take() {
        all.push(of_unit(&unit, reference)?);
    }
    if let Some(ops) = rest.responsible_unit.take() {
        all.push(of_responsible_unit(&ops, reference)?);
    }
    if let Some(category) = rest.category.take() {
        all.push(of_category(&category, reference)?);
    }
    let (and, or, not) = (rest.and.take(), rest.or.take(), rest.not.take());
    // A condition that is left, on a new field too, is one for SQL.
    let is_whole = matches!(rest.condition(reference), Ok(None));
    let make = |part: &ComplaintFilter| column_condition(part, reference);
    if is_whole { combined(all, and.as_deref(), or.as_deref(), not.as_deref(), make) } else { None }
}

/// The complaints of a filter that selects overdue ones only, and says nothing else of how long they wait: by how many
/// days at least, and the condition on everything else. None if it is another filter.
pub fn overdue_condition(filter: &ComplaintFilter, reference: &ReferenceData) -> Option<(i32, ColumnCondition)> {
    let mut rest = filter.clone();
    let are_overdue = match rest.overdue.take() {
        None => false,
        Some(BooleanOps { eq: Some(true), ne: None, is_null: None }) => true,
        Some(_) => return None,
    };
    let days = match rest.overdue_days.take() {
        None => 0,
        Some(IntOps {
            gte: Some(days),
            eq: None,
            ne: None,
            r#in: None,
            gt: None,
            lt: None,
            lte: None,
            is_null: None,
        }) => days,
        Some(_) => return None,
    };
    // Every complaint is overdue by at least no days.
    let at_least = if are_overdue { days.max(1) } else { days };
    Some((at_least, column_condition(&rest, reference)?)).filter(|_| at_least > 0)
}

/// Adds `and`, `or` and `not` of a filter to its own conditions and joins them all.
fn combined<F>(
    mut all: Vec<ColumnCondition>,
    and: Option<&[F]>,
    or: Option<&[F]>,
    not: Option<&F>,
    make: impl Fn(&F) -> Option<ColumnCondition>,
) -> Option<ColumnCondition> {
    for part in and.unwrap_or_default() {
        all.push(make(part)?);
    }
    if let Some(parts) = or {
        all.push(ColumnCondition::Any(parts.iter().map(&make).collect::<Option<Vec<_>>>()?));
    }
    if let Some(part) = not {
        all.push(make(part)?.negated());
    }
    Some(ColumnCondition::All(all))
}

/// The conditions of the operators of an ordered type. The columns hold no value of another meaning, so that `isNull`
/// is all that differs.
macro_rules! ordered {
    ($ops:expr, $convert:expr, $column:ident, $null:expr) => {{
        let (ops, convert) = ($ops, $convert);
        let mut all = Vec::new();
        all.extend(ops.eq.as_ref().map(|value| ColumnCondition::$column(Comparison::Is(convert(value)))));
        all.extend(ops.ne.as_ref().map(|value| ColumnCondition::$column(Comparison::IsNot(convert(value)))));
        let of = ops.r#in.as_ref().map(|of| of.iter().map(convert).collect());
        all.extend(of.map(|of| ColumnCondition::$column(Comparison::OneOf(of))));
        all.extend(ops.gt.as_ref().map(|value| ColumnCondition::$column(Comparison::Above(convert(value)))));
        all.extend(ops.gte.as_ref().map(|value| ColumnCondition::$column(Comparison::AtLeast(convert(value)))));
        all.extend(ops.lt.as_ref().map(|value| ColumnCondition::$column(Comparison::Below(convert(value)))));
        all.extend(ops.lte.as_ref().map(|value| ColumnCondition::$column(Comparison::AtMost(convert(value)))));
        all.extend(null(ops.is_null, $null));
        ColumnCondition::All(all)
    }};
}

/// The condition of `isNull`, if it is given.
fn null(asked: Option<bool>, is_null: ColumnCondition) -> Option<ColumnCondition> {
    Some(if asked? { is_null } else { is_null.negated() })
}

/// The condition that a column has no value which always has one.
const NEVER: ColumnCondition = ColumnCondition::Constant(false);

/// Conditions on the time of receipt.
pub fn received(ops: &DateTimeOps) -> ColumnCondition {
    ordered!(ops, |moment: &Moment| moment.0.micros(), Received, NEVER)
}

/// Conditions on the cost in VND.
pub fn cost(ops: &DecimalOps) -> ColumnCondition {
    let amount = |amount: &Decimal| amount.0;
    ordered!(ops, amount, Cost, ColumnCondition::Null(Nullable::Cost))
}

/// Conditions on the hours of delay.
pub fn delay(ops: &FloatOps) -> ColumnCondition {
    ordered!(ops, |hours: &f64| *hours, Delay, ColumnCondition::Null(Nullable::Delay))
}

/// Conditions on the day of the answer in the present round.
pub fn answered(ops: &DateOps) -> ColumnCondition {
    ordered!(ops, |day: &NaiveDate| day_number(*day), Answered, ColumnCondition::Null(Nullable::Answered))
}

/// Conditions on a column of words that always has one.
macro_rules! word {
    ($ops:expr, $column:expr, $given:ty, $stored:ty) => {{
        let (ops, column) = ($ops, $column);
        let place = |word: &$given| <$stored>::from(*word).place();
        let mut all = Vec::new();
        all.extend(ops.eq.as_ref().map(|word| ColumnCondition::Place(column, place(word))));
        all.extend(ops.ne.as_ref().map(|word| ColumnCondition::Place(column, place(word)).negated()));
        all.extend(ops.r#in.as_ref().map(|words| ColumnCondition::one_of(column, words.iter().map(place))));
        all.extend(null(ops.is_null, NEVER));
        ColumnCondition::All(all)
    }};
}

fn of_channel(ops: &ChannelOps) -> ColumnCondition {
    word!(ops, IndexColumn::Channel, enums::Channel, Channel)
}

fn of_state(ops: &ComplaintStateOps) -> ColumnCondition {
    word!(ops, IndexColumn::State, enums::ComplaintState, ComplaintState)
}

/// Conditions on a truth value that is never null.
pub fn truth(ops: &BooleanOps, is_true: &ColumnCondition) -> ColumnCondition {
    let wanted = [ops.eq, ops.ne.map(|ne| !ne)].into_iter().flatten();
    let mut all: Vec<ColumnCondition> =
        wanted.map(|wanted| if wanted { is_true.clone() } else { is_true.clone().negated() }).collect();
    all.extend(null(ops.is_null, NEVER));
    ColumnCondition::All(all)
}

fn of_anonymous(ops: &BooleanOps) -> ColumnCondition {
    truth(ops, &ColumnCondition::Null(Nullable::Place(IndexColumn::Enterprise)))
}

/// Whether a word that is never null meets operators.
macro_rules! word_meets {
    ($ops:expr, $value:expr, $stored:ty) => {{
        let (ops, value): (_, $stored) = ($ops, $value);
        ops.eq.is_none_or(|word| value == <$stored>::from(word))
            && ops.ne.is_none_or(|word| value != <$stored>::from(word))
            && ops.r#in.as_ref().is_none_or(|words| words.iter().any(|word| value == <$stored>::from(*word)))
            && ops.is_null != Some(true)
    }};
}

/// Conditions on the unit of a complaint.
fn of_unit(filter: &UnitFilter, reference: &ReferenceData) -> Option<ColumnCondition> {
    let UnitFilter {
        id,
        code,
        name_vi: None,
        name_en: None,
        kind,
        peer_group: None,
        field: None,
        unknown: None,
        search: None,
        within,
        parent: None,
        and,
        or,
        not,
    } = filter
    else {
        return None;
    };
    let mut all = Vec::new();
    if let Some(code) = within {
        let unit = unit_of_within(reference, code).ok()?;
        let below = reference.tree.descendants_without_stored_ancestor(unit.id);
        all.push(within_places(reference, unit.id, &below)?);
    }
    let asks = id.as_ref().is_some_and(asks_for_id)
        || code.as_ref().is_some_and(asks_for_text)
        || kind.as_ref().is_some_and(asks_for_kind);
    if asks {
        let is_meant = |unit: &Unit| {
            Some(
                meets(id.as_ref(), |ops| id_meets(ops, unit.id))?
                    && meets(code.as_ref(), |ops| text_meets(ops, &unit.code))?
                    && meets(kind.as_ref(), |ops| Some(word_meets!(ops, unit.kind, UnitKind)))?,
            )
        };
        all.push(places(IndexColumn::Unit, &reference.units, is_meant)?);
    }
    combined(all, and.as_deref(), or.as_deref(), not.as_deref(), |part| of_unit(part, reference))
}

/// Conditions on the unit that has to answer. None if a unit is unknown.
fn of_responsible_unit(ops: &ResponsibleUnitOps, reference: &ReferenceData) -> Option<ColumnCondition> {
    let ResponsibleUnitOps { eq, r#in, within, is_null } = ops;
    let column = IndexColumn::ResponsibleUnit;
    let unit_id = |code: &String| reference.unit_by_code(code).map(|unit| unit.id);
    let mut all = Vec::new();
    for codes in [eq.as_ref().map(std::slice::from_ref), r#in.as_deref()].into_iter().flatten() {
        let places = codes.iter().map(|code| reference.unit_index(unit_id(code)?)).collect::<Option<Vec<u32>>>()?;
        all.push(ColumnCondition::one_of(column, places));
    }
    if let Some(code) = within {
        all.push(OfUnit::new(&reference.tree, unit_id(code)?, today()).answered_places(reference));
    }
    all.extend(null(*is_null, ColumnCondition::Null(Nullable::Place(column))));
    Some(ColumnCondition::All(all))
}

/// Conditions on the category of a complaint, which has one then. As in SQL, a category that the filter names counts
/// for those below it.
fn of_category(filter: &CategoryFilter, reference: &ReferenceData) -> Option<ColumnCondition> {
    places(IndexColumn::Category, &reference.categories, |category| {
        let above = category.parent_id.and_then(|id| reference.category(id));
        is_selected(filter, category, above)
    })
}

/// Whether a filter selects a category, below which other rows count; `above` is the one above it.
fn is_selected(filter: &CategoryFilter, category: &IssueCategory, above: Option<&IssueCategory>) -> Option<bool> {
    let mut all = category_meets(&filter.own(), category)?;
    let is_above = |named: &CategoryFilter| above.map_or(Some(false), |above| category_meets(named, above));
    let naming = filter.naming();
    if asks_for_category(&naming) {
        all &= category_meets(&naming, category)? || is_above(&naming)?;
    }
    for excluded in filter.excluded().iter().filter(|excluded| asks_for_category(excluded)) {
        all &= !is_above(excluded)?;
    }
    for part in filter.and.iter().flatten() {
        all &= is_selected(part, category, above)?;
    }
    if let Some(parts) = &filter.or {
        let mut any = false;
        for part in parts {
            any |= is_selected(part, category, above)?;
        }
        all &= any;
    }
    if let Some(part) = &filter.not {
        all &= !is_selected(part, category, above)?;
    }
    Some(all)
}

/// Whether a filter has an operator on a field that names a category.
fn asks_for_category(filter: &CategoryFilter) -> bool {
    let texts = [&filter.code, &filter.name_vi, &filter.name_en];
    filter.id.as_ref().is_some_and(asks_for_id) || texts.into_iter().flatten().any(asks_for_text)
}

/// Whether a category itself meets a filter without parts. None if memory does not hold what the filter asks for.
fn category_meets(filter: &CategoryFilter, category: &IssueCategory) -> Option<bool> {
    let CategoryFilter {
        id,
        code,
        name_vi,
        name_en,
        kind,
        serious: None,
        deadline_days: None,
        unknown: None,
        parent_id: None,
        within: None,
        and: None,
        or: None,
        not: None,
    } = filter
    else {
        return None;
    };
    if [name_vi, name_en].into_iter().flatten().any(asks_for_text) {
        return None;
    }
    Some(
        meets(id.as_ref(), |ops| id_meets(ops, category.id))?
            && meets(code.as_ref(), |ops| text_meets(ops, &category.code))?
            && meets(kind.as_ref(), |ops| Some(word_meets!(ops, category.kind, CategoryKind)))?,
    )
}

/// The condition that the column has the place of one of the rows that meet another one.
fn places<R>(column: IndexColumn, rows: &[R], meets: impl Fn(&R) -> Option<bool>) -> Option<ColumnCondition> {
    let mut chosen = Vec::new();
    for (place, row) in (0..).zip(rows) {
        if meets(row)? {
            chosen.push(place);
        }
    }
    Some(ColumnCondition::one_of(column, chosen))
}

/// Whether a value meets operators, if there are any.
fn meets<O>(ops: Option<&O>, test: impl FnOnce(&O) -> Option<bool>) -> Option<bool> {
    ops.map_or(Some(true), test)
}

fn asks_for_kind(ops: &UnitKindOps) -> bool {
    ops.eq.is_some() || ops.ne.is_some() || ops.r#in.is_some() || ops.is_null.is_some()
}

fn asks_for_id(ops: &IdOps) -> bool {
    ops.eq.is_some() || ops.ne.is_some() || ops.r#in.is_some() || ops.is_null.is_some()
}

/// None if an id is not a UUID.
fn id_meets(ops: &IdOps, value: Id) -> Option<bool> {
    let eq = ops.eq.as_ref().map(as_id).transpose().ok()?;
    let ne = ops.ne.as_ref().map(as_id).transpose().ok()?;
    let of = ops.r#in.as_ref().map(|ids| ids.iter().map(as_id).collect::<Result<Vec<_>, _>>()).transpose().ok()?;
    Some(
        eq.is_none_or(|id| value == id)
            && ne.is_none_or(|id| value != id)
            && of.is_none_or(|ids| ids.contains(&value))
            && ops.is_null != Some(true),
    )
}

fn asks_for_text(ops: &StringOps) -> bool {
    let StringOps { eq, ne, r#in, gt, gte, lt, lte, like, is_null } = ops;
    r#in.is_some() || is_null.is_some() || [eq, ne, gt, gte, lt, lte, like].into_iter().any(Option::is_some)
}

/// Texts compare bytewise, as in the database. None for a pattern.
fn text_meets(ops: &StringOps, value: &str) -> Option<bool> {
    let StringOps { eq, ne, r#in, gt, gte, lt, lte, like: None, is_null } = ops else { return None };
    let meets =
        |other: &Option<String>, test: fn(&str, &str) -> bool| other.as_deref().is_none_or(|other| test(value, other));
    Some(
        meets(eq, |value, other| value == other)
            && meets(ne, |value, other| value != other)
            && r#in.as_ref().is_none_or(|texts| texts.iter().any(|text| text == value))
            && meets(gt, |value, other| value > other)
            && meets(gte, |value, other| value >= other)
            && meets(lt, |value, other| value < other)
            && meets(lte, |value, other| value <= other)
            && *is_null != Some(true),
    )
}
