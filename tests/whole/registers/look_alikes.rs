//! Look-alikes of three public registers: their columns, and values that are all invented. Each has one subject that is
//! complained about again and again, and others who are innocent and look busy.

use std::fmt::Write;

/// A register and what is true of it.
pub struct LookAlike {
    pub csv: String,
    pub rows: u64,
    pub complaints: u64,
}

/// A row by the names of its columns; the others are blank.
struct Sheet {
    header: &'static str,
    csv: String,
    rows: u64,
}

impl Sheet {
    fn new(header: &'static str) -> Self {
        Self { header, csv: format!("{header}\n"), rows: 0 }
    }

    fn row(&mut self, cells: &[(&str, &str)]) {
        let columns: Vec<&str> = self.header.split(',').collect();
        assert!(cells.iter().all(|(name, _)| columns.contains(name)), "{cells:?}");
        let cells = columns.iter().map(|column| {
            let cell = cells.iter().find(|(name, _)| name == column).map_or("", |(_, cell)| *cell);
            if cell.contains([',', '"', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
        });
        let line = cells.collect::<Vec<_>>().join(",");
        let _infallible = writeln!(self.csv, "{line}");
        self.rows += 1;
    }

    fn done(self, complaints: u64) -> LookAlike {
        LookAlike { csv: self.csv, rows: self.rows, complaints }
    }
}

/// One of a list, by a number.
fn pick<T: Copy>(list: &[T], n: usize) -> T {
    list[n % list.len()]
}

/// The police complaints of a city: a row for each allegation, officers by a number of their own, the months of receipt
/// and closing in two columns each, no enterprises.
pub mod police {
    use super::{LookAlike, Sheet, pick};

    const HEADER: &str = "unique_mos_id,first_name,last_name,command_now,shield_no,complaint_id,month_received,year_received,\
        month_closed,year_closed,command_at_incident,rank_abbrev_incident,rank_abbrev_now,rank_now,rank_incident,mos_ethnicity,\
        mos_gender,mos_age_incident,complainant_ethnicity,complainant_gender,complainant_age_incident,fado_type,allegation,precinct,\
        contact_reason,outcome_description,board_disposition";
    /// Complained about in nine months of 2019.
    pub const PLANTED: (&str, &str) = ("20001", "075 PCT");
    /// Complained about as often and cleared each time.
    const CLEARED: (&str, &str) = ("20002", "040 PCT");
    /// In one complaint with five allegations.
    const ONE_CASE: (&str, &str) = ("20003", "WARRSEC");
    pub const INNOCENT: usize = 60;
    pub const OFFICERS: usize = INNOCENT + 3;
    pub const UNITS: usize = INNOCENT + 3;
    /// "Word" lies below two of the upper level, so there are six below four.
    pub const CATEGORIES: usize = 4 + 6;
    const ALLEGATIONS: [(&str, &str); 6] = [
        ("Abuse of Authority", "Search (of person)"),
        ("Discourtesy", "Word"),
        ("Force", "Physical force"),
        ("Offensive Language", "Word"),
        ("Abuse of Authority", "Threat of arrest"),
        ("Offensive Language", "Race"),
    ];

    struct Case<'c> {
        id: usize,
        officer: (&'c str, &'c str),
        month: usize,
        year: &'c str,
        allegation: (&'c str, &'c str),
        disposition: &'c str,
    }

    fn add(sheet: &mut Sheet, case: &Case<'_>) {
        let number: usize = case.officer.0.parse().unwrap();
        let (id, month, closed) = (case.id.to_string(), case.month.to_string(), (case.month + 1).to_string());
        let is_open = case.disposition.is_empty();
        let (command, code) = (case.officer.1, number.to_string());
        let (shield, age) = ((number % 7 * 311).to_string(), (25 + number % 20).to_string());
        let last = format!("{}{}", pick(&["Vale", "Orme", "Tarn", "Holt", "Brook"], number), number % 60);
        sheet.row(&[
            ("unique_mos_id", &code),
            ("first_name", pick(&["Ada", "Ben", "Cora", "Dov"], number)),
            ("last_name", &last),
            ("command_now", pick(&["INT AFF", "PBBX", "DB CEIS"], number)),
            ("shield_no", &shield),
            ("complaint_id", &id),
            ("month_received", &month),
            ("year_received", case.year),
            ("month_closed", if is_open { "" } else { &closed }),
            ("year_closed", if is_open { "" } else { case.year }),
            ("command_at_incident", command),
            ("rank_abbrev_incident", "POM"),
            ("rank_now", "Police Officer"),
            ("rank_incident", "Police Officer"),
            ("mos_gender", pick(&["M", "F"], number)),
            ("mos_age_incident", &age),
            ("complainant_gender", pick(&["Male", "Female", ""], case.id)),
            ("fado_type", case.allegation.0),
            ("allegation", case.allegation.1),
            ("precinct", pick(&["40", "75", "46", "120", "1"], case.id)),
            ("contact_reason", pick(&["Other", "Report of crime", "Moving violation"], case.id)),
            (
                "outcome_description",
                pick(&["No arrest made or summons issued", "Arrest - other violation/crime"], case.id),
            ),
            ("board_disposition", case.disposition),
        ]);
    }

    pub fn register() -> LookAlike {
        let mut sheet = Sheet::new(HEADER);
        let mut id = 40_000;
        let mut next = || {
            id += 1;
            id
        };
        let innocent: Vec<(String, String)> =
            (1..=INNOCENT).map(|n| (format!("{}", 30_000 + n), format!("{:03} DET", n + 100))).collect();
        // Once in each year: never twice in 180 days.
        for (n, (code, command)) in innocent.iter().enumerate() {
            for year in ["2018", "2019"] {
                let disposition =
                    pick(&["Unsubstantiated", "Substantiated (Charges)", "Exonerated", "Unfounded", ""], n);
                let (officer, allegation) = ((code.as_str(), command.as_str()), pick(&ALLEGATIONS, n));
                add(&mut sheet, &Case { id: next(), officer, month: n % 11 + 1, year, allegation, disposition });
            }
        }
        for month in 1..=9 {
            let disposition =
                pick(&["Substantiated (Charges)", "Unsubstantiated", "Substantiated (Formalized Training)"], month);
            let case = Case {
                id: next(),
                officer: PLANTED,
                month,
                year: "2019",
                allegation: pick(&ALLEGATIONS, month),
                disposition,
            };
            add(&mut sheet, &case);
            if month == 1 {
                // A second officer in the same complaint.
                let officer = (innocent[0].0.as_str(), innocent[0].1.as_str());
                add(&mut sheet, &Case { officer, disposition: "Unsubstantiated", ..case });
            }
        }
        for month in 1..=8 {
            let disposition = pick(&["Unfounded", "Exonerated"], month);
            let allegation = pick(&ALLEGATIONS, month);
            add(&mut sheet, &Case { id: next(), officer: CLEARED, month, year: "2019", allegation, disposition });
        }
        let one = next();
        for allegation in ALLEGATIONS.into_iter().take(5) {
            add(
                &mut sheet,
                &Case {
                    id: one,
                    officer: ONE_CASE,
                    month: 10,
                    year: "2019",
                    allegation,
                    disposition: "Unsubstantiated",
                },
            );
        }
        sheet.done((INNOCENT * 2 + 9 + 8 + 1) as u64)
    }
}

/// A consumer complaints register: companies that are complained about, nobody's name, no officers.
pub mod consumers {
    use super::{LookAlike, Sheet, pick};

    const HEADER: &str = "Date received,Product,Sub-product,Issue,Sub-issue,Consumer complaint narrative,Company public response,\
        Company,State,ZIP code,Tags,Consumer consent provided?,Submitted via,Date sent to company,Company response to consumer,\
        Timely response?,Consumer disputed?,Complaint ID";
    /// Twelve complaints in the year.
    pub const PLANTED: &str = "HARBOR TRUST BANK, N.A.";
    /// Forty, about a product whose trouble is technical.
    const TECHNICAL: &str = "NORTHWIND CREDIT BUREAU";
    const INNOCENT: usize = 50;
    pub const UNITS: usize = INNOCENT + 2;
    /// "Incorrect information" is an issue of two products: five below three.
    pub const CATEGORIES: usize = 3 + 5;
    const ISSUES: [(&str, &str, &str); 5] = [
        ("Checking or savings account", "Checking account", "Managing an account"),
        ("Debt collection", "Credit card debt", "Attempts to collect debt not owed"),
        ("Checking or savings account", "Savings account", "Closing an account"),
        ("Debt collection", "Medical debt", "Incorrect information"),
        ("Credit reporting", "Credit reporting", "Incorrect information"),
    ];

    fn add(sheet: &mut Sheet, n: usize, company: &str, [month, day]: [usize; 2], issue: (&str, &str, &str)) {
        let (id, date, zip) =
            ((8_600_000 + n).to_string(), format!("2023-{month:02}-{day:02}"), format!("{:03}XX", n % 900));
        let text = format!("They charged me twice, on {month}/{day}.\nI called: \"nobody\" answered, case {n}.");
        sheet.row(&[
            ("Date received", &date),
            ("Product", issue.0),
            ("Sub-product", issue.1),
            ("Issue", issue.2),
            ("Sub-issue", pick(&["", "Fee problem", "Funds not handled as instructed"], n)),
            ("Consumer complaint narrative", if n.is_multiple_of(3) { "" } else { &text }),
            (
                "Company public response",
                pick(&["", "Company has responded to the consumer and chooses not to comment"], n),
            ),
            ("Company", company),
            ("State", pick(&["CA", "NY", "TX", "FL", "GA", "OK"], n)),
            ("ZIP code", &zip),
            ("Tags", pick(&["", "", "Older American", "Servicemember"], n)),
            ("Consumer consent provided?", pick(&["Consent provided", "Consent not provided", "N/A"], n)),
            ("Submitted via", pick(&["Web", "Web", "Phone", "Postal mail", "Referral"], n)),
            ("Date sent to company", &date),
            (
                "Company response to consumer",
                pick(&["Closed with explanation", "Closed with monetary relief", "In progress"], n),
            ),
            ("Timely response?", "Yes"),
            ("Consumer disputed?", "N/A"),
            ("Complaint ID", &id),
        ]);
    }

    pub fn register() -> LookAlike {
        let mut sheet = Sheet::new(HEADER);
        let mut n = 0;
        let mut put = |sheet: &mut Sheet, company: &str, day: [usize; 2], issue: (&str, &str, &str)| {
            n += 1;
            add(sheet, n, company, day, issue);
        };
        // Once in each half of the year: never twice in 180 days.
        for company in 0..INNOCENT {
            for half in [0, 6] {
                let day = [half + 1 + company % 6, 10 + company % 18];
                put(
                    &mut sheet,
                    &format!("{} {} LLC", pick(&["Alder", "Birch", "Cedar"], company), company),
                    day,
                    pick(&ISSUES[..4], company),
                );
            }
        }
        for month in 1..=12 {
            put(&mut sheet, PLANTED, [month, 3 + month], pick(&ISSUES[..4], month));
        }
        for case in 0..40 {
            put(&mut sheet, TECHNICAL, [1 + case % 12, 1 + case % 27], ISSUES[4]);
        }
        sheet.done((INNOCENT * 2 + 12 + 40) as u64)
    }
}

/// The service requests of a city: agencies, two levels of complaint types, American times of day.
pub mod service_requests {
    use super::{LookAlike, Sheet, pick};
    use std::fmt::Write;

    const HEADER: &str = "Unique Key,Created Date,Closed Date,Agency,Agency Name,Complaint Type,Descriptor,Location Type,Incident Zip,\
        Incident Address,Street Name,Cross Street 1,Cross Street 2,Intersection Street 1,Intersection Street 2,Address Type,City,\
        Landmark,Facility Type,Status,Due Date,Resolution Description,Resolution Action Updated Date,Community Board,BBL,Borough,\
        X Coordinate (State Plane),Y Coordinate (State Plane),Open Data Channel Type,Park Facility Name,Park Borough,Vehicle Type,\
        Taxi Company Borough,Taxi Pick Up Location,Bridge Highway Name,Bridge Highway Direction,Road Ramp,Bridge Highway Segment,\
        Latitude,Longitude,Location";
    /// Agencies with their requests of each month, in hundreds, and the complaints about one hundred of them.
    const AGENCIES: [(&str, &str, usize, usize); 9] = [
        ("PKD", "Parking Department", 20, 1),
        ("HSD", "Housing Department", 15, 1),
        ("STD", "Street Department", 10, 1),
        ("SAN", "Sanitation Department", 8, 1),
        ("WTR", "Water Department", 5, 1),
        (PLANTED, "Buildings Department", 4, 4),
        ("PRK", "Parks Department", 4, 1),
        ("HLT", "Health Department", 3, 1),
        ("TAX", "Taxi Commission", 2, 1),
    ];
    /// Four times as many complaints as its work explains; three others have more complaints or as many.
    pub const PLANTED: &str = "BLD";
    pub const UNITS: usize = AGENCIES.len();
    /// "Other" is a descriptor of two complaint types: six below four.
    pub const CATEGORIES: usize = 4 + 6;
    const TYPES: [(&str, &str); 6] = [
        ("Noise - Residential", "Banging/Pounding"),
        ("Illegal Parking", "Blocked Hydrant"),
        ("Noise - Residential", "Other"),
        ("Maintenance", "Other"),
        ("Maintenance", "Missed Collection"),
        ("Street Light Condition", "Street Light Out"),
    ];

    pub fn register() -> LookAlike {
        let mut sheet = Sheet::new(HEADER);
        let mut n = 0;
        for month in 1..=12 {
            for (agency, name, work, rate) in AGENCIES {
                for _ in 0..work * rate {
                    n += 1;
                    request(&mut sheet, n, month, agency, name);
                }
            }
        }
        let rows = sheet.rows;
        sheet.done(rows)
    }

    fn request(sheet: &mut Sheet, n: usize, month: usize, agency: &str, name: &str) {
        let (key, day, hour) = ((59_000_000 + n).to_string(), 1 + n % 27, 1 + n % 12);
        let created = format!("{month:02}/{day:02}/2023 {hour:02}:{:02}:09 {}", n % 60, pick(&["AM", "PM"], n));
        let due = format!("{month:02}/{:02}/2023 11:00:00 PM", day + 1);
        let (kind, descriptor) = pick(&TYPES[..5], n);
        let status = pick(&["Closed", "Closed", "Closed", "In Progress", "Open"], n / 5);
        let (zip, house) = (format!("{}", 10_001 + n % 40), format!("{} ALDER STREET", n % 300));
        let borough = pick(&["BROOKLYN", "QUEENS", "BRONX"], n);
        let (x, latitude) = ((990_000 + n).to_string(), format!("40.{:06}", 600_000 + n * 37));
        sheet.row(&[
            ("Unique Key", &key),
            ("Created Date", &created),
            ("Closed Date", if status == "Closed" { &due } else { "" }),
            ("Agency", agency),
            ("Agency Name", name),
            ("Complaint Type", kind),
            ("Descriptor", descriptor),
            ("Location Type", pick(&["Street/Sidewalk", "Residential Building"], n)),
            ("Incident Zip", &zip),
            ("Incident Address", &house),
            ("Street Name", "ALDER STREET"),
            ("Address Type", "ADDRESS"),
            ("City", borough),
            ("Status", status),
            ("Due Date", &due),
            ("Resolution Description", pick(&["The department inspected the place, and closed the request.", ""], n)),
            ("Resolution Action Updated Date", &due),
            ("Borough", borough),
            ("X Coordinate (State Plane)", &x),
            ("Open Data Channel Type", pick(&["PHONE", "ONLINE", "MOBILE", "UNKNOWN"], n)),
            ("Park Borough", borough),
            ("Latitude", &latitude),
        ]);
        // Lamps that are out are nobody's conduct: the agency of the streets has as many of them as of all else.
        if agency == "STD" {
            let lamp = format!("{key}9");
            let (kind, descriptor) = TYPES[5];
            sheet.row(&[
                ("Unique Key", &lamp),
                ("Created Date", &created),
                ("Agency", agency),
                ("Agency Name", name),
                ("Complaint Type", kind),
                ("Descriptor", descriptor),
                ("Status", "Open"),
                ("Borough", borough),
                ("Open Data Channel Type", "ONLINE"),
            ]);
        }
    }

    /// The requests that each agency handled in each month.
    pub fn workload() -> String {
        let mut csv = String::from("agency,month,requests\n");
        for (agency, _, work, _) in AGENCIES {
            for month in 1..=12 {
                let _infallible = writeln!(csv, "{agency},{month:02}/2023,{}", work * 100);
            }
        }
        csv
    }
}
