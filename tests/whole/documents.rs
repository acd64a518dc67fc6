//! Documents that must say what the program does.

use schema::import::{FieldType, Kind, Mapping};
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::{Json, Role, TestApp, project};

fn read(path: &str) -> String {
    std::fs::read_to_string(project().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

#[test]
fn the_schema_is_the_reviewed_one() {
    let sdl = api::graphql::sdl(&api::graphql::schema(false));
    insta::with_settings!({ snapshot_path => project().join("docs"), prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("schema.graphql", sdl);
    });
}

#[test]
fn the_guide_to_mappings_names_every_kind_field_and_word() {
    let guide = read("docs/import.md");
    for kind in Kind::ALL {
        assert!(guide.contains(&format!("`{}`", kind.name())), "{}", kind.name());
        for field in kind.fields() {
            assert!(guide.contains(&format!("`{}`", field.name)), "{} of {}", field.name, kind.name());
            if let FieldType::Word(words) = field.of {
                for word in words {
                    assert!(guide.contains(word), "{word} of {}", field.name);
                }
            }
        }
    }
    for key in [
        "source",
        "timezone",
        "keep",
        "complete",
        "delimiter",
        "encoding",
        "trim",
        "rows",
        "null",
        "column",
        "join",
        "separator",
        "constant",
        "default",
        "values",
        "otherwise",
        "pattern",
        "formats",
        "month_means",
        "precision",
        "thousands",
        "decimal",
        "multiply",
        "most",
    ] {
        assert!(guide.contains(&format!("`{key}`")), "{key}");
    }
}

/// The type of a column as SQL names it.
fn type_of(column: &jobs::tables::Column) -> String {
    use jobs::tables::ColumnType;
    let of = match column.of {
        ColumnType::Text => "text",
        ColumnType::Whole => "bigint",
        ColumnType::Float => "double precision",
        ColumnType::Flag => "boolean",
        ColumnType::Day => "date",
        ColumnType::Instant => "timestamp with time zone",
        ColumnType::Money => "numeric",
        ColumnType::Texts => "text[]",
    };
    if column.nullable { format!("{of} or null") } else { of.to_owned() }
}

#[test]
fn the_guide_to_sql_says_of_every_table_and_column_what_the_program_does() {
    let guide = read("docs/sql.md");
    for table in jobs::tables::TABLES {
        let only = if table.board_only { " For a BOARD alone." } else { "" };
        let mut section = format!("### `{}`\n\n{}{only}\n\n", table.name, table.comment);
        section.push_str("| column | type | meaning |\n| --- | --- | --- |\n");
        for column in table.columns {
            section.push_str(&format!("| `{}` | {} | {} |\n", column.name, type_of(column), column.comment));
        }
        assert!(guide.contains(&section), "docs/sql.md lacks, or says otherwise:\n{section}");
    }
}

/// The documents of the guide to the API, each with its heading.
pub fn documents_of_the_guide() -> Vec<(String, String)> {
    let guide = read("docs/api.md");
    let (mut heading, mut found) = (String::new(), Vec::new());
    let mut lines = guide.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("## ") {
            heading = name.to_owned();
        } else if line == "```graphql" {
            let document: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            found.push((heading.clone(), document.join("\n")));
        }
    }
    found
}

#[test]
fn every_document_of_the_guide_to_the_api_runs_for_whom_it_is_meant() {
    let files = Files::new();
    let app = TestApp::sqlite().world().keyed(&files).arguments(&["--no-jobs"]).start();
    let units = format!("{}HQ,Cục Giám sát,HEADQUARTERS_UNIT,TC,,,\n", fixtures::UNITS);
    app.import("units", units, fixtures::UNITS_MAP);
    let (board, head, headquarters) = (app.as_role(Role::Board), app.as_head("02DS"), app.as_head("HQ"));
    let (dashboard, team, admin) =
        (app.as_role(Role::Dashboard), app.as_role(Role::DataTeam), app.as_role(Role::Admin));
    let one = "{ complaints(first: 1, filter: {officers: {officer: {code: {eq: \"CC01\"}}}, state: {eq: RECEIVED}}) { nodes { id } } }";
    let complaint = board.data(one)["complaints"]["nodes"][0]["id"].clone();
    let submit = "mutation { submitComplaint(input: {idempotencyKey: \"guide\", text: \"x\"}) { receiptCode } }";
    let receipt = app.as_role(Role::Intake).data(submit)["submitComplaint"]["receiptCode"].clone();
    let complainant = app.anonymous();
    let variables = json!({
        "receipt": receipt, "from": "2024-01-01T00:00:00+07:00", "before": "2025-01-01T00:00:00+07:00",
        "id": complaint,
    });
    let mut ran = 0;
    for (heading, document) in documents_of_the_guide() {
        let client = match heading.as_str() {
            "A dashboard" => &dashboard,
            "The Board" => &board,
            "The head of a unit" if document.contains("requestOpinion") => &headquarters,
            "The head of a unit" => &head,
            "The data team" => &team,
            "Those who manage tokens" => &admin,
            "For complainants" => &complainant,
            // Subscriptions run over a socket; other tests cover them.
            "A program that subscribes" => continue,
            other => panic!("say who asks what stands under {other:?}"),
        };
        // The server would refuse a variable that the document does not declare.
        let named = |(name, _): &(&String, &Value)| document.contains(&format!("${name}:"));
        let own: serde_json::Map<String, Value> =
            variables.object().iter().filter(named).map(|(name, value)| (name.clone(), value.clone())).collect();
        let answer = client.request_with(&document, &Value::Object(own));
        assert_eq!(
            (answer.status, answer.codes()),
            (200, Vec::<String>::new()),
            "{heading}: {document}: {}",
            answer.text
        );
        ran += 1;
    }
    assert!(ran >= 9, "{ran}");
}

#[test]
fn the_mapping_that_is_shipped_reads() {
    let path = project().join("docs/mappings/cpdp.toml");
    let mapping = Mapping::load(&path, Kind::Complaints).unwrap();
    assert_eq!(mapping.source, "cpdp");
    assert!(Mapping::load(&path, Kind::Units).unwrap_err().to_string().contains("import complaints"));
}

#[test]
fn the_rules_that_are_shipped_are_the_defaults() {
    let path = project().join("docs/rules.toml");
    assert_eq!(jobs::analyses::recurrence::Rules::load(&path).unwrap(), jobs::analyses::recurrence::Rules::default());
}

#[test]
fn every_file_that_a_document_leads_to_is_there() {
    let docs = std::fs::read_dir(project().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let documents = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let mut pictures = 0;
    for document in documents.chain([project().join("README.md")]) {
        let text = std::fs::read_to_string(&document).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            if link.is_empty() || link.contains("://") || link.contains(char::is_whitespace) {
                continue;
            }
            let file = document.parent().unwrap().join(link);
            assert!(file.exists(), "{} leads to {link}, which is not there", document.display());
            pictures += usize::from(link.ends_with(".png"));
        }
    }
    assert!(pictures >= 16, "the guide shows the page: {pictures}");
}
