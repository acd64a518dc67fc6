//! What a run had to count and what it lacked, with what to set: so that one that flags nobody says why.

use jobs::analyses::recurrence::{Available, Lack, Most};
use jobs::facts::monthly::MonthlySource;
use schema::enums::SubjectKind;

/// The counts, and a line for each thing that is missing.
pub fn told(available: &Available, lacks: &[Lack]) -> String {
    let mut lines = vec![counts(available)];
    lines.extend(lacks.iter().map(|lack| format!("missing: {}", said(*lack, available))));
    lines.join("\n")
}

/// A line for each source that gives months without days.
pub fn monthly(sources: &[MonthlySource]) -> Vec<String> {
    let line = |MonthlySource { source, complaints }: &MonthlySource| {
        format!(
            "{source:?} gives months without days ({complaints} complaints in the longest window): windows shorter than 90 days are \
             left out for whom they are about"
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
            of_kind.map(|Most { code, complaints, .. }| format!("{code} ({complaints})")).collect();
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

/// What is missing, and what to do.
fn said(lack: Lack, of: &Available) -> String {
    match lack {
        Lack::Complaints => match of.latest {
            None => "complaints: nothing was received by that day. Import some: docs/import.md".to_owned(),
            Some(day) => format!(
                "complaints: nothing was received in the {} days, the last one is of {day}. For a register of the past say a day \
                 of its own: --as-of {day}",
                of.days
            ),
        },
        Lack::Conduct => "complaints about conduct: no category that is complained about is of the kind CONDUCT, or all are \
                          withdrawn, rejected or cleared. Map `category_kind`, or import categories with their kinds"
            .to_owned(),
        Lack::Enterprises => "enterprises: nobody is known to have complained, and an anonymous complaint counts as no enterprise. \
                              Map `tax_code` where the register knows the complainant; where it does not, write anonymous = \
                              \"own_enterprise\" into a rules file (docs/rules.toml), for --rules"
            .to_owned(),
        Lack::Officers => "officers: none is named, so only branches can be flagged. Map `officer` where the register has one".to_owned(),
        Lack::Branches => "branches: no complaint lies at or below a unit of the kind BRANCH, so only officers can be flagged. Map \
                           `unit` or import units with their kinds"
            .to_owned(),
        Lack::Confirmed => "confirmed attributions: REVIEW and SUSPENSION_REVIEW count nothing else, so officers reach WATCH at most. \
                            Map `attribution` (a constant CONFIRMED where an inquiry said who it was), let the Board confirm \
                            (classifyComplaint), or leave confirmed out of a rules file (docs/rules.toml)"
            .to_owned(),
        Lack::ExposureOfOfficers => "exposure of officers: neither their workload nor their postings are known, or of too few, so \
                                     their numbers are counts that no colleague's work is held against. Import workload, or postings"
            .to_owned(),
        Lack::ExposureOfBranches => "exposure of branches: neither the workload of units nor the postings of officers are known, or \
                                     of too few, so their numbers are counts. Import workload, or postings"
            .to_owned(),
    }
}
