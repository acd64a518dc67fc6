//! A category of the first level counts what lies below it, wherever complaints are selected, grouped or compared by
//! their category.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::fixtures::Files;
use tests::{Client, Json, Role, TestApp};

/// An application with an invented register on each database, with a key file.
fn registers(files: &[Files; 2]) -> Vec<TestApp> {
    let apps = [TestApp::sqlite(), TestApp::postgres()];
    apps.into_iter().zip(files).map(|(app, files)| app.generated(1_500, 11).start_with(files, "")).collect()
}

/// The number of complaints of a statistic; 0 where its totals are not shown.
fn counted(client: &Client<'_>, filter: &str) -> i64 {
    let data = client.data(&format!("{{ complaintStatistics(filter: {{{filter}}}) {{ totals {{ complaints }} }} }}"));
    data["complaintStatistics"]["totals"]["complaints"].as_i64().unwrap_or(0)
}

/// The number of complaints in a list.
fn listed(client: &Client<'_>, filter: &str) -> i64 {
    let data = client.data(&format!("{{ complaints(filter: {{{filter}}}) {{ totalCount }} }}"));
    data["complaints"]["totalCount"].integer()
}

/// The complaints of each group of a dimension that is a category, by its code.
fn by_code(client: &Client<'_>, dimension: &str, field: &str) -> BTreeMap<String, i64> {
    let data = client.data(&format!(
        "{{ complaintStatistics(groupBy: [{dimension}]) {{ rows {{ {field} {{ code }} complaints }} }} }}"
    ));
    let rows = data["complaintStatistics"]["rows"].list().iter();
    rows.map(|row| (row[field]["code"].text().to_owned(), row["complaints"].as_i64().unwrap_or(0))).collect()
}

#[test]
fn a_category_of_the_first_level_counts_what_lies_below_it_wherever_complaints_are_counted() {
    let files = [Files::new(), Files::new()];
    for app in registers(&files) {
        let (board, team) = (app.as_role(Role::Board), app.as_role(Role::DataTeam));
        let of_kind = counted(&board, "kindIn: [TECHNICAL]");
        assert!(of_kind > 100, "{of_kind}");
        let own = counted(&board, "categoryIn: [\"TEC-DOWN\"]");
        assert!(own > 20 && own < of_kind, "{own}");
        let with_category = listed(&board, "category: {}");
        for (filter, expected) in [
            ("{code: {eq: \"TECHNICAL\"}}", of_kind),
            ("{code: {in: [\"TECHNICAL\", \"TEC-DOWN\"]}}", of_kind),
            ("{nameVi: {eq: \"Lỗi kỹ thuật\"}}", of_kind),
            ("{within: \"TECHNICAL\"}", of_kind),
            ("{within: \"TEC-DOWN\"}", own),
            ("{code: {eq: \"TEC-DOWN\"}}", own),
            ("{code: {eq: \"TECHNICAL\", ne: \"TEC-DOWN\"}}", of_kind - own),
            ("{code: {ne: \"TECHNICAL\"}}", with_category - of_kind),
            ("{not: {code: {eq: \"TECHNICAL\"}}}", with_category - of_kind),
            ("{or: [{code: {eq: \"TECHNICAL\"}}, {code: {eq: \"TEC-DOWN\"}}]}", of_kind),
            ("{and: [{code: {eq: \"TECHNICAL\"}}, {code: {eq: \"TEC-DOWN\"}}]}", own),
            ("{code: {eq: \"TECHNICAL\"}, parentId: {isNull: true}}", 0),
        ] {
            let database = app.database.name;
            assert_eq!(listed(&board, &format!("category: {filter}")), expected, "{database}: a list by {filter}");
            assert_eq!(counted(&board, &format!("category: {filter}")), expected, "{database}: statistics by {filter}");
        }
        assert_eq!(counted(&board, "categoryIn: [\"TECHNICAL\"]"), of_kind);
        assert_eq!(counted(&board, "categoryIn: [\"TECHNICAL\", \"TEC-DOWN\"]"), of_kind);
        assert_eq!(
            board.codes("{ complaintStatistics(filter: {category: {within: \"x\"}}) { position } }"),
            ["BAD_USER_INPUT"]
        );
        assert_eq!(
            board.codes("{ complaints(filter: {category: {within: \"x\"}}) { totalCount } }"),
            ["BAD_USER_INPUT"]
        );

        // Allegations have categories of their own.
        let conduct = "officers: {category: {code: {eq: \"CONDUCT\"}}}";
        let leaves = "officers: {category: {kind: {eq: CONDUCT}}}";
        assert_eq!(listed(&board, conduct), listed(&board, leaves));
        assert!(listed(&board, conduct) > 20);

        // A category, and a list of categories by what they count.
        let asked = "{ issueCategories(first: 50, filter: {code: {in: [\"TECHNICAL\", \"TEC-DOWN\"]}}) {
                totalCount nodes { code complaints(first: 1) { totalCount nodes { category { code } } } } }
            below: issueCategories(first: 50, filter: {within: \"TECHNICAL\"}) { totalCount }
            ordered: issueCategories(first: 1, orderBy: [{measure: COMPLAINTS}]) { nodes { code } } }";
        let data = board.data(asked);
        let nodes = data["issueCategories"]["nodes"].list();
        let counts: Vec<(&str, i64)> =
            nodes.iter().map(|node| (node["code"].text(), node["complaints"]["totalCount"].integer())).collect();
        assert_eq!(counts, [("TEC-DOWN", own), ("TECHNICAL", of_kind)]);
        assert!(nodes[1]["complaints"]["nodes"][0]["category"]["code"].text().starts_with("TEC-"), "{nodes:?}");
        assert_eq!((&data["issueCategories"]["totalCount"], &data["below"]["totalCount"]), (&json!(2), &json!(5)));
        let groups = by_code(&board, "CATEGORY_GROUP", "categoryGroup");
        let largest = groups.iter().max_by_key(|(_, complaints)| **complaints).unwrap();
        assert_eq!(data["ordered"]["nodes"][0]["code"], json!(largest.0));

        // Groups of the first level; here each has a kind of its own.
        let kinds = board.data("{ complaintStatistics(groupBy: [KIND]) { rows { kind complaints } } }");
        let kinds = kinds["complaintStatistics"]["rows"].list().iter();
        let kinds: BTreeMap<String, i64> =
            kinds.map(|row| (row["kind"].text().to_owned(), row["complaints"].integer())).collect();
        assert_eq!((groups.len(), &groups), (5, &kinds));

        // SQL, and a file.
        let sql = "{ sql(query: \"SELECT c.category_group, COUNT(*) AS n FROM complaints c JOIN categories g
            ON c.category = g.code WHERE g.parent = 'TECHNICAL' GROUP BY c.category_group\") { rows } }";
        let sql = sql.replace('\n', " ");
        assert_eq!(team.data(&sql)["sql"]["rows"], json!([{ "category_group": "TECHNICAL", "n": of_kind }]));
        let filter = json!({ "category": { "code": { "eq": "TECHNICAL" } } }).to_string();
        let filter: String = filter.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let bearer = format!("Bearer {}", team.token);
        let path = format!("/export/complaints.csv?filter={filter}");
        let file = team.server.send("GET", &path, &[("authorization", &bearer)], "");
        assert_eq!(
            file.text.lines().filter(|line| line.contains(",TECHNICAL,")).count(),
            usize::try_from(of_kind).unwrap()
        );
        assert_eq!(file.text.lines().count(), usize::try_from(of_kind).unwrap() + 1);
    }
}

#[test]
fn a_dashboard_reads_first_level_categories_as_unions_of_the_cells_of_categories() {
    let files = [Files::new(), Files::new()];
    for app in registers(&files) {
        let (board, dashboard) = (app.as_role(Role::Board), app.as_role(Role::Dashboard));
        let cells = by_code(&dashboard, "CATEGORY", "category");
        let truth = by_code(&board, "CATEGORY_GROUP", "categoryGroup");
        let below = board.data("{ issueCategories(first: 50) { nodes { code parent { code } } } }");
        for (group, shown) in by_code(&dashboard, "CATEGORY_GROUP", "categoryGroup") {
            let leaves = below["issueCategories"]["nodes"].list().iter();
            let leaves: Vec<&str> =
                leaves.filter(|node| node["parent"]["code"] == json!(group)).map(|node| node["code"].text()).collect();
            let sum: i64 = leaves.iter().filter_map(|code| cells.get(*code)).sum();
            // Cells that are not listed add 0, suppressed ones 5, to a union.
            assert!((shown - sum).abs() <= 5 * i64::try_from(leaves.len()).unwrap(), "{group}: {shown}, {sum}");
            let error = (shown - truth[&group]).abs();
            assert!(error <= 6 * i64::try_from(leaves.len()).unwrap(), "{group}: {shown}, {truth:?}");
            for filter in [
                format!("categoryIn: [\"{group}\"]"),
                format!("category: {{code: {{eq: \"{group}\"}}}}"),
                format!("category: {{within: \"{group}\"}}, state: {{isNull: false}}, channel: {{isNull: false}}"),
            ] {
                let found = counted(&dashboard, &filter);
                assert!(found > 0, "{group} by {filter}");
                if !filter.contains("isNull") {
                    assert_eq!(found, shown, "{group} by {filter}");
                }
            }
        }
        let totals = |group_by: &str| {
            let data = dashboard
                .data(&format!("{{ complaintStatistics(groupBy: [{group_by}]) {{ totals {{ complaints }} }} }}"));
            data["complaintStatistics"]["totals"].clone()
        };
        assert_eq!(totals("CATEGORY_GROUP"), totals("KIND"), "the whole register is one cell");
        for withheld in ["legalForm: {eq: FEEDBACK}", "unit: {within: \"02\"}", "not: {kind: {eq: CONDUCT}}"] {
            let document = format!("{{ complaintStatistics(filter: {{{withheld}}}) {{ position }} }}");
            assert_eq!(dashboard.request(&document).status, 403, "{withheld}");
        }
    }
}

/// The categories of `categoryTrends` with recent complaints, by their codes: the recent ones, and those before.
fn trends(client: &Client<'_>, arguments: &str) -> Vec<(String, i64, i64)> {
    let data =
        client.data(&format!("{{ categoryTrends({arguments}) {{ categories {{ categoryCode recent before }} }} }}"));
    let rows = data["categoryTrends"]["categories"].list().iter();
    let mut found: Vec<(String, i64, i64)> = rows
        .map(|row| (row["categoryCode"].text().to_owned(), row["recent"].integer(), row["before"].integer()))
        .collect();
    found.sort();
    found
}

#[test]
fn trends_are_of_both_levels_and_take_a_period_a_unit_and_a_legal_form() {
    for app in TestApp::both().world().arguments(&["--dev", "--no-jobs"]) {
        let (board, saigon) = (app.as_role(Role::Board), app.as_head("02CV"));
        let named = |rows: &[(&str, i64, i64)]| -> Vec<(String, i64, i64)> {
            rows.iter().map(|(code, recent, before)| ((*code).to_owned(), *recent, *before)).collect()
        };
        let winter = "period: {from: \"2024-01-01\", until: \"2024-02-29\"}";
        assert_eq!(trends(&board, winter), named(&[("TD", 4, 0), ("TD1", 2, 0), ("TD2", 2, 0)]));
        let february = "period: {from: \"2024-02-01\", until: \"2024-02-29\", beforeDays: 31}";
        assert_eq!(trends(&board, february), named(&[("TD", 2, 2), ("TD1", 1, 1), ("TD2", 1, 1)]));
        let below = format!("{winter}, unit: {{within: \"02\"}}");
        assert_eq!(trends(&board, &below), named(&[("TD", 3, 0), ("TD1", 2, 0), ("TD2", 1, 0)]));
        // The unit of PA-2 is the team.
        let own = format!("{winter}, unit: {{code: {{eq: \"02CV\"}}}}");
        assert_eq!(trends(&board, &own), named(&[("TD", 1, 0), ("TD2", 1, 0)]));
        assert_eq!(trends(&saigon, winter), named(&[("TD", 2, 0), ("TD1", 1, 0), ("TD2", 1, 0)]));
        let formal = format!("{winter}, legalForm: {{in: [GRIEVANCE, DENUNCIATION]}}");
        assert_eq!(
            (trends(&board, &formal), trends(&board, &format!("{winter}, legalForm: {{eq: FEEDBACK}}"))),
            (vec![], trends(&board, winter))
        );
        let rows = board.data(&format!("{{ categoryTrends({winter}) {{ recentDays beforeDays categories {{ categoryCode parentCode share cumulativeShare }} }} }}"));
        let trends = &rows["categoryTrends"];
        // The register begins within the period: nothing comes before it.
        assert_eq!((&trends["recentDays"], &trends["beforeDays"]), (&json!(60), &json!(0)));
        let levels: Vec<&Value> = trends["categories"].list().iter().map(|row| &row["parentCode"]).collect();
        assert_eq!(levels, [&Value::Null, &json!("TD"), &json!("TD")]);
        let shares: Vec<f64> = trends["categories"].list().iter().map(|row| row["cumulativeShare"].number()).collect();
        assert_eq!(shares, [1.0, 0.5, 1.0]);
        for wrong in [
            "period: {from: \"2024-03-01\", until: \"2024-02-29\"}",
            "period: {from: \"2024-03-01\", until: \"2199-01-01\"}",
            "period: {from: \"2024-03-01\", until: \"2024-03-31\", beforeDays: 0}",
            "period: {from: \"2024-03-01\", until: \"2024-03-31\"}, asOf: \"2024-03-31\"",
            "unit: {within: \"zz\"}",
        ] {
            let document = format!("{{ categoryTrends({wrong}) {{ recentDays }} }}");
            assert_eq!(board.codes(&document), ["BAD_USER_INPUT"], "{wrong}");
        }
    }
}

#[test]
fn proposals_are_filtered_by_both_levels() {
    for app in TestApp::both().world().arguments(&["--dev", "--no-jobs"]) {
        let board = app.as_role(Role::Board);
        board.data("mutation { propose(input: {title: \"x\", text: \"x\", categories: [\"TD1\"]}) { position } }");
        let proposals = |filter: &str| {
            let data = board.data(&format!("{{ proposals(filter: {{category: {filter}}}) {{ totalCount }} }}"));
            data["proposals"]["totalCount"].integer()
        };
        let counts = ["{code: {eq: \"TD\"}}", "{code: {eq: \"TD1\"}}", "{code: {eq: \"TD2\"}}", "{code: {ne: \"TD\"}}"];
        assert_eq!(counts.map(proposals), [1, 1, 0, 0], "{}", app.database.name);
    }
}
