//! The small Vietnamese customs service that most tests use: files of a foreign register, with their mappings.

use crate::{Database, Program, file, temporary_folder};
use schema::enums::{Channel, LegalForm};
use schema::keys::Keys;
use schema::register::Submission;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

pub const UNITS: &str = "\
ma,ten,cap,cha,nhom,tu,den
TC,Tổng cục Hải quan,GENERAL_DEPARTMENT,,,,
02,Cục Hải quan TP. Hồ Chí Minh,PROVINCIAL_DEPARTMENT,TC,,,
02CV,Chi cục HQ CK cảng Sài Gòn KV I,BRANCH,02,SEAPORT,,
02CV-D1,Đội Thủ tục,TEAM,02CV,,,
02DS,Chi cục HQ Chuyển phát nhanh,BRANCH,02,AIRPORT,,
03,Cục Hải quan TP. Hải Phòng,PROVINCIAL_DEPARTMENT,TC,,,
03TG,Chi cục HQ CK cảng Hải Phòng KV I,BRANCH,03,SEAPORT,,
";
pub const UNITS_MAP: &str = r#"
source = "danh-muc"
[fields]
code = "ma"
name_vi = "ten"
kind = "cap"
parent = "cha"
peer_group = "nhom"
valid_from = { column = "tu", formats = ["%d/%m/%Y"] }
valid_to = { column = "den", formats = ["%d/%m/%Y"] }
"#;
pub const OFFICERS: &str = "so_hieu,ho_ten\nCC01,Nguyễn Văn An\nCC02,Trần Thị Bình\nCC03,Lê Văn Cường\n";
pub const OFFICERS_MAP: &str = "source = \"nhan-su\"\n[fields]\ncode = \"so_hieu\"\nname = \"ho_ten\"\n";
pub const POSTINGS: &str = "\
so_hieu,don_vi,tu,den
CC01,02CV-D1,01/01/2020,31/12/2023
CC01,03TG,01/01/2024,
CC02,02DS,01/01/2020,
CC03,03TG,01/01/2020,
";
pub const POSTINGS_MAP: &str = r#"
source = "nhan-su"
complete = true
[fields]
officer = "so_hieu"
unit = "don_vi"
valid_from = { column = "tu", format = "%d/%m/%Y" }
valid_to = { column = "den", format = "%d/%m/%Y" }
"#;
pub const CATEGORIES: &str = "\
ma,cha,ten,loai,nghiem_trong,han
HT,,Hệ thống mới,PROFICIENCY,không,10
TD,,Thái độ,CONDUCT,không,15
TD1,TD,Hách dịch,CONDUCT,không,15
TD2,TD,Sách nhiễu,CONDUCT,có,5
";
pub const CATEGORIES_MAP: &str = r#"
source = "danh-muc"
[fields]
code = "ma"
parent = "cha"
name_vi = "ten"
kind = "loai"
serious = "nghiem_trong"
deadline_days = "han"
"#;
/// Two rows of PA-3 lie apart; PA-4 is anonymous; PA-6 is confidential.
pub const COMPLAINTS: &str = "\
so_pa;ngay_nhan;mst;ten_dn;don_vi;can_bo;loai;ket_luan;ngay_kl;chi_phi;gio;noi_dung;kin
PA-1;05/01/2024;0100233488;Công ty A;02CV;CC01;TD2;Đ;20/02/2024;1.250.000;4,5;Cán bộ đòi tiền;
PA-2;06/01/2024;0314409058-002;Chi nhánh B;02CV-D1;CC01;TD1;;;;;\"Nói trống không,
quát doanh nghiệp\";
PA-3;07/02/2024;0100233488;Công ty A;02DS;CC02;TD1;S;01/03/2024;0;1;Chậm trả lời;
PA-4;08/02/2024;;;03TG;CC03;TD2;;;;;Ẩn danh;
PA-3;07/02/2024;0100233488;Công ty A;03TG;CC03;TD2;;;0;1;Chậm trả lời;
PA-5;10/03/2024;001099012345;Hộ C;02CV;;HT;;;500.000;2;Không khai được;
PA-6;11/03/2024;0314409058;Công ty B;02CV;CC01;TD1;;;;;Xin giữ kín;x
";
pub const COMPLAINTS_MAP: &str = r#"
source = "duong-day-nong"
[file]
delimiter = ";"
[fields]
reference = "so_pa"
received = { column = "ngay_nhan", formats = ["%d/%m/%Y"] }
tax_code = "mst"
enterprise_name = "ten_dn"
unit = "don_vi"
officer = "can_bo"
category = "loai"
decided = { column = "ngay_kl", formats = ["%d/%m/%Y"] }
cost_vnd = { column = "chi_phi", thousands = "." }
delay_hours = { column = "gio", decimal = "," }
text = "noi_dung"
confidential = "kin"
attribution = { constant = "CONFIRMED" }
channel = { constant = "HOTLINE" }
[fields.finding]
column = "ket_luan"
values = { "Đ" = "SUSTAINED", "S" = "NOT_SUSTAINED" }
default = "PENDING"
"#;
pub const RESPONSES: &str = "\
so_pa,don_vi,luc,noi_dung,hai_long
PA-1,02CV,2024-01-10 09:00:00,Đã kiểm điểm,có
PA-1,02CV,2024-01-12 10:30:00,Đã xin lỗi,
PA-5,02CV,2024-03-11 08:00:00,Đã hướng dẫn,không
";
pub const RESPONSES_MAP: &str = r#"
source = "duong-day-nong"
[fields]
reference = "so_pa"
unit = "don_vi"
responded = "luc"
text = "noi_dung"
satisfied = "hai_long"
action = { constant = "EXPLANATION" }
"#;

/// A folder with files of a test.
#[derive(Debug)]
pub struct Files(TempDir);

impl Default for Files {
    fn default() -> Self {
        Self::new()
    }
}

impl Files {
    pub fn new() -> Self {
        Self(temporary_folder())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn put(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        file(self.path(), name, contents)
    }

    /// The path of the key file of a test.
    pub fn key(&self) -> String {
        self.path().join("key").display().to_string()
    }

    /// Makes the key file, which pseudonyms and seals need; its path.
    pub fn key_file(&self) -> String {
        let key = self.key();
        Keys::create(key.as_ref()).expect("the files of a test have one key file");
        key
    }

    /// Makes a certificate for 127.0.0.1; its path, and the table `[api.tls]` of a configuration with it.
    pub fn certificate(&self) -> (PathBuf, String) {
        let (key, certificate) = (self.path().join("key.pem"), self.path().join("cert.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output()
            .expect("openssl runs");
        assert!(made.status.success(), "{made:?}");
        let table = format!("[api.tls]\ncertificate = {certificate:?}\nkey = {key:?}\n");
        (certificate, table)
    }

    /// The arguments that let a server read every row of every page and compute every statistic: its caches are off.
    pub fn without_caches(&self) -> [String; 2] {
        self.config("no-caches.toml", "[api]\nobject_cache_mb = 0\nanswer_cache_mb = 0\nstatistics_cache_mb = 0\n")
    }

    /// The arguments that let a server run every operation, with its cache of objects.
    pub fn without_answer_cache(&self) -> [String; 2] {
        self.config("no-answer-cache.toml", "[api]\nanswer_cache_mb = 0\n")
    }

    /// The arguments that give a server a configuration.
    pub fn config(&self, name: &str, settings: &str) -> [String; 2] {
        ["--config".to_owned(), self.put(name, settings).display().to_string()]
    }

    /// The arguments of an import of files made of texts.
    pub fn import(&self, kind: &str, csv: impl AsRef<[u8]>, mapping: &str) -> Vec<String> {
        let csv = self.put(&format!("{kind}.csv"), csv);
        let mapping = self.put(&format!("{kind}.toml"), mapping);
        [
            "import",
            kind,
            csv.to_str().expect("a path"),
            "--mapping",
            mapping.to_str().expect("a path"),
            "--format",
            "json",
        ]
        .map(str::to_owned)
        .to_vec()
    }
}

/// Imports a file that must be accepted; its report.
#[track_caller]
pub fn import(database: &Database, kind: &str, csv: impl AsRef<[u8]>, mapping: &str) -> Value {
    Program::built().run(database, Files::new().import(kind, csv, mapping)).ok().json()
}

/// Fills a database with the small world, from a template.
pub fn fill(database: &Database) {
    database.fill_once("small world", fill_anew);
}

/// Imports the small world.
pub fn fill_anew(database: &Database) {
    for (kind, csv, mapping) in [
        ("units", UNITS, UNITS_MAP),
        ("officers", OFFICERS, OFFICERS_MAP),
        ("postings", POSTINGS, POSTINGS_MAP),
        ("categories", CATEGORIES, CATEGORIES_MAP),
        ("complaints", COMPLAINTS, COMPLAINTS_MAP),
        ("responses", RESPONSES, RESPONSES_MAP),
    ] {
        import(database, kind, csv, mapping);
    }
}

/// Fills a database with an invented register, from a template.
pub fn generate(database: &Database, complaints: u32, seed: u32) {
    let (complaints, seed) = (complaints.to_string(), seed.to_string());
    database.fill_once(&format!("generated {complaints} {seed}"), |database| {
        let arguments = ["generate", "--complaints", &complaints, "--seed", &seed];
        Program::built().run(database, arguments).ok();
    });
}

/// A world so small that nothing in it is surprising: rules that count enterprises and ask no more.
pub const COUNTS: &str = r#"
version = "counts"
watch = { enterprises = 2, days = 180 }
review = { enterprises = 3, days = 365 }
suspension_review = { enterprises = 5, days = 365, serious = true }
"#;

/// Runs the recurrence job with these rules.
pub fn run_counting(database: &Database, as_of: &str) -> Value {
    let files = Files::new();
    let rules = files.put("rules.toml", COUNTS);
    Program::built()
        .json(database, &["jobs", "run", "recurrence", "--as-of", as_of, "--rules", rules.to_str().expect("a path")])
}

/// An anonymous complaint about the branch 02CV.
pub fn submission(text: String) -> Submission {
    Submission {
        received_at: None,
        occurred_at: None,
        legal_form: LegalForm::Feedback,
        channel: Channel::Portal,
        tax_code: None,
        enterprise_name: None,
        unit: Some("02CV".into()),
        category: Some("TD1".into()),
        officers: Vec::new(),
        declaration_number: None,
        text,
        cost_vnd: None,
        delay_hours: None,
        blames_system: false,
        confidential: false,
        attachments: Vec::new(),
    }
}

// Lists of flags

/// An old register that gives months without days, and names officers but not who complained.
pub const ANONYMOUS: &str = "\
id,month,officer,unit,what
1,2010-01,7,12,Abuse
2,2010-02,7,12,Abuse
3,2010-03,7,12,Abuse
4,2010-03,8,12,Abuse
5,2010-05,7,12,Abuse
6,2010-06,7,12,Abuse
";
pub const ANONYMOUS_MAP: &str = r#"
source = "old-register"
[missing]
unit = "create"
officer = "create"
category = "create"
[fields]
reference = "id"
received = { column = "month", format = "%Y-%m" }
officer = "officer"
unit = "unit"
unit_kind = { constant = "BRANCH" }
category = "what"
category_kind = { constant = "CONDUCT" }
category_serious = { constant = true }
"#;
