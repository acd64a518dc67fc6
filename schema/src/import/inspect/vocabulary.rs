//! Words of other registers for what was found, how far a case is, and how it came in.

use super::found::Translated;
use super::table::Table;
use super::words::Words;

/// A field that is a word of ours.
struct Vocabulary {
    field: &'static str,
    about: &'static str,
    default: &'static str,
    columns: &'static [&'static str],
    /// Words of other registers; the first line that has one of a value's counts, so what denies stands before what it denies.
    words: &'static [(&'static [&'static str], &'static str)],
    /// Abbreviations that are whole cells.
    codes: &'static [(&'static str, &'static str)],
    /// Names of columns that are about nothing else, whatever their few words.
    sure: &'static [&'static str],
    /// Words without which the column is about something else.
    telling: &'static [&'static str],
}

const FINDING: Vocabulary = Vocabulary {
    field: "finding",
    about: "what each means; UNFOUNDED and EXONERATED count for nobody's flag",
    default: "PENDING",
    columns: &[
        "disposition",
        "finding",
        "ket luan",
        "ket qua xac minh",
        "ket qua",
        "outcome",
        "determination",
        "ruling",
        "result",
        "decision",
    ],
    words: &[
        (
            &[
                "unsubstantiated",
                "not substantiated",
                "not sustained",
                "no sustained",
                "unsustained",
                "non sustained",
                "not confirmed",
                "inconclusive",
                "insufficient",
                "khong xac minh duoc",
                "chua du co so",
                "khong du co so",
            ],
            "NOT_SUSTAINED",
        ),
        (&["unfounded", "false", "khong dung", "sai", "khong co co so", "khong co that", "no violation"], "UNFOUNDED"),
        (
            &["exonerated", "within guidelines", "within nypd guidelines", "justified", "lawful", "proper conduct"],
            "EXONERATED",
        ),
        (
            &[
                "pending",
                "open",
                "under investigation",
                "in progress",
                "active",
                "dang xac minh",
                "dang xu ly",
                "chua xac minh",
                "chua ket luan",
            ],
            "PENDING",
        ),
        (
            &[
                "substantiated",
                "sustained",
                "upheld",
                "confirmed",
                "founded",
                "guilty",
                "dung",
                "co co so",
                "co vi pham",
            ],
            "SUSTAINED",
        ),
    ],
    codes: &[
        ("su", "SUSTAINED"),
        ("sus", "SUSTAINED"),
        ("ns", "NOT_SUSTAINED"),
        ("un", "UNFOUNDED"),
        ("unf", "UNFOUNDED"),
        ("ex", "EXONERATED"),
        ("exo", "EXONERATED"),
    ],
    sure: &["disposition", "finding", "ket luan", "ket qua xac minh"],
    telling: &["NOT_SUSTAINED", "UNFOUNDED", "EXONERATED", "SUSTAINED"],
};

const STATE: Vocabulary = Vocabulary {
    field: "state",
    about: "how far each is; a complaint of which all rows have a day of `closed` is CLOSED in any case",
    default: "RECEIVED",
    columns: &["status", "state", "trang thai", "tinh trang"],
    words: &[
        (&["withdrawn", "rut", "da rut"], "WITHDRAWN"),
        (
            &["rejected", "cancelled", "canceled", "duplicate", "invalid", "tu choi", "khong thu ly", "trung lap"],
            "REJECTED",
        ),
        (&["reopened", "not closed", "chua dong", "dang xu ly"], "ASSIGNED"),
        (
            &["closed", "completed", "resolved", "done", "finished", "da dong", "da xu ly", "hoan thanh", "ket thuc"],
            "CLOSED",
        ),
        (&["answered", "responded", "da tra loi"], "ANSWERED"),
        (
            &[
                "assigned",
                "in progress",
                "started",
                "pending",
                "investigating",
                "dang giai quyet",
                "da chuyen",
                "email sent",
            ],
            "ASSIGNED",
        ),
        (&["open", "new", "received", "submitted", "moi", "moi nhan", "da tiep nhan", "unassigned"], "RECEIVED"),
    ],
    codes: &[],
    sure: &[],
    telling: &["CLOSED", "ASSIGNED", "RECEIVED"],
};

const CHANNEL: Vocabulary = Vocabulary {
    field: "channel",
    about: "how each came in",
    default: "OTHER",
    columns: &[
        "kenh",
        "hinh thuc",
        "channel",
        "submitted via",
        "how received",
        "via",
        "method",
        "intake",
        "origin",
        "source",
        "nguon",
    ],
    words: &[
        (&["email", "e mail", "thu dien tu", "hop thu"], "EMAIL"),
        (&["web", "online", "internet", "portal", "website", "mobile", "app", "cong thong tin", "trang web"], "PORTAL"),
        (&["phone", "telephone", "hotline", "call", "call center", "dien thoai", "duong day nong", "ddn"], "HOTLINE"),
        (&["in person", "walk in", "counter", "truc tiep", "tiep cong dan"], "IN_PERSON"),
        (&["visit", "lam viec tai"], "VISIT"),
        (&["mail", "postal mail", "letter", "fax", "buu dien", "cong van", "don", "thu"], "LETTER"),
        (&["other", "unknown", "khac"], "OTHER"),
    ],
    codes: &[],
    sure: &[],
    telling: &["EMAIL", "PORTAL", "HOTLINE", "IN_PERSON", "LETTER"],
};

/// Values that are translated at most; a column with more is no list of words.
const MOST: usize = 60;
/// Values of a column that is sure to be ours.
const FEW: usize = 12;

/// The columns of words of ours, in the order of the fields.
pub fn find(table: &mut Table<'_>) -> Vec<Translated> {
    let mut found = Vec::new();
    for vocabulary in [&STATE, &CHANNEL, &FINDING] {
        let one = vocabulary.columns.iter().find_map(|name| {
            let mut named: Vec<usize> = table.free().filter(|at| table.names[*at].has(name)).collect();
            // What was found in the end, and of each allegation, stands before what was recommended, and found of the whole.
            named.sort_by_key(|at| !table.names[*at].has_any(&["allegation", "final"]));
            named.into_iter().find_map(|at| vocabulary.translate(table, at))
        });
        table.take(&one.iter().map(|one| one.column).collect::<Vec<_>>());
        found.extend(one);
    }
    found
}

impl Vocabulary {
    /// The values of a column in our words; None where it seems to be about something else.
    fn translate(&self, table: &Table<'_>, at: usize) -> Option<Translated> {
        let values = table.columns[at].counted().filter(|values| values.len() <= MOST)?;
        let values: Vec<_> = values
            .into_iter()
            .map(|(value, count)| {
                let word = self.word(&value);
                (value, count, word)
            })
            .collect();
        let known: u64 = values.iter().filter(|(_, _, word)| word.is_some()).map(|(_, count, _)| count).sum();
        let tells = values.iter().any(|(_, _, word)| word.is_some_and(|word| self.telling.contains(&word)));
        let is_sure = table.names[at].has_any(self.sure) && values.len() <= FEW && table.columns[at].is_code(60);
        let is_ours = is_sure || tells && known * 2 >= table.columns[at].filled;
        let Self { field, about, default, .. } = *self;
        is_ours.then_some(Translated { field, column: at, about, default, values })
    }

    fn word(&self, value: &str) -> Option<&'static str> {
        let code = value.to_ascii_lowercase();
        let value = Words::of(value);
        let by_words = self.words.iter().find(|(words, _)| value.has_any(words)).map(|(_, ours)| *ours);
        // What is denied in words that are not listed is left to a person.
        let is_denied = value.has_any(&["no", "not", "non", "khong", "chua"]) && by_words == Some("SUSTAINED");
        let by_words = by_words.filter(|_| !is_denied);
        by_words.or_else(|| self.codes.iter().find(|(theirs, _)| *theirs == code).map(|(_, ours)| *ours))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_denies_is_told_from_what_it_denies() {
        for (value, expected) in [
            ("Substantiated (Charges)", Some("SUSTAINED")),
            ("Unsubstantiated", Some("NOT_SUSTAINED")),
            ("NOT SUSTAINED", Some("NOT_SUSTAINED")),
            ("Đúng một phần", Some("SUSTAINED")),
            ("Không đúng", Some("UNFOUNDED")),
            ("Within NYPD Guidelines", Some("EXONERATED")),
            ("Miscellaneous - Subject Retired", None),
            ("No Sustained Findings", Some("NOT_SUSTAINED")),
            ("Not proven, officer confirmed present", None),
            ("NS", Some("NOT_SUSTAINED")),
            ("UN", Some("UNFOUNDED")),
        ] {
            assert_eq!(FINDING.word(value), expected, "{value}");
        }
        assert_eq!(
            (STATE.word("NY"), STATE.word("Chưa đóng"), STATE.word("Closed")),
            (None, Some("ASSIGNED"), Some("CLOSED"))
        );
        assert_eq!((CHANNEL.word("Postal mail"), CHANNEL.word("Email")), (Some("LETTER"), Some("EMAIL")));
    }
}
