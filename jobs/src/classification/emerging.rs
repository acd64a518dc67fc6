//! Emerging terms: runs of one to three syllables that more complaints of a period have than of the period before.
//!
//! A term counts once for each complaint. The rates are complaints with the term per complaint of the period, so a
//! period with twice as many complaints makes no term rise. Given the sum of both counts, the recent one is binomial if
//! the rates are equal: the exact conditional test of two Poisson rates (Przyborowski and Wilenski 1940, Biometrika
//! 31:313). Terms are chosen for the test by that sum alone, on which the test conditions, so the false discovery rate
//! (Benjamini and Hochberg 1995) over the tested terms holds (Bourgon, Gentleman and Huber 2010, PNAS 107:9546).

use super::text::{Syllable, syllables};
use crate::JobError;
use crate::numeric::multiplicity::benjamini_hochberg;
use crate::numeric::proportion::binomial_upper_tail;
use schema::db::cancellation::check_cancelled;
use siphasher::sip::SipHasher13;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The longest term, in syllables.
const LONGEST: usize = 3;
/// Texts between two looks at whether the work was cancelled.
const TEXTS_AT_ONCE: usize = 500;

/// A complaint of one of the two periods.
#[derive(Debug, Clone)]
pub struct Observed {
    pub text: String,
    /// The key as which its enterprise counts ([`crate::facts::EnterpriseFact::counts_as`]); None if it is anonymous.
    pub enterprise: Option<String>,
    /// Whether it is of the later period.
    pub recent: bool,
}

/// The terms to report. A term of few complaints or enterprises could give away who complained.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The fewest complaints and enterprises of the later period.
    pub complaints: u32,
    pub enterprises: u32,
    /// The largest false discovery rate.
    pub q: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { complaints: 5, enterprises: 3, q: 0.05 }
    }
}

/// A term that rises.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// The most frequent spelling in the later period.
    pub term: String,
    pub recent: u32,
    pub enterprises: u32,
    pub before: u32,
    /// Complaints of the later period that would have it at the rate of the earlier one.
    pub expected: f64,
    pub p: f64,
    pub q: f64,
}

/// The terms that rise, the most certain first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Emerging {
    /// Complaints of the later and of the earlier period.
    pub recent: u32,
    pub before: u32,
    /// Terms that were tested.
    pub tested: usize,
    pub terms: Vec<Term>,
}

/// Complaints with a term, in the later and in the earlier period.
type Counts = (u32, u32);

/// Finds the terms that rise. Nothing rises against a period without complaints.
///
/// # Errors
/// `Cancelled` if the work was cancelled.
pub fn emerging(complaints: &[Observed], limits: Limits) -> Result<Emerging, JobError> {
    let recent = u32::try_from(complaints.iter().filter(|one| one.recent).count()).unwrap_or(u32::MAX);
    let before = u32::try_from(complaints.len()).unwrap_or(u32::MAX) - recent;
    if recent == 0 || before == 0 {
        return Ok(Emerging { recent, before, ..Emerging::default() });
    }
    let tested = tested(complaints, limits)?;
    let share = f64::from(recent) / (f64::from(recent) + f64::from(before));
    let p: Vec<f64> = tested.iter().map(|(_, (now, then))| binomial_upper_tail(*now, now + then, share)).collect();
    let q = benjamini_hochberg(&p);
    let mut rising: HashMap<u64, TermEvidence> = HashMap::new();
    for (at, (term, (now, _))) in tested.iter().enumerate() {
        if q[at] <= limits.q && *now >= limits.complaints {
            rising.insert(*term, TermEvidence { index: at, enterprises: HashSet::new(), written: BTreeMap::new() });
        }
    }
    gather(complaints, &mut rising)?;
    let per_complaint = f64::from(recent) / f64::from(before);
    let mut terms: Vec<(String, Term)> = rising
        .into_values()
        .filter_map(|evidence| {
            let (now, then) = tested[evidence.index].1;
            let enterprises = u32::try_from(evidence.enterprises.len()).unwrap_or(u32::MAX);
            let (written, _) =
                evidence.written.iter().max_by_key(|((written, _), number)| (**number, written.len()))?;
            let term = Term {
                term: written.0.clone(),
                recent: now,
                enterprises,
                before: then,
                expected: f64::from(then) * per_complaint,
                p: p[evidence.index],
                q: q[evidence.index],
            };
            (enterprises >= limits.enterprises).then(|| (written.1.clone(), term))
        })
        .collect();
    terms.sort_by(|(a_plain, a), (b_plain, b)| {
        a.q.total_cmp(&b.q).then(a.p.total_cmp(&b.p)).then(b.recent.cmp(&a.recent)).then(a_plain.cmp(b_plain))
    });
    Ok(Emerging { recent, before, tested: tested.len(), terms: without_parts(terms) })
}

/// Evidence for one candidate term: its index among the tested terms, the enterprises that wrote it, and its spellings
/// (as written, and in search form).
struct TermEvidence {
    index: usize,
    enterprises: HashSet<String>,
    written: BTreeMap<(String, String), u32>,
}

/// The hashes of the terms with enough complaints in both periods together, in ascending order, with their counts.
fn tested(complaints: &[Observed], limits: Limits) -> Result<Vec<(u64, Counts)>, JobError> {
    let mut counts: HashMap<u64, Counts> = HashMap::new();
    for (at, complaint) in complaints.iter().enumerate() {
        if at.is_multiple_of(TEXTS_AT_ONCE) {
            check_cancelled()?;
        }
        let terms: HashSet<u64> = terms(&syllables(&complaint.text)).map(hash).collect();
        for term in terms {
            let (recent, before) = counts.entry(term).or_default();
            *(if complaint.recent { recent } else { before }) += 1;
        }
    }
    let mut tested: Vec<(u64, Counts)> =
        counts.into_iter().filter(|(_, (recent, before))| recent + before >= limits.complaints).collect();
    tested.sort_unstable();
    Ok(tested)
}

/// Adds to each rising term who wrote it in the later period, and how.
fn gather(complaints: &[Observed], rising: &mut HashMap<u64, TermEvidence>) -> Result<(), JobError> {
    if rising.is_empty() {
        return Ok(());
    }
    for (at, complaint) in complaints.iter().filter(|one| one.recent).enumerate() {
        if at.is_multiple_of(TEXTS_AT_ONCE) {
            check_cancelled()?;
        }
        let syllables = syllables(&complaint.text);
        let mut seen: HashSet<u64> = HashSet::new();
        for term in terms(&syllables) {
            let hash = hash(term);
            let Some(evidence) = rising.get_mut(&hash).filter(|_| seen.insert(hash)) else { continue };
            evidence.enterprises.extend(complaint.enterprise.clone());
            *evidence.written.entry((joined(term, |one| &one.written), joined(term, |one| &one.plain))).or_default() +=
                1;
        }
    }
    Ok(())
}

/// The terms of a text. None has a number in it: declaration numbers and days name a case.
fn terms(syllables: &[Syllable]) -> impl Iterator<Item = &[Syllable]> {
    let of_length = move |length: usize| syllables.windows(length);
    (1..=LONGEST).flat_map(of_length).filter(|term| !term.iter().any(Syllable::is_number))
}

/// The hash of a term, the same with and without diacritics.
fn hash(term: &[Syllable]) -> u64 {
    SipHasher13::new_with_keys(0, 0).hash(joined(term, |one| &one.plain).as_bytes())
}

fn joined(term: &[Syllable], form: impl Fn(&Syllable) -> &String) -> String {
    let mut text = String::new();
    for syllable in term {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(form(syllable));
    }
    text
}

/// Leaves out a term that is part of a longer one with the same counts: both are of the same complaints.
fn without_parts(terms: Vec<(String, Term)>) -> Vec<Term> {
    let is_part = |(plain, term): &(String, Term)| {
        terms.iter().any(|(longer, other)| {
            longer.len() > plain.len()
                && (other.recent, other.before) == (term.recent, term.before)
                && format!(" {longer} ").contains(&format!(" {plain} "))
        })
    };
    let parts: Vec<bool> = terms.iter().map(is_part).collect();
    terms.into_iter().zip(parts).filter(|(_, part)| !part).map(|((_, term), _)| term).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(number: u128, recent: bool, text: &str) -> Observed {
        Observed { text: text.to_owned(), enterprise: Some(number.to_string()), recent }
    }

    /// 100 complaints in each period; in the later one 20 of them, of `enterprises`, have the term.
    fn world(enterprises: u128, rising: &str) -> Vec<Observed> {
        let fillers = ["hồ sơ bị trả lại", "chờ lâu ở cửa khẩu", "không ai nghe máy", "phí lưu bãi tăng"];
        let mut all = Vec::new();
        for n in 0..200u128 {
            let recent = n < 100;
            let filler = fillers[(n % 4) as usize];
            if recent && n % 5 == 0 {
                all.push(complaint(n / 5 % enterprises, true, &format!("{filler} {rising}")));
            } else {
                all.push(complaint(n, recent, filler));
            }
        }
        all
    }

    #[test]
    fn a_term_that_rises_is_found_in_its_longest_form_and_what_stays_is_not() {
        let found = emerging(&world(10, "phí hạ tầng"), Limits::default()).expect("terms");
        assert_eq!((found.recent, found.before), (100, 100));
        let terms: Vec<&str> = found.terms.iter().map(|term| term.term.as_str()).collect();
        assert_eq!(terms, ["phí hạ tầng"], "{:?}", found.terms);
        let term = &found.terms[0];
        assert_eq!((term.recent, term.before, term.enterprises), (20, 0, 10));
        // Given 20 complaints in both periods, each is recent with probability 1/2.
        assert!((term.p - 0.5_f64.powi(20)).abs() < 1e-12 && term.q >= term.p && term.q < 0.001, "{term:?}");
    }

    #[test]
    fn terms_of_few_enterprises_or_with_numbers_are_not_told() {
        assert!(emerging(&world(2, "phí hạ tầng"), Limits::default()).expect("terms").terms.is_empty());
        let with_numbers = emerging(&world(10, "302212345678"), Limits::default()).expect("terms");
        assert!(with_numbers.terms.is_empty(), "{:?}", with_numbers.terms);
        let alone: Vec<Observed> = world(10, "phí hạ tầng").into_iter().filter(|one| one.recent).collect();
        let found = emerging(&alone, Limits::default()).expect("terms");
        assert_eq!((found.recent, found.before, found.tested, found.terms.len()), (100, 0, 0, 0));
    }

    #[test]
    fn spellings_count_together_and_the_most_frequent_is_told() {
        let mut all = world(10, "phí hạ tầng");
        for one in all.iter_mut().filter(|one| one.text.contains("tầng")).take(6) {
            one.text = one.text.replace("phí hạ tầng", "phi ha tang");
        }
        let found = emerging(&all, Limits::default()).expect("terms");
        assert_eq!((found.terms[0].term.as_str(), found.terms[0].recent), ("phí hạ tầng", 20));
    }
}
