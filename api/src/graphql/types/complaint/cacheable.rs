//! The fields of a complaint, and of what it refers to, whose JSON may be cached.
//!
//! Each depends on nothing but the version of the complaint, the names in the snapshot and the rights of the viewer.
//! Fields that change otherwise stay out: flags, analyses and suggestions change by runs of jobs, sources without a new
//! version, redacted texts belong to no version of the row, histories grow by escalations, lists below a unit or an
//! officer change with other complaints, and deadlines change with those of categories, or with the day.

use crate::graphql::execute::selection::Cacheable;

static UNIT: Cacheable = Cacheable {
    name: "Unit",
    leaves: &[
        "id",
        "code",
        "name",
        "nameVi",
        "nameEn",
        "kind",
        "peerGroup",
        "field",
        "validFrom",
        "validTo",
        "unknown",
    ],
    objects: &[],
};

static CATEGORY: Cacheable = Cacheable {
    name: "IssueCategory",
    leaves: &[
        "id",
        "code",
        "name",
        "nameVi",
        "nameEn",
        "kind",
        "serious",
        "deadlineDays",
        "deadlineUnit",
        "validTo",
        "unknown",
    ],
    objects: &[("owner", &UNIT)],
};

static OFFICER: Cacheable = Cacheable {
    name: "Officer",
    leaves: &["id", "pseudonym", "code", "name", "rank", "appointedOn", "unknown"],
    objects: &[],
};

static ENTERPRISE: Cacheable =
    Cacheable { name: "Enterprise", leaves: &["id", "pseudonym", "taxCode", "name", "groupCode"], objects: &[] };

static ALLEGATION: Cacheable = Cacheable {
    name: "Allegation",
    leaves: &["ordinal", "attribution", "finding", "decidedOn", "sourceCodes"],
    objects: &[("officer", &OFFICER), ("unit", &UNIT), ("category", &CATEGORY)],
};

static RESPONSE: Cacheable = Cacheable {
    name: "UnitResponse",
    leaves: &["id", "complaintId", "respondedAt", "action", "text", "outcome", "satisfied", "statement", "visibility"],
    objects: &[("unit", &UNIT)],
};

static RESPONSE_EDGE: Cacheable =
    Cacheable { name: "UnitResponseEdge", leaves: &["cursor"], objects: &[("node", &RESPONSE)] };

static PAGE_INFO: Cacheable = Cacheable {
    name: "PageInfo",
    leaves: &["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"],
    objects: &[],
};

static RESPONSES: Cacheable = Cacheable {
    name: "UnitResponseConnection",
    leaves: &["totalCount", "totalCountUpTo"],
    objects: &[("nodes", &RESPONSE), ("edges", &RESPONSE_EDGE), ("pageInfo", &PAGE_INFO)],
};

/// A complaint of a list.
pub static COMPLAINT: Cacheable = Cacheable {
    name: "Complaint",
    leaves: &[
        "id",
        "pseudonym",
        "reference",
        "receivedAt",
        "occurredAt",
        "recordedAt",
        "legalForm",
        "channel",
        "anonymous",
        "declarationNumber",
        "text",
        "costVnd",
        "delayHours",
        "blamesSystem",
        "confidential",
        "state",
        "stateSince",
        "finding",
        "decidedOn",
        "version",
    ],
    objects: &[
        ("enterprise", &ENTERPRISE),
        ("unit", &UNIT),
        ("department", &UNIT),
        ("branch", &UNIT),
        ("team", &UNIT),
        ("responsibleUnit", &UNIT),
        ("category", &CATEGORY),
        ("officers", &ALLEGATION),
        ("matters", &ALLEGATION),
        ("responses", &RESPONSES),
    ],
};

static EDGE: Cacheable = Cacheable { name: "ComplaintEdge", leaves: &["cursor"], objects: &[("node", &COMPLAINT)] };

static LIST: Cacheable = Cacheable {
    name: "ComplaintConnection",
    leaves: &["totalCount", "totalCountUpTo"],
    objects: &[("nodes", &COMPLAINT), ("edges", &EDGE), ("pageInfo", &PAGE_INFO)],
};

/// Lists of complaints at the root. Such an answer depends on nothing but the register at one position, the names and
/// the tree of units in the snapshot, and the rights of the viewer: every argument of a list (filters, orders, cursors)
/// compares values of the register with those of the document, or with the day, which the cache of answers counts in.
pub static LISTS: Cacheable = Cacheable { name: "Query", leaves: &[], objects: &[("complaints", &LIST)] };

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::execute::selection::selects_only;
    use crate::graphql::{schema, sdl};
    use async_graphql::parser::parse_schema;
    use async_graphql::parser::types::{BaseType, Type, TypeKind, TypeSystemDefinition};
    use std::collections::{BTreeMap, BTreeSet};

    /// The fields that are not cached. A new field of a type above belongs here, or into the type.
    const NOT_CACHED: &[(&str, &[&str])] = &[
        (
            "Complaint",
            &[
                "additions",
                "answeredInTime",
                "answeredOn",
                "attachments",
                "clockStoppedSince",
                "dueOn",
                "duplicateOf",
                "duplicates",
                "escalatedTo",
                "escalations",
                "history",
                "overdue",
                "overdueDays",
                "possibleDuplicates",
                "redactedText",
                "relation",
                "rounds",
                "sources",
                "suggestions",
                "takenBy",
            ],
        ),
        (
            "Unit",
            &[
                "scorecard",
                "complaints",
                "responsibleFor",
                "flag",
                "cusum",
                "parents",
                "successor",
                "revision",
                "history",
            ],
        ),
        ("IssueCategory", &["parent", "complaints", "revision", "history"]),
        ("Officer", &["mergedInto", "flag", "record", "complaints", "postings", "revision", "history"]),
        ("Enterprise", &["mergedInto", "complaints", "history"]),
        ("Allegation", &[]),
        ("UnitResponse", &[]),
        ("UnitResponseConnection", &[]),
        ("UnitResponseEdge", &[]),
        ("PageInfo", &[]),
        ("ComplaintConnection", &[]),
        ("ComplaintEdge", &[]),
    ];

    fn name_of(field: &Type) -> &str {
        match &field.base {
            BaseType::Named(name) => name,
            BaseType::List(of) => name_of(of),
        }
    }

    fn collect(of: &'static Cacheable, all: &mut BTreeMap<&'static str, &'static Cacheable>) {
        if all.insert(of.name, of).is_none() {
            of.objects.iter().for_each(|(_, below)| collect(below, all));
        }
    }

    #[test]
    fn only_lists_of_cacheable_fields_are_lists_of_the_register() {
        let is_one =
            |document: &str| selects_only(&async_graphql::parser::parse_query(document).expect("a document"), &LISTS);
        for document in [
            "{ complaints { totalCount } }",
            "query Q($n: Int, $all: Boolean!) { __typename \
               a: complaints(first: $n) { nodes { id @include(if: $all) } } b: complaints { ...L } } \
             fragment L on ComplaintConnection { edges { cursor node { ... on Complaint { unit { name } } } } \
               pageInfo { endCursor } }",
            "{ complaints { nodes { responses(first: 1) { nodes { text } } ... { officers { officer { name } } } } } }",
        ] {
            assert!(is_one(document), "{document}");
        }
        for document in [
            "{ __schema { types { name } } }",
            "{ complaints { nodes { redactedText } } }",
            "{ complaints { nodes { unit { flag { tier } } } } }",
            "{ complaints { nodes { id } } units { nodes { code } } }",
            "{ complaints { nodes { ... on Node { id } } } }",
            "{ complaint(id: \"1\") { id } }",
            "query A { complaints { totalCount } } query B { flags { totalCount } }",
            "mutation { complaints { totalCount } }",
            "subscription { complaints { totalCount } }",
            "{ complaints { ...L } } fragment L on ComplaintConnection { ...L }",
        ] {
            assert!(!is_one(document), "{document}");
        }
    }

    #[test]
    fn each_field_of_these_types_is_cached_or_said_not_to_be() {
        let document = parse_schema(sdl(&schema(false))).expect("a schema");
        let mut types: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for definition in &document.definitions {
            if let TypeSystemDefinition::Type(definition) = definition
                && let TypeKind::Object(object) = &definition.node.kind
            {
                let fields = object
                    .fields
                    .iter()
                    .map(|field| (field.node.name.node.to_string(), name_of(&field.node.ty.node).to_owned()));
                types.insert(definition.node.name.node.to_string(), fields.collect());
            }
        }
        let mut cacheable = BTreeMap::new();
        collect(&LIST, &mut cacheable);
        assert_eq!(cacheable.len(), NOT_CACHED.len());
        for (name, of) in cacheable {
            let fields = &types[name];
            let (_, others) = NOT_CACHED.iter().find(|(other, _)| *other == name).expect(name);
            let objects = of.objects.iter().map(|(field, below)| {
                assert_eq!(fields[*field], below.name, "{name}.{field}");
                *field
            });
            let said: Vec<&str> = of.leaves.iter().copied().chain(objects).chain(others.iter().copied()).collect();
            let once: BTreeSet<&str> = said.iter().copied().collect();
            assert_eq!(said.len(), once.len(), "{name}: a field stands twice");
            assert_eq!(once, fields.keys().map(String::as_str).collect(), "{name}");
            for leaf in of.leaves {
                assert!(!types.contains_key(&fields[*leaf]), "{name}.{leaf} has fields of its own");
            }
        }
    }
}
