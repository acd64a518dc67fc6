//! Refusals of changes and filters that a person can correct: each has a reason that does not change, the values that
//! it is about, and an English sentence. Clients read the sentence, or word the reason in another language.
//!
//! To add one, write a line in the list of its subject, and a message for the page in `api/assets/web/words`: a test
//! of the page names what is missing there.

use std::fmt;

/// The subject of a refusal: a value of the request, or the state of the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A value is wrong.
    Rule,
    /// The object is at another version, or its state does not allow the change.
    Conflict,
}

/// The description of one reason.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub reason: &'static str,
    /// The names of its parameters.
    pub parameters: &'static [&'static str],
}

/// Why a change is refused. Only a list of this module makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    kind: Kind,
    reason: &'static str,
    parameters: Vec<(&'static str, String)>,
    message: String,
}

impl Refusal {
    /// Whether the state of the object refuses the change, not a value of the request.
    pub fn is_conflict(&self) -> bool {
        self.kind == Kind::Conflict
    }

    /// The identifier, such as DECIDED_ON_OUT_OF_RANGE. It does not change.
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// The values that the refusal is about, by their names. Days are written YYYY-MM-DD, words of enums as the API
    /// writes them.
    pub fn parameters(&self) -> &[(&'static str, String)] {
        &self.parameters
    }
}

/// The English sentence.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A refusal of one of the lists.
pub trait Refuses {
    fn refusal(self) -> Refusal;
}

/// A list of refusals, one a line: its kind, its variant with the parameters, its reason, and its English sentence.
macro_rules! refusals {
    ($(#[$about:meta])* $name:ident {
        $($kind:ident $variant:ident $({ $($parameter:ident: $type:ty),+ })? = $reason:literal, $text:literal;)+
    }) => {
        $(#[$about])*
        #[derive(Debug)]
        pub enum $name {
            $($variant $({ $($parameter: $type),+ })?,)+
        }

        impl $name {
            pub(super) const ENTRIES: &'static [crate::refusal::Entry] = &[$(crate::refusal::Entry {
                reason: $reason,
                parameters: &[$($(stringify!($parameter)),+)?],
            }),+];

            pub(super) fn said(self) -> crate::refusal::Refusal {
                match self {
                    $(Self::$variant $({ $($parameter),+ })? => crate::refusal::Refusal {
                        kind: crate::refusal::Kind::$kind,
                        reason: $reason,
                        message: std::fmt::format(format_args!($text)),
                        parameters: vec![$($((stringify!($parameter), $parameter.to_string())),+)?],
                    },)+
                }
            }
        }
    };
}

/// Names the lists. One that is missing here refuses nothing, so that [`ENTRIES`] has all reasons.
macro_rules! lists {
    ($($module:ident::$name:ident),+ $(,)?) => {
        $(
            pub use $module::$name;

            impl Refuses for $name {
                fn refusal(self) -> Refusal {
                    self.said()
                }
            }
        )+

        /// The reasons of all lists.
        pub const ENTRIES: &[&[Entry]] = &[$($name::ENTRIES),+];
    };
}

mod casework;
mod clock;
mod codes;
mod corrections;
mod filters;
mod inputs;
mod jobs;
mod measures;
mod review;
mod sending;

lists! {
    casework::CaseRefusal,
    casework::LinkRefusal,
    clock::ClockRefusal,
    codes::CodeRefusal,
    corrections::CorrectionRefusal,
    filters::FilterRefusal,
    inputs::InputRefusal,
    jobs::JobRefusal,
    measures::MeasureRefusal,
    measures::SuspensionRefusal,
    review::FlagRefusal,
    review::GuidanceRefusal,
    review::ProposalRefusal,
    sending::EndpointRefusal,
    sending::SubscriptionRefusal,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreError;
    use chrono::NaiveDate;
    use std::collections::BTreeSet;

    #[test]
    fn each_reason_is_of_one_refusal_and_is_written_in_capitals() {
        let mut reasons = BTreeSet::new();
        for entry in ENTRIES.iter().copied().flatten() {
            assert!(entry.reason.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{}", entry.reason);
            assert!(reasons.insert(entry.reason), "{} twice", entry.reason);
        }
        assert!(reasons.len() > 100, "{}", reasons.len());
    }

    #[test]
    fn a_refusal_has_its_sentence_and_its_parameters() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let (from, until) = (day("2026-01-01"), day("2026-01-31"));
        let refusal = CaseRefusal::DecidedOn { day: day("2026-02-01"), from, until }.refusal();
        assert_eq!(refusal.reason(), "DECIDED_ON_OUT_OF_RANGE");
        assert_eq!(refusal.to_string(), "decidedOn is 2026-02-01: must be between 2026-01-01 and 2026-01-31");
        let parameters = [("day", "2026-02-01"), ("from", "2026-01-01"), ("until", "2026-01-31")];
        assert_eq!(refusal.parameters(), parameters.map(|(name, value)| (name, value.to_owned())));
        assert!(!refusal.is_conflict());
        let same = CaseRefusal::SameUnit { code: "02\"CV".to_owned() }.refusal();
        assert_eq!(same.to_string(), r#"unit: "02\"CV" is responsible already: name another unit"#);
        let error = StoreError::from(CaseRefusal::NotClassified);
        assert_eq!(error.to_string(), "the complaint is RECEIVED: classify it first");
        assert!(matches!(error, StoreError::Refused(refusal) if refusal.is_conflict()));
    }
}
