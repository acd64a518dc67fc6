//! Documents that must say what the program does.

use schema::import::{FieldType, Kind, Mapping};
use tests::project;

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
        "constant",
        "default",
        "values",
        "otherwise",
        "pattern",
        "formats",
        "month_means",
        "thousands",
        "decimal",
        "multiply",
    ] {
        assert!(guide.contains(&format!("`{key}`")), "{key}");
    }
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
    assert_eq!(jobs::recurrence::Rules::load(&path).unwrap(), jobs::recurrence::Rules::default());
}
