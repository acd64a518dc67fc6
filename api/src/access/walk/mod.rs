//! Walks the operation that is to run: checks every name in it against the access table, and sums up its
//! weight.

mod introspection;
mod values;

use super::audited_access::{AuditedAccess, MOST_BYTES};
use super::checked::{Checked, DEEPEST_VALUE, Refusal, Weight};
use super::guard::Guard;
use super::permissions::allowed;
use super::roles::Reader;
use crate::config::Limits;
use crate::graphql::DEFAULT_PAGE;
use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::parser::{Pos, Positioned};
use async_graphql_value::{ConstValue, Name, Value, Variables};
use std::collections::HashMap;

/// The cost of a statistic, in rows.
const STATISTIC: u64 = 50;
/// Complaints that one `confirmClassifications` answers with, at most.
const MOST_CONFIRMED: u64 = 1_000;
/// Deepest nesting of introspection fields. Tools ask for a type with nine levels of `ofType`, below an
/// argument of a field of a type: 15 levels.
const DEEPEST_INTROSPECTION: u32 = 20;
/// Fields that compute from many rows.
const STATISTICS: [(&str, &str); 21] = [
    ("Query", "sql"),
    ("Query", "runSavedQuery"),
    ("Query", "complaintStatistics"),
    ("Query", "responseTimeliness"),
    ("Query", "blameCheck"),
    ("Query", "registerChanges"),
    ("Query", "categoryTrends"),
    ("Query", "emergingTerms"),
    ("Query", "digestPreview"),
    ("Query", "backtest"),
    ("Query", "runReproduction"),
    ("Query", "flagWithoutEnterprise"),
    ("Query", "funnelPlot"),
    ("Query", "probableDuplicates"),
    ("Complaint", "possibleDuplicates"),
    ("Unit", "scorecard"),
    ("Unit", "cusum"),
    ("Officer", "record"),
    ("Proposal", "effect"),
    ("Measure", "outcome"),
    ("MeasureOutcome", "workload"),
];

pub(in crate::access) struct Walk<'d> {
    guard: &'d Guard,
    reader: Reader,
    limits: &'d Limits,
    fragments: &'d HashMap<Name, Positioned<FragmentDefinition>>,
    variables: &'d Variables,
    defaults: HashMap<&'d Name, Value>,
    values: usize,
    value_depth: usize,
    values_too_deep: bool,
    /// Whether the current values belong to a condition.
    in_condition: bool,
    /// Whether the current values come from a variable, and not from the document.
    in_variable: bool,
    pattern_characters: usize,
    introspection_depth: usize,
    aliases: usize,
    directives: usize,
    root_fields: usize,
    weight: Weight,
    refusals: Vec<Refusal>,
    audited_access: AuditedAccess,
    /// Bytes of conditions that the audit log entry still has room for.
    bytes_left: usize,
    /// Whether a condition did not fit.
    conditions_too_long: bool,
}

/// The path to the current node. It is a list on the stack, made into text only for conditions that identify a
/// subject.
#[derive(Clone, Copy)]
struct Path<'p> {
    above: Option<&'p Path<'p>>,
    name: &'p str,
}

impl<'p> Path<'p> {
    fn to(&'p self, name: &'p str) -> Self {
        Self { above: Some(self), name }
    }

    fn dotted(&self) -> String {
        match self.above {
            Some(above) => format!("{}.{}", above.dotted(), self.name),
            None => self.name.to_owned(),
        }
    }
}

impl<'d> Walk<'d> {
    pub fn new(
        guard: &'d Guard,
        reader: Reader,
        limits: &'d Limits,
        document: &'d ExecutableDocument,
        variables: &'d Variables,
    ) -> Self {
        Self {
            guard,
            reader,
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
            audited_access: AuditedAccess::default(),
            bytes_left: MOST_BYTES,
            conditions_too_long: false,
        }
    }

    /// Checks the default of a variable.
    pub fn default(&mut self, of: &str, name: &'d Name, default: &Positioned<ConstValue>) {
        let value = default.node.clone().into_value();
        // Conditions are noted where the variable is used.
        self.value(of, &value, default.pos, None);
        self.defaults.insert(name, value);
    }

    /// Refuses an operation whose required variable has no value.
    pub fn missing(&mut self, message: &str, at: Pos) {
        self.refusals.push(Refusal::Arguments { message: message.to_owned(), at });
    }

    pub fn root(&mut self, of: &str, operation: &'d Positioned<OperationDefinition>) {
        self.directives(&operation.node.directives);
        let kind = operation.node.ty.to_string();
        self.selections(of, &operation.node.selection_set.node, 1, 1, &Path { above: None, name: &kind });
    }

    /// Compares the counts with the limits and returns the result.
    pub fn done(mut self, at: Pos) -> Checked {
        let limits = self.limits;
        let counted = [
            ("fields are nested", self.weight.depth, limits.depth, "levels deep"),
            ("introspection fields are nested", self.introspection_depth, DEEPEST_INTROSPECTION, "levels deep"),
            ("the operation selects", self.weight.fields, limits.fields, "fields"),
            ("the operation has", self.aliases, limits.aliases, "aliases"),
            ("the operation has", self.root_fields, limits.root_fields, "root fields"),
            ("the operation has", self.directives, limits.directives, "directives"),
        ];
        for (what, number, limit, of) in counted {
            if number > limit as usize {
                self.refusals
                    .push(Refusal::Limit { message: format!("{what} {number} {of}: at most {limit} are allowed"), at });
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
                "patterns and search texts have {} characters together: at most {} are allowed",
                self.pattern_characters, limits.pattern_characters
            );
            self.refusals.push(Refusal::Arguments { message, at });
        }
        if self.weight.cost > u64::from(limits.cost) {
            let message = format!(
                "the cost is up to {} rows, at most {} are allowed: ask for smaller pages, or nest fewer lists",
                self.weight.cost, limits.cost
            );
            self.refusals.push(Refusal::Arguments { message, at });
        }
        Checked { weight: self.weight, refusals: self.refusals, audited_access: self.audited_access }
    }

    /// Whether the operation is certain to be refused, so that the walk can stop. Nested fragments multiply: a
    /// small document can have very many fields.
    fn is_too_much(&self, depth: usize) -> bool {
        self.weight.fields > self.limits.fields as usize || depth > self.limits.depth as usize + 1
    }

    /// Walks a selection on type `of`; `rows` is the number of such objects at most.
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
                    let of = condition.as_deref().map_or(of, |condition| self.fragment_type(of, condition));
                    self.selections(of, &fragment.node.selection_set.node, depth, rows, path);
                }
                Selection::FragmentSpread(spread) => {
                    self.weight.fields += 1;
                    self.directives(&spread.node.directives);
                    if let Some(fragment) = self.fragments.get(&spread.node.fragment_name.node) {
                        let condition = fragment.node.type_condition.node.on.node.to_string();
                        let of = self.fragment_type(of, &condition);
                        self.selections(of, &fragment.node.selection_set.node, depth, rows, path);
                    }
                }
            }
        }
    }

    /// The type that a fragment applies to. A fragment on an interface, within an object, applies to the
    /// object: its id is the id of the object.
    fn fragment_type<'t>(&self, of: &'t str, condition: &'t str) -> &'t str {
        if self.guard.interfaces.contains(condition) && !self.guard.interfaces.contains(of) { of } else { condition }
    }

    fn field(&mut self, of: &str, field: &'d Positioned<Field>, depth: usize, rows: u64, path: &Path<'_>) {
        let name = field.node.name.node.as_str();
        self.weight.fields += 1;
        self.weight.depth = self.weight.depth.max(depth);
        self.aliases += usize::from(field.node.alias.is_some());
        self.root_fields += usize::from(depth == 1);
        self.directives(&field.node.directives);
        // Introspection returns the schema, not the register: every role may use it.
        if name.starts_with("__") {
            self.introspection(field, depth);
            return;
        }
        // Validation refuses a field that does not exist.
        let Some(output) = self.guard.outputs.get(of).and_then(|fields| fields.get(name)) else { return };
        self.name(of, name, field.pos);
        if let Some(shown) = &output.shown {
            self.audited_access.add_field(shown);
        }
        let path = path.to(name);
        for (argument, value) in &field.node.arguments {
            let argument = argument.node.as_str();
            if let Some(input) = output.arguments.get(argument) {
                let path = path.to(argument);
                if input.identifies {
                    self.note_condition(&path, &value.node, value.pos);
                }
                self.value(&input.of, &value.node, value.pos, Some(&path));
            }
        }
        let below = match (of, name) {
            _ if output.of.ends_with("Connection") => rows.saturating_mul(self.page(&field.node)),
            // Lists of complaints without pages.
            ("Query", "probableDuplicates") => rows.saturating_mul(self.page(&field.node).saturating_mul(2)),
            ("ConfirmClassificationsPayload", "results") => rows.saturating_mul(MOST_CONFIRMED),
            _ => rows,
        };
        let own = match name {
            _ if output.of.ends_with("Connection") => {
                let statistics = if self.is_by_measure(&field.node) { rows.saturating_mul(STATISTIC) } else { 0 };
                // An order of units by a measure takes one statistic for each of four levels, one of categories two.
                let levels = match output.of.as_str() {
                    "UnitConnection" => 4,
                    "IssueCategoryConnection" => 2,
                    _ => 1,
                };
                below.saturating_add(statistics.saturating_mul(levels))
            }
            _ if STATISTICS.contains(&(of, name)) => rows.saturating_mul(STATISTIC),
            _ => 0,
        };
        self.weight.cost = self.weight.cost.saturating_add(own);
        self.selections(&output.of, &field.node.selection_set.node, depth + 1, below, &path);
    }

    /// Whether a list is ordered by a measure, which takes a statistic.
    fn is_by_measure(&self, field: &Field) -> bool {
        let has = |value: &Value| matches!(value, Value::Object(fields) if fields.contains_key("measure"));
        field.arguments.iter().filter(|(name, _)| name.node == "orderBy").any(|(_, value)| {
            match self.resolved(&value.node) {
                Value::List(all) => all.iter().any(|one| has(&self.resolved(one))),
                one => has(&one),
            }
        })
    }

    /// The number of rows that a page may have.
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
        if !allowed(self.reader, of, field) {
            self.refusals.push(Refusal::Denied { what: format!("{of}.{field}"), at });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::{schema, sdl};

    /// Fields with arguments, and fields of the query root, that read one row or what is in memory: they cost nothing.
    const CHEAP: [(&str, &str); 22] = [
        ("DigestSubscription", "digests"),
        ("Query", "alertSubscriptions"),
        ("IssueCategory", "name"),
        ("Query", "complaint"),
        ("Query", "complaintStatus"),
        ("Query", "digestSubscriptions"),
        ("Query", "flag"),
        ("Query", "flagsFound"),
        ("Query", "holidays"),
        ("Query", "jobs"),
        ("Query", "node"),
        ("Query", "notificationEndpoints"),
        ("Query", "officer"),
        ("Query", "receipt"),
        ("Query", "routeOf"),
        ("Query", "routingRules"),
        ("Query", "savedQuery"),
        ("Query", "serviceInfo"),
        ("Query", "unit"),
        ("Query", "__schema"),
        ("Query", "__type"),
        ("Unit", "name"),
    ];

    #[test]
    fn every_field_that_reads_says_what_it_costs() {
        let guard = Guard::new(&sdl(&schema(false))).unwrap();
        for (of, fields) in guard.outputs.iter().filter(|(of, _)| *of != "Mutation" && *of != "Subscription") {
            for (field, output) in fields.iter().filter(|(_, output)| of == "Query" || !output.arguments.is_empty()) {
                let name = (of.as_str(), field.as_str());
                // A count takes no more than the page that it belongs to, like `totalCount`.
                let counts = of.ends_with("Connection") && field == "totalCountUpTo";
                let classes =
                    [output.of.ends_with("Connection"), STATISTICS.contains(&name), CHEAP.contains(&name), counts];
                let listed = classes.iter().filter(|class| **class).count();
                assert_eq!(listed, 1, "{name:?} stands in no list of costs, or in several");
            }
        }
        for (of, field) in STATISTICS {
            assert!(guard.outputs[of].contains_key(field), "{of}.{field} does not exist");
        }
    }
}
