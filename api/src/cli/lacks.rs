//! Reports what a recurrence run counted and which inputs it lacked, with what to do about each, so that a run
//! without flags is explained.

use jobs::analyses::recurrence::{Available, MissingData, TopSubject};
use jobs::facts::monthly::MonthlySource;
use schema::enums::SubjectKind;

/// The counts, and a line for each missing input.
pub fn report(available: &Available, lacks: &[MissingData]) -> String {
    let mut lines = vec![counts(available)];
    lines.extend(lacks.iter().map(|lack| format!("missing: {}", advice(*lack, available))));
    lines.join("\n")
}

/// A line for each source that gives only the month of a complaint.
pub fn monthly(sources: &[MonthlySource]) -> Vec<String> {
    let line = |MonthlySource { source, complaints }: &MonthlySource| {
        format!(
            "{source:?} gives months without days ({complaints} complaints in the longest window): windows shorter than 90 days are \
             left out for the officers and branches they are about"
        )
    };
    sources.iter().map(line).collect()
}

fn counts(of: &Available) -> String {
    let Available {
        days,
        complaints,
        conduct,
        with_enterprise,
        anonymous,
        about_officers,
        confirmed,
        about_branches,
        ..
    } = of;
    let most = |kind: SubjectKind| {
        let of_kind = of.most.iter().filter(|one| one.kind == kind);
        let listed: Vec<String> =
            of_kind.map(|TopSubject { code, complaints, .. }| format!("{code} ({complaints})")).collect();
        if listed.is_empty() { String::new() } else { format!(", most about {}", listed.join(", ")) }
    };
    format!(
        "counted in {days} days: {complaints} complaints, {conduct} of them about conduct and standing; of these {with_enterprise} from \
         enterprises and {anonymous} anonymous; {about_officers} about officers ({confirmed} CONFIRMED){}; {about_branches} about \
         branches{}",
        most(SubjectKind::Officer),
        most(SubjectKind::Branch),
    )
}

/// The missing data, and the remedy.
fn advice(lack: MissingData, of: &Available) -> String {
    match lack {
        MissingData::Complaints => match of.latest {
            None => "complaints: nothing was received by that day. Import some: docs/import.md".to_owned(),
            Some(day) => format!(
                "complaints: nothing was received in the {} days, the last one is of {day}. For a register of the past, name a day \
                 of it: --as-of {day}",
                of.days
            ),
        },
        MissingData::Conduct => "complaints about conduct: no complaint has a category of the kind CONDUCT, or all are \
                                 withdrawn, rejected or cleared. Map `category_kind`, or import categories with their kinds"
            .to_owned(),
        MissingData::Enterprises => "enterprises: no complainant is known, and an anonymous complaint counts as no enterprise. \
                                     Map `tax_code` where the register knows the complainant; where it does not, write anonymous = \
                                     \"own_enterprise\" into a rules file (docs/rules.toml), for --rules"
            .to_owned(),
        MissingData::Officers => "officers: none is named, so only branches can be flagged. Map `officer` where the register has one".to_owned(),
        MissingData::Branches => "branches: no complaint lies at or below a unit of the kind BRANCH, so only officers can be flagged. Map \
                                  `unit` or import units with their kinds"
            .to_owned(),
        MissingData::Confirmed => "confirmed attributions: REVIEW and SUSPENSION_REVIEW count nothing else, so officers reach WATCH at most. \
                                   Map `attribution` (a constant CONFIRMED where an inquiry identified the officer), let the Board confirm \
                                   (classifyComplaint), or leave confirmed out of a rules file (docs/rules.toml)"
            .to_owned(),
        MissingData::ExposureOfOfficers => "exposure of officers: their workload and postings are known for none or too few, so their \
                                            numbers are plain counts, not adjusted for work done. Import workload, or postings"
            .to_owned(),
        MissingData::ExposureOfBranches => "exposure of branches: the workload of units and the postings of officers are known for none or \
                                            too few, so their numbers are plain counts. Import workload, or postings"
            .to_owned(),
    }
}
