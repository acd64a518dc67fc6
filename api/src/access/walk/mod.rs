//! A walk over the operation that is to run: every name in it, and what it comes to.

mod introspection;
mod values;

use super::guard::{Checked, DEEPEST_VALUE, Guard, Refusal, Weight};
use super::looks::{Looks, MOST_BYTES};
use super::table::allowed;
use crate::graphql::DEFAULT_PAGE;
use crate::limits::Limits;
use async_graphql_parser::types::{
    Directive, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
};
use async_graphql_parser::{Pos, Positioned};
use async_graphql_value::{ConstValue, Name, Value, Variables};
use schema::enums::Role;
use std::collections::HashMap;

/// What a statistic costs, in rows.
const STATISTIC: u64 = 50;
/// How deep the fields of an introspection may be nested. Tools ask for a type with nine levels of `ofType`, below an
/// argument of a field of the schema's types: 15 levels.
const DEEPEST_INTROSPECTION: u32 = 20;
/// Fields that compute from many rows.
const STATISTICS: [(&str, &str); 12] = [
    ("Query", "sql"),
    ("Query", "complaintStatistics"),
    ("Query", "responseTimeliness"),
    ("Query", "blameCheck"),
    ("Query", "categoryTrends"),
    ("Query", "backtest"),
    ("Query", "funnelPlot"),
    ("Unit", "scorecard"),
    ("Unit", "cusum"),
    ("Officer", "record"),
    ("Proposal", "effect"),
    ("Measure", "outcome"),
];

pub(in crate::access) struct Walk<'d> {
    guard: &'d Guard,
    role: Option<Role>,
    limits: &'d Limits,
    fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
    variables: &'d Variables,
    defaults: HashMap<&'d Name, Value>,
    values: usize,
    value_depth: usize,
    values_too_deep: bool,
    /// Whether the values that are looked at belong to a condition.
    in_condition: bool,
    /// Whether they stand in a variable, and not in the document.
    in_variable: bool,
    pattern_characters: usize,
    introspection_depth: usize,
    aliases: usize,
    directives: usize,
    root_fields: usize,
    weight: Weight,
    refusals: Vec<Refusal>,
    looks: Looks,
    /// Bytes of conditions that may still be noted word for word, and whether there were more.
    bytes_left: usize,
    conditions_too_long: bool,
}

/// The way to what is walked over: it lies on the stack, and is written out only where somebody is asked for.
#[derive(Clone, Copy)]
struct Path<'p> {
    above: Option<&'p Path<'p>>,
    name: &'p str,
}

impl<'p> Path<'p> {
    fn to(&'p self, name: &'p str) -> Self {
        Self { above: Some(self), name }
    }

    fn written(&self) -> String {
        match self.above {
            Some(above) => format!("{}.{}", above.written(), self.name),
            None => self.name.to_owned(),
        }
    }
}

impl<'d> Walk<'d> {
    pub fn new(
        guard: &'d Guard,
        role: Option<Role>,
        limits: &'d Limits,
        document: &'d ExecutableDocument,
        variables: &'d Variables,
    ) -> Self {
        Self {
            guard,
            role,
            limits,
            fragments: &document.fragments,
            variables,
            defaults: HashMap::new(),
            values: 0,
            value_depth: 0,
            values_too_deep: false,
            in_condition: false,
            in_variable: false,
            pattern_characters: 0,
            introspection_depth: 0,
            aliases: 0,
            directives: 0,
            root_fields: 0,
            weight: Weight::default(),
            refusals: Vec::new(),
            looks: Looks::default(),
            bytes_left: MOST_BYTES,
            conditions_too_long: false,
        }
    }

    /// The default of a variable.
    pub fn default(&mut self, of: &str, name: &'d Name, default: &Positioned<ConstValue>) {
        let value = default.node.clone().into_value();
        // What it asks for is noted where it is used.
        self.value(of, &value, default.pos, None);
        self.defaults.insert(name, value);
    }

    /// A variable that has to have a value.
    pub fn missing(&mut self, message: &str, at: Pos) {
        self.refusals.push(Refusal::Arguments { message: message.to_owned(), at });
    }

    pub fn root(&mut self, of: &str, operation: &'d Positioned<OperationDefinition>) {
        self.directives(&operation.node.directives);
        let kind = operation.node.ty.to_string();
        self.selections(of, &operation.node.selection_set.node, 1, 1, &Path { above: None, name: &kind });
    }

    /// What was found.
    pub fn done(mut self, at: Pos) -> Checked {
        let limits = self.limits;
        let counted = [
            ("fields are nested", self.weight.depth, limits.depth, "levels deep"),
            ("fields of the introspection are nested", self.introspection_depth, DEEPEST_INTROSPECTION, "levels deep"),
            ("it selects", self.weight.fields, limits.fields, "fields"),
            ("it renames", self.aliases, limits.aliases, "fields"),
            ("it has", self.root_fields, limits.root_fields, "fields of the operation itself"),
            ("it has", self.directives, limits.directives, "directives"),
        ];
        for (what, number, limit, of) in counted {
            if number > limit as usize {
                self.refusals
                    .push(Refusal::Limit { message: format!("{what} {number} {of}: at most {limit} may be"), at });
            }
        }
        if self.values > limits.argument_values as usize || self.values_too_deep {
            let message = format!(
                "arguments and variables hold more than {} values, or are nested deeper than {DEEPEST_VALUE}: \
                 ask for less at once",
                limits.argument_values
            );
            self.refusals.push(Refusal::Arguments { message, at });
        }
        if self.pattern_characters > limits.pattern_characters as usize {
            let message = format!(
                "its patterns and searched words have {} characters together: at most {} may be",
                self.pattern_characters, limits.pattern_characters
            );
            self.refusals.push(Refusal::Arguments { message, at });
        }
        if self.weight.cost > u64::from(limits.cost) {
            let message = format!(
                "it may come to {} rows: at most {} may be; ask for smaller pages, or nest fewer lists",
                self.weight.cost, limits.cost
            );
            self.refusals.push(Refusal::Arguments { message, at });
        }
        Checked { weight: self.weight, refusals: self.refusals, looks: self.looks }
    }

    /// Whether it is clear that it is refused: nothing more has to be looked at. Fragments within fragments
    /// multiply, so that a small document can have very many fields.
    fn is_too_much(&self, depth: usize) -> bool {
        self.weight.fields > self.limits.fields as usize || depth > self.limits.depth as usize + 1
    }

    /// `rows`: how many objects of this type there may be.
    fn selections(&mut self, of: &str, selections: &'d SelectionSet, depth: usize, rows: u64, path: &Path<'_>) {
        for selection in &selections.items {
            if self.is_too_much(depth) {
                return;
            }
            match &selection.node {
                Selection::Field(field) => self.field(of, field, depth, rows, path),
                Selection::InlineFragment(fragment) => {
                    self.weight.fields += 1;
                    self.directives(&fragment.node.directives);
                    let condition = fragment.node.type_condition.as_ref().map(|on| on.node.on.node.to_string());
                    let of = condition.as_deref().map_or(of, |condition| self.narrowed(of, condition));
                    self.selections(of, &fragment.node.selection_set.node, depth, rows, path);
                }
                Selection::FragmentSpread(spread) => {
                    self.weight.fields += 1;
                    self.directives(&spread.node.directives);
                    if let Some(fragment) = self.fragments.get(&spread.node.fragment_name.node) {
                        let condition = fragment.node.type_condition.node.on.node.to_string();
                        let of = self.narrowed(of, &condition);
                        self.selections(of, &fragment.node.selection_set.node, depth, rows, path);
                    }
                }
            }
        }
    }

    /// The type that a fragment speaks of. One on an interface, within an object, speaks of the object: its id is
    /// the object's id, whatever it is called through.
    fn narrowed<'t>(&self, of: &'t str, condition: &'t str) -> &'t str {
        if self.guard.interfaces.contains(condition) && !self.guard.interfaces.contains(of) { of } else { condition }
    }

    fn field(&mut self, of: &str, field: &'d Positioned<Field>, depth: usize, rows: u64, path: &Path<'_>) {
        let name = field.node.name.node.as_str();
        self.weight.fields += 1;
        self.weight.depth = self.weight.depth.max(depth);
        self.aliases += usize::from(field.node.alias.is_some());
        self.root_fields += usize::from(depth == 1);
        self.directives(&field.node.directives);
        // Introspection tells of the schema, not of the register: every role may name it.
        if name.starts_with("__") {
            self.introspection(field, depth);
            return;
        }
        // A field that does not exist is the validation's to refuse.
        let Some(output) = self.guard.outputs.get(of).and_then(|fields| fields.get(name)) else { return };
        self.name(of, name, field.pos);
        if let Some(shown) = &output.shown {
            self.looks.show(shown);
        }
        let path = path.to(name);
        for (argument, value) in &field.node.arguments {
            let argument = argument.node.as_str();
            if let Some(input) = output.arguments.get(argument) {
                let path = path.to(argument);
                if input.asks {
                    self.asked(&path, &value.node, value.pos);
                }
                self.value(&input.of, &value.node, value.pos, Some(&path));
            }
        }
        let below = if output.of.ends_with("Connection") {
            let page = self.page(&field.node);
            rows.saturating_mul(page)
        } else {
            rows
        };
        let own = match name {
            _ if output.of.ends_with("Connection") => {
                let statistics = if self.is_by_measure(&field.node) { rows.saturating_mul(STATISTIC) } else { 0 };
                // Units are ordered by the measures of four levels.
                let statistics = if output.of == "UnitConnection" { statistics.saturating_mul(4) } else { statistics };
                below.saturating_add(statistics)
            }
            _ if STATISTICS.contains(&(of, name)) => rows.saturating_mul(STATISTIC),
            _ => 0,
        };
        self.weight.cost = self.weight.cost.saturating_add(own);
        self.selections(&output.of, &field.node.selection_set.node, depth + 1, below, &path);
    }

    /// Whether a list is ordered by a measure, which is a statistic.
    fn is_by_measure(&self, field: &Field) -> bool {
        let has = |value: &Value| matches!(value, Value::Object(fields) if fields.contains_key("measure"));
        field.arguments.iter().filter(|(name, _)| name.node == "orderBy").any(|(_, value)| {
            match self.resolved(&value.node) {
                Value::List(all) => all.iter().any(|one| has(&self.resolved(one))),
                one => has(&one),
            }
        })
    }

    /// How many rows a list may have.
    fn page(&self, field: &Field) -> u64 {
        let sizes = field.arguments.iter().filter(|(name, _)| matches!(name.node.as_str(), "first" | "last"));
        let sizes = sizes.filter_map(|(_, value)| match self.resolved(&value.node) {
            Value::Number(n) => Some(n.as_u64().unwrap_or(0).max(1)),
            _ => None,
        });
        sizes.max().unwrap_or(DEFAULT_PAGE as u64)
    }

    fn directives(&mut self, directives: &[Positioned<Directive>]) {
        self.directives += directives.len();
    }

    fn name(&mut self, of: &str, field: &str, at: Pos) {
        if !self.role.is_some_and(|role| allowed(role, of, field)) {
            self.refusals.push(Refusal::Denied { what: format!("{of}.{field}"), at });
        }
    }
}
