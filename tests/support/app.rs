//! A test's own application: a database with what the test needs, a server over it, and a client for each role.

use crate::fixtures::{self, Files};
use crate::{Answer, Database, Json, Program, Server};
use schema::enums::Role;
use serde_json::{Value, json};
use std::sync::OnceLock;

/// Describes applications before they start.
///
/// ```no_run
/// # use tests::{Role, TestApp};
/// for app in TestApp::both().world() {
///     let answer = app.as_role(Role::Board).request("{ units { totalCount } }");
///     assert_eq!(answer.status, 200);
/// }
/// ```
pub struct TestAppBuilder {
    databases: Vec<Database>,
    arguments: Vec<String>,
}

impl TestAppBuilder {
    fn on(databases: Vec<Database>) -> Self {
        Self { databases, arguments: Vec::new() }
    }

    /// Fills the database with the small world of [`fixtures`].
    pub fn world(self) -> Self {
        self.filled(fixtures::fill)
    }

    /// Fills the database with the small world, and runs the recurrence job for a day by rules that count enterprises.
    pub fn world_with_flags(self, as_of: &str) -> Self {
        self.filled(|database| {
            database.fill_once(&format!("small world with flags of {as_of}"), |database| {
                fixtures::fill(database);
                fixtures::run_counting(database, as_of);
            });
        })
    }

    /// Fills the database with an invented register.
    pub fn generated(self, complaints: u32, seed: u32) -> Self {
        self.filled(|database| fixtures::generate(database, complaints, seed))
    }

    /// Fills the database.
    pub fn filled(self, fill: impl Fn(&Database)) -> Self {
        self.databases.iter().for_each(fill);
        self
    }

    /// Starts the server with arguments.
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|one| (*one).to_owned()));
        self
    }

    /// Starts the server with a key file, which it makes among the files of the test ([`Files::key`]).
    pub fn keyed(self, files: &Files) -> Self {
        self.arguments(&["--key-file", &files.key_file()])
    }

    /// The one application.
    ///
    /// # Panics
    /// Where there are two.
    pub fn start(self) -> TestApp {
        let mut all: Vec<TestApp> = self.into_iter().collect();
        assert_eq!(all.len(), 1, "take both in a loop");
        all.remove(0)
    }

    /// The one application, with a key file and a configuration, and without jobs.
    pub fn start_with(self, files: &Files, settings: &str) -> TestApp {
        let [option, path] = files.config("phananh.toml", settings);
        self.keyed(files).arguments(&["--no-jobs", &option, &path]).start()
    }
}

impl IntoIterator for TestAppBuilder {
    type Item = TestApp;
    type IntoIter = Box<dyn Iterator<Item = TestApp>>;

    fn into_iter(self) -> Self::IntoIter {
        let arguments = self.arguments;
        Box::new(self.databases.into_iter().map(move |database| TestApp::new(database, arguments.clone())))
    }
}

/// A database and the server over it, which starts when it is first asked.
pub struct TestApp {
    // Dropped first: a server whose database is gone fills its log.
    server: OnceLock<Server>,
    pub database: Database,
    arguments: Vec<String>,
}

impl TestApp {
    fn new(database: Database, arguments: Vec<String>) -> Self {
        Self { server: OnceLock::new(), database, arguments }
    }

    /// One application on each database.
    pub fn both() -> TestAppBuilder {
        TestAppBuilder::on(Database::both().into())
    }

    pub fn sqlite() -> TestAppBuilder {
        TestAppBuilder::on(vec![Database::sqlite()])
    }

    pub fn postgres() -> TestAppBuilder {
        TestAppBuilder::on(vec![Database::postgres()])
    }

    /// The server; it ends with the application.
    pub fn server(&self) -> &Server {
        self.server.get_or_init(|| {
            let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
            Program::built().serve(&self.database, &arguments)
        })
    }

    /// Waits until statistics of the server count what a command or a job changed: the server looks for changes of other
    /// processes every two seconds.
    pub fn sees_the_register(&self) {
        let query = "query($p: Int) { complaintStatistics(minPosition: $p) { position } }";
        self.as_role(Role::Board).data_with(query, &json!({ "p": self.database.position() }));
    }

    /// A client with a token of a role that needs no unit.
    pub fn as_role(&self, role: Role) -> Client<'_> {
        self.client(role, None)
    }

    /// A client with the token of the head of a unit.
    pub fn as_head(&self, unit: &str) -> Client<'_> {
        self.client(Role::UnitHead, Some(unit))
    }

    /// A client with a token of any role; a head gets the unit.
    pub fn as_any(&self, role: Role, unit: &str) -> Client<'_> {
        if role == Role::UnitHead { self.as_head(unit) } else { self.as_role(role) }
    }

    /// A client with a token that `phananh token create` makes from these arguments.
    pub fn as_holder(&self, arguments: &[&str]) -> Client<'_> {
        let token = Program::built().token_by(&self.database, arguments);
        Client { server: self.server(), token }
    }

    /// A client with a token of a member of the Board who is an officer.
    pub fn as_member(&self, name: &str, officer: &str) -> Client<'_> {
        self.as_holder(&["--name", name, "--role", "BOARD", "--officer", officer])
    }

    /// A client without a token.
    pub fn anonymous(&self) -> Client<'_> {
        Client { server: self.server(), token: String::new() }
    }

    fn client(&self, role: Role, unit: Option<&str>) -> Client<'_> {
        let token = Program::built().token(&self.database, role.as_str(), unit);
        Client { server: self.server(), token }
    }

    /// Runs a command on the database; the command must succeed.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> String {
        Program::built().run(&self.database, arguments).ok().out
    }

    /// Imports a file that must be accepted; its report.
    #[track_caller]
    pub fn import(&self, kind: &str, csv: impl AsRef<[u8]>, mapping: &str) -> Value {
        fixtures::import(&self.database, kind, csv, mapping)
    }
}

/// Asks a server as the holder of a token.
pub struct Client<'a> {
    pub server: &'a Server,
    pub token: String,
}

impl Client<'_> {
    /// Sends an operation.
    pub fn request(&self, document: &str) -> Answer {
        self.request_with(document, &json!({}))
    }

    pub fn request_with(&self, document: &str, variables: &Value) -> Answer {
        self.server.graphql(&self.token, document, variables)
    }

    /// The data of an operation that must succeed.
    #[track_caller]
    pub fn data(&self, document: &str) -> Value {
        self.server.data(&self.token, document)
    }

    #[track_caller]
    pub fn data_with(&self, document: &str, variables: &Value) -> Value {
        self.server.data_with(&self.token, document, variables)
    }

    /// The codes of the errors of an operation.
    pub fn codes(&self, document: &str) -> Vec<String> {
        self.request(document).codes()
    }

    /// Asks in SQL.
    pub fn sql(&self, sql: &str) -> Answer {
        self.request_with("query ($sql: String!) { sql(query: $sql) { rows } }", &json!({ "sql": sql }))
    }

    /// The rows of a question in SQL that must be answered.
    #[track_caller]
    pub fn rows(&self, sql: &str) -> Vec<Value> {
        let answer = self.sql(sql).json();
        assert!(answer.get("errors").is_none(), "{sql}: {answer}");
        answer["data"]["sql"]["rows"].list().to_vec()
    }
}
