//! WebSockets that a page opens: they live on the session of its reader.

use super::Visitor;
use crate::sockets::Socket;
use schema::enums::Role;
use std::time::Duration;
use tests::TestApp;

#[test]
fn a_socket_of_the_page_ends_with_its_session() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let server = app.server();
        let mut visitor = Visitor::signed_in(server, &app.as_role(Role::Board).token);
        let (host, cookie) = (server.address.trim_start_matches("http://"), visitor.cookie.clone().expect("a session"));
        let headers =
            format!("host: {host}\r\ncookie: {cookie}\r\norigin: http://{host}\r\nsec-fetch-site: same-origin\r\n");
        let hello = "{\"type\": \"connection_init\"}";
        let mut socket = Socket::open_with(server, &headers);
        socket.frame(hello.len() as u64, hello.as_bytes());
        assert!(socket.said().contains("connection_ack"), "the cookie of the page is enough");
        assert_eq!(visitor.post_with_secret("/sign-out", &[]).status, 303);
        let (code, after) = socket.closed();
        assert!(code == 4401 && after < Duration::from_secs(15), "{code} after {after:?}");

        let elsewhere = headers.replace("same-origin", "cross-site");
        let mut forged = Socket::open_with(server, &elsewhere);
        forged.frame(hello.len() as u64, hello.as_bytes());
        assert_eq!(forged.closed().0, 4403, "a page of another site has no session");
    }
}
