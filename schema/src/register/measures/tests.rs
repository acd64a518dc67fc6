use super::*;
use MeasureState::{Extended, InForce, Lapsed, Lifted, Upcoming, Void};

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// A suspension from 4 to 22 March 2024.
fn suspension() -> Measure {
    Measure {
        id: random_id(),
        officer_id: random_id(),
        unit_id: random_id(),
        kind: MeasureKind::Suspension,
        grounds: "x".into(),
        decision_maker: "x".into(),
        decision_number: None,
        decided_on: day("2024-03-01"),
        starts_on: day("2024-03-04"),
        ends_on: Some(day("2024-03-22")),
        end_reason: None,
        flag_id: None,
        void_reason: None,
        recorded_by_unit_id: random_id(),
        recorded_at: crate::Timestamp::now(),
        version: 1,
        actor: "x".into(),
        ground: Some(SuspensionGround::HarassmentOfEnterprises),
        explanation: Some("x".into()),
        explained_on: Some(day("2024-03-01")),
        explanation_refused_on: None,
        limits_version: Some("1".into()),
        limit_days: Some(15),
        extension_limit_days: Some(15),
        extended_from: None,
        extension_decided_on: None,
        extension_reason: None,
        lifted_on: None,
        basis: Some(MeasureBasisKind::None),
        no_basis_reason: Some("x".into()),
    }
}

#[test]
fn a_measure_lapses_by_itself() {
    let states = |measure: &Measure| {
        ["2024-03-03", "2024-03-04", "2024-03-22", "2024-03-23", "2024-04-12", "2024-04-13"]
            .map(|text| state_on(measure, day(text)))
    };
    let measure = suspension();
    assert_eq!(states(&measure), [Upcoming, InForce, InForce, Lapsed, Lapsed, Lapsed]);
    let extended = Measure { extended_from: measure.ends_on, ends_on: Some(day("2024-04-12")), ..measure.clone() };
    assert_eq!(states(&extended), [Upcoming, InForce, InForce, Extended, Extended, Lapsed]);
    let lifted = Measure { lifted_on: Some(day("2024-03-04")), ends_on: Some(day("2024-03-04")), ..measure.clone() };
    assert_eq!(states(&lifted), [Upcoming, InForce, Lifted, Lifted, Lifted, Lifted]);
    let without_end = Measure { ends_on: None, kind: MeasureKind::Reassignment, ..measure.clone() };
    assert_eq!(states(&without_end), [Upcoming, InForce, InForce, InForce, InForce, InForce]);
    let void = Measure { void_reason: Some("x".into()), ..measure };
    assert_eq!(states(&void), [Void; 6]);
}
