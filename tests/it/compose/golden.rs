//! Whole mails as they are sent, as they stand in `snapshots/`. Read those first.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use mailparse::{MailHeaderMap, ParsedMail, parse_mail};

use super::gallery::{LANGUAGES, letters};

/// The message as it is sent, part by part: the headers as they travel, the bodies as they are read. Spaces that do not
/// break a line look like any other, and of the signature in a link only the beginning is shown.
fn readable(mime: &[u8]) -> String {
    let message = parse_mail(mime).expect("a mail");
    let subject = message.get_headers().get_first_value("Subject").expect("a subject");
    let mut text = format!("{subject}\n\n");
    write_part(&mut text, &message);
    shorten_links(&text.replace("\r\n", "\n").replace('\u{a0}', " "))
}

fn write_part(text: &mut String, part: &ParsedMail<'_>) {
    let headers = String::from_utf8(part.get_headers().get_raw_bytes().to_vec()).expect("ASCII");
    writeln!(text, "{}\n", headers.trim_end()).expect("text");
    if part.subparts.is_empty() {
        writeln!(text, "{}", part.get_body().expect("a body")).expect("text");
    }
    for part in &part.subparts {
        text.push_str("---- ");
        write_part(text, part);
    }
}

fn shorten_links(text: &str) -> String {
    let mut pieces = text.split("/t/");
    let mut short = pieces.next().expect("a text").to_owned();
    for piece in pieces {
        let end = piece.find(['/', '"', '\n']).unwrap_or(piece.len());
        write!(short, "/t/{}…{}", &piece[..12.min(end)], &piece[end..]).expect("text");
    }
    short
}

#[test]
fn every_mail_reads_as_in_its_golden_file() {
    for language in LANGUAGES {
        let mut names = BTreeSet::new();
        for (name, mail) in letters(language) {
            assert!(names.insert(name), "two letters are called {name}");
            insta::assert_snapshot!(format!("{name}_{}", language.code()), readable(&mail.mime));
        }
    }
}

#[test]
fn a_whole_mail_travels_as_in_its_golden_file() {
    let (_, mail) = letters(LANGUAGES[0]).swap_remove(0);
    insta::assert_snapshot!("wire", String::from_utf8(mail.mime).expect("ASCII"));
}
