//! A walk over everything that can be named, with every role and none: each is answered or refused as the table says.

use crate::access::guard;
use api::access::{allowed, takes_receipt};
use serde_json::{Value, json};
use tests::work::Mutations;
use tests::{Client, Role, TestApp, fixtures};

/// Documents that name each root field, and for input objects each of their fields.
#[test]
fn every_root_and_input_field_answers_or_refuses_over_http_as_the_table_says() {
    // Without keys the server makes no pseudonyms, and the DATA_TEAM may read nothing.
    let files = fixtures::Files::new();
    let app = TestApp::sqlite().world().keyed(&files).start();
    let clients: Vec<(Role, Client<'_>)> = Role::WORDS
        .iter()
        .map(|word| {
            let role = word.parse().unwrap();
            (role, app.as_any(role, "02CV"))
        })
        .collect();
    let saved =
        json!({ "name": "every", "expectedVersion": 0, "text": "SELECT 1 AS one", "roles": ["BOARD", "DATA_TEAM"] });
    app.as_role(Role::Board).done("saveQuery", "query { version }", &saved);
    let id = "00000000-0000-0000-0000-000000000000";
    let single = |field: &str| match field {
        "complaint" | "flag" | "node" => format!("{field}(id: \"{id}\") {{ id }}"),
        "unit" | "officer" => format!("{field}(code: \"x\") {{ code }}"),
        "complaintStatistics" => format!("{field} {{ position }}"),
        "sql" => format!("{field}(query: \"SELECT 1\") {{ rows }}"),
        "serviceInfo" => format!("{field} {{ version }}"),
        "receipt" => format!("{field}(idempotencyKey: \"x\") {{ state }}"),
        // A well-formed code that belongs to no complaint.
        "complaintStatus" => format!("{field}(receipt: \"BN-0000-0000-0000-0000-0000\") {{ state }}"),
        "probableDuplicates" => format!("{field} {{ similarity }}"),
        "funnelPlot" | "blameCheck" => format!("{field} {{ days }}"),
        "backtest" => format!("{field}(from: 2024, to: 2024) {{ origin }}"),
        "responseTimeliness" => format!("{field} {{ unitCode }}"),
        "runReproduction" => format!("{field}(id: \"{id}\") {{ reproduced }}"),
        "flagWithoutEnterprise" => format!("{field}(id: \"{id}\", taxCode: \"0100233488\") {{ holds }}"),
        "registerChanges" => format!("{field}(after: -1, until: 1) {{ changes }}"),
        "flagsFound" => format!("{field}(asOf: \"2024-01-01\") {{ runId }}"),
        "categoryTrends" => format!("{field} {{ recentDays }}"),
        "emergingTerms" => format!("{field}(period: {{from: \"2024-01-01\", to: \"2024-01-31\"}}) {{ tested }}"),
        "routeOf" => format!("{field} {{ __typename }}"),
        "routingRules" | "notificationEndpoints" => format!("{field} {{ id }}"),
        "savedQuery" => format!("{field}(name: \"every\") {{ version }}"),
        "runSavedQuery" => format!("{field}(name: \"every\") {{ version }}"),
        "alertSubscriptions" | "digestSubscriptions" => format!("{field} {{ id }}"),
        "digestPreview" => format!("{field}(id: \"{id}\") {{ asOf }}"),
        "jobs" => format!("{field} {{ name }}"),
        "holidays" => format!("{field} {{ year }}"),
        list => format!("{list} {{ totalCount }}"),
    };
    let guard = guard();
    let mut tried = 0;
    let roots: Vec<&str> = guard.fields().filter(|(of, _)| *of == "Query").map(|(_, field)| field).collect();
    for (role, client) in &clients {
        for field in &roots {
            let answer = client.request(&format!("{{ {} }}", single(field)));
            let may = allowed(*role, "Query", field);
            assert_eq!(answer.status == 200, may, "{role} {field}: {}", answer.text);
            if may && *field == "complaintStatus" {
                assert_eq!(answer.codes(), ["NOT_FOUND"], "{role} {field}: {}", answer.text);
            } else {
                assert_eq!(answer.codes().is_empty(), may, "{role} {field}: {}", answer.text);
            }
            tried += 1;
        }
        let of_connections = [
            ("complaints", "ComplaintFilter"),
            ("redactedComplaints", "RedactedComplaintFilter"),
            ("classificationQueue", "ComplaintFilter"),
            ("units", "UnitFilter"),
            ("officers", "OfficerFilter"),
            ("enterprises", "EnterpriseFilter"),
            ("issueCategories", "CategoryFilter"),
            ("unitResponses", "ResponseFilter"),
            ("flags", "FlagFilter"),
            ("jobRuns", "JobRunFilter"),
            ("alerts", "AlertFilter"),
            ("notifications", "NotificationFilter"),
            ("digests", "DigestFilter"),
            ("digestDeliveries", "DigestDeliveryFilter"),
            ("principals", "PrincipalFilter"),
            ("auditLog", "AuditFilter"),
            ("guidanceDocuments", "GuidanceDocumentFilter"),
            ("proposals", "ProposalFilter"),
            ("measures", "MeasureFilter"),
            ("correctionProposals", "CorrectionProposalFilter"),
            ("merges", "MergeFilter"),
            ("savedQueries", "SavedQueryFilter"),
            ("complaintStatistics", "ComplaintStatisticsFilter"),
        ];
        for (list, filter) in of_connections {
            for (_, field) in guard.fields().filter(|(of, _)| *of == filter) {
                // The field is in a variable: the guard checks it like one in the document.
                let query = format!("query ($filter: {filter}) {{ {list}(filter: $filter) {{ __typename }} }}");
                let answer = client.request_with(&query, &json!({ "filter": { field: null } }));
                let may = allowed(*role, "Query", list) && allowed(*role, filter, field);
                // A role that may name the field is told that a condition must not be null.
                assert_eq!(answer.status, if may { 400 } else { 403 }, "{role} {list} by {field}: {}", answer.text);
                tried += 1;
            }
        }
    }
    for (role, client) in &clients {
        // Orders, groups and conditions on groups: the words of their enums, and the fields of their input objects.
        let orders = [
            ("complaints", "ComplaintOrder", "ComplaintOrderField"),
            ("units", "UnitOrder", "UnitOrderField"),
            ("officers", "OfficerOrder", "OfficerOrderField"),
            ("enterprises", "EnterpriseOrder", "EnterpriseOrderField"),
            ("issueCategories", "IssueCategoryOrder", "IssueCategoryOrderField"),
            ("unitResponses", "UnitResponseOrder", "UnitResponseOrderField"),
            ("flags", "FlagOrder", "FlagOrderField"),
            ("jobRuns", "JobRunOrder", "JobRunOrderField"),
            ("alerts", "AlertOrder", "AlertOrderField"),
            ("notifications", "NotificationOrder", "NotificationOrderField"),
            ("digests", "DigestOrder", "DigestOrderField"),
            ("digestDeliveries", "DigestDeliveryOrder", "DigestDeliveryOrderField"),
            ("principals", "PrincipalOrder", "PrincipalOrderField"),
            ("auditLog", "AuditOrder", "AuditOrderField"),
            ("guidanceDocuments", "GuidanceDocumentOrder", "GuidanceDocumentOrderField"),
            ("proposals", "ProposalOrder", "ProposalOrderField"),
            ("measures", "MeasureOrder", "MeasureOrderField"),
            ("correctionProposals", "CorrectionProposalOrder", "CorrectionProposalOrderField"),
            ("merges", "MergeOrder", "MergeOrderField"),
            ("savedQueries", "SavedQueryOrder", "SavedQueryOrderField"),
            ("complaintStatistics", "StatisticsOrder", "StatisticsMeasure"),
        ];
        for (list, order, of) in orders {
            for (_, word) in guard.fields().filter(|(name, _)| *name == of) {
                let query = format!("query($o: [{order}!]) {{ {list}(orderBy: $o) {{ __typename }} }}");
                let answer = client.request_with(&query, &json!({ "o": [{ "field": word }] }));
                let may = allowed(*role, "Query", list) && allowed(*role, order, "field") && allowed(*role, of, word);
                assert_eq!(answer.status == 200, may, "{role} {list} by {word}: {}", answer.text);
                tried += 1;
            }
        }
        for (_, word) in guard.fields().filter(|(name, _)| *name == "StatisticsDimension") {
            let query = format!("{{ complaintStatistics(groupBy: [{word}]) {{ __typename }} }}");
            let may = allowed(*role, "Query", "complaintStatistics") && allowed(*role, "StatisticsDimension", word);
            assert_eq!(client.request(&query).status == 200, may, "{role} grouped by {word}");
            tried += 1;
        }
        for (_, word) in guard.fields().filter(|(name, _)| *name == "SqlSource") {
            // This server has no lake. The others are refused before it says so.
            let answer = client.request(&format!("{{ complaintStatistics(source: {word}) {{ __typename }} }}"));
            let is_refused = answer.text.contains(&format!("may not use SqlSource.{word}"));
            assert_eq!(is_refused, !allowed(*role, "SqlSource", word), "{role} over {word}: {}", answer.text);
            tried += 1;
        }
        for (_, field) in guard.fields().filter(|(name, _)| *name == "StatisticsHaving") {
            let query = "query($h: StatisticsHaving) { complaintStatistics(having: $h) { __typename } }";
            let may = allowed(*role, "Query", "complaintStatistics") && allowed(*role, "StatisticsHaving", field);
            let answer = client.request_with(query, &json!({ "h": { field: null } }));
            assert_eq!(answer.status, if may { 400 } else { 403 }, "{role} having {field}: {}", answer.text);
            tried += 1;
        }
    }
    assert!(tried > 6 * 150, "{tried}");
    // Without a token every request is refused, but those for the holders of receipts.
    let anonymous = app.anonymous();
    let for_receipts: Vec<(&str, &str)> = guard.fields().filter(|(of, field)| takes_receipt(of, field)).collect();
    let is_root = |of: &str| ["Query", "Mutation"].contains(&of);
    assert_eq!(for_receipts.iter().filter(|(of, _)| is_root(of)).count(), 5, "{for_receipts:?}");
    for (of, field) in for_receipts.iter().filter(|(of, _)| is_root(of)) {
        let answer = match *of {
            "Query" => anonymous.request(&format!("{{ {} }}", single(field))),
            _ => anonymous.request(&format!("mutation {{ {field} {{ __typename }} }}")),
        };
        assert!([200, 400].contains(&answer.status), "{of}.{field}: {}", answer.text);
    }
    let is_for_others = |of: &str, field: &str| !takes_receipt(of, field);
    let roots = roots.into_iter().filter(|field| is_for_others("Query", field));
    let written = guard.fields().filter(|(of, _)| ["Mutation", "Subscription"].contains(of));
    let written = written.filter(|(of, field)| is_for_others(of, field));
    let written = written.map(|(of, field)| format!("{} {{ {field} {{ __typename }} }}", of.to_lowercase()));
    for document in roots.map(|field| format!("{{ {} }}", single(field))).chain(written) {
        let answer = anonymous.request(&document);
        assert_eq!((answer.status, answer.codes()), (401, vec!["UNAUTHENTICATED".to_owned()]), "{document}");
    }
}

#[test]
fn what_is_written_listened_to_and_filtered_deep_down_is_refused_as_the_table_says() {
    let files = fixtures::Files::new();
    let key = files.key_file();
    let settings = files.put("many.toml", "[api.limits]\nrequests_per_minute = 1000000\n");
    let arguments = ["--key-file", key.as_str(), "--config", settings.to_str().unwrap()];
    let app = TestApp::sqlite().world().arguments(&arguments).start();
    let guard = guard();
    // Filters within filters: the types on the way from the filter of complaints, the fields, and the last type.
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
        let client = app.as_any(role, "02CV");
        let mut check = |may: bool, document: &str, variables: &Value| {
            let answer = client.request_with(document, variables);
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
            // A role that may name the field is refused as well, for another reason: arguments are missing.
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
