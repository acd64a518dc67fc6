//! The invented world: every value follows from the seed and a number.

use super::Invented;
use super::cells::Value;
use crate::facts::days::day_number;
use chrono::{Datelike, Days, Months, NaiveDate};
use schema::Timestamp;

/// Months of complaints.
pub const MONTHS: u32 = 60;
const MICROSECONDS_OF_DAY: i64 = 86_400_000_000;
pub const BRANCHES: u64 = 40;
pub const BRANCHES_OF_DEPARTMENT: u64 = 4;
const PEER_GROUPS: [&str; 4] = ["SEAPORT", "AIRPORT", "LAND_BORDER", "INLAND"];
/// Code, kind and whether serious.
pub const CATEGORIES: [(&str, &str, bool); 6] = [
    ("CON-BRIBE", "CONDUCT", true),
    ("CON-RUDE", "CONDUCT", false),
    ("CON-DELAY", "CONDUCT", false),
    ("PRO-DOCS", "PROCEDURE", false),
    ("PRF-CODE", "PROFICIENCY", false),
    ("TEC-DOWN", "TECHNICAL", false),
];

/// The invented world.
pub struct World {
    of: Invented,
    /// The first day.
    pub first: NaiveDate,
    pub officers: u64,
    enterprises: u64,
}

impl World {
    pub fn new(of: Invented) -> Self {
        let first = of.until.with_day(1).unwrap_or(of.until) - Months::new(MONTHS - 1);
        let (officers, enterprises) =
            ((of.complaints / 1_000).clamp(200, 100_000), (of.complaints / 20).clamp(1_000, 5_000_000));
        Self { of, first, officers, enterprises }
    }

    /// The complaints before a month.
    pub fn until_month(&self, month: u32) -> u64 {
        let share = u128::from(self.of.complaints) * u128::from(month) / u128::from(MONTHS);
        u64::try_from(share).unwrap_or(u64::MAX)
    }

    pub fn as_of(&self) -> Timestamp {
        let at = i64::from(day_number(self.of.until)) * MICROSECONDS_OF_DAY + MICROSECONDS_OF_DAY / 2;
        Timestamp::from_micros(at).unwrap_or_else(Timestamp::now)
    }

    /// A number below `below` that follows from a purpose and a number.
    fn chance(&self, purpose: u64, number: u64, below: u64) -> u64 {
        mix(mix(self.of.seed ^ mix(purpose)) ^ number) % below.max(1)
    }

    /// A number below `below`, small ones more often.
    fn skewed(&self, purpose: u64, number: u64, below: u64) -> u64 {
        let unit = self.chance(purpose, number, 1 << 30) as f64 / f64::from(1u32 << 30);
        ((unit * unit * unit * below as f64) as u64).min(below.saturating_sub(1))
    }

    /// Number of officers that a complaint names.
    pub fn named(&self, complaint: u64) -> u64 {
        match self.chance(1, complaint, 100) {
            0..15 => 0,
            15..85 => 1,
            _ => 2,
        }
    }

    fn officer(&self, complaint: u64, nth: u64) -> u64 {
        self.skewed(2, complaint.wrapping_mul(2) + nth, self.officers)
    }

    fn day(&self, complaint: u64, month: NaiveDate) -> NaiveDate {
        let last = (month + Months::new(1)).pred_opt().unwrap_or(month).min(self.of.until);
        let days = u64::from(last.day());
        let day = u32::try_from(self.chance(3, complaint, days)).unwrap_or_default();
        month.with_day(day + 1).unwrap_or(month)
    }

    pub fn cell(&self, table: &str, column: &str, (number, nth): (u64, u64), month: NaiveDate) -> Value {
        match table {
            "complaints" => self.complaint(column, number, month),
            "allegations" => self.allegation(column, number, nth, month),
            _ => self.reference(table, column, number, month),
        }
    }

    fn complaint(&self, column: &str, number: u64, month: NaiveDate) -> Value {
        // A complaint is about the branch of the first officer.
        let branch = self.officer(number, 0) % BRANCHES;
        let (category, kind, _) = category(self.chance(4, number, CATEGORIES.len() as u64));
        let day = self.day(number, month);
        let closed = self.chance(5, number, 10) > 0;
        let text = |value: &str| Value::Text(value.to_owned());
        match column {
            "complaint" => Value::Text(pseudonym(self.of.seed, 'c', number)),
            "received_on" | "received_at" => Value::Day(day),
            "month" => Value::Day(month),
            "year" => Value::Whole(i64::from(day.year())),
            "department" => Value::Text(format!("{:02}", branch / BRANCHES_OF_DEPARTMENT + 1)),
            "branch" | "unit" | "responsible_unit" => Value::Text(branch_code(branch)),
            "category" => text(category),
            "category_group" | "kind" => text(kind),
            "legal_form" => text("FEEDBACK"),
            "channel" => text(if self.chance(6, number, 3) == 0 { "HOTLINE" } else { "PORTAL" }),
            "state" if closed => text("CLOSED"),
            "state" => text("RECEIVED"),
            "ended_on" if closed => Value::Day(day + Days::new(self.chance(7, number, 40))).until(self.of.until),
            "enterprise" if self.chance(8, number, 10) > 0 => {
                Value::Text(pseudonym(self.of.seed, 'e', self.skewed(9, number, self.enterprises)))
            }
            "cost_vnd" => Value::Whole(i64::try_from(self.chance(10, number, 50_000)).unwrap_or_default() * 1_000),
            "delay_hours" => Value::Whole(i64::try_from(self.chance(11, number, 96)).unwrap_or_default()),
            "blames_system" => Value::Flag(self.chance(12, number, 8) == 0),
            "confidential" => Value::Flag(self.chance(13, number, 12) == 0),
            "due_on" => Value::Day(day + Days::new(15)),
            "peer_group" => text(peer_group(branch)),
            "officers" => Value::Whole(i64::try_from(self.named(number)).unwrap_or_default()),
            "finding" if self.named(number) == 0 => text("PENDING"),
            _ => Value::None,
        }
    }

    fn allegation(&self, column: &str, number: u64, nth: u64, month: NaiveDate) -> Value {
        let officer = self.officer(number, nth);
        let finding = ["PENDING", "SUSTAINED", "NOT_SUSTAINED", "UNFOUNDED"];
        let found = usize::try_from(self.chance(14, number * 2 + nth, 4)).unwrap_or_default();
        match column {
            "complaint" => Value::Text(pseudonym(self.of.seed, 'c', number)),
            "officer" => Value::Text(pseudonym(self.of.seed, 'o', officer)),
            "category" => Value::Text(category(self.chance(4, number, CATEGORIES.len() as u64)).0.to_owned()),
            "unit" => Value::Text(branch_code(officer % BRANCHES)),
            "attribution" => {
                let confirmed = self.chance(15, number * 2 + nth, 2) == 0;
                Value::Text(if confirmed { "CONFIRMED" } else { "ASSERTED" }.to_owned())
            }
            "finding" => Value::Text(finding.get(found).copied().unwrap_or_default().to_owned()),
            "decided_on" if found > 0 => Value::Day(self.day(number, month) + Days::new(30)).until(self.of.until),
            "received_on" => Value::Day(self.day(number, month)),
            _ => Value::None,
        }
    }

    fn reference(&self, table: &str, column: &str, number: u64, month: NaiveDate) -> Value {
        let text = |value: &str| Value::Text(value.to_owned());
        let (code, kind, serious) = category(number);
        let branch = number % BRANCHES;
        match (table, column) {
            ("workload" | "recurrence_exposure", "month") | ("recurrence_exposure", "first_day") => Value::Day(month),
            ("recurrence_exposure", "last_day") => Value::Day((month + Months::new(1)).pred_opt().unwrap_or(month)),
            ("recurrence_exposure", "peer_group") => text(peer_group(branch)),
            ("recurrence_exposure", "basis") => text("DECLARATIONS"),
            ("workload", "declarations") | ("recurrence_exposure", "exposure") => {
                let of_month = number.wrapping_mul(1_000) + u64::from(month.month());
                Value::Whole(200 + i64::try_from(self.chance(16, of_month, 400)).unwrap_or_default())
            }
            ("workload" | "postings", "unit") => Value::Text(branch_code(branch)),
            ("workload" | "recurrence_exposure" | "postings" | "officers", "officer") => {
                Value::Text(pseudonym(self.of.seed, 'o', number))
            }
            ("postings", "valid_from") => Value::Day(self.first),
            ("units", "code" | "name_vi" | "name_en") if number < BRANCHES => Value::Text(branch_code(number)),
            ("units", "code" | "name_vi" | "name_en") => Value::Text(format!("{:02}", number - BRANCHES + 1)),
            ("units", "kind") => text(if number < BRANCHES { "BRANCH" } else { "PROVINCIAL_DEPARTMENT" }),
            ("units", "branch") if number < BRANCHES => Value::Text(branch_code(number)),
            ("units", "department" | "parent") if number < BRANCHES => {
                Value::Text(format!("{:02}", number / BRANCHES_OF_DEPARTMENT + 1))
            }
            ("units", "peer_group") if number < BRANCHES => text(peer_group(number)),
            ("categories", "code" | "name_vi" | "name_en") => text(code),
            ("categories", "kind" | "group" | "category_group") => text(kind),
            ("categories", "serious") => Value::Flag(serious),
            _ => Value::None,
        }
    }
}

fn category(number: u64) -> (&'static str, &'static str, bool) {
    let at = usize::try_from(number).unwrap_or_default() % CATEGORIES.len();
    CATEGORIES[at]
}

fn branch_code(branch: u64) -> String {
    format!("{:02}{:02}", branch / BRANCHES_OF_DEPARTMENT + 1, branch % BRANCHES_OF_DEPARTMENT + 1)
}

fn peer_group(branch: u64) -> &'static str {
    let at = usize::try_from(branch).unwrap_or_default() % PEER_GROUPS.len();
    PEER_GROUPS[at]
}

/// A text as long and as random as a pseudonym.
fn pseudonym(seed: u64, kind: char, number: u64) -> String {
    format!("{kind}{:016x}", mix(seed ^ mix(number ^ (u64::from(u32::from(kind)) << 56))))
}

/// SplitMix64: each number has its own image.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
