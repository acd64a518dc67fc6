//! One command on a fresh machine.

use crate::program;
use crate::web::browser::asked_in_graphiql;
use crate::web::in_browser;
use serde_json::json;
use std::path::Path;
use std::process::{Command, Stdio};
use tests::{Finished, Json, Server};

fn said<'s>(server: &'s Server, word: &str) -> &'s str {
    server.said.iter().find_map(|line| line.strip_prefix(word)).unwrap_or_else(|| panic!("{word}: {:?}", server.said))
}

fn run(folder: &Path, args: &[&str]) -> Finished {
    let output = Command::new(program().0)
        .env_remove("PHANANH_DATABASE_URL")
        .current_dir(folder)
        .arg("demo")
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("the program runs");
    Finished {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn the_demonstration_works_and_its_queries_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = program().demo(folder.path());
    let token = said(&server, "token: ").to_owned();
    let digest = std::fs::read_to_string(said(&server, "digest: ")).expect("the digest");
    assert!(digest.contains("Dữ liệu minh họa"));
    let queries: Vec<&String> = server.said.iter().filter(|line| line.starts_with("{ ")).collect();
    assert_eq!(queries.len(), 3);
    for query in &queries {
        let answer = server.graphql(&token, query, &json!({})).json();
        assert!(answer.get("errors").is_none(), "{query}: {answer}");
        assert_eq!(answer["extensions"]["demonstration"], true);
    }
    let flags = server.data(&token, queries[0]);
    assert!(flags["flags"]["totalCount"].integer() > 20, "{flags}");
    assert!(flags["flags"]["nodes"][0]["reasonVi"].text().contains("doanh nghiệp"));
    let card = server.data(&token, queries[2]);
    assert!(card["unit"]["scorecard"]["complaints"].integer() > 100, "{card}");
    assert!(server.get("/graphiql").text.contains("Demonstration data"));
    let all = server.data(&token, "{ serviceInfo { demonstration } complaintStatistics { rows { complaints } } }");
    assert_eq!(all["serviceInfo"]["demonstration"], true);
    assert_eq!(all["complaintStatistics"]["rows"][0]["complaints"], 50_000);

    // The address that opens the page signed in works once. GraphiQL is then signed in, too.
    let open = said(&server, "open: ").strip_prefix(&server.address).expect("an address of the server").to_owned();
    let found = in_browser("graphiql.js", &server, &[&open, "/complaints"]);
    asked_in_graphiql(&found);
    assert_eq!(
        (found["notes"].list().len(), &found["banner"]),
        (1, &json!(true)),
        "both say what the data are: {found}"
    );
    let again = server.get(&open);
    assert_eq!((again.status, again.header("set-cookie")), (401, ""));

    // While it runs, another one says what is in its way, and touches nothing.
    let port = server.address.rsplit(':').next().expect("a port");
    let refused = run(folder.path(), &["--listen", &format!("127.0.0.1:{port}")]);
    assert_eq!(refused.status, 1);
    assert!(refused.err.contains("--listen"), "{refused:?}");
    assert_eq!(server.end_by("INT"), Some(0));

    // A second start finds everything as it was.
    let again = program().demo(folder.path());
    let new = said(&again, "token: ").to_owned();
    assert_eq!(again.graphql(&token, "{ jobRuns { totalCount } }", &json!({})).status, 401, "of the first start");
    let all = again
        .data(&new, "{ complaintStatistics { rows { complaints } } jobRuns { totalCount } digests { totalCount } }");
    assert_eq!(all["complaintStatistics"]["rows"][0]["complaints"], 50_000);
    assert_eq!(all["digests"]["totalCount"], 4);
    assert_eq!(again.end_by("TERM"), Some(0));
}

#[test]
fn an_interrupted_demonstration_begins_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = Command::new(program().0)
        .current_dir(folder.path())
        .args(["demo", "--listen", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    let server = program().demo(folder.path());
    let token = said(&server, "token: ").to_owned();
    let all = server.data(&token, "{ complaintStatistics { rows { complaints } } }");
    assert_eq!(all["complaintStatistics"]["rows"][0]["complaints"], 50_000);
    assert_eq!(server.end_by("INT"), Some(0));
}

#[test]
fn what_is_in_the_way_of_a_demonstration_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    // Not even root can write there.
    let refused = run(Path::new("/proc"), &["--listen", "127.0.0.1:0"]);
    assert_eq!(refused.status, 1);
    assert!(refused.err.contains("working directory"), "{refused:?}");

    std::fs::write(folder.path().join("phananh-demo.db"), "this is no database, but a file of some length")
        .expect("a file");
    let refused = run(folder.path(), &["--listen", "127.0.0.1:0"]);
    assert_eq!(refused.status, 1);
    assert!(refused.err.contains("phananh-demo.db"), "{refused:?}");

    let real = tempfile::tempdir().expect("a folder");
    std::fs::write(real.path().join("u.csv"), "code,kind,name\n02,PROVINCIAL_DEPARTMENT,Cục\n").expect("a file");
    std::fs::write(
        real.path().join("u.toml"),
        "source = \"t\"\n[fields]\ncode = \"code\"\nkind = \"kind\"\nname_vi = \"name\"\n",
    )
    .expect("a file");
    let imported = Command::new(program().0)
        .current_dir(real.path())
        .args(["--database", "sqlite:phananh-demo.db", "import", "units", "u.csv", "--mapping", "u.toml"])
        .output()
        .expect("the program runs");
    assert!(imported.status.success(), "{imported:?}");
    let refused = run(real.path(), &["--listen", "127.0.0.1:0"]);
    assert_eq!(refused.status, 1);
    assert!(refused.err.contains("holds real data"), "{refused:?}");
    let refused = run(folder.path(), &["--port", "1"]);
    assert_eq!(refused.status, 2);
}
