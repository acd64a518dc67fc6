//! GraphiQL in a real browser that reaches nothing but this machine.

use tests::{TestApp, dump_dom};

#[test]
fn graphiql_opens_where_there_is_no_internet() {
    let app = TestApp::sqlite().arguments(&["--dev"]).start();
    let server = app.server();
    let page = dump_dom(&format!("{}/graphiql", server.address));
    for word in ["graphiql-container", "graphiql-editor", "CodeMirror"] {
        assert!(page.contains(word), "{word} is not in the page: {page}");
    }
    let served = server.get("/graphiql").text + &server.get("/graphiql/start.js").text;
    assert!(!served.contains("http://") && !served.contains("https://") && !served.contains("src=\"//"), "{served}");
}
