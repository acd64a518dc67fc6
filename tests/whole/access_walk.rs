//! A walk over everything that can be named, with every role and none: each is answered or refused as the table says.

use crate::access::guard;
use crate::program;
use crate::world;
use api::access::allowed;
use schema::enums::Role;
use serde_json::{Value, json};
use tests::Database;

/// Documents that name each root field, and for input objects each of their fields.
#[test]
fn every_root_and_input_field_answers_or_refuses_over_http_as_the_table_says() {
    let database = Database::sqlite();
    world::fill(&database);
    let phananh = program();
    let tokens: Vec<(Role, String)> = Role::WORDS
        .iter()
        .map(|word| {
            let role: Role = word.parse().unwrap();
            (role, phananh.token(&database, word, (role == Role::UnitHead).then_some("02CV")))
        })
        .collect();
    // Without keys there are no pseudonyms, and nothing for the DATA_TEAM.
    let files = world::Files::new();
    let key = files.path().join("key").display().to_string();
    phananh.run(&database, ["key", "create", &key]).ok();
    let server = phananh.serve(&database, &["--key-file", &key]);
    let id = "00000000-0000-0000-0000-000000000000";
    let single = |field: &str| match field {
        "complaint" | "flag" | "node" => format!("{field}(id: \"{id}\") {{ id }}"),
        "unit" | "officer" => format!("{field}(code: \"x\") {{ code }}"),
        "complaintStatistics" => format!("{field} {{ position }}"),
        "sql" => format!("{field}(query: \"SELECT 1\") {{ rows }}"),
        "serviceInfo" => format!("{field} {{ version }}"),
        "receipt" => format!("{field}(idempotencyKey: \"x\") {{ state }}"),
        "funnelPlot" | "blameCheck" => format!("{field} {{ days }}"),
        "backtest" => format!("{field}(from: 2024, to: 2024) {{ origin }}"),
        "responseTimeliness" => format!("{field} {{ unitCode }}"),
        "flagsFound" => format!("{field}(asOf: \"2024-01-01\") {{ runId }}"),
        "categoryTrends" => format!("{field} {{ recentDays }}"),
        list => format!("{list} {{ totalCount }}"),
    };
    let guard = guard();
    let mut tried = 0;
    let roots: Vec<&str> = guard.fields().filter(|(of, _)| *of == "Query").map(|(_, field)| field).collect();
    for (role, token) in &tokens {
        for field in &roots {
            let answer = server.graphql(token, &format!("{{ {} }}", single(field)), &json!({}));
            let may = allowed(*role, "Query", field);
            assert_eq!(answer.status == 200, may, "{role} {field}: {}", answer.text);
            assert_eq!(answer.codes().is_empty(), may, "{role} {field}: {}", answer.text);
            tried += 1;
        }
        let of_connections = [
            ("complaints", "ComplaintFilter"),
            ("redactedComplaints", "RedactedComplaintFilter"),
            ("units", "UnitFilter"),
            ("officers", "OfficerFilter"),
            ("enterprises", "EnterpriseFilter"),
            ("issueCategories", "CategoryFilter"),
            ("unitResponses", "ResponseFilter"),
            ("flags", "FlagFilter"),
            ("jobRuns", "JobRunFilter"),
            ("digests", "DigestFilter"),
            ("principals", "PrincipalFilter"),
            ("auditLog", "AuditFilter"),
            ("guidanceDocuments", "GuidanceDocumentFilter"),
            ("proposals", "ProposalFilter"),
            ("measures", "MeasureFilter"),
            ("complaintStatistics", "ComplaintStatisticsFilter"),
        ];
        for (list, filter) in of_connections {
            for (_, field) in guard.fields().filter(|(of, _)| *of == filter) {
                // In a variable: what is named there counts as much as in the document.
                let query = format!("query ($filter: {filter}) {{ {list}(filter: $filter) {{ __typename }} }}");
                let answer = server.graphql(token, &query, &json!({ "filter": { field: null } }));
                let may = allowed(*role, "Query", list) && allowed(*role, filter, field);
                // Whoever may name it is told that a condition is not null.
                assert_eq!(answer.status, if may { 400 } else { 403 }, "{role} {list} by {field}: {}", answer.text);
                tried += 1;
            }
        }
    }
    for (role, token) in &tokens {
        // Whatever can be ordered, grouped or kept by: the words of enums, and the fields of what holds them.
        let orders = [
            ("complaints", "ComplaintOrder", "ComplaintOrderField"),
            ("units", "UnitOrder", "UnitOrderField"),
            ("officers", "OfficerOrder", "OfficerOrderField"),
            ("enterprises", "EnterpriseOrder", "EnterpriseOrderField"),
            ("issueCategories", "IssueCategoryOrder", "IssueCategoryOrderField"),
            ("unitResponses", "UnitResponseOrder", "UnitResponseOrderField"),
            ("flags", "FlagOrder", "FlagOrderField"),
            ("jobRuns", "JobRunOrder", "JobRunOrderField"),
            ("digests", "DigestOrder", "DigestOrderField"),
            ("principals", "PrincipalOrder", "PrincipalOrderField"),
            ("auditLog", "AuditOrder", "AuditOrderField"),
            ("guidanceDocuments", "GuidanceDocumentOrder", "GuidanceDocumentOrderField"),
            ("proposals", "ProposalOrder", "ProposalOrderField"),
            ("measures", "MeasureOrder", "MeasureOrderField"),
            ("complaintStatistics", "StatisticsOrder", "StatisticsMeasure"),
        ];
        for (list, order, of) in orders {
            for (_, word) in guard.fields().filter(|(name, _)| *name == of) {
                let query = format!("query($o: [{order}!]) {{ {list}(orderBy: $o) {{ __typename }} }}");
                let answer = server.graphql(token, &query, &json!({ "o": [{ "field": word }] }));
                let may = allowed(*role, "Query", list) && allowed(*role, order, "field") && allowed(*role, of, word);
                assert_eq!(answer.status == 200, may, "{role} {list} by {word}: {}", answer.text);
                tried += 1;
            }
        }
        for (_, word) in guard.fields().filter(|(name, _)| *name == "StatisticsDimension") {
            let query = format!("{{ complaintStatistics(groupBy: [{word}]) {{ __typename }} }}");
            let may = allowed(*role, "Query", "complaintStatistics") && allowed(*role, "StatisticsDimension", word);
            assert_eq!(server.graphql(token, &query, &json!({})).status == 200, may, "{role} grouped by {word}");
            tried += 1;
        }
        for (_, field) in guard.fields().filter(|(name, _)| *name == "StatisticsHaving") {
            let query = "query($h: StatisticsHaving) { complaintStatistics(having: $h) { __typename } }";
            let may = allowed(*role, "Query", "complaintStatistics") && allowed(*role, "StatisticsHaving", field);
            let answer = server.graphql(token, query, &json!({ "h": { field: null } }));
            assert_eq!(answer.status, if may { 400 } else { 403 }, "{role} having {field}: {}", answer.text);
            tried += 1;
        }
    }
    assert!(tried > 6 * 150, "{tried}");
    // Without a token there is nothing at all.
    let written = guard.fields().filter(|(of, _)| ["Mutation", "Subscription"].contains(of));
    let written = written.map(|(of, field)| format!("{} {{ {field} {{ __typename }} }}", of.to_lowercase()));
    for document in roots.iter().map(|field| format!("{{ {} }}", single(field))).chain(written) {
        let answer = server.graphql("", &document, &json!({}));
        assert_eq!((answer.status, answer.codes()), (401, vec!["UNAUTHENTICATED".to_owned()]), "{document}");
    }
}

#[test]
fn what_is_written_listened_to_and_filtered_deep_down_is_refused_as_the_table_says() {
    let database = Database::sqlite();
    world::fill(&database);
    let files = world::Files::new();
    let key = files.path().join("key").display().to_string();
    program().run(&database, ["key", "create", &key]).ok();
    let settings = files.put("many.toml", "[api.limits]\nrequests_per_minute = 1000000\n");
    let server = program().serve(&database, &["--key-file", &key, "--config", settings.to_str().unwrap()]);
    let guard = guard();
    // Filters within filters: the way to each from the filter of complaints.
    let within: [(&[&str], &[&str], &str); 9] = [
        (&["ComplaintFilter"], &["unit"], "UnitFilter"),
        (&["ComplaintFilter"], &["category"], "CategoryFilter"),
        (&["ComplaintFilter"], &["enterprise"], "EnterpriseFilter"),
        (&["ComplaintFilter"], &["responses"], "ResponseFilter"),
        (&["ComplaintFilter"], &["officers"], "AllegationFilter"),
        (&["ComplaintFilter", "AllegationFilter"], &["officers", "officer"], "OfficerFilter"),
        (&["ComplaintFilter", "AllegationFilter"], &["officers", "category"], "CategoryFilter"),
        (&["ComplaintFilter", "AllegationFilter"], &["officers", "unit"], "UnitFilter"),
        (&["ComplaintFilter", "ResponseFilter"], &["responses", "unit"], "UnitFilter"),
    ];
    let mut counted = (0, 0);
    for word in Role::WORDS {
        let role: Role = word.parse().unwrap();
        let token = program().token(&database, word, (role == Role::UnitHead).then_some("02CV"));
        let mut check = |may: bool, document: &str, variables: &Value| {
            let answer = server.graphql(&token, document, variables);
            let codes = answer.codes();
            let denied = codes.iter().any(|code| code == "FORBIDDEN");
            assert_eq!(denied, !may, "{role}: {document} {variables}: {}", answer.text);
            if denied {
                assert_eq!(answer.status, 403, "{role}: {document}");
                assert!(answer.json().get("data").is_none_or(Value::is_null), "{}", answer.text);
                counted.0 += 1;
            } else {
                counted.1 += 1;
            }
        };
        for (of, field) in guard.fields().filter(|(of, _)| ["Mutation", "Subscription"].contains(of)) {
            // Without its arguments it is refused all the same, but for another reason.
            let document = format!("{} {{ {field} {{ __typename }} }}", of.to_lowercase());
            check(allowed(role, of, field), &document, &json!({}));
        }
        for (types, way, of) in within {
            let passes = types.iter().zip(way).all(|(of, step)| allowed(role, of, step));
            for (_, field) in guard.fields().filter(|(name, _)| *name == of) {
                let may = passes && allowed(role, of, field);
                let filter = way.iter().rev().fold(json!({ field: null }), |inner, step| json!({ *step: inner }));
                for (list, nested) in [("complaints", false), ("units", true)] {
                    let (may, document) = if nested {
                        let reached = allowed(role, "Query", list) && allowed(role, "Unit", "complaints");
                        let inner = "{ nodes { complaints(filter: $filter) { __typename } } }";
                        (may && reached, format!("query ($filter: ComplaintFilter) {{ {list} {inner} }}"))
                    } else {
                        let inner = "(filter: $filter) { __typename }";
                        (
                            may && allowed(role, "Query", list),
                            format!("query ($filter: ComplaintFilter) {{ {list}{inner} }}"),
                        )
                    };
                    check(may, &document, &json!({ "filter": filter }));
                }
            }
        }
        for (list, order) in [
            ("units", "UnitOrder"),
            ("officers", "OfficerOrder"),
            ("enterprises", "EnterpriseOrder"),
            ("issueCategories", "IssueCategoryOrder"),
        ] {
            for (field, value) in [("measure", json!("COMPLAINTS")), ("filter", json!({})), ("days", json!(30))] {
                let may = allowed(role, "Query", list) && allowed(role, order, field);
                let may = may && (field != "measure" || allowed(role, "StatisticsMeasure", "COMPLAINTS"));
                let document = format!("query ($o: [{order}!]) {{ {list}(orderBy: $o) {{ __typename }} }}");
                check(may, &document, &json!({ "o": [{ field: value }] }));
            }
        }
    }
    assert!(counted.0 > 300 && counted.1 > 300, "{counted:?}");
}
