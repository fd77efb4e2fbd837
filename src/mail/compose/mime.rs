//! The bytes of a mail, by lettre's builder. The only part of this room that knows lettre.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use encodify::qp;
use lettre::message::header::{
    ContentTransferEncoding, ContentType, Date, From, HeaderName, HeaderValue, InReplyTo,
    MIME_VERSION_1_0, MessageId, References, ReplyTo, Subject, To,
};
use lettre::message::{Attachment, Body, Mailboxes, MultiPart, SinglePart};

use super::calendar::Attached;
use super::{ComposeError, Composed, Facts, Letter, Page, Sender, identity, text};
use crate::domain::address::{Mailbox, clean_name};

/// Longest reference in `X-Advis-Items`, in characters.
const REFERENCE_CHARS_MAX: usize = 64;

/// Length of the line that parts the two bodies, in characters of the Message-ID.
const BOUNDARY_CHARS: usize = 26;

/// Puts a page into an envelope and under headers.
pub(super) fn build(
    page: Page,
    letter: Letter<'_>,
    facts: &Facts<'_>,
    now: DateTime<Utc>,
) -> Result<Composed, ComposeError> {
    let message_id = identity::message_id(letter, facts);
    let to = letter.to(facts);
    // lettre 0.11 panics on some names; what we clean away should be all of them, but a mail may never stop the worker.
    let mime = catch_unwind(AssertUnwindSafe(|| {
        encode(&page, letter, facts, &to, &message_id, now).map_err(|error| error.to_string())
    }))
    .unwrap_or_else(|_| Err("the mail library gave up on it".to_owned()))
    .map_err(ComposeError::Poisonous)?;
    let Page { subject, text, html, .. } = page;
    let sender = facts.sender.envelope_sender.clone();
    Ok(Composed { message_id, subject, sender, recipient: to.address, mime, text, html })
}

fn encode(
    page: &Page,
    letter: Letter<'_>,
    facts: &Facts<'_>,
    to: &Mailbox,
    message_id: &str,
    now: DateTime<Utc>,
) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let threads = identity::threads(letter, facts);
    // lettre's builder of messages reads its headers back, for an envelope that we have.
    let mut mail = MultiPart::builder().build();
    let headers = mail.headers_mut();
    headers.set(From::from(mailboxes(&facts.sender.from)?));
    headers.set(To::from(mailboxes(to)?));
    headers.set(ReplyTo::from(mailboxes(&facts.sender.reply_to)?));
    headers.set(Subject::from(without_encoded_words(&page.subject)));
    headers.set(Date::new(SystemTime::from(now)));
    headers.set(MessageId::from(message_id.to_owned()));
    headers.insert_raw(raw("Auto-Submitted", "auto-generated"));
    // Not "All", which would suppress reports of non-delivery too.
    headers.insert_raw(raw("X-Auto-Response-Suppress", "OOF, AutoReply"));
    headers.insert_raw(raw("Content-Language", letter.language(facts).code()));
    if let [only] = threads.as_slice() {
        headers.set(InReplyTo::from(only.clone()));
    }
    if !threads.is_empty() {
        headers.set(References::from(threads.join(" ")));
        headers.insert_raw(raw("X-Advis-Items", &without_encoded_words(&items(letter))));
    }
    headers.set(MIME_VERSION_1_0);
    let boundary: String =
        message_id.chars().filter(char::is_ascii_alphanumeric).take(BOUNDARY_CHARS).collect();
    let text = part(&page.text, ContentType::TEXT_PLAIN);
    let html = part(&page.html, ContentType::TEXT_HTML);
    if page.entries.is_empty() {
        headers.insert_raw(multipart("alternative", &boundary));
        return Ok(mail.singlepart(text).singlepart(html).formatted());
    }
    headers.insert_raw(multipart("mixed", &format!("mixed-{boundary}")));
    let mut letter = MultiPart::builder().build();
    letter.headers_mut().insert_raw(multipart("alternative", &boundary));
    mail = mail.multipart(letter.singlepart(text).singlepart(html));
    for entry in &page.entries {
        mail = mail.singlepart(attachment(entry, facts.sender, now)?);
    }
    Ok(mail.formatted())
}

/// The type of what has parts. lettre would take a random boundary first, and read its own text again at each step.
fn multipart(kind: &str, boundary: &str) -> HeaderValue {
    raw("Content-Type", &format!("multipart/{kind}; boundary=\"{boundary}\""))
}

fn attachment(
    entry: &Attached,
    sender: &Sender,
    now: DateTime<Utc>,
) -> Result<SinglePart, Box<dyn std::error::Error>> {
    let kind = format!("text/calendar; charset=utf-8; method={}", entry.method());
    let file = body(&entry.file(sender, now));
    Ok(Attachment::new(entry.file_name()).body(file, ContentType::parse(&kind)?))
}

fn part(text: &str, kind: ContentType) -> SinglePart {
    SinglePart::builder().header(kind).body(body(text))
}

/// A text as quoted-printable (RFC 2045, 6.7), its lines ended by CRLF.
fn body(text: &str) -> Body {
    let encoded = qp::BODY.encode(text).into_bytes();
    Body::dangerous_pre_encoded(encoded, ContentTransferEncoding::QuotedPrintable)
}

/// `AAR-1 before:7; AAR-2 overdue:1`: what the mail is about, for whoever reads logs.
fn items(letter: Letter<'_>) -> String {
    let subjects = letter.subjects();
    let items = subjects
        .iter()
        .map(|(reference, step)| format!("{} {step}", text::fit(reference, REFERENCE_CHARS_MAX)));
    items.collect::<Vec<_>>().join("; ")
}

fn mailboxes(mailbox: &Mailbox) -> Result<Mailboxes, lettre::address::AddressError> {
    let name = without_encoded_words(&clean_name(&mailbox.name));
    let name = Some(name).filter(|name| !name.is_empty());
    let only = lettre::message::Mailbox::new(name, mailbox.address.as_str().parse()?);
    Ok(Mailboxes::new().with(only))
}

fn raw(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// lettre writes plain ASCII words as they are, also those that a reader would decode (RFC 2047): a title could so say
/// what we never saw.
fn without_encoded_words(text: &str) -> String {
    text.replace("=?", "= ?")
}
