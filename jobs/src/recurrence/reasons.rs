//! Why somebody is flagged, as a sentence in Vietnamese and one in English.

use super::tiers::rule_of;
use super::{AnonymousRule, Assessment, Rules};
use chrono::NaiveDate;
use schema::enums::{SubjectKind, Tier};

/// The sentences of a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    pub vi: String,
    pub en: String,
}

/// Says why. A flag proposes a review; it does not say that anybody did wrong.
pub fn reason(assessment: &Assessment, as_of: NaiveDate, rules: &Rules) -> Reason {
    let rule = rule_of(rules, assessment.tier);
    let window = assessment.windows.iter().find(|window| window.days == rule.days).cloned().unwrap_or_default();
    let enterprises = if rule.confirmed { window.enterprises_confirmed } else { window.enterprises };
    let serious = if rule.confirmed { window.serious_confirmed } else { window.serious };
    let code = &assessment.subject.code;
    let (days, complaints) = (rule.days, assessment.evidence.len());
    let anonymous = if rules.anonymous == AnonymousRule::OwnEnterprise { window.anonymous } else { 0 };
    let (anonymous_vi, anonymous_en) = match anonymous {
        0 => (String::new(), String::new()),
        n => (
            format!(" (mỗi phản ánh ẩn danh được tính là một doanh nghiệp: {n})"),
            format!(" (each anonymous complaint counted as one: {n})"),
        ),
    };
    let who_vi = match assessment.kind {
        SubjectKind::Officer => "Công chức",
        SubjectKind::Branch => "Chi cục",
    };
    let who_en = match assessment.kind {
        SubjectKind::Officer => "Officer",
        SubjectKind::Branch => "Branch",
    };
    let (asks_vi, asks_en) = match assessment.tier {
        Tier::Watch => ("Đề nghị theo dõi", "Proposed: watch"),
        Tier::Review => ("Đề nghị xem xét", "Proposed: review"),
        Tier::SuspensionReview => ("Đề nghị xem xét việc đình chỉ công tác", "Proposed: review for suspension"),
    };
    let serious_vi =
        if serious > 0 { format!(", trong đó {serious} phản ánh nghiêm trọng") } else { String::new() };
    let serious_en = if serious > 0 { format!(", {serious} of them serious") } else { String::new() };
    Reason {
        vi: format!(
            "{who_vi} {code}: trong {days} ngày đến {}, {enterprises} doanh nghiệp khác nhau{anonymous_vi} đã phản ánh, với \
             {complaints} phản ánh về thái độ, hành vi{serious_vi}. {asks_vi}. Số liệu chưa điều chỉnh theo khối lượng \
             công việc.",
            as_of.format("%d/%m/%Y"),
        ),
        en: format!(
            "{who_en} {code}: in the {days} days to {as_of}, {enterprises} different {}{anonymous_en} made {complaints} {} about \
             conduct{serious_en}. {asks_en}. The numbers are not adjusted for workload.",
            if enterprises == 1 { "enterprise" } else { "enterprises" },
            if complaints == 1 { "complaint" } else { "complaints" },
        ),
    }
}
