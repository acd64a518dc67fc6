//! A mapping with a mistake gets an error that names the key and what it may be; a right one reads the file as it is.

use crate::bad_input::{fails_with, import};
use crate::program;
use tests::fixtures::{self, Files};
use tests::{Database, Role, TestApp};

#[test]
fn a_mapping_that_names_a_column_the_file_lacks() {
    let mapping = fixtures::COMPLAINTS_MAP.replace("\"so_pa\"", "\"so_phan_anh\"");
    import(fixtures::COMPLAINTS, &mapping, |result| {
        fails_with(result, &["so_phan_anh", "it has so_pa, ngay_nhan", "complaints.toml"])
    });
}

#[test]
fn a_mapping_with_mistakes_of_its_own() {
    for (from, to, words) in [
        ("reference =", "refrence =", vec!["refrence", "it has reference, received"]),
        ("\"SUSTAINED\"", "\"GUILTY\"", vec!["fields.finding", "GUILTY", "SUSTAINED, NOT_SUSTAINED"]),
        ("\"%d/%m/%Y\"", "\"%d/%m/%Q\"", vec!["%Q", "strftime"]),
        ("delimiter = \";\"", "delimiter = \";;\"", vec!["delimiter"]),
        ("delimiter = \";\"", "separator = \";\"", vec!["separator"]),
        ("reference = \"so_pa\"\n", "", vec!["reference"]),
        ("constant = \"HOTLINE\"", "column = \"kenh\", constant = \"HOTLINE\"", vec!["either a column or a constant"]),
        ("source = \"duong-day-nong\"", "source = ", vec!["line 2, column ", "; the line is: source ="]),
    ] {
        let mapping = fixtures::COMPLAINTS_MAP.replace(from, to);
        assert_ne!(mapping, fixtures::COMPLAINTS_MAP);
        let database = Database::sqlite();
        let files = Files::new();
        let result = program().run(&database, files.import("complaints", fixtures::COMPLAINTS, &mapping));
        fails_with(&result, &words);
        assert!(!database.folder().unwrap().join("test.db").exists(), "a mapping is checked before a database is made");
    }
}

#[test]
fn letters_written_apart_from_their_marks_match() {
    use unicode_normalization::UnicodeNormalization;
    let apart: String = fixtures::COMPLAINTS.replace("ket_luan", "kết_luận").nfd().collect();
    let mapping = fixtures::COMPLAINTS_MAP.replace("ket_luan", "kết_luận");
    import(&apart, &mapping, |result| {
        assert_eq!((result.status, &result.json()["unchanged"]), (0, &6.into()), "{result:?}")
    });
}

#[test]
fn values_that_the_mapping_gives_are_written_our_way() {
    let mapping = fixtures::COMPLAINTS_MAP
        .replace("thousands = \".\" }", "thousands = \".\", decimal = \",\", multiply = 1000, default = 1500 }")
        .replace("decimal = \",\" }\ntext", "thousands = \".\", decimal = \",\", default = 1.5 }\ntext")
        .replace("ngay_kl\", formats = [\"%d/%m/%Y\"]", "ngay_kl\", formats = [\"%d/%m/%Y\"], default = 2024-12-31");
    let app = TestApp::sqlite().world().start();
    let csv = "\
so_pa;ngay_nhan;mst;ten_dn;don_vi;can_bo;loai;ket_luan;ngay_kl;chi_phi;gio;noi_dung;kin
PB-1;05/01/2024;;;02CV;CC01;TD1;;;;;x;
PB-2;05/01/2024;;;02CV;CC01;TD1;;;8,2;2,25;x;
";
    app.import("complaints", csv, &mapping);
    let data = app.as_role(Role::Board).data(
        "{ complaints(filter: {text: {eq: \"x\"}}, orderBy: [{field: COST_VND}]) {
            nodes { costVnd delayHours officers { decidedOn } } } }",
    );
    let officers = serde_json::json!([{ "decidedOn": "2024-12-31" }]);
    let expected = serde_json::json!([
        { "costVnd": "1500", "delayHours": 1.5, "officers": officers },
        { "costVnd": "8200", "delayHours": 2.25, "officers": officers },
    ]);
    assert_eq!(data["complaints"]["nodes"], expected);
    for (from, to, words) in [
        ("default = \"PENDING\"", "default = \"?\"", vec!["fields.finding", "\"?\" is not one of"]),
        ("thousands = \".\" }", "thousands = \".\", default = \"abc\" }", vec!["fields.cost_vnd", "abc"]),
        ("text = \"noi_dung\"", "text = { column = \"noi_dung\", fromats = \"x\" }", vec!["fields.text", "fromats"]),
        ("text = \"noi_dung\"", "text = \"noi_dung\"\nkeep = [\"kin\"]", vec!["keep"]),
    ] {
        let mapping = fixtures::COMPLAINTS_MAP.replace(from, to);
        let result = program().run(&app.database, Files::new().import("complaints", csv, &mapping));
        fails_with(&result, &words);
    }
}
