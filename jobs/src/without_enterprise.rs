//! Computes the numbers of a flag without the complaints of one enterprise, as the register knew it at the run that
//! found the flag. The run stored what its subjects were compared by, so that this reads the complaints about the
//! flagged one only: in a register of a million complaints the whole run takes longer than a question may.

use crate::JobError;
use crate::analyses::recurrence::{self, LeftOut, SubjectComparisons, WithoutEnterprise};
use crate::facts::frames::{Frames, into_frames, without_exposure};
use crate::facts::{About, EnterpriseFact, Facts};
use crate::flags::evidence_of;
use crate::reproduction::Recorded;
use crate::results::recurrence::{COMPARED, ComparedDocument};
use crate::results::result_of;
use crate::scheduled::recurrence::load_facts;
use schema::domain::tax_code::{enterprise_of, parse};
use schema::enums::SubjectKind;
use schema::models::Flag;
use schema::{Db, Id};
use std::collections::HashSet;

/// Computes the numbers of a flag without the enterprise of a tax code, and those counted as one with it. Stores
/// nothing.
///
/// # Errors
/// `Question` when no complaint of the evidence is by the enterprise; else as [`Facts::load_about`], [`load_facts`] and
/// [`Recorded::find`].
pub fn without_enterprise(db: &Db, flag: &Flag, tax_code: &str) -> Result<WithoutEnterprise, JobError> {
    let recorded = Recorded::find(db, flag.run_id)?;
    let (evidence, compared): (Vec<Id>, Option<ComparedDocument>) =
        db.read(|conn| Ok((evidence_of(conn, flag)?, result_of(conn, flag.run_id, COMPARED)?)))?;
    let evidence: HashSet<Id> = evidence.into_iter().collect();
    let tax_code = parse(tax_code).unwrap_or_else(|_| tax_code.to_owned());
    let subject = flag.officer_id.or(flag.unit_id).ok_or_else(not_in_evidence)?;
    let asked = Asked { flag, subject, tax_code: &tax_code, recorded: &recorded };
    let found = match compared.as_ref().and_then(|compared| compared.of(flag.subject_kind).of(subject)) {
        Some(comparisons) => asked.of_its_complaints(db, comparisons)?,
        // The run is of a version that did not store what its subjects were compared by.
        None => asked.of_all_complaints(db)?,
    };
    if found.complaints.iter().any(|id| evidence.contains(id)) { Ok(found) } else { Err(not_in_evidence()) }
}

/// A question about a flag.
struct Asked<'q> {
    flag: &'q Flag,
    /// The officer or the branch.
    subject: Id,
    tax_code: &'q str,
    recorded: &'q Recorded,
}

impl Asked<'_> {
    /// The numbers from the complaints about the subject, and what the run compared it by.
    fn of_its_complaints(&self, db: &Db, comparisons: SubjectComparisons<'_>) -> Result<WithoutEnterprise, JobError> {
        let Recorded { as_of, rules, .. } = self.recorded;
        let as_of_position = self.recorded.as_of_position()?;
        let about = About { kind: self.flag.subject_kind, subject: self.subject, as_of_position, as_of: *as_of };
        let facts = db.read_snapshot(|conn| Facts::load_about(conn, about, self.tax_code))?;
        let frames = without_exposure(&facts, *as_of)?;
        let left_out = self.left_out(&counts_as(&facts, self.tax_code), &frames)?;
        let tier = self.flag.tier;
        Ok(recurrence::without_enterprise_as_compared(&frames, left_out, tier, *as_of, rules, comparisons)?)
    }

    /// The numbers from the whole run, derived again.
    fn of_all_complaints(&self, db: &Db) -> Result<WithoutEnterprise, JobError> {
        let Recorded { as_of, rules, .. } = self.recorded;
        let (facts, _) = load_facts(db, *as_of, Some(self.recorded.as_of_position()?))?;
        let key = counts_as(&facts, self.tax_code);
        let frames = into_frames(facts, *as_of)?;
        let left_out = self.left_out(&key, &frames)?;
        Ok(recurrence::without_enterprise(&frames, left_out, self.flag.tier, *as_of, rules)?)
    }

    /// The subject, and the enterprise that is counted under a key, in frames.
    fn left_out(&self, key: &str, frames: &Frames) -> Result<LeftOut, JobError> {
        let kind = self.flag.subject_kind;
        let subjects = match kind {
            SubjectKind::Officer => &frames.officers,
            SubjectKind::Branch => &frames.branches,
        };
        let subject = subjects.iter().position(|subject| subject.id == self.subject);
        let enterprise = frames.enterprises.binary_search_by(|of| of.as_str().cmp(key)).ok();
        let places = subject
            .zip(enterprise)
            .and_then(|(subject, enterprise)| Some((u32::try_from(subject).ok()?, u32::try_from(enterprise).ok()?)));
        let (subject, enterprise) = places.ok_or_else(not_in_evidence)?;
        Ok(LeftOut { kind, subject, enterprise })
    }
}

/// The key as which the statistic counted an enterprise. A tax code that the register did not have then may be the one
/// of an enterprise of which only branches complained.
fn counts_as(facts: &Facts, tax_code: &str) -> String {
    let enterprise = facts.enterprises.values().find(|enterprise| enterprise.tax_code == tax_code);
    enterprise.map_or_else(|| enterprise_of(tax_code).to_owned(), EnterpriseFact::counts_as)
}

fn not_in_evidence() -> JobError {
    JobError::Question(
        "no complaint in the evidence of this flag is by this enterprise: take the tax code of one that complained"
            .into(),
    )
}
