//! Finds the columns of finding, state and channel, and translates their values into words of this register.

use super::found::{Translated, Value};
use super::table::Table;
use super::terms::{CHANNEL, DENIALS, FINDING, STATE, Vocabulary};
use super::words::Said;
use std::ops::Range;

/// The most values that are translated; a column with more is not a list of words.
const MOST: usize = 60;
/// The most values of a column that is accepted by its name alone.
const FEW: usize = 12;

/// The columns whose values are findings, states or channels, with the translation of each value.
pub fn find(table: &mut Table<'_>) -> Vec<Translated> {
    let mut found = Vec::new();
    for vocabulary in [&STATE, &CHANNEL, &FINDING] {
        let one = vocabulary.columns.iter().find_map(|name| {
            let mut named: Vec<usize> = table.free().filter(|at| table.names[*at].has(name)).collect();
            // Final findings, and those of each allegation, come before recommendations and findings on the whole.
            named.sort_by_key(|at| !table.names[*at].has_any(&["allegation", "final"]));
            named.into_iter().find_map(|at| vocabulary.translate(table, at))
        });
        table.take(&one.iter().map(|one| one.column).collect::<Vec<_>>());
        found.extend(one);
    }
    found
}

/// The translation of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Meaning {
    /// None where the meaning is ambiguous or unknown, even if the value has words of the field.
    word: Option<&'static str>,
    /// Whether the value has words of the field.
    is_known: bool,
    /// Whether nothing in the value contradicts the word.
    is_sure: bool,
}

impl Vocabulary {
    /// The translated values of a column; None where the column seems to be about something else.
    fn translate(&self, table: &Table<'_>, at: usize) -> Option<Translated> {
        let values = table.columns[at].counted().filter(|values| values.len() <= MOST)?;
        let values: Vec<(String, u64, Meaning)> = values
            .into_iter()
            .map(|(value, count)| {
                let meaning = self.meaning(&value);
                (value, count, meaning)
            })
            .collect();
        let known_cells: u64 =
            values.iter().filter(|(_, _, meaning)| meaning.is_known).map(|(_, count, _)| count).sum();
        let tells = values.iter().any(|(_, _, meaning)| meaning.word.is_some_and(|word| self.telling.contains(&word)));
        let is_named = table.names[at].has_any(self.sure) && values.len() <= FEW && table.columns[at].is_code(60);
        let values = values.into_iter().map(|(value, count, Meaning { word, is_sure, .. })| Value {
            value,
            count,
            word,
            is_sure,
        });
        let Self { field, about, default, .. } = *self;
        (is_named || tells && known_cells * 2 >= table.columns[at].filled).then(|| Translated {
            field,
            column: at,
            about,
            default,
            values: values.collect(),
        })
    }

    fn meaning(&self, value: &str) -> Meaning {
        let said = Said::of(value);
        let mut matches: Vec<(Range<usize>, Option<&'static str>, bool)> = Vec::new();
        for (phrases, word) in self.words {
            for phrase in *phrases {
                let is_sure = !said.may_be_another(phrase);
                matches.extend(said.places_of(phrase).into_iter().map(|place| (place, *word, is_sure)));
            }
        }
        let within = |inner: &Range<usize>, outer: &Range<usize>| {
            outer.len() > inner.len() && outer.start <= inner.start && inner.end <= outer.end
        };
        let places: Vec<Range<usize>> = matches.iter().map(|(place, _, _)| place.clone()).collect();
        matches.retain(|(place, _, _)| !places.iter().any(|outer| within(place, outer)));
        if matches.is_empty() {
            let code = value.to_ascii_lowercase();
            let word = self.codes.iter().find(|(theirs, _)| *theirs == code).map(|(_, ours)| *ours);
            return Meaning { word, is_known: word.is_some(), is_sure: word.is_some() };
        }
        // A denial precedes what it denies, or is the last word; inside a matched phrase it is part of that phrase.
        let denials: Vec<usize> = DENIALS.iter().flat_map(|denial| said.places_of(denial)).map(|at| at.start).collect();
        let is_free = |at: usize| !places.iter().any(|place| place.contains(&at));
        let is_denied = |place: &Range<usize>| {
            denials.iter().any(|at| is_free(*at) && (*at < place.start || *at + 1 == said.len()))
        };
        let all = matches.len();
        matches.retain(|(place, word, _)| word.is_some() && !is_denied(place));
        let word = matches.first().and_then(|(_, word, _)| *word);
        let is_one = matches.len() == all && matches.iter().all(|(_, other, is_sure)| *other == word && *is_sure);
        Meaning { word, is_known: true, is_sure: word.is_some() && is_one }
    }
}

/// A column that answers yes or no to whether a complaint was sustained; only a person knows what no means.
pub fn yes_or_no(table: &Table<'_>) -> Option<usize> {
    let is_named = |at: &usize| {
        let said = Said::of(&table.columns[*at].name);
        let sustained = FINDING.words.iter().filter(|(_, word)| *word == Some("SUSTAINED"));
        sustained.flat_map(|(phrases, _)| *phrases).any(|phrase| !said.places_of(phrase).is_empty())
    };
    let is_answer = |value: &str| {
        ["yes", "no", "y", "n", "true", "false", "1", "0", "có", "không", "x"].contains(&value.to_lowercase().as_str())
    };
    table.free().find(|at| is_named(at) && table.columns[*at].all(is_answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word_of(vocabulary: &Vocabulary, value: &str) -> (Option<&'static str>, bool) {
        let meaning = vocabulary.meaning(value);
        (meaning.word, meaning.is_sure)
    }

    #[track_caller]
    fn all(vocabulary: &Vocabulary, values: &[(&str, Option<&str>)]) {
        for (value, expected) in values {
            assert_eq!(word_of(vocabulary, value), (*expected, expected.is_some()), "{value}");
        }
    }

    #[test]
    fn what_denies_is_told_from_what_it_denies() {
        all(
            &FINDING,
            &[
                ("Substantiated (Charges)", Some("SUSTAINED")),
                ("Substantiated - no discipline", Some("SUSTAINED")),
                ("Unsubstantiated", Some("NOT_SUSTAINED")),
                ("NOT SUSTAINED", Some("NOT_SUSTAINED")),
                ("Not unfounded", None),
                ("Not exonerated", None),
                ("Sustained: no", None),
                ("Không đúng", Some("UNFOUNDED")),
                ("Khong dung", Some("UNFOUNDED")),
                ("Không đúng sự thật, không có cơ sở", Some("UNFOUNDED")),
                ("Không có sai phạm", Some("UNFOUNDED")),
                ("Within NYPD Guidelines", Some("EXONERATED")),
                ("Miscellaneous - Subject Retired", None),
                ("No Sustained Findings", Some("NOT_SUSTAINED")),
                ("Not proven, officer confirmed present", None),
                ("NS", Some("NOT_SUSTAINED")),
                ("UN", Some("UNFOUNDED")),
            ],
        );
        all(
            &STATE,
            &[
                ("NY", None),
                ("Chưa đóng", Some("ASSIGNED")),
                ("Closed", Some("CLOSED")),
                ("Closed - no action", Some("CLOSED")),
                ("Chưa hoàn thành", None),
                ("Chưa kết thúc", None),
                ("Chua ket thuc", None),
                ("Not resolved", None),
                ("Not completed", None),
                ("Không trùng lặp", None),
            ],
        );
    }

    #[test]
    fn vietnamese_words_are_told_apart_by_their_diacritics() {
        all(
            &FINDING,
            &[
                ("Đúng", Some("SUSTAINED")),
                ("Dung", Some("SUSTAINED")),
                ("Đúng một phần", Some("SUSTAINED")),
                ("Tạm dừng xác minh", Some("PENDING")),
                ("Tam dung xac minh", Some("PENDING")),
                ("Dừng", None),
                ("Dùng biện pháp khác", None),
                ("Có sai phạm", Some("SUSTAINED")),
                ("Co sai pham", Some("SUSTAINED")),
                ("Thực hiện đúng quy định", Some("EXONERATED")),
                ("Thực hiện không đúng quy định", Some("SUSTAINED")),
                ("Cán bộ làm không đúng", Some("SUSTAINED")),
                ("Sai quy trình", Some("SUSTAINED")),
            ],
        );
        all(&STATE, &[("Rút kinh nghiệm", None), ("Đã rút đơn", Some("WITHDRAWN")), ("Hoàn thành", Some("CLOSED"))]);
        all(
            &CHANNEL,
            &[
                ("Postal mail", Some("LETTER")),
                ("Email", Some("EMAIL")),
                ("Mobile phone", Some("HOTLINE")),
                ("MOBILE", Some("PORTAL")),
                ("Điện thoại", Some("HOTLINE")),
                ("Trực tuyến", Some("PORTAL")),
                ("Trực tiếp", Some("IN_PERSON")),
            ],
        );
        // Without diacritics the word may be another one: the draft has the value, marked with CHECK.
        assert_eq!(word_of(&FINDING, "Noi dung khac"), (Some("SUSTAINED"), false));
    }

    #[test]
    fn what_means_one_thing_here_and_the_opposite_there_is_left_to_a_person() {
        for value in ["Justified", "Partly justified", "Not justified", "Sai", "False", "Đúng hạn"] {
            let meaning = FINDING.meaning(value);
            assert_eq!((meaning.word, meaning.is_known, meaning.is_sure), (None, true, false), "{value}");
        }
        assert_eq!(word_of(&FINDING, "Partly founded, partly unfounded"), (Some("UNFOUNDED"), false));
        assert_eq!(word_of(&STATE, "Closed: duplicate"), (Some("REJECTED"), false));
        assert_eq!(word_of(&STATE, "Open, not started"), (Some("RECEIVED"), false));
    }
}
