//! Why somebody is flagged, as a sentence in Vietnamese and one in English.

use super::tiers::rule_of;
use super::{Adjusted, AnonymousRule, Assessment, Rules};
use crate::exposure::Basis;
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
    let (enterprises, serious, adjusted) = if rule.confirmed {
        (window.enterprises_confirmed, window.serious_confirmed, &window.adjusted_confirmed)
    } else {
        (window.enterprises, window.serious, &window.adjusted)
    };
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
    let (who_vi, who_en) = match assessment.kind {
        SubjectKind::Officer => ("Công chức", "Officer"),
        SubjectKind::Branch => ("Chi cục", "Branch"),
    };
    let (asks_vi, asks_en) = match assessment.tier {
        Tier::Watch => ("Đề nghị theo dõi", "Proposed: watch"),
        Tier::Review => ("Đề nghị xem xét", "Proposed: review"),
        Tier::SuspensionReview => ("Đề nghị xem xét việc đình chỉ công tác", "Proposed: review for suspension"),
    };
    let serious_vi =
        if serious > 0 { format!(", trong đó {serious} phản ánh nghiêm trọng") } else { String::new() };
    let serious_en = if serious > 0 { format!(", {serious} of them serious") } else { String::new() };
    let (campaign_vi, campaign_en) = match window.campaign_complaints {
        0 => (String::new(), String::new()),
        n => (
            format!(" {n} phản ánh có nội dung gần như giống nhau được tính chung là một doanh nghiệp."),
            format!(" {n} complaints of nearly the same words are counted as one enterprise."),
        ),
    };
    let (compared_vi, compared_en) = match adjusted {
        Some(adjusted) => compared(adjusted, assessment.basis, rule.robust),
        None => (
            " Số liệu chưa điều chỉnh theo khối lượng công việc.".to_owned(),
            " The numbers are not adjusted for workload.".to_owned(),
        ),
    };
    Reason {
        vi: format!(
            "{who_vi} {code}: trong {days} ngày đến {}, {enterprises} doanh nghiệp khác nhau{anonymous_vi} đã phản ánh, với \
             {complaints} phản ánh về thái độ, hành vi{serious_vi}.{campaign_vi}{compared_vi} {asks_vi}.",
            as_of.format("%d/%m/%Y"),
        ),
        en: format!(
            "{who_en} {code}: in the {days} days to {}, {enterprises} different {}{anonymous_en} made {complaints} {} about \
             conduct{serious_en}.{campaign_en}{compared_en} {asks_en}.",
            as_of.format("%-d %B %Y"),
            if enterprises == 1 { "enterprise" } else { "enterprises" },
            if complaints == 1 { "complaint" } else { "complaints" },
        ),
    }
}

/// What was observed against what was expected.
fn compared(adjusted: &Adjusted, basis: Basis, robust: bool) -> (String, String) {
    let vi = |value: f64| number(value).replace('.', ",");
    let (of_vi, of_en) = match basis {
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
            " {observed} {} observed where colleagues with the same {of_en} would have {} ({} times as many; 95% limits {} to \
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

/// A number as people read it: two digits after the point for small ones, one for others.
fn number(value: f64) -> String {
    if value < 10.0 { format!("{value:.2}") } else { format!("{value:.1}") }
}
