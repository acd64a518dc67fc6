//! The words of refusals of the API, in the language of the reader.

use super::error::{Problem, Said};
use super::words::{has, messages, word};
use actix_web::HttpRequest;
use actix_web::http::Method;
use chrono::NaiveDate;
use fluent_bundle::FluentValue;
use schema::enums::Locale;

/// The prefix of the keys of reasons.
const KEY: &str = "refusals-";

/// The parameters that are numbers. Other digits belong to codes.
const NUMBERS: [&str; 6] = ["actual", "count", "days", "expected", "most", "times"];

/// The parameters that are words of enums, and what begins the keys of their words.
const WORDS: [(&str, &str); 10] = [
    ("condition", "subscriptions-condition"),
    ("correction", "complaints-proposal"),
    ("document", "guidance-state"),
    ("flag", "flag-state"),
    ("form", "complaints-form"),
    ("next", "state"),
    ("outcome", "categories-state"),
    ("proposal", "categories-state"),
    ("section", "subscriptions-section"),
    ("state", "state"),
];

/// Reasons about one field of a form, whose sentences in the API do not begin with its name.
const FIELDS: [(&str, &str); 9] = [
    ("DIGEST_NOT_FOR_READER", "unit"),
    ("DIGEST_SECTION_NOT_FOR_READER", "sections"),
    ("ENDPOINT_ADDRESS_PRIVATE", "address"),
    ("ENDPOINT_NAME_INVALID", "name"),
    ("ENDPOINT_URL_INVALID", "address"),
    ("MAIL_ADDRESS_INVALID", "address"),
    ("MAIL_DOMAIN_NOT_ALLOWED", "address"),
    ("OVERDUE_NUMBER_MISSING", "minOverdue"),
    ("OVERDUE_NUMBER_NOT_NEEDED", "minOverdue"),
];

/// The field of a form that a refusal is about; another word if it is about none.
pub fn field_of(problem: &Problem) -> &str {
    let reason = problem.said.as_ref().map(|said| said.reason.as_str());
    let known = FIELDS.iter().find(|(of, _)| Some(*of) == reason);
    known.map_or_else(|| problem.input(), |(_, field)| *field)
}

/// A refusal as the page says it. Without words for its reason the page says `otherwise`, and quotes the API.
pub fn localized(locale: Locale, problem: &Problem, otherwise: &str) -> Problem {
    let Some(said) = &problem.said else { return problem.clone() };
    match words(locale, said) {
        Some(message) => Problem { message, said: None, ..problem.clone() },
        None => Problem {
            message: word(locale, otherwise, &[]),
            english: problem.message.clone(),
            said: None,
            ..problem.clone()
        },
    }
}

/// A refusal of what the address of a page asks for. Without words for its reason the page says that a value is wrong;
/// the log has the sentence of the API, which only a page in English quotes.
pub fn localized_for_address(locale: Locale, problem: &Problem) -> Problem {
    let Some(said) = &problem.said else { return problem.clone() };
    let message = words(locale, said).unwrap_or_else(|| {
        tracing::warn!(refusal = problem.message.as_str(), "a page has no words for a refusal of its address");
        let told = word(locale, "filters-refused", &[]);
        if locale == Locale::En { format!("{told} {}", problem.message) } else { told }
    });
    Problem { message, said: None, ..problem.clone() }
}

/// A refusal as the page says it that answers a request.
pub fn localized_for(http: &HttpRequest, locale: Locale, problem: &Problem) -> Problem {
    match http.method() == Method::GET {
        true => localized_for_address(locale, problem),
        false => localized(locale, problem, "form-refused"),
    }
}

/// The words of what the API said; None if its reason has none.
pub fn words(locale: Locale, said: &Said) -> Option<String> {
    let key = format!("{KEY}{}", said.reason);
    if !has(locale, &key) {
        return None;
    }
    let values = said.parameters.iter().map(|(name, value)| (name.as_str(), fluent_value(locale, name, value)));
    Some(word(locale, &key, &values.collect::<Vec<_>>()))
}

/// A parameter as a reader writes it.
fn fluent_value(locale: Locale, name: &str, value: &str) -> FluentValue<'static> {
    if NUMBERS.contains(&name)
        && let Ok(number) = value.parse::<i64>()
    {
        return number.into();
    }
    let key = WORDS.iter().find(|(of, _)| *of == name).map(|(_, prefix)| format!("{prefix}-{value}"));
    if let Some(key) = key.filter(|key| has(locale, key)) {
        return word(locale, &key, &[]).into();
    }
    let day = value.parse::<NaiveDate>().ok().and_then(|day| Some(messages(locale).ok()?.date(day)));
    day.unwrap_or_else(|| value.to_owned()).into()
}

#[cfg(test)]
mod tests {
    use super::super::assets::Assets;
    use super::*;
    use schema::enums::{
        ComplaintState, CorrectionState, DigestCondition, DigestSection, FlagState, GuidanceState, LegalForm,
        ProposalState,
    };
    use schema::refusal::{CaseRefusal, ClockRefusal, CorrectionRefusal, ENTRIES, EndpointRefusal, Refuses};
    use std::collections::{BTreeMap, BTreeSet};

    /// The names of the values of each message about a reason, in a language.
    fn written(language: &str) -> BTreeMap<String, BTreeSet<String>> {
        let end = format!(".{language}.ftl");
        let texts = Assets::texts("words/").filter(|(file, _)| file.ends_with(&end)).map(|(_, text)| text);
        let lines: Vec<String> = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        let messages = lines.iter().filter_map(|line| line.strip_prefix(KEY)?.split_once(" = "));
        messages
            .map(|(reason, message)| {
                let values = message.split("{ $").skip(1).filter_map(|rest| Some(rest.split_once(" }")?.0.to_owned()));
                (reason.to_owned(), values.collect())
            })
            .collect()
    }

    #[test]
    fn each_reason_has_a_message_in_both_languages_with_the_same_values() {
        let (vi, en) = (written("vi"), written("en"));
        assert_eq!(vi, en);
        let mut rest: BTreeSet<&str> = vi.keys().map(String::as_str).collect();
        for entry in ENTRIES.iter().copied().flatten() {
            let used = vi.get(entry.reason).unwrap_or_else(|| panic!("{} has no message", entry.reason));
            let unknown: Vec<_> = used.iter().filter(|name| !entry.parameters.contains(&name.as_str())).collect();
            assert!(unknown.is_empty(), "{}: {unknown:?}", entry.reason);
            rest.remove(entry.reason);
        }
        assert!(rest.is_empty(), "no such reason: {rest:?}");
    }

    #[test]
    fn each_reason_about_a_field_exists() {
        for (reason, _) in FIELDS {
            assert!(ENTRIES.iter().copied().flatten().any(|entry| entry.reason == reason), "{reason}");
        }
        let refused = problem(EndpointRefusal::Url { why: "invalid address \"x\"".to_owned() });
        assert_eq!(field_of(&refused), "address");
        let by_words = Problem::of_api("endsOn must not be in the past", Said::default());
        assert_eq!(field_of(&by_words), "endsOn");
    }

    #[test]
    fn each_word_of_a_state_has_words() {
        let all: [(&str, &[&str]); 8] = [
            ("state", ComplaintState::WORDS),
            ("correction", CorrectionState::WORDS),
            ("condition", DigestCondition::WORDS),
            ("flag", FlagState::WORDS),
            ("document", GuidanceState::WORDS),
            ("form", LegalForm::WORDS),
            ("proposal", ProposalState::WORDS),
            ("section", DigestSection::WORDS),
        ];
        for (name, values) in all {
            for (value, locale) in values.iter().flat_map(|value| [(value, Locale::Vi), (value, Locale::En)]) {
                let shown = fluent_value(locale, name, value);
                assert!(!matches!(&shown, FluentValue::String(text) if text == value), "{name} {value} {locale}");
            }
        }
    }

    fn problem(refused: impl Refuses) -> Problem {
        let refusal = refused.refusal();
        let parameters = refusal.parameters().iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let said = Said { reason: refusal.reason().to_owned(), parameters: parameters.collect() };
        Problem::of_api(&refusal.to_string(), said)
    }

    #[test]
    fn a_refusal_is_told_in_the_language_of_the_reader() {
        let told = |locale, problem| localized(locale, &problem, "form-refused").message;
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let range = || {
            let (from, until) = (day("2026-01-02"), day("2026-03-31"));
            problem(CaseRefusal::DecidedOn { day: day("2026-04-01"), from, until })
        };
        let vi = "Ngày 01/04/2026 không hợp lệ. Hãy ghi một ngày từ 02/01/2026 đến 31/03/2026.";
        assert_eq!(told(Locale::Vi, range()), vi);
        assert!(told(Locale::En, range()).contains("Write a day from"));
        let closed = || problem(CaseRefusal::TakesNoResponse { state: ComplaintState::Closed });
        assert_eq!(told(Locale::Vi, closed()), "Phản ánh ở trạng thái “Đã đóng”: không ghi trả lời được nữa.");
        assert!(told(Locale::En, closed()).contains("takes no answers any more"));
        let form = LegalForm::Grievance;
        let twice = problem(ClockRefusal::ExtendedEnough { form, times: 1, due: day("2026-03-31") });
        assert!(told(Locale::Vi, twice).starts_with("Khiếu nại: chỉ được gia hạn 1 lần."));
        let cost = problem(CorrectionRefusal::CostTooLarge { most: 1_000_000_000_000 });
        assert!(told(Locale::Vi, cost).contains("1.000.000.000.000 đồng"));
        let code = problem(CaseRefusal::SameUnit { code: "0123".to_owned() });
        assert!(told(Locale::Vi, code).contains("“0123”"), "a code is no number");
    }

    #[test]
    fn what_has_no_words_is_quoted_in_english() {
        let unknown = Problem::of_api("the moon is full", Said::default());
        let told_vi = localized(Locale::Vi, &unknown, "form-refused");
        assert_eq!(told_vi.message, word(Locale::Vi, "form-refused", &[]));
        assert_eq!(told_vi.english, "the moon is full");
        let of_address = |locale| localized_for_address(locale, &unknown);
        assert_eq!(of_address(Locale::Vi).message, word(Locale::Vi, "filters-refused", &[]));
        assert!(of_address(Locale::Vi).english.is_empty(), "a Vietnamese page quotes nothing of its address");
        assert!(of_address(Locale::En).message.ends_with("the moon is full"));
        let own = Problem::of_form("Hãy chờ.");
        assert_eq!(localized(Locale::Vi, &own, "form-refused").message, "Hãy chờ.", "what the page says itself stays");
    }
}
