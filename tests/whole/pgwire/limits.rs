//! What a client cannot do: read too much, ask for too long, fill the memory, or ask before its login.

use super::PgApp;
use super::login::{logged_in, message, startup};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tests::{Role, TestApp};

const SLOW: &str =
    "SELECT COUNT(*) FROM complaints a, complaints b, complaints c WHERE a.kind || b.kind <> c.kind || a.state";

#[test]
fn an_answer_that_is_cut_off_is_an_error() {
    let app = PgApp::start(TestApp::sqlite(), "[api.limits]\nsql_rows = 100\n");
    let said = app.refused(Role::DataTeam, "SELECT complaint FROM complaints");
    assert!(said.contains("54000") && said.contains("100"), "{said}");
    let few = app.answer(Role::DataTeam, "SELECT complaint FROM complaints LIMIT 100");
    assert_eq!(few.lines().count(), 100);
}

#[test]
fn a_question_ends_at_its_deadline_and_when_its_client_leaves() {
    let app =
        PgApp::start(TestApp::sqlite(), "[api.limits]\ndeadline_ms = 60000\n[api.roles.BOARD]\ndeadline_ms = 1000\n");
    let began = Instant::now();
    let said = app.refused(Role::Board, SLOW);
    assert!(said.contains("57014") && began.elapsed() < Duration::from_secs(10), "{said}");
    // A token asks one question at a time: the next one of this token waits until the first has ended.
    let token = app.app.as_role(Role::DataTeam).token;
    let mut leaving = std::process::Command::new(tests::postgres_tool("psql"))
        .env("PGPASSWORD", &token)
        .args(["-X", "-w", "-h", "127.0.0.1", "-p", &app.address.port().to_string(), "-U", "DATA_TEAM-all"])
        .args(["-d", "phananh", "-c", SLOW])
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(2));
    leaving.kill().unwrap();
    leaving.wait().unwrap();
    let began = Instant::now();
    assert_eq!(app.answer(Role::DataTeam, "SELECT 1"), "1");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn nothing_is_answered_before_the_login_and_no_message_is_endless() {
    let app = PgApp::start(TestApp::sqlite(), "");
    let connect = || {
        let stream = TcpStream::connect(app.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    };
    // A question in the place of the password, and one after a refused password.
    let question = message(b'Q', b"SELECT 41 + 1 AS answer\0");
    let wrong = [message(b'p', b"wrong\0"), question.clone()].concat();
    for early in [question.clone(), wrong] {
        let mut stream = connect();
        stream.write_all(&startup("DATA_TEAM-all")).unwrap();
        stream.write_all(&early).unwrap();
        let said = everything(&mut stream);
        assert!(said.contains("FATAL") && !said.contains("answer"), "{said}");
    }
    // Messages that claim to be long: before the login, and in the place of the startup message.
    let mut stream = connect();
    stream.write_all(&startup("DATA_TEAM-all")).unwrap();
    stream.write_all(&[b'p', 0x3f, 0xff, 0xff, 0xfe]).unwrap();
    send_until_refused(&mut stream);
    let said = everything(&mut stream);
    assert!(said.contains("FATAL") || said.is_empty(), "{said}");
    let mut stream = connect();
    stream.write_all(&[0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0]).unwrap();
    send_until_refused(&mut stream);
    assert_eq!(app.answer(Role::DataTeam, "SELECT 1"), "1", "the server answers others");
}

#[test]
fn a_token_holds_a_limited_number_of_answers() {
    // One for each connection, and eight for the portals of one session.
    let app = PgApp::start(TestApp::sqlite(), "connections_per_token = 2\n");
    let token = app.app.as_role(Role::DataTeam).token;
    for open in [eight_open_portals, eight_open_cursors] {
        let [first, second] = [(); 2].map(|()| {
            let mut stream = logged_in(&app, "DATA_TEAM-all", &token);
            let said = open(&mut stream);
            (stream, said)
        });
        assert!(!first.1.contains("53200"), "{}", first.1);
        assert!(second.1.contains("53200") && second.1.contains("close their portals"), "{}", second.1);
        drop((first, second));
        tests::wait_until(30, "the places of closed connections are free", || {
            let output = app.psql(Role::DataTeam, &["-A", "-t", "-c", "SELECT 1; SELECT 2"]);
            String::from_utf8_lossy(&output.stdout) == "1\n2\n"
        });
    }
    // An answer that was read holds no place.
    let many = "SELECT complaint FROM complaints LIMIT 10;".repeat(20);
    assert_eq!(app.answer(Role::DataTeam, &many).lines().count(), 200);
}

/// Opens eight portals in a transaction, and reads one row of each. Returns what the server says.
fn eight_open_portals(stream: &mut TcpStream) -> String {
    let mut sent = message(b'Q', b"BEGIN\0");
    sent.extend(message(b'P', b"\0SELECT complaint FROM complaints\0\0\0"));
    for portal in 0..8 {
        let name = format!("p{portal}\0");
        sent.extend(message(b'B', &[name.as_bytes(), b"\0", &[0; 6]].concat()));
        sent.extend(message(b'E', &[name.as_bytes(), &1_i32.to_be_bytes()].concat()));
    }
    sent.extend(message(b'S', b""));
    stream.write_all(&sent).unwrap();
    // One after BEGIN, and one after the portals.
    said_until_ready(stream, 2)
}

/// Declares eight cursors in a transaction, and fetches one row of each. Returns what the server says.
fn eight_open_cursors(stream: &mut TcpStream) -> String {
    let one =
        |number: u32| format!("DECLARE c{number} CURSOR FOR SELECT complaint FROM complaints; FETCH 1 FROM c{number};");
    let text: String = (0..8).map(one).collect();
    stream.write_all(&message(b'Q', format!("BEGIN; {text}\0").as_bytes())).unwrap();
    said_until_ready(stream, 1)
}

/// What the server says until it was ready for a question so often.
fn said_until_ready(stream: &mut TcpStream, times: u32) -> String {
    let (mut said, mut ready) = (String::new(), 0);
    while ready < times {
        let mut head = [0; 5];
        stream.read_exact(&mut head).unwrap();
        let [of, length @ ..] = head;
        let mut body = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap() - 4];
        stream.read_exact(&mut body).unwrap();
        ready += u32::from(of == b'Z');
        said.push_str(&String::from_utf8_lossy(&body));
    }
    said
}

/// What a server says until it closes the connection. Bytes that are no text are left out.
fn everything(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    let _reset = stream.read_to_end(&mut said);
    String::from_utf8_lossy(&said).into_owned()
}

/// Sends until the server closes the connection, at most some megabytes.
fn send_until_refused(stream: &mut TcpStream) {
    let some = vec![b'x'; 64 * 1024];
    for _ in 0..400 {
        if stream.write_all(&some).is_err() {
            return;
        }
    }
    panic!("the server took 25 MB of one message");
}
