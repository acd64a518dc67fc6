//! A walk over every field that can be asked for, with every role: each is answered or refused as the table says.

use api::access::allowed;
use async_graphql::parser::types::{BaseType, FieldDefinition, Type, TypeKind, TypeSystemDefinition};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use tests::work::Mutations;
use tests::{Role, TestApp, fixtures, work};

/// The fields of the object types by type and name.
type Types = BTreeMap<String, BTreeMap<String, FieldDefinition>>;

/// The object types, and the interfaces.
fn types() -> Types {
    let sdl = api::graphql::sdl(&api::graphql::schema(false));
    let document = async_graphql::parser::parse_schema(sdl).unwrap();
    let mut types = Types::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let fields = match definition.node.kind {
            TypeKind::Object(object) => object.fields,
            TypeKind::Interface(interface) => interface.fields,
            _ => continue,
        };
        let fields = fields.into_iter().map(|field| (field.node.name.node.to_string(), field.node));
        types.insert(definition.node.name.node.to_string(), fields.collect());
    }
    types
}

fn named(of: &Type) -> String {
    let mut base = &of.base;
    loop {
        match base {
            BaseType::Named(name) => return name.to_string(),
            BaseType::List(inner) => base = &inner.base,
        }
    }
}

/// A field with the arguments that it has to have.
fn call(name: &str, field: &FieldDefinition) -> String {
    let needed = field.arguments.iter().map(|argument| &argument.node);
    let needed = needed.filter(|argument| !argument.ty.node.nullable && argument.default_value.is_none());
    // These take one of two arguments.
    if ["unit", "officer"].contains(&name) && field.arguments.iter().any(|argument| argument.node.name.node == "code") {
        return format!("{name}(code: \"{}\")", if name == "unit" { "02CV" } else { "CC01" });
    }
    let values: Vec<String> = needed
        .map(|argument| {
            let value = match (argument.name.node.as_str(), named(&argument.ty.node).as_str()) {
                ("id", _) => "\"00000000-0000-0000-0000-000000000000\"",
                ("idempotencyKey", _) => "\"x\"",
                ("receipt", _) => "\"BN-0000-0000-0000-0000-0000\"",
                ("name", _) => "\"every\"",
                ("query", _) => "\"SELECT 1 AS one\"",
                ("taxCode", _) => "\"0100233488\"",
                ("from" | "to", "Int") => "2024",
                ("period", "DayPeriod") => "{from: \"2024-01-01\", to: \"2024-03-31\"}",
                ("limit", "Int") => "3",
                ("after", "Int") => "-1",
                ("until", "Int") => "9",
                ("asOf", "NaiveDate") => "\"2024-03-31\"",
                other => panic!("{name}: say what {other:?} may be"),
            };
            format!("{}: {value}", argument.name.node)
        })
        .collect();
    if values.is_empty() { name.to_owned() } else { format!("{name}({})", values.join(", ")) }
}

/// The steps by which a role comes to each type through fields that it may ask for.
fn ways(types: &Types, role: Role) -> HashMap<String, Vec<String>> {
    let mut ways = HashMap::from([("Query".to_owned(), Vec::new())]);
    let mut next = VecDeque::from(["Query".to_owned()]);
    while let Some(of) = next.pop_front() {
        let Some(fields) = types.get(&of) else { continue };
        for (name, field) in fields {
            let to = named(&field.ty.node);
            // An unknown id answers null, so the way to a complaint or a flag leads through a list.
            if ["complaint", "flag"].contains(&name.as_str()) && of == "Query" {
                continue;
            }
            // An unknown code is not found.
            if name == "complaintStatus" {
                continue;
            }
            // A statistic without groups names nobody, so the way leads through complaints.
            if ["officer", "enterprise"].contains(&name.as_str()) && of == "ComplaintStatisticsRow" {
                continue;
            }
            // The matters of a complaint name no officer, so the way leads through its officers.
            if name == "matters" && of == "Complaint" {
                continue;
            }
            if !types.contains_key(&to) || ways.contains_key(&to) || !allowed(role, &of, name) {
                continue;
            }
            let mut way = ways[&of].clone();
            way.push(call(name, field));
            ways.insert(to.clone(), way);
            next.push_back(to);
        }
    }
    ways
}

/// Whether an answer has something at the end of the way.
fn reached(at: &Value, way: &[String]) -> bool {
    let Some((step, rest)) = way.split_first() else { return at.is_object() };
    let name = step.split(['(', ' ']).next().unwrap_or(step);
    match &at[name] {
        Value::Array(list) => list.iter().any(|one| reached(one, rest)),
        other => reached(other, rest),
    }
}

#[test]
fn every_output_field_answers_or_refuses_as_the_table_says() {
    let files = fixtures::Files::new();
    let key = files.key_file();
    // The test sends as many operations as there are fields.
    let settings = files.put("many.toml", "[api.limits]\nrequests_per_minute = 1000000\n");
    let arguments = ["--no-jobs", "--key-file", key.as_str(), "--config", settings.to_str().unwrap()];
    let app = TestApp::sqlite().filled(work::with_headquarters).arguments(&arguments).start();
    fixtures::run_counting(&app.database, "2024-03-31");
    work::some_of_each(&app.database, app.server());
    app.run(&["jobs", "run", "classify"]);
    app.run(&["jobs", "run", "escalate-overdue"]);
    let rule = json!({ "category": "HT", "responsibleUnit": "HQ1", "validFrom": "2024-01-01" });
    app.as_role(Role::Admin).done("putRoutingRule", "position", &rule);
    let holidays = json!({ "year": 2028, "expectedRevision": 0, "daysOff": ["2028-01-03"], "reason": "Quyết định." });
    app.as_role(Role::Admin).done("setHolidays", "position", &holidays);
    let saved = json!({
        "name": "every", "expectedVersion": 0, "text": "SELECT $one AS one", "roles": ["BOARD", "DATA_TEAM"],
        "parameters": [{ "name": "one", "type": "INTEGER", "default": 1 }],
    });
    app.as_role(Role::Board).done("saveQuery", "query { version }", &saved);
    let types = types();
    let (mut answered, mut refused, mut unasked) = (0, 0, BTreeSet::<(&str, String)>::new());
    for word in Role::WORDS {
        let role: Role = word.parse().unwrap();
        // The head of the whole service: no branch has something of each kind.
        let client = app.as_any(role, "TC");
        if [Role::Intake, Role::Board, Role::UnitHead].contains(&role) {
            let submit = "mutation { submitComplaint(input: {idempotencyKey: \"x\", text: \"y\", channel: HOTLINE}) \
                { reference } }";
            assert!(client.data(submit)["submitComplaint"]["reference"].is_string());
        }
        let ways = ways(&types, role);
        for (of, fields) in &types {
            // A role does not receive a type that it cannot come to. Other tests cover mutations and subscriptions.
            let Some(way) = ways.get(of) else { continue };
            for (name, field) in fields {
                let below = if types.contains_key(&named(&field.ty.node)) { " { __typename }" } else { "" };
                let asked = format!("{}{below}", call(name, field));
                let query = way.iter().rev().fold(asked, |inner, step| format!("{step} {{ {inner} }}"));
                let answer = client.request(&format!("{{ {query} }}"));
                let codes = answer.codes();
                if name == "complaintStatus" && allowed(role, of, name) {
                    assert_eq!(codes, ["NOT_FOUND"], "{}", answer.text);
                } else if allowed(role, of, name) {
                    assert!(answer.status == 200 && codes.is_empty(), "{role} {of}.{name}: {query}: {}", answer.text);
                    answered += 1;
                    // Behind an empty list on the way the server would never read the field.
                    if !reached(&answer.json()["data"], way) {
                        unasked.insert((word, of.clone()));
                    }
                } else {
                    assert_eq!(answer.status, 403, "{role} {of}.{name}: {query}: {}", answer.text);
                    assert!(
                        codes.iter().all(|code| code == "FORBIDDEN") && !codes.is_empty(),
                        "{of}.{name}: {codes:?}"
                    );
                    assert!(answer.json().get("data").is_none_or(Value::is_null), "{}", answer.text);
                    refused += 1;
                }
            }
        }
        // No role comes to a type of which it may read nothing.
        for of in ways.keys() {
            assert!(
                types[of].keys().any(|field| allowed(role, of, field)),
                "{role} comes to {of} and may read nothing"
            );
        }
    }
    // Types that the small world has none of, or that random ids do not find.
    let none = [
        "CategorySuggestion",
        "ClockStop",
        "CorrectionProposal",
        "CorrectionProposalEdge",
        "EmergingTerm",
        "MeasureExtension",
        "Merge",
        "MergeEdge",
        "OutcomePeers",
        "SuspensionLimits",
        "AdjustedNumbers",
        "AdjustedWithoutEnterprise",
        "Attachment",
        "BacktestOutcome",
        "CategoryTrendRow",
        "ComplaintAddition",
        "ResponseTimeliness",
        "BlameCheck",
        "BlameCheckSubject",
        "CusumSeries",
        "CusumWeek",
        "Delivery",
        "Digest",
        "DigestDelivery",
        "DigestDeliveryEdge",
        "DigestEdge",
        "DuplicateHint",
        "FlagWindowWithoutEnterprise",
        "FlagWithoutEnterprise",
        "FunnelPlot",
        "FunnelPoint",
        "Node",
        "PossibleDuplicate",
        "ProbableDuplicate",
        "Alert",
        "AlertEdge",
        "AlertSubscription",
        "DigestPreview",
        "DigestSubscription",
        "DigestSuspension",
        "Notification",
        "NotificationEdge",
        "NotificationEndpoint",
        "ReaderDelivery",
        "ReaderDigest",
        "RunReproduction",
        "WaitingStep",
    ];
    // The flags of the small world count a confidential complaint: heads see no numbers, which another test checks.
    let withheld = |role: &str, of: &str| role == "UNIT_HEAD" && ["FlagNumbers", "FlagWindow"].contains(&of);
    let unasked: Vec<_> =
        unasked.iter().filter(|(role, of)| !none.contains(&of.as_str()) && !withheld(role, of)).collect();
    assert!(unasked.is_empty(), "nothing was asked of {unasked:?}");
    assert!(answered > 800 && refused > 100, "{answered} answered, {refused} refused");
}
