//! Statistics of the cells of a column: values, blanks, and what the cells can be read as.

use super::Look;
use super::sample::BLANK;
use crate::domain::calendar::LOCAL;
use crate::domain::tax_code;
use crate::import::dates::DateRules;
use crate::import::numbers::NumberRules;
use std::collections::HashMap;

/// The date formats that are tried, the likelier ones first. The first means the default formats of a mapping.
pub const FORMATS: [&str; 21] = [
    "",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%d/%m/%y",
    "%H:%M %d/%m/%Y",
    "%m/%Y",
    "%Y/%m/%d",
    "%Y-%m",
    "%Y%m%d",
    "%d/%m/%Y %I:%M:%S %p",
    "%d/%m/%Y %I:%M %p",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%y",
    "%d-%b-%Y",
];

/// The separators of a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Separators {
    pub thousands: Option<&'static str>,
    pub decimal: Option<&'static str>,
}

const POINTS: Separators = Separators { thousands: Some("."), decimal: Some(",") };
const COMMAS: Separators = Separators { thousands: Some(","), decimal: Some(".") };

/// The thousands and decimal separators that are tried.
const NUMBERS: [Separators; 4] =
    [Separators { thousands: None, decimal: None }, POINTS, COMMAS, Separators { thousands: None, decimal: Some(",") }];

/// Cells that mean blank in other registers.
const BLANK_WORDS: [&str; 14] = [
    "-",
    "--",
    "NULL",
    "null",
    "N/A",
    "n/a",
    "#N/A",
    "NA",
    "None",
    "none",
    "không có",
    "Không có",
    "không rõ",
    "9999-12-31",
];

/// Distinct values that are counted at most.
const MOST_VALUES: usize = 50_000;
/// A column with fewer filled cells than this allows few conclusions.
const FEW: u64 = 20;
/// Values that are shown at most.
const SHOWN: usize = 8;

pub struct Column {
    pub name: String,
    pub blank: u64,
    pub filled: u64,
    pub longest: usize,
    /// Number and count of each value. Cells that mean blank are included.
    values: HashMap<String, (u32, u64)>,
    more: bool,
    pub blank_words: Vec<&'static str>,
    dates: Vec<DateRules>,
    /// Number of cells by the exact set of formats that read them, a bit mask over [`FORMATS`].
    by_formats: HashMap<u32, u64>,
    numbers: Vec<NumberRules>,
    by_numbers: [u64; NUMBERS.len()],
    groups: Groups,
    tax_codes: u64,
}

/// Counts numbers in which a point or a comma may separate thousands or begin a fraction: `1,100`.
#[derive(Debug, Clone, Copy, Default)]
struct Groups {
    /// Numbers with points or commas.
    with_sign: u64,
    /// Counts by separator (point, comma): numbers with only this separator and three digits after each: `1,100`,
    /// `1,100,000`.
    by_sign: [u64; 2],
    /// Whether some number has the separator twice, so that it cannot begin a fraction.
    has_twice: bool,
}

impl Groups {
    fn see(&mut self, cell: &str) {
        self.with_sign += u64::from(cell.contains(['.', ',']));
        for (count, sign) in self.by_sign.iter_mut().zip(['.', ',']) {
            let mut groups = cell.trim_start_matches('-').split(sign);
            let first = groups.next().unwrap_or_default();
            let is_digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
            // 0.125 is always a fraction.
            let begins = (1..=3).contains(&first.len()) && is_digits(first) && !first.starts_with('0');
            let groups: Vec<&str> = groups.collect();
            if begins && !groups.is_empty() && groups.iter().all(|group| group.len() == 3 && is_digits(group)) {
                *count += 1;
                self.has_twice |= groups.len() > 1;
            }
        }
    }

    /// The thousands and decimal separators, where all numbers with a point or comma can be read with thousands.
    fn signs(self) -> Option<Separators> {
        let nth = self.by_sign.iter().position(|count| *count > 0 && *count == self.with_sign)?;
        Some([POINTS, COMMAS][nth])
    }
}

impl Column {
    /// A column without cells.
    ///
    /// # Errors
    /// If a format of dates to try cannot be parsed.
    pub fn new(name: &str) -> Result<Self, String> {
        let rules = |format: &&str| {
            let formats = if format.is_empty() { Vec::new() } else { vec![(*format).to_owned()] };
            DateRules::new(formats, None, false, LOCAL)
        };
        Ok(Self {
            name: name.to_owned(),
            blank: 0,
            filled: 0,
            longest: 0,
            values: HashMap::new(),
            more: false,
            blank_words: Vec::new(),
            dates: FORMATS.iter().map(rules).collect::<Result<_, _>>()?,
            by_formats: HashMap::new(),
            numbers: NUMBERS
                .iter()
                .map(|separators| NumberRules::new(separators.thousands, separators.decimal, None))
                .collect::<Result<_, _>>()?,
            by_numbers: [0; NUMBERS.len()],
            groups: Groups::default(),
            tax_codes: 0,
        })
    }

    /// Counts a cell and returns the number of its value: `BLANK` for a blank, `u32::MAX` beyond `MOST_VALUES`.
    pub fn see(&mut self, cell: &str) -> u32 {
        let next = u32::try_from(self.values.len() + 1).unwrap_or(u32::MAX);
        let id = if let Some((id, count)) = self.values.get_mut(cell) {
            *count += 1;
            *id
        } else if self.values.len() < MOST_VALUES {
            self.values.insert(cell.to_owned(), (next, 1));
            next
        } else {
            self.more = true;
            u32::MAX
        };
        if let Some(word) = BLANK_WORDS.iter().find(|word| **word == cell) {
            if !self.blank_words.contains(word) {
                self.blank_words.push(word);
            }
            self.blank += 1;
            return BLANK;
        }
        if cell.is_empty() {
            self.blank += 1;
            return BLANK;
        }
        self.filled += 1;
        self.longest = self.longest.max(cell.chars().count());
        self.read(cell);
        id
    }

    /// Tries to read a cell as date, number and tax code.
    fn read(&mut self, cell: &str) {
        // Dates, numbers and tax codes are short and have a digit.
        if cell.len() > 40 || !cell.contains(|c: char| c.is_ascii_digit()) {
            return;
        }
        let mask = (0..).zip(&self.dates).filter(|(_, rules)| rules.time(cell, LOCAL).is_ok());
        let mask = mask.fold(0u32, |mask, (nth, _)| mask | (1 << nth));
        *self.by_formats.entry(mask).or_default() += 1;
        for (count, rules) in self.by_numbers.iter_mut().zip(&self.numbers) {
            *count += u64::from(rules.decimal(cell).is_ok());
        }
        self.groups.see(cell);
        self.tax_codes += u64::from(tax_code::parse(cell).is_ok());
    }

    /// The number of distinct values; None where there are more than were counted.
    pub fn distinct(&self) -> Option<usize> {
        let distinct = self.values.keys().filter(|value| !value.is_empty()).count();
        (!self.more).then_some(distinct)
    }

    /// Whether `number` is at least nine tenths of the filled cells.
    fn is_mostly(&self, number: u64) -> bool {
        self.filled > 0 && number * 10 >= self.filled * 9
    }

    /// The formats that together read nearly all cells, chosen greedily, at most four; None where they do not.
    pub fn formats(&self) -> Option<Vec<&'static str>> {
        let read_by = |mask: u32| -> u64 {
            self.by_formats.iter().filter(|(by, _)| *by & mask != 0).map(|(_, count)| count).sum()
        };
        let mut chosen: Vec<usize> = Vec::new();
        let mut mask = 0u32;
        while read_by(mask) < read_by(u32::MAX) && chosen.len() < 4 {
            // Among formats that read equally many cells, the likelier one.
            let (best, _) =
                (0..FORMATS.len()).map(|nth| (nth, read_by(mask | 1 << nth))).rev().max_by_key(|(_, n)| *n)?;
            chosen.push(best);
            mask |= 1 << best;
        }
        (!chosen.is_empty() && self.is_mostly(read_by(mask))).then(|| chosen.iter().map(|nth| FORMATS[*nth]).collect())
    }

    /// Whether all cells can be read both with the day first and with the month first.
    pub fn is_day_or_month(&self) -> bool {
        let of = |format: &str| FORMATS.iter().position(|one| *one == format).map_or(0, |nth| 1u32 << nth);
        let pairs = [
            ("%d/%m/%Y", "%m/%d/%Y"),
            ("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"),
            ("%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S"),
            ("%d/%m/%Y %I:%M %p", "%m/%d/%Y %I:%M %p"),
            ("%d/%m/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M:%S %p"),
            ("%d/%m/%y", "%m/%d/%y"),
        ];
        pairs.iter().any(|(day, month)| {
            let both = of(day) | of(month);
            let count: u64 = self.by_formats.iter().filter(|(by, _)| *by & both == both).map(|(_, count)| count).sum();
            self.filled > 0 && count == self.filled
        })
    }

    /// The thousands and decimal separators; None where the cells are not numbers. Ambiguous ones count as thousands.
    pub fn number(&self) -> Option<Separators> {
        let best = (0..NUMBERS.len()).rev().max_by_key(|nth| self.by_numbers[*nth])?;
        let signs = self.groups.signs().unwrap_or(NUMBERS[best]);
        let nth = NUMBERS.iter().position(|one| *one == signs)?;
        self.is_mostly(self.by_numbers[nth]).then_some(signs)
    }

    /// Whether the separator read as thousands may as well begin a fraction of three digits.
    pub fn may_be_fractions(&self) -> bool {
        self.groups.signs().is_some() && !self.groups.has_twice
    }

    /// Whether its cells are numbers without fractions.
    pub fn is_whole(&self) -> bool {
        let Some(Separators { thousands, decimal }) = self.number() else { return false };
        let Ok(rules) = NumberRules::new(thousands, decimal, None) else { return false };
        !self.any(|value| rules.decimal(value).is_ok() && rules.integer(value).is_err())
    }

    pub fn is_tax_code(&self) -> bool {
        self.is_mostly(self.tax_codes)
    }

    /// The distinct values that do not mean blank, with number and count.
    fn filled_values(&self) -> impl Iterator<Item = (&str, u32, u64)> {
        let values =
            self.values.iter().filter(|(value, _)| !value.is_empty() && !BLANK_WORDS.contains(&value.as_str()));
        values.map(|(value, (id, count))| (value.as_str(), *id, *count))
    }

    /// The values with their counts, the most frequent first; None where there are more than were counted.
    pub fn counted(&self) -> Option<Vec<(String, u64)>> {
        let mut values: Vec<(String, u64)> =
            self.filled_values().map(|(value, _, count)| (value.to_owned(), count)).collect();
        values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        (!self.more).then_some(values)
    }

    /// Whether some counted value fulfils a condition.
    pub fn any(&self, is_so: impl Fn(&str) -> bool) -> bool {
        self.filled_values().any(|(value, _, _)| is_so(value))
    }

    /// Whether there are values, all are counted, and all fulfil a condition.
    pub fn all(&self, is_so: impl Fn(&str) -> bool) -> bool {
        self.filled > 0 && !self.more && self.filled_values().all(|(value, _, _)| is_so(value))
    }

    /// Whether all values are whole numbers in this range, both ends included.
    pub fn all_within(&self, least: i64, most: i64) -> bool {
        self.all(|value| value.parse().is_ok_and(|number: i64| (least..=most).contains(&number)))
    }

    /// The smallest of its values in code point order.
    pub fn first(&self) -> Option<&str> {
        self.filled_values().map(|(value, _, _)| value).min()
    }

    /// The number of a value in the sample.
    pub fn id_of(&self, value: &str) -> Option<u32> {
        self.values.get(value).map(|(id, _)| *id)
    }

    /// Whether its cells are short enough for codes and are not dates.
    pub fn is_code(&self, longest: usize) -> bool {
        self.longest <= longest && self.formats().is_none()
    }

    /// Whether its values occur twice or more on average, unlike free text; true for a short column.
    pub fn repeats(&self) -> bool {
        self.filled < FEW || self.distinct().is_some_and(|distinct| distinct as u64 * 2 <= self.filled)
    }

    /// Whether it has too few filled cells for conclusions.
    pub fn is_short(&self) -> bool {
        self.filled < FEW
    }

    pub fn reads_as(&self) -> String {
        if self.filled == 0 {
            return "nothing".into();
        }
        if self.is_tax_code() {
            return "tax code".into();
        }
        if let Some(formats) = self.formats() {
            let formats: Vec<_> =
                formats.iter().map(|format| if format.is_empty() { "ISO 8601" } else { format }).collect();
            let either = if self.is_day_or_month() { " (or month before day: no day is beyond 12)" } else { "" };
            return format!("date {}{either}", formats.join(" or "));
        }
        match self.number() {
            Some(Separators { thousands: None, decimal: None }) => "number".into(),
            Some(Separators { thousands, decimal }) => {
                let sign =
                    |name: &str, sign: Option<&str>| sign.map_or_else(String::new, |sign| format!(" {name} {sign:?}"));
                let either = if self.may_be_fractions() { " (or fractions of three digits)" } else { "" };
                format!("number with{}{}{either}", sign("thousands", thousands), sign("decimal", decimal))
            }
            None => "text".into(),
        }
    }

    pub fn look(&self) -> Look {
        let mut values: Vec<(String, u64)> = self
            .values
            .iter()
            .filter(|(value, _)| !value.is_empty())
            .map(|(value, (_, n))| (value.clone(), *n))
            .collect();
        values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        values.truncate(SHOWN);
        let distinct = self.distinct().map(|number| number as u64);
        Look { name: self.name.clone(), blank: self.blank, distinct, reads_as: self.reads_as(), values }
    }
}
