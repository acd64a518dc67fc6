//! A digest as a program for mails draws it: the message that a mail server got, in a real browser.

use crate::reader_digests::{branches, config, run, subscribe, token, world};
use mail_parser::MessageParser;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::{Json, MailServer, TestApp, chromium, file, node};

/// The part of a mail with the HTML and its pictures, as an archive that a browser opens. Its lines end as those of a
/// message in transit: mail servers keep them otherwise.
fn archive(mail: &[u8]) -> String {
    let text = std::str::from_utf8(mail).expect("a mail of ASCII").replace("\r\n", "\n");
    let start = text.find("Content-Type: multipart/related").expect("a part with pictures");
    let boundary = text[start..].split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next());
    let last = format!("\n--{}--\n", boundary.expect("a boundary"));
    let end = text[start..].find(&last).expect("the end of the part") + last.len();
    format!("MIME-Version: 1.0\n{}", &text[start..start + end]).replace('\n', "\r\n")
}

#[test]
fn a_browser_draws_the_pictures_of_received_mails_light_and_dark_at_each_width() {
    let folder = tempfile::tempdir().expect("a folder");
    let app = TestApp::sqlite().filled(world).arguments(&["--no-jobs"]).start();
    let database = &app.database;
    let server = MailServer::started();
    let config = config(folder.path(), server.port);
    let [own, _] = branches(&app);
    token(database, "chair", &["--role", "BOARD"]);
    token(database, "head", &["--role", "UNIT_HEAD", "--unit", &own]);
    subscribe(database, "chair@example.org", "vi", &["--reader", "chair"]);
    subscribe(database, "head@example.org", "en", &["--reader", "head"]);
    run(database, "reader-digests", &config);
    assert_eq!(run(database, "deliver-digests", &config), json!({ "sent": 2, "failed": 0 }));
    let mails = server.mails();
    let files: Vec<String> = mails
        .iter()
        .enumerate()
        .map(|(place, mail)| {
            let written = file(folder.path(), &format!("{place}.mhtml"), archive(mail));
            written.to_str().expect("a path").to_owned()
        })
        .collect();
    let arguments: Vec<&str> = [chromium()].into_iter().chain(files.iter().map(String::as_str)).collect();
    let said = node("mail.js", &arguments);
    let found: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
    assert_eq!(found["elsewhere"], json!([]), "a mail asks nobody when it is read");
    assert_eq!(found["mails"].list().len(), 2);
    for (mail, views) in mails.iter().zip(found["mails"].list()) {
        let mail = MessageParser::default().parse(mail).expect("a mail that parses");
        let html = mail.body_html(0).expect("HTML");
        let expected = html.matches("src=\"cid:").count();
        assert!(expected > 0, "{html}");
        assert_eq!(views.list().len(), 4);
        let mut grounds = BTreeSet::new();
        for view in views.list() {
            let of = format!("{} at {}", view["scheme"], view["width"]);
            grounds.insert((view["scheme"].text(), view["ground"].text()));
            assert!(view["text"].integer() > 500, "{of}: {view}");
            assert!(view["wide"].integer() <= view["width"].integer(), "{of}: {} wide", view["wide"]);
            assert_eq!(view["pictures"].list().len(), expected, "{of}");
            for picture in view["pictures"].list() {
                assert!(picture["source"].text().starts_with("cid:"), "{of}: {picture}");
                assert!(
                    picture["natural"].list().iter().all(|side| side.integer() > 100),
                    "{of}: not drawn: {picture}"
                );
                assert!(picture["alt"].text().len() > 20, "{of}: {picture}");
                assert!(picture["right"].number() <= view["width"].number(), "{of}: {picture}");
            }
        }
        let different: BTreeSet<&str> = grounds.iter().map(|(_, ground)| *ground).collect();
        assert_eq!((grounds.len(), different.len()), (2, 2), "one ground for each: {grounds:?}");
    }
}
