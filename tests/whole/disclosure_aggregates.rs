//! What aggregates tell who attacks them with many questions, and how near they are for who asks honestly.

use crate::program;
use data_encoding::BASE64;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use tests::fixtures::{self, Files};
use tests::{Database, Json, Server};

/// A generated register, with the tokens that attack it.
pub struct World {
    pub database: Database,
    pub server: Server,
    pub board: String,
    pub dashboard: String,
    /// The key file, a copy for each.
    pub key: PathBuf,
    _files: Files,
}

/// Both databases, with the same complaints and the same key file.
pub fn worlds(complaints: u32, seed: u32) -> [World; 2] {
    Database::both().map(|database| world(database, complaints, seed, 1))
}

/// A register whose key file holds a fixed key: noise is derived from the key, so a run that passes always passes.
pub fn world(database: Database, complaints: u32, seed: u32, key: u8) -> World {
    fixtures::generate(&database, complaints, seed);
    let (board, dashboard) = (program().token(&database, "BOARD", None), program().token(&database, "DASHBOARD", None));
    let files = Files::new();
    let text = format!("current = 1\n[keys]\n1 = \"{}\"\n", BASE64.encode(&[key; 32]));
    let key = files.put("key", text);
    std::fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    let server = program().serve(&database, &["--no-jobs", "--key-file", key.to_str().unwrap()]);
    World { database, server, board, dashboard, key, _files: files }
}

const PLACES: &str = "department { code } branch { code } category { code } kind channel state month quarter year";

/// A row's place in a dimension.
fn place(row: &Value, dimension: &str) -> String {
    let value = &row[dimension.to_lowercase().as_str()];
    value["code"].as_str().or_else(|| value.as_str()).map_or_else(|| value.to_string(), str::to_owned)
}

pub type Rows = BTreeMap<Vec<String>, Value>;

impl World {
    pub fn ask(&self, token: &str, arguments: &str, fields: &str) -> Value {
        let query = format!("{{ complaintStatistics({arguments}) {{ {fields} }} }}");
        self.server.data(token, &query)["complaintStatistics"].clone()
    }

    /// Groups by some dimensions, by their places.
    pub fn rows(&self, token: &str, dimensions: &str) -> Rows {
        let measures = "suppressed complaints episodes distinctEnterprises costVnd delayHours shareAnsweredInTime";
        self.rows_of(token, dimensions, measures)
    }

    /// The same with some measures.
    pub fn rows_of(&self, token: &str, dimensions: &str, measures: &str) -> Rows {
        let answer = self.ask(
            token,
            &format!("groupBy: [{dimensions}], first: 10000"),
            &format!("truncated rows {{ {PLACES} {measures} }}"),
        );
        assert_eq!(answer["truncated"], false, "{dimensions}");
        let places = |row: &Value| dimensions.split(' ').map(|dimension| place(row, dimension)).collect();
        answer["rows"].list().iter().map(|row| (places(row), row.clone())).collect()
    }

    /// The totals of several filters: complaints and cost, 0 where they are not shown.
    pub fn totals(&self, token: &str, filters: &[String]) -> Vec<(i64, i64)> {
        let one = |answer: &Value| {
            let totals = &answer["totals"];
            (
                totals["complaints"].as_i64().unwrap_or(0),
                totals["costVnd"].as_str().map_or(0, |cost| cost.parse().unwrap()),
            )
        };
        let mut all = Vec::new();
        for part in filters.chunks(20) {
            let fields: Vec<String> = (0..)
                .zip(part)
                .map(|(n, filter)| {
                    format!("t{n}: complaintStatistics(filter: {{{filter}}}) {{ totals {{ complaints costVnd }} }}")
                })
                .collect();
            let data = self.server.data(token, &format!("{{ {} }}", fields.join(" ")));
            all.extend((0..part.len()).map(|n| one(&data[format!("t{n}").as_str()])));
        }
        all
    }

    /// Compares what differences of two answers tell of hidden groups with what these have: (complaints, cost, the two
    /// filters).
    fn attack(&self, what: &str, targets: &[(i64, i64, String, String)]) {
        let questions: Vec<String> =
            targets.iter().flat_map(|(.., whole, less)| [whole.clone(), less.clone()]).collect();
        let exact = |token: &str| {
            let answers = self.totals(token, &questions);
            let told = answers.chunks(2).map(|both| (both[0].0 - both[1].0, both[0].1 - both[1].1));
            let right: Vec<(bool, bool)> = targets
                .iter()
                .zip(told)
                .map(|((complaints, cost, ..), told)| (told.0 == *complaints, *cost > 0 && told.1 == *cost))
                .collect();
            (right.iter().filter(|right| right.0).count(), right.iter().filter(|right| right.1).count())
        };
        assert!(targets.len() >= 30, "{what}: {}", targets.len());
        assert_eq!(exact(&self.board).0, targets.len(), "{what}: the attack works where numbers are exact");
        assert_eq!(exact(&self.dashboard), (0, 0), "{what}: of {} hidden groups", targets.len());
    }
}

/// The moment at which a month begins.
pub fn begins(month: &str) -> String {
    format!("{month}-01T00:00:00+07:00")
}

fn month_after(month: &str, months: i32) -> String {
    let (year, of_year) = month.split_once('-').unwrap();
    let number = year.parse::<i32>().unwrap() * 12 + of_year.parse::<i32>().unwrap() - 1 + months;
    format!("{:04}-{:02}", number.div_euclid(12), number.rem_euclid(12) + 1)
}

pub fn number(row: &Value) -> i64 {
    row["complaints"].integer()
}

pub fn cost(row: &Value) -> i64 {
    row["costVnd"].text().parse().unwrap()
}

/// Groups that are too small to be shown, 150 at most, from all over.
fn hidden(rows: &Rows) -> Vec<(&Vec<String>, &Value)> {
    let small: Vec<_> = rows.iter().filter(|(_, row)| number(row) < 5).collect();
    let step = small.len().div_ceil(150).max(1);
    small.into_iter().filter(|(places, _)| places.iter().all(|place| place != "null")).step_by(step).collect()
}

#[test]
fn differences_of_answers_tell_no_hidden_group() {
    for world in worlds(3_000, 9) {
        // Totals up to a month less those up to the one before, within a unit and a category.
        let months = world.rows(&world.board, "DEPARTMENT CATEGORY MONTH");
        let of = |places: &[String]| format!("unitWithin: {:?}, categoryIn: [{:?}]", places[0], places[1]);
        let up_to = |places: &[String], month: &str| format!("{}, receivedBefore: {:?}", of(places), begins(month));
        let targets: Vec<_> = hidden(&months)
            .into_iter()
            .map(|(places, row)| {
                let next = month_after(&places[2], 1);
                (number(row), cost(row), up_to(places, &next), up_to(places, &places[2]))
            })
            .collect();
        world.attack("months", &targets);
        // From a month on, less from the next; and a window of three months less two of them.
        let from = |places: &[String], month: &str| format!("{}, receivedFrom: {:?}", of(places), begins(month));
        let windows: Vec<_> = hidden(&months)
            .into_iter()
            .flat_map(|(places, row)| {
                let next = month_after(&places[2], 1);
                let window = from(places, &month_after(&places[2], -2));
                let until = |month: &str| format!("{window}, receivedBefore: {:?}", begins(month));
                [
                    (number(row), cost(row), from(places, &places[2]), from(places, &next)),
                    (number(row), cost(row), until(&next), until(&places[2])),
                ]
            })
            .collect();
        world.attack("windows of months", &windows);
        // A category with another one, less that one; likewise of channels and of states.
        for dimension in ["CATEGORY", "CHANNEL", "STATE"] {
            let rows = world.rows(&world.board, &format!("BRANCH {dimension} QUARTER"));
            let words: BTreeSet<&String> =
                rows.keys().map(|places| &places[1]).filter(|word| *word != "null").collect();
            let value = |word: &String| if dimension == "CATEGORY" { format!("{word:?}") } else { word.clone() };
            let targets: Vec<_> = hidden(&rows)
                .into_iter()
                .map(|(places, row)| {
                    let first = format!("{}-{:02}", &places[2][..4], places[2][6..].parse::<i32>().unwrap() * 3 - 2);
                    let within = format!(
                        "unitWithin: {:?}, receivedFrom: {:?}, receivedBefore: {:?}",
                        places[0],
                        begins(&first),
                        begins(&month_after(&first, 3))
                    );
                    let others: Vec<String> =
                        words.iter().filter(|word| **word != &places[1]).map(|word| value(word)).collect();
                    let list =
                        |more: &str| format!("{within}, {}In: [{}{more}]", dimension.to_lowercase(), others.join(", "));
                    (number(row), cost(row), list(&format!(", {}", value(&places[1]))), list(""))
                })
                .collect();
            world.attack(dimension, &targets);
        }
        // A group within many lists: all differences are one look at it, and nothing can be averaged.
        let rows = world.rows(&world.board, "DEPARTMENT CATEGORY");
        let words: Vec<&String> = rows.keys().map(|places| &places[1]).collect::<BTreeSet<_>>().into_iter().collect();
        let mut looked = 0;
        for (places, row) in hidden(&rows).into_iter().step_by(4) {
            let others: Vec<&&String> = words.iter().filter(|word| **word != &places[1] && **word != "null").collect();
            let lists = (0..10).map(|first| others.iter().cycle().skip(first).step_by(2).take(others.len() / 2));
            let filters: Vec<String> = lists
                .flat_map(|list| {
                    let list: Vec<String> = list.map(|word| format!("{word:?}")).collect();
                    let of =
                        |more: &str| format!("unitWithin: {:?}, categoryIn: [{}{more}]", places[0], list.join(", "));
                    [of(&format!(", {:?}", places[1])), of("")]
                })
                .collect();
            let both = |token: &str| world.totals(token, &filters);
            assert!(both(&world.board).chunks(2).all(|both| both[0].0 - both[1].0 == number(row)));
            let told = both(&world.dashboard);
            let told: Vec<i64> =
                told.chunks(2).filter(|both| both[1].0 > 0).map(|both| both[0].0 - both[1].0).collect();
            assert!(told.iter().all(|one| *one == told[0] && [0, 5].contains(one)), "{places:?} {row} {told:?}");
            looked += usize::from(told.len() > 5);
        }
        assert!(looked >= 5, "{looked}");
        // A department less its other branches, which answers about each of them tell.
        let tree = world.rows(&world.board, "DEPARTMENT BRANCH");
        let truth = world.rows(&world.board, "BRANCH CATEGORY");
        let (shown, above) =
            (world.rows(&world.dashboard, "BRANCH CATEGORY"), world.rows(&world.dashboard, "DEPARTMENT CATEGORY"));
        let of_row = |row: Option<&Value>| row.map_or(0, |row| row["complaints"].as_i64().unwrap_or(5));
        let department: HashMap<&String, &String> = tree.keys().map(|places| (&places[1], &places[0])).collect();
        let exact = hidden(&truth).into_iter().filter(|(places, row)| {
            let all = of_row(above.get(&vec![department[&places[0]].clone(), places[1].clone()]));
            let others = shown.iter().filter(|(of, _)| {
                of[1] == places[1] && of[0] != places[0] && department.get(&of[0]) == department.get(&places[0])
            });
            all - others.map(|(_, row)| of_row(Some(row))).sum::<i64>() == number(row)
        });
        assert_eq!(exact.count(), 0, "units");
    }
}

#[test]
fn comparisons_and_rows_that_are_there_tell_no_hidden_group() {
    let world = world(Database::sqlite(), 3_000, 4, 1);
    let months = world.rows(&world.board, "DEPARTMENT CATEGORY MONTH");
    // The months before a time, by the comparison, less the same without the last of them.
    let before = |token: &str, places: &[String], from: i32, months: i32| {
        let first = month_after(&places[2], from);
        let filter = format!(
            "unitWithin: {:?}, categoryIn: [{:?}], receivedFrom: {:?}, receivedBefore: {:?}",
            places[0],
            places[1],
            begins(&first),
            begins(&month_after(&first, months))
        );
        let answer = world.ask(
            token,
            &format!("filter: {{{filter}}}, compare: PREVIOUS_PERIOD, groupBy: [QUARTER]"),
            "totalsBefore { complaints } rows { previous { complaints } }",
        );
        let rows = answer["rows"].list().iter().map(|row| row["previous"]["complaints"].as_i64().unwrap_or(5));
        (answer["totalsBefore"]["complaints"].as_i64().unwrap_or(0), rows.sum::<i64>())
    };
    let targets: Vec<_> = hidden(&months).into_iter().step_by(4).collect();
    for (token, exact) in [(&world.board, targets.len()), (&world.dashboard, 0)] {
        let right = targets.iter().map(|(places, row)| {
            // Three months up to the hidden one, and the two before it.
            let (three, two) = (before(token, places, 1, 3), before(token, places, 0, 2));
            (three.0 - two.0 == number(row), three.1 - two.1 == number(row))
        });
        let (totals, rows): (Vec<bool>, Vec<bool>) = right.unzip();
        let count = |all: Vec<bool>| all.into_iter().filter(|right| *right).count();
        assert_eq!((count(totals), count(rows)), (exact, exact));
    }
    // Groups by everything at once: nearly each is one complaint, so how many there are would count those of a hidden
    // group.
    let finest = |token: &str| {
        let mut number: HashMap<Vec<String>, i64> = HashMap::new();
        for places in world.rows(token, "DEPARTMENT CATEGORY MONTH CHANNEL STATE").into_keys() {
            *number.entry(places[..3].to_vec()).or_default() += 1;
        }
        number
    };
    let told = |number: &HashMap<Vec<String>, i64>| {
        let small: Vec<_> = hidden(&months);
        let right = small.iter().filter(|(places, row)| number.get(*places).copied().unwrap_or(0) == self::number(row));
        right.count() as f64 / small.len() as f64
    };
    let (exact, by_rows) = (told(&finest(&world.board)), told(&finest(&world.dashboard)));
    let small: Vec<_> = hidden(&months);
    let ones = small.iter().filter(|(_, row)| number(row) == 1).count() as f64 / small.len() as f64;
    assert!(exact > 0.8 && by_rows < ones, "{exact} {by_rows}; by who guesses 1: {ones}");
    // A condition, an order and a limit see what is shown and nothing else.
    for condition in ["{complaints: {lt: 5}}", "{complaints: {in: [6, 7, 8, 9, 11]}}", "{distinctEnterprises: {lt: 3}}"]
    {
        let kept =
            world.ask(&world.dashboard, &format!("groupBy: [BRANCH, CATEGORY], having: {condition}"), "groupCount");
        assert_eq!(kept["groupCount"], 0, "{condition}");
    }
    let ordered = world.ask(
        &world.dashboard,
        "groupBy: [BRANCH, MONTH], orderBy: [{field: COST_VND}], first: 5000, other: true",
        "rows { isOther suppressed costVnd }",
    );
    let costs: Vec<Option<i64>> =
        ordered["rows"].list().iter().map(|row| row["costVnd"].as_str().map(|cost| cost.parse().unwrap())).collect();
    assert!(costs.is_sorted_by(|a, b| a >= b) && costs.iter().any(Option::is_none), "{costs:?}");
    assert!(ordered["rows"].list().iter().all(|row| row["isOther"] == false));
}
