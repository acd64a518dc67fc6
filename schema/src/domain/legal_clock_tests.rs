use super::*;
use LegalForm::{Denunciation, Feedback, Grievance};

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn received(on: &str) -> RoundClock {
    RoundClock::begun(day(on))
}

fn stop(from: &str, to: Option<&str>) -> Stop {
    Stop { from: day(from), to: to.map(day) }
}

const fn working(days: u32) -> Option<Deadline> {
    Some(Deadline { days, unit: DeadlineUnit::Working })
}

const fn calendar(days: u32) -> Option<Deadline> {
    Some(Deadline { days, unit: DeadlineUnit::Calendar })
}

#[test]
fn the_documented_terms_are_the_defaults() {
    assert_eq!(Terms::parse(include_str!("../../../docs/deadlines.toml")), Ok(Terms::default()));
}

#[test]
fn wrong_terms_are_refused() {
    let documented = include_str!("../../../docs/deadlines.toml");
    for (from, to, expected) in [
        ("extension_days = 5", "extension_days = 6", "reserved"),
        ("version = \"1\"", "version = \" \"", "blank"),
        ("version = \"1\"", "weeks = 2\nversion = \"2\"", "weeks"),
        ("version = \"1\"\n", "", "version"),
    ] {
        let refused = Terms::parse(&documented.replacen(from, to, 1)).expect_err(from);
        assert!(refused.contains(expected), "{refused}");
    }
    let endless = documented.replace("version = \"1\"", "version = \"2\"").replace("\ndays = 30", "\ndays = 0");
    assert!(Terms::parse(&endless).expect_err("no days").contains("from 1 to 3650"));
}

#[test]
fn feedback_is_due_by_the_days_of_its_category() {
    let rules = ClockRules::shipped();
    let due = |on: &str, deadline| rules.due_on(Feedback, deadline, &received(on));
    // 2024: Friday 2 February is followed by Monday; Tết was off from Thursday 8 to Wednesday 14 February.
    assert_eq!(due("2024-02-02", working(3)), Some(day("2024-02-07")));
    assert_eq!(due("2024-02-02", working(4)), Some(day("2024-02-15")));
    assert_eq!(due("2024-02-02", calendar(3)), Some(day("2024-02-05")));
    // A term of calendar days that ends on a day off ends on the next working day.
    assert_eq!(due("2024-02-02", calendar(7)), Some(day("2024-02-15")));
    assert_eq!(due("2024-02-02", None), None);
    assert_eq!(due("2024-02-05", working(0)), Some(day("2024-02-05")));
    // Years without known holidays: Monday to Friday.
    assert_eq!(due("2001-06-01", working(5)), Some(day("2001-06-08")));
    assert_eq!(due("2013-12-30", working(3)), Some(day("2014-01-03")));
    // A deadline of millions of years ends nowhere.
    assert_eq!(due("2024-02-02", working(u32::MAX)), None);
}

#[test]
fn a_grievance_is_accepted_within_ten_working_days_and_settled_in_30_45_or_60_days() {
    let rules = ClockRules::shipped();
    let mut clock = received("2024-03-04");
    assert_eq!(rules.acceptance_due_on(Grievance, &clock), Some(day("2024-03-18")));
    // The complaint is not accepted yet. The deadline is computed as if it were accepted on the last day, 18 March + 30
    // days = 17 April.
    assert_eq!(rules.due_on(Grievance, None, &clock), Some(day("2024-04-17")));
    clock.accepted_on = Some(day("2024-03-06"));
    assert_eq!(rules.due_on(Grievance, working(3), &clock), Some(day("2024-04-05")));
    clock.extended_days = 15;
    // 45 days end on Saturday 20 April.
    assert_eq!(rules.due_on(Grievance, None, &clock), Some(day("2024-04-22")));
    clock.remote_area = true;
    // 60 days end on Sunday 5 May.
    assert_eq!(rules.due_on(Grievance, None, &clock), Some(day("2024-05-06")));
    clock.extended_days = 0;
    assert_eq!(rules.due_on(Grievance, None, &clock), Some(day("2024-04-22")));
    assert_eq!(rules.terms.extensions(Grievance), (1, 15));
}

#[test]
fn a_denunciation_has_30_days_extended_by_30_twice() {
    let rules = ClockRules::shipped();
    let mut clock = received("2024-03-04");
    clock.accepted_on = Some(day("2024-03-05"));
    assert_eq!(rules.due_on(Denunciation, None, &clock), Some(day("2024-04-04")));
    let (times, days) = rules.terms.extensions(Denunciation);
    assert_eq!((times, days), (2, 30));
    clock.extended_days = times * days;
    assert_eq!(rules.due_on(Denunciation, None, &clock), Some(day("2024-06-03")));
}

#[test]
fn the_clock_does_not_run_while_it_is_stopped() {
    let rules = ClockRules::shipped();
    let mut clock = received("2024-03-04");
    assert_eq!(rules.due_on(Feedback, working(5), &clock), Some(day("2024-03-11")));
    // Stopped from Thursday to Tuesday: four working days do not count.
    clock.stops = vec![stop("2024-03-07", Some("2024-03-13"))];
    assert_eq!(rules.due_on(Feedback, working(5), &clock), Some(day("2024-03-15")));
    assert_eq!(rules.due_on(Feedback, calendar(7), &clock), Some(day("2024-03-18")));
    // A second stop begins within the time that the first one added.
    clock.stops.push(stop("2024-03-15", Some("2024-03-18")));
    assert_eq!(rules.due_on(Feedback, working(5), &clock), Some(day("2024-03-18")));
    // What was over is not due again, and what is still stopped moves nothing yet.
    clock.stops = vec![stop("2024-03-12", Some("2024-04-12")), stop("2024-04-15", None)];
    assert_eq!(rules.due_on(Feedback, working(5), &clock), Some(day("2024-03-11")));
    // Days before acceptance do not move what begins with it.
    clock.stops = vec![stop("2024-03-04", Some("2024-03-08"))];
    clock.accepted_on = Some(day("2024-03-08"));
    assert_eq!(rules.due_on(Grievance, None, &clock), Some(day("2024-04-08")));
}

#[test]
fn files_change_the_rules_and_their_hash() {
    let shipped = ClockRules::shipped();
    assert_eq!(ClockRules::of(&ClockFiles::default(), &Years::new()).as_ref(), Ok(shipped));
    let terms = include_str!("../../../docs/deadlines.toml")
        .replace("version = \"1\"", "version = \"2\"")
        .replace("extension_days = 5", "extension_days = 7");
    let other = ClockRules::of(&ClockFiles { holidays: None, terms: Some(terms) }, &Years::new()).expect("rules");
    assert_eq!(other.terms.extensions(Feedback), (1, 7));
    let holidays = "[2028]\noff = [\"2028-01-03\"]\n".to_owned();
    let further = ClockRules::of(&ClockFiles { holidays: Some(holidays), terms: None }, &Years::new()).expect("rules");
    assert_eq!(further.due_on(Feedback, working(1), &received("2027-12-31")), Some(day("2028-01-04")));
    assert_eq!(shipped.due_on(Feedback, working(1), &received("2027-12-31")), Some(day("2028-01-03")));
    let hashes = [shipped.hash(), other.hash(), further.hash()];
    assert!(hashes[0] != hashes[1] && hashes[0] != hashes[2] && hashes[1] != hashes[2]);
}
