//! The people of the story, and the customs service around them.

use crate::program;
use serde_json::{Value, json};
use tests::work::Mutations;
use tests::{Client, Database, Json, Role, TestApp, fixtures};

/// The officer whom nobody names at first.
pub const OFFICER: &str = "CC01";

/// Where the colleagues of the officer serve, fifteen in each unit. The first and the third are of one peer group.
const UNITS: [&str; 3] = ["02CV-D1", "02DS", "03TG"];

const COMPLAINTS_MAP: &str = r#"
source = "duong-day-nong"
[fields]
reference = "so"
received = { column = "ngay", format = "%Y-%m-%d" }
tax_code = "mst"
unit = "dv"
officer = "cb"
category = "loai"
text = "nd"
attribution = { constant = "CONFIRMED" }
"#;

const RESPONSES_MAP: &str = r#"
source = "duong-day-nong"
[fields]
reference = "so"
unit = "dv"
responded = "luc"
text = "nd"
action = { constant = "EXPLANATION" }
"#;

/// A service in which each of nine colleagues was complained about once in the year before, by an enterprise of its
/// own, and each complaint was answered after two days.
pub fn fill(database: &Database) {
    database.fill_once("the directive", |database| {
        let officers: String = (1..=45).map(|n| format!("NV{n:02},Công chức {n:02}\n")).collect();
        let postings: String = (1..=45).map(|n| format!("NV{n:02},{},01/01/2020,\n", UNITS[n % 3])).collect();
        let (mut complaints, mut responses) = (String::new(), String::new());
        for n in 1..=9 {
            let (unit, month, day) = (UNITS[n % 3], n % 9 + 4, 10 + n);
            complaints += &format!("NEN-{n},2023-{month:02}-{day:02},0010990000{n:02},{unit},NV{n:02},TD1,Việc {n}\n");
            responses += &format!("NEN-{n},{unit},2023-{month:02}-{:02} 09:00:00,Đã giải thích {n}\n", day + 2);
        }
        for (kind, csv, mapping) in [
            ("units", fixtures::UNITS.to_owned(), fixtures::UNITS_MAP),
            ("officers", format!("so_hieu,ho_ten\n{officers}"), fixtures::OFFICERS_MAP),
            ("postings", format!("so_hieu,don_vi,tu,den\n{postings}"), fixtures::POSTINGS_MAP),
            ("categories", fixtures::CATEGORIES.replace("có,5", "có,15"), fixtures::CATEGORIES_MAP),
            ("complaints", format!("so,ngay,mst,dv,cb,loai,nd\n{complaints}"), COMPLAINTS_MAP),
            ("responses", format!("so,dv,luc,nd\n{responses}"), RESPONSES_MAP),
        ] {
            fixtures::import(database, kind, csv, mapping);
        }
    });
}

/// The clients of those who take part.
pub struct People<'a> {
    pub app: &'a TestApp,
    pub admin: Client<'a>,
    pub board: Client<'a>,
    pub intake: Client<'a>,
    pub data_team: Client<'a>,
    /// The head of the headquarters unit of the field.
    pub field: Client<'a>,
    /// The head of the branch complained about.
    pub branch: Client<'a>,
    /// The head of the department above the branch.
    pub department: Client<'a>,
    /// The head of the General Department.
    pub general: Client<'a>,
    /// The head of another branch, in another department.
    pub elsewhere: Client<'a>,
}

impl<'a> People<'a> {
    pub fn of(app: &'a TestApp) -> Self {
        let admin = app.as_role(Role::Admin);
        an_admin_creates_the_headquarters_unit_its_category_and_the_officer(&admin);
        let [field, branch, department, general, elsewhere] =
            ["CNTT", "02CV", "02", "TC", "03TG"].map(|unit| app.as_head(unit));
        let [board, intake, data_team] = [Role::Board, Role::Intake, Role::DataTeam].map(|role| app.as_role(role));
        Self { app, admin, board, intake, data_team, field, branch, department, general, elsewhere }
    }

    /// Runs a job as of a day; its summary.
    pub fn run(&self, job: &str, day: &str) -> Value {
        program().json(&self.app.database, &["jobs", "run", job, "--as-of", day])["summary"].clone()
    }
}

fn an_admin_creates_the_headquarters_unit_its_category_and_the_officer(admin: &Client<'_>) {
    let unit = json!({
        "code": "CNTT", "nameVi": "Cục Công nghệ thông tin", "kind": "HEADQUARTERS_UNIT", "parent": "TC",
        "field": "Hệ thống công nghệ thông tin",
    });
    admin.done("createUnit", "unit { code }", &unit);
    let category = json!({
        "code": "TD3", "parent": "TD", "nameVi": "Đổ lỗi cho hệ thống", "kind": "CONDUCT", "deadlineDays": 10,
        "owner": "CNTT",
    });
    admin.done("createIssueCategory", "category { code }", &category);
    let officer = json!({ "code": OFFICER, "name": "Nguyễn Văn An" });
    let made = admin.done("createOfficer", "officer { revision }", &officer)["officer"].clone();
    let posting = json!({
        "officer": OFFICER, "expectedRevision": made["revision"], "unit": "02CV-D1", "from": "2020-01-01",
    });
    admin.done("startPosting", "officer { code }", &posting);
}

/// The id of a complaint, and the code of its receipt.
pub struct Submitted {
    pub id: Value,
    pub receipt: String,
}

/// A complaint as a client sees it; null if it does not.
pub fn complaint(client: &Client<'_>, id: &Value) -> Value {
    let fields = "version state relation dueOn overdue answeredInTime unit { code } branch { code } category { code }
        responsibleUnit { code } escalatedTo { code } officers { officer { code } category { code } attribution }";
    client.data(&format!("{{ complaint(id: {id}) {{ {fields} }} }}"))["complaint"].clone()
}

/// Some values of an answer, by their paths: `unit.code` is the code of the unit.
pub fn values(answer: &Value, paths: &[&str]) -> Vec<Value> {
    let at = |path: &&str| path.split('.').fold(answer, |value, field| &value[field]).clone();
    paths.iter().map(at).collect()
}

/// All codes of a refusal are FORBIDDEN, and there is one.
#[track_caller]
pub fn assert_forbidden(codes: &[String]) {
    assert!(!codes.is_empty() && codes.iter().all(|code| code == "FORBIDDEN"), "{codes:?}");
}

/// The current flags: of each subject the code, the tier and the state.
pub fn flags(client: &Client<'_>) -> Vec<[String; 3]> {
    let query = "{ flags(first: 50, orderBy: [{field: TIER, direction: DESC}]) { nodes { tier state officer { code } \
        unit { code } } } }";
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of = |flag: &Value| {
        let code = text(&flag["officer"]["code"]) + &text(&flag["unit"]["code"]);
        [code, text(&flag["tier"]), text(&flag["state"])]
    };
    client.data(query)["flags"]["nodes"].list().iter().map(of).collect()
}
