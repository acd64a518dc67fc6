use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn calendar() -> WorkingDays {
    WorkingDays::shipped()
}

/// The calendar with the years of a file of this text.
fn with(text: &str) -> Result<WorkingDays, String> {
    WorkingDays::with(Some(text), &Years::new())
}

#[test]
fn each_year_has_the_days_off_of_the_law() {
    let years = shipped_years();
    assert_eq!(years.keys().copied().collect::<Vec<_>>(), (2014..=2027).collect::<Vec<_>>());
    for (year, days) in &years {
        assert!(days.off.iter().all(|day| !is_weekend(*day)), "{year}: a weekend needs no entry");
        assert!(days.off.is_sorted() && days.worked.is_sorted(), "{year}");
        // New Year 1, Tết 5, the Hùng Kings 1, 30 April 1, 1 May 1, the National Day 1, from 2021 on 2, and from 2026
        // on the Day of Culture. A day off in exchange is worked on a Saturday, perhaps of the year before or after.
        let by_law = 10 + usize::from(*year >= 2021) + usize::from(*year >= 2026);
        let of_next_year = usize::from(*year == 2014);
        let for_next_year = usize::from(*year == 2018);
        let earlier = usize::from(*year == 2015);
        let later = usize::from(*year == 2019);
        let found = days.off.len() + of_next_year + later - days.worked.len() - for_next_year - earlier;
        assert_eq!(found, by_law, "{year}");
    }
}

#[test]
fn tet_is_off_as_the_government_decided() {
    // The last working day before, the first one after.
    for (before, after) in [
        ("2014-01-27", "2014-02-06"),
        ("2015-02-14", "2015-02-24"),
        ("2016-02-05", "2016-02-15"),
        ("2017-01-25", "2017-02-02"),
        ("2018-02-13", "2018-02-21"),
        ("2019-02-01", "2019-02-11"),
        ("2020-01-22", "2020-01-30"),
        ("2021-02-09", "2021-02-17"),
        ("2022-01-28", "2022-02-07"),
        ("2023-01-19", "2023-01-27"),
        ("2024-02-07", "2024-02-15"),
        ("2025-01-24", "2025-02-03"),
        ("2026-02-13", "2026-02-23"),
        ("2027-02-03", "2027-02-11"),
    ] {
        assert_eq!(calendar().is_working_day(day(before)), Ok(true), "{before}");
        assert_eq!(calendar().add_working_days(day(before), 1), Ok(day(after)));
        assert_eq!(calendar().working_days_between(day(before), day(after)), Ok(2));
    }
}

#[test]
fn days_are_exchanged() {
    for (off, worked) in [
        ("2014-01-28", "2014-01-25"),
        ("2014-05-02", "2014-04-26"),
        ("2015-01-02", "2014-12-27"),
        ("2018-12-31", "2019-01-05"),
        ("2024-04-29", "2024-05-04"),
        ("2025-05-02", "2025-04-26"),
        ("2026-01-02", "2026-01-10"),
        ("2026-08-31", "2026-08-22"),
    ] {
        assert_eq!(calendar().is_working_day(day(off)), Ok(false), "{off}");
        assert_eq!(calendar().is_working_day(day(worked)), Ok(true), "{worked}");
    }
    // A holiday on a weekend moves to the next working day; an ordinary Saturday is off.
    assert_eq!(calendar().is_working_day(day("2022-01-03")), Ok(false));
    assert_eq!(calendar().is_working_day(day("2024-05-11")), Ok(false));
}

#[test]
fn fifteen_working_days_pass_over_tet() {
    // From Thursday 1 February 2024: 1, 2, 5, 6, 7 are five days, Tết is from 8 to 14, then 15, 16, 19 to 23, 26 to 28.
    assert_eq!(calendar().last_of_working_days(day("2024-02-01"), 15), Ok(day("2024-02-28")));
    assert_eq!(calendar().working_days_between(day("2024-02-01"), day("2024-02-28")), Ok(15));
    // Without holidays three weeks, the first day included.
    assert_eq!(calendar().last_of_working_days(day("2024-03-04"), 15), Ok(day("2024-03-22")));
    assert_eq!(calendar().add_working_days(day("2024-03-04"), 15), Ok(day("2024-03-25")));
    // A period that begins on a Sunday counts from the Monday on.
    assert_eq!(calendar().last_of_working_days(day("2024-03-03"), 15), Ok(day("2024-03-22")));
    assert_eq!(calendar().add_working_days(day("2024-03-03"), 0), Ok(day("2024-03-03")));
    assert_eq!(calendar().working_days_between(day("2024-03-05"), day("2024-03-04")), Ok(0));
}

#[test]
fn every_answer_is_that_of_counting_day_by_day() {
    let calendar = calendar();
    let first = day("2018-12-20");
    for from in first.iter_days().take(80) {
        let mut counted = 0;
        for to in from.iter_days().take(60) {
            counted += u32::from(calendar.is_working_day(to).expect("a year"));
            assert_eq!(calendar.working_days_between(from, to), Ok(counted), "{from} to {to}");
            if calendar.is_working_day(to) == Ok(true) {
                assert_eq!(calendar.last_of_working_days(from, counted), Ok(to), "{from} to {to}");
            }
        }
    }
}

#[test]
fn a_year_without_data_says_what_to_do() {
    let unknown = UnknownYear { year: 2028, first: 2014, last: 2027 };
    assert_eq!(calendar().is_working_day(day("2028-01-03")), Err(unknown.clone()));
    assert_eq!(calendar().add_working_days(day("2027-12-30"), 15), Err(unknown.clone()));
    assert_eq!(calendar().last_of_working_days(day("2027-12-30"), 15), Err(unknown.clone()));
    assert_eq!(calendar().working_days_between(day("2013-12-31"), day("2014-01-02")).map_err(|e| e.year), Err(2013));
    assert!(unknown.to_string().contains("[calendar] holidays"), "{unknown}");
}

#[test]
fn a_file_adds_and_replaces_years() {
    let more = with("[2028]\noff = [\"2028-01-03\"]\n[2027]\noff = [\"2027-02-08\"]\nworked = [\"2027-02-13\"]\n");
    let more = more.expect("a calendar");
    assert_eq!(more.years(), 2014..=2028);
    assert_eq!(more.is_working_day(day("2028-01-03")), Ok(false));
    assert_eq!(more.is_working_day(day("2028-01-04")), Ok(true));
    assert_eq!(more.is_working_day(day("2027-02-13")), Ok(true), "the year is replaced");
    assert_eq!(more.is_working_day(day("2027-02-05")), Ok(true), "the year is replaced");
    assert_eq!(more.is_working_day(day("2026-02-16")), Ok(false));
    for (text, expected) in [
        ("[2030]\n", "add 2028, 2029"),
        ("[2028]\noff = [\"2027-01-01\"]\n", "2028.off: 2027-01-01"),
        ("[2028]\nworked = [\"2028-01-03\"]\n", "2028.worked: 2028-01-03"),
        ("[later]\n", "[later] is not a year"),
        ("[2028]\nfree = []\n", "free"),
    ] {
        let refused = with(text).expect_err(text);
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn years_of_the_register_win_over_those_of_a_file() {
    let file = "[2027]\noff = [\"2027-02-08\"]\n[2028]\noff = [\"2028-01-03\"]\n";
    let days = |off: &[&str], worked: &[&str]| {
        let [off, worked] = [off, worked].map(|days| days.iter().copied().map(day).collect());
        YearDays { off, worked }.sorted()
    };
    let register = Years::from([
        (2028, days(&["2028-01-05", "2028-01-04", "2028-01-05"], &["2028-01-08"])),
        (2029, days(&["2029-01-01"], &[])),
    ]);
    assert_eq!(register[&2028].off, [day("2028-01-04"), day("2028-01-05")]);
    let calendar = WorkingDays::with(Some(file), &register).expect("a calendar");
    assert_eq!(calendar.years(), 2014..=2029);
    for (on, works) in [
        ("2027-02-08", false),
        ("2028-01-03", true),
        ("2028-01-04", false),
        ("2028-01-08", true),
        ("2029-01-01", false),
        ("2026-02-16", false),
    ] {
        assert_eq!(calendar.is_working_day(day(on)), Ok(works), "{on}");
    }
    let gap = Years::from([(2029, days(&["2029-01-01"], &[]))]);
    assert!(WorkingDays::with(None, &gap).expect_err("a gap").contains("add 2028"));
}
