//! Files of other people's registers, and what an import of one says.

use crate::fixtures::Files;
use crate::{Database, Finished, Program, TestApp, TestAppBuilder};
use encoding_rs::WINDOWS_1258;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

/// The columns of these files.
pub const HEADER: &str = "ref,nhan,mst,dv,cb,loai,nd";

/// The mapping of these files: a rule for the date, a section about the file, and further lines about fields.
pub fn mapping(received: &str, file: &str, more: &str) -> String {
    format!(
        r#"
source = "so"
kind = "complaints"
{file}
[missing]
unit = "create"
officer = "create"
category = "create"
[fields]
reference = "ref"
received = {received}
tax_code = "mst"
unit = "dv"
officer = "cb"
category = "loai"
category_kind = {{ constant = "CONDUCT" }}
text = "nd"
{more}
"#
    )
}

/// The rule for dates as most of these files write them.
pub const DAY: &str = "{ column = \"nhan\", format = \"%d/%m/%Y\" }";

/// The mapping of a file that has nothing unusual.
pub fn plain() -> String {
    mapping(DAY, "", "")
}

/// Imports a file into a new database of each kind.
#[track_caller]
pub fn import(csv: impl AsRef<[u8]> + Copy, mapping: &str, check: impl Fn(&TestApp, &Finished)) {
    import_into(TestApp::both(), csv, mapping, check);
}

/// Imports a file into each of some applications.
#[track_caller]
pub fn import_into(
    apps: TestAppBuilder,
    csv: impl AsRef<[u8]> + Copy,
    mapping: &str,
    check: impl Fn(&TestApp, &Finished),
) {
    for app in apps {
        let files = Files::new();
        let result = Program::built().run(&app.database, files.import("complaints", csv, mapping));
        check(&app, &result);
    }
}

/// A command ended with this status, and its errors have these words.
#[track_caller]
pub fn says(result: &Finished, status: i32, words: &[&str]) {
    assert_eq!(result.status, status, "{result:?}");
    for word in words {
        assert!(result.err.contains(word), "{word:?} is not in {}", result.err);
    }
}

/// The complaints in the order of their receipt. The server that answers ends with the call.
pub fn complaints(database: &Database) -> Value {
    let board = Program::built().token(database, "BOARD", None);
    Program::built().serve(database, &[]).data(
        &board,
        "{ complaints(orderBy: [{field: RECEIVED_AT}]) { totalCount nodes { receivedAt text costVnd category { code } \
         unit { code } finding decidedOn officers { officer { code } finding } \
         matters { officer { code } category { code } unit { code } finding } } } }",
    )["complaints"]
        .clone()
}

/// A text in windows-1258, which has the marks of tones as letters of their own.
pub fn in_windows_1258(text: &str) -> Vec<u8> {
    let apart = |c: char| {
        let (tones, rest): (String, String) =
            std::iter::once(c).nfd().partition(|c| "\u{300}\u{301}\u{303}\u{309}\u{323}".contains(*c));
        rest.nfc().chain(tones.chars()).collect::<String>()
    };
    let text: String = text.chars().map(apart).collect();
    let (bytes, _, is_lossy) = WINDOWS_1258.encode(&text);
    assert!(!is_lossy, "{text}");
    bytes.into_owned()
}
