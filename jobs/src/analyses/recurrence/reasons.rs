//! The reason for a flag, as text in Vietnamese and in English.

use super::tiers::rule_of;
use super::{Adjusted, AnonymousRule, Assessment, Complainants, Rules};
use crate::facts::exposure::Basis;
use chrono::NaiveDate;
use schema::enums::{Proposed, SubjectKind};

/// The reason for a flag in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    pub vi: String,
    pub en: String,
}

/// Words the reason for a flag. The text proposes a review and must not claim misconduct.
pub fn reason(assessment: &Assessment, as_of: NaiveDate, rules: &Rules) -> Reason {
    let rule = rule_of(rules, assessment.tier);
    let window = assessment.windows.iter().find(|window| window.days == rule.days).cloned().unwrap_or_default();
    let (serious, adjusted) = if rule.confirmed {
        (window.serious_confirmed, &window.adjusted_confirmed)
    } else {
        (window.serious, &window.adjusted)
    };
    let (code, days) = (&assessment.subject.code, rule.days);
    let (who_vi, who_en) = match assessment.kind {
        SubjectKind::Officer => ("Công chức", "Officer"),
        SubjectKind::Branch => ("Chi cục", "Branch"),
    };
    let (asks_vi, asks_en) = match assessment.tier.proposed(assessment.kind) {
        Proposed::Watch => ("Đề nghị theo dõi", "Proposed: watch"),
        Proposed::Review => ("Đề nghị xem xét", "Proposed: review"),
        Proposed::SuspensionReview => ("Đề nghị xem xét việc đình chỉ công tác", "Proposed: review for suspension"),
        Proposed::Inspection => ("Đề nghị kiểm tra chi cục", "Proposed: inspection of the branch"),
    };
    let (from_vi, from_en) = complainants(assessment, rules.anonymous == AnonymousRule::OwnEnterprise);
    // If named and anonymous complaints were mentioned, "of them" would be ambiguous.
    let of_both = assessment.complainants.enterprises > 0 && assessment.complainants.anonymous > 0;
    let (serious_vi, serious_en) = match (serious, of_both) {
        (0, _) => (String::new(), String::new()),
        (n, false) => (format!(", trong đó {n} phản ánh nghiêm trọng"), format!(", {n} of them serious")),
        (n, true) => (format!("; tất cả có {n} phản ánh nghiêm trọng"), format!("; {n} in all are serious")),
    };
    let (campaign_vi, campaign_en) = match window.campaign_complaints {
        0 => (String::new(), String::new()),
        n => (
            format!(" {n} phản ánh có nội dung gần như giống nhau được tính chung là một doanh nghiệp."),
            format!(" {n} complaints of nearly the same words are counted as one enterprise."),
        ),
    };
    let (compared_vi, compared_en) = match adjusted {
        Some(adjusted) => compared(adjusted, assessment, rule.robust),
        None => (
            " Số liệu chưa điều chỉnh theo khối lượng công việc.".to_owned(),
            " The numbers are not adjusted for workload.".to_owned(),
        ),
    };
    Reason {
        vi: format!(
            "{who_vi} {code}: trong {days} ngày đến {}, {from_vi}{serious_vi}.{campaign_vi}{compared_vi} {asks_vi}.",
            as_of.format("%d/%m/%Y"),
        ),
        en: format!(
            "{who_en} {code}: in the {days} days to {}, {from_en}{serious_en}.{campaign_en}{compared_en} {asks_en}.",
            as_of.format("%-d %B %Y"),
        ),
    }
}

/// Words who complained. The register cannot tell whether anonymous complaints come from different
/// enterprises, so the text counts them separately.
fn complainants(assessment: &Assessment, anonymous_count: bool) -> (String, String) {
    let Complainants { enterprises, anonymous } = assessment.complainants;
    let complaints = u32::try_from(assessment.evidence.len()).unwrap_or(u32::MAX);
    let named = complaints.saturating_sub(anonymous);
    let many = |n: u32, one: &'static str, several: &'static str| if n == 1 { one } else { several };
    let (rule_vi, rule_en) = match (anonymous_count, anonymous) {
        (false, _) => ("", ""),
        (true, 1) => (
            " (theo quy tắc được tính là một bên phản ánh riêng)",
            " (by the rules it counts as a complainant of its own)",
        ),
        (true, _) => (
            " (theo quy tắc, mỗi phản ánh được tính là một bên phản ánh riêng)",
            " (by the rules each counts as a complainant of its own)",
        ),
    };
    if enterprises == 0 {
        return (
            format!("có {anonymous} phản ánh ẩn danh về thái độ, hành vi{rule_vi}"),
            format!(
                "{anonymous} anonymous {} received about conduct{rule_en}",
                many(anonymous, "complaint was", "complaints were")
            ),
        );
    }
    let vi = format!("{enterprises} doanh nghiệp khác nhau đã phản ánh, với {named} phản ánh về thái độ, hành vi");
    let en = format!(
        "{enterprises} different {} made {named} {} about conduct",
        many(enterprises, "enterprise", "enterprises"),
        many(named, "complaint", "complaints"),
    );
    if anonymous == 0 {
        return (vi, en);
    }
    (
        format!("{vi}, và có thêm {anonymous} phản ánh ẩn danh{rule_vi}"),
        format!("{en}, and {anonymous} more {} anonymous{rule_en}", many(anonymous, "was", "were")),
    )
}

/// Words the comparison of observed with expected.
fn compared(adjusted: &Adjusted, assessment: &Assessment, robust: bool) -> (String, String) {
    let vi = |value: f64| number(value).replace('.', ",");
    let others = match assessment.kind {
        SubjectKind::Officer => "colleagues",
        SubjectKind::Branch => "other branches",
    };
    let (of_vi, of_en) = match assessment.basis {
        Basis::PostingDays => ("số ngày công tác", "days in posting"),
        _ => ("khối lượng tờ khai", "number of declarations"),
    };
    let Adjusted { observed, expected, ratio, lower, upper, eb05, .. } = adjusted;
    let (holds_vi, holds_en) = if robust {
        (
            " Kết quả không đổi khi bỏ bất kỳ một doanh nghiệp nào, hoặc mọi phản ánh ẩn danh.",
            " It holds without any one enterprise, and without anonymous complaints.",
        )
    } else {
        ("", "")
    };
    (
        format!(
            " Số vụ ghi nhận là {observed}; với {of_vi} tương đương, dự kiến là {} (gấp {} lần; khoảng tin cậy 95%: {} đến \
             {}). Sau khi hiệu chỉnh, tỷ lệ gấp ít nhất {} lần mức chung, với xác suất 95%.{holds_vi}",
            vi(*expected),
            vi(*ratio),
            vi(*lower),
            vi(*upper),
            vi(*eb05),
        ),
        format!(
            " {observed} {} observed where {others} with the same {of_en} would have {} ({} times as many; 95% limits {} to \
             {}). After shrinkage the rate is at least {} times the general one, with a probability of 95%.{holds_en}",
            if *observed == 1 { "episode was" } else { "episodes were" },
            number(*expected),
            number(*ratio),
            number(*lower),
            number(*upper),
            number(*eb05),
        ),
    )
}

/// Formats a number with two decimals below 10 and one from 10 on.
fn number(value: f64) -> String {
    if value < 10.0 { format!("{value:.2}") } else { format!("{value:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analyses::recurrence::WindowNumbers;
    use crate::facts::Subject;
    use crate::facts::exposure::Basis;
    use schema::Id;
    use schema::enums::Tier;

    /// The reason for a flag of this tier with this many enterprises and anonymous complaints.
    fn said(kind: SubjectKind, tier: Tier, enterprises: u32, anonymous: u32, rule: AnonymousRule) -> Reason {
        let id = |n: u128| Id(uuid::Uuid::from_u128(n));
        let assessment = Assessment {
            kind,
            subject: Subject { code: "X".into(), id: id(0) },
            tier,
            windows: [30, 90, 180, 365].map(|days| WindowNumbers { days, ..WindowNumbers::default() }),
            basis: Basis::None,
            evidence: (0..u128::from(enterprises + anonymous)).map(id).collect(),
            complainants: Complainants { enterprises, anonymous },
        };
        let rules = Rules { anonymous: rule, ..Rules::default() };
        reason(&assessment, NaiveDate::default(), &rules)
    }

    #[test]
    fn anonymous_complaints_are_told_apart_and_never_called_different_enterprises() {
        use AnonymousRule::{NotCounted, OwnEnterprise};
        let watch =
            |enterprises, anonymous, rule| said(SubjectKind::Officer, Tier::Watch, enterprises, anonymous, rule);
        let named = watch(2, 0, NotCounted);
        assert!(named.en.contains("2 different enterprises made 2 complaints about conduct."), "{}", named.en);
        let mixed = watch(2, 1, NotCounted);
        assert!(
            mixed.en.contains("2 different enterprises made 2 complaints about conduct, and 1 more was anonymous."),
            "{}",
            mixed.en
        );
        assert!(
            mixed.vi.contains("với 2 phản ánh về thái độ, hành vi, và có thêm 1 phản ánh ẩn danh."),
            "{}",
            mixed.vi
        );
        let counted = watch(2, 3, OwnEnterprise);
        assert!(counted.en.contains("and 3 more were anonymous (by the rules each counts"), "{}", counted.en);
        let without = watch(0, 4, OwnEnterprise);
        assert!(
            without.en.contains("4 anonymous complaints were received about conduct (by the rules"),
            "{}",
            without.en
        );
        assert!(!without.en.contains("enterprise") && !without.vi.contains("doanh nghiệp"), "{without:?}");
    }

    #[test]
    fn a_branch_is_inspected_and_an_officer_suspended() {
        let gravest = |kind| said(kind, Tier::SuspensionReview, 5, 0, AnonymousRule::NotCounted);
        let (branch, officer) = (gravest(SubjectKind::Branch), gravest(SubjectKind::Officer));
        assert!(
            branch.en.ends_with("Proposed: inspection of the branch.")
                && branch.vi.ends_with("Đề nghị kiểm tra chi cục.")
        );
        assert!(officer.en.ends_with("Proposed: review for suspension.") && officer.vi.contains("đình chỉ"));
    }
}
