//! Every log event in one file: names, fields and levels; beside it every metric. Addresses are masked, untrusted text is
//! quoted, and bodies and secrets are never given to this room.

mod metrics;

use std::io::{IsTerminal, stderr};

use chrono::{DateTime, Utc};
use tracing::level_filters::LevelFilter;
use tracing::{debug, error, info, warn};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use self::metrics::count_attempt;
pub use self::metrics::{Figures, metrics};

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For eyes.
    #[default]
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Writes events of `level` and above to standard error; of libraries only warnings. Does nothing when called again.
pub fn init(format: Format, level: LevelFilter) {
    let filter = Targets::new()
        .with_default(LevelFilter::WARN.min(level))
        .with_target(env!("CARGO_PKG_NAME"), level);
    // Of itself the builder stops at info.
    let builder = tracing_subscriber::fmt().with_max_level(level).with_writer(stderr);
    let begun = match format {
        // The builder heeds NO_COLOR itself, unless it is told to colour.
        Format::Text if stderr().is_terminal() => {
            builder.with_target(false).finish().with(filter).try_init()
        }
        Format::Text => {
            builder.with_target(false).with_ansi(false).finish().with(filter).try_init()
        }
        Format::Json => builder.json().flatten_event(true).finish().with(filter).try_init(),
    };
    // A second call can only come from tests that share a process.
    begun.ok();
    log_panics();
}

/// Sends the words of a panic to the log, where no address is in them and a JSON log stays one.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let said = panic.payload_as_str().map(mask_all);
        error!(place, ?said, "program.panicked");
    }));
}

/// `leder@kommune.example` as `l***@kommune.example`: enough to find a person in the book, too little to write to one.
#[must_use]
pub fn mask(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => {
            let first: String = local.chars().take(1).collect();
            format!("{first}***@{domain}")
        }
        None => "***".to_owned(),
    }
}

/// A text from outside with every address in it masked: servers like to repeat whom they refuse.
#[must_use]
pub fn mask_all(text: &str) -> String {
    let ends_word = |c: char| c.is_whitespace() || "<>()[]\"',;:".contains(c);
    text.split_inclusive(ends_word)
        .map(|piece| {
            let word = piece.trim_end_matches(ends_word);
            let rest = piece.strip_prefix(word).unwrap_or_default();
            if word.contains('@') { mask(word) + rest } else { piece.to_owned() }
        })
        .collect()
}

/// The same in an answer about one reader, whose name before the `@` may stand in it alone.
fn mask_answer(text: &str, to: &str) -> String {
    let masked = mask_all(text);
    let local = to.rsplit_once('@').map_or(to, |(local, _)| local).to_ascii_lowercase();
    if local.is_empty() {
        return masked;
    }
    let in_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (mut answer, mut done) = (String::new(), 0);
    for (start, found) in masked.to_ascii_lowercase().match_indices(&local) {
        let (before, after) = (&masked[..start], &masked[start + found.len()..]);
        if !in_word(before.chars().next_back()) && !in_word(after.chars().next()) {
            answer += &before[done..];
            answer += "***";
            done = start + found.len();
        }
    }
    answer + &masked[done..]
}

/// The message that an event is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Number in the store.
    pub id: i64,
    /// With its brackets.
    pub message_id: &'a str,
    /// Address, unmasked; it is masked here.
    pub to: &'a str,
    /// Number of the attempt.
    pub attempt: u32,
}

/// A sender begins: what an earlier one left behind is put right.
pub fn sender_began(epoch: i64, released: usize, unknown: usize, held: usize) {
    if unknown + held > 0 {
        warn!(epoch, released, unknown, held, "delivery.began");
    } else {
        info!(epoch, released, "delivery.began");
    }
}

/// The store was put back from a backup: nothing is planned or sent until an operator decides.
pub fn on_hold(since: Option<DateTime<Utc>>) {
    let since = since.map(|since| since.to_rfc3339());
    error!(
        since,
        why = "the store was restored",
        next = "advis release --restored",
        "delivery.on_hold"
    );
}

/// Reminders were written down.
pub fn planned(new: usize, superseded: usize, expired: usize) {
    info!(new, superseded, expired, "outbox.planned");
}

/// Messages were frozen; `missed` of them were there already, or their reminders changed meanwhile.
pub fn frozen(messages: usize, missed: usize) {
    info!(messages, missed, "outbox.frozen");
}

/// Messages were taken back because a commitment in them changed.
pub fn withdrawn(messages: usize) {
    if messages > 0 {
        info!(messages, "outbox.withdrawn");
    }
}

/// Messages were claimed.
pub fn claimed(messages: usize) {
    debug!(messages, "outbox.claimed");
}

/// Claimed messages were put back unsent.
pub fn released(messages: usize) {
    debug!(messages, "outbox.released");
}

/// The body is about to leave.
pub fn body_begins(about: About<'_>) {
    let About { id, message_id, to, attempt } = about;
    info!(id, message_id, to = mask(to), attempt, "delivery.body");
}

/// The message was withdrawn between claim and body; nothing was sent.
pub fn missed(about: About<'_>) {
    let About { id, message_id, to, attempt } = about;
    info!(id, message_id, to = mask(to), attempt, "delivery.withdrawn");
}

/// What the server answered to a whole message, before it is recorded.
pub fn final_reply(message_id: &str, code: u16) {
    info!(message_id, code, "smtp.final_reply");
}

/// An attempt ended well.
pub fn accepted(about: About<'_>, code: Option<u16>, reply: &str) {
    count_attempt("accepted");
    let About { id, message_id, to, attempt } = about;
    info!(id, message_id, to = mask(to), attempt, code, reply = ?mask_answer(reply, to), "delivery.accepted");
}

/// An attempt failed and another one follows.
pub fn deferred(about: About<'_>, stage: &str, reply: &str, until: Option<DateTime<Utc>>) {
    count_attempt("deferred");
    let About { id, message_id, to, attempt } = about;
    let until = until.map(|until| until.to_rfc3339());
    warn!(id, message_id, to = mask(to), attempt, stage, reply = ?mask_answer(reply, to), until, "delivery.deferred");
}

/// An attempt failed and somebody must look: `state` is rejected, unknown, held or expired.
pub fn failed(about: About<'_>, state: &str, stage: &str, reply: &str) {
    count_attempt(state);
    let About { id, message_id, to, attempt } = about;
    error!(id, message_id, to = mask(to), attempt, state, stage, reply = ?mask_answer(reply, to), "delivery.failed");
}

/// A result found its message no longer as it was; the result is not recorded.
pub fn lost(about: About<'_>, state: &str) {
    let About { id, message_id, to, attempt } = about;
    error!(id, message_id, to = mask(to), attempt, state, "delivery.lost");
}

/// A message that cannot be sent as it is stored.
pub fn unsendable(about: About<'_>, problem: &str) {
    let About { id, message_id, to, attempt } = about;
    error!(id, message_id, to = mask(to), attempt, problem, "delivery.unsendable");
}

/// The server does not let us in: nobody gets mail until somebody puts that right.
///
/// `to` is the reader of the message that was next, whom the reply may name.
pub fn queue_stopped(until: DateTime<Utc>, to: &str, reply: &str) {
    let until = until.to_rfc3339();
    error!(until, reply = ?mask_answer(reply, to), "delivery.stopped");
}

/// The server cannot be reached: the queue waits, so that not every message is spent on it.
pub fn queue_paused(until: DateTime<Utc>, stage: &str) {
    let until = until.to_rfc3339();
    warn!(until, stage, "delivery.paused");
}

/// As many messages went to one person today as are allowed; the rest waits until tomorrow.
pub fn person_capped(id: i64, to: &str, most: u32) {
    warn!(id, to = mask(to), per_person_per_day_max = most, "delivery.capped");
}

/// As many messages went this hour as are allowed; the rest waits.
pub fn hour_capped(until: DateTime<Utc>, most: u32) {
    let until = until.to_rfc3339();
    warn!(until, per_hour_max = most, "delivery.capped");
}

/// A row of the book or the address book makes no sense and is left out.
pub fn row_problem(reference: &str, what: &str) {
    warn!(?reference, ?what, "book.problem");
}

/// No mail can be made of a message; its reminders stay planned.
pub fn not_composed(to: &str, problem: &str) {
    error!(to = mask(to), ?problem, "message.not_composed");
}

/// The worker runs.
pub fn worker_began() {
    info!("worker.began");
}

/// The worker has ended as it was asked to.
pub fn worker_ended() {
    info!("worker.ended");
}

/// A firing, or a pass in which anything was delivered, came to this.
pub fn pass_ended(summary: &str) {
    info!(summary, "worker.pass");
}

/// The worker could not do its work; it tries again in so many seconds.
pub fn worker_failed(problem: &str, again_in_seconds: u64) {
    error!(problem, again_in_seconds, "worker.failed");
}

/// New settings are in force.
pub fn config_reloaded() {
    info!("config.reloaded");
}

/// New settings are wrong; the old ones stay in force.
pub fn config_refused(problem: &str) {
    error!(problem, "config.refused");
}

/// The pages are served there.
pub fn pages_began(address: &str) {
    info!(address, "pages.began");
}

/// The operator's page is served there. It asks for no password: where more than this machine reaches it, others do.
pub fn operator_page_began(address: &str, is_local: bool) {
    if is_local {
        info!(address, "operator_page.began");
    } else {
        warn!(address, why = "it asks for no password", "operator_page.began");
    }
}

/// The pages cannot be served any more; reminders go on.
pub fn pages_ended(problem: &str) {
    error!(problem, "pages.ended");
}

/// New settings for what only a start can change: these stay as they were.
pub fn pages_stay(what: &str) {
    warn!(what, next = "restart", "pages.stay");
}

/// Somebody came with a link that is none of ours.
pub fn link_refused(why: &str) {
    info!(why, "pages.link_refused");
}

/// A form came without a token of ours, or with one too old.
pub fn form_refused(act: &str) {
    info!(act, "pages.form_refused");
}

/// A leader did something on a page.
pub fn acted(act: &str, commitment: &str, leader: &str) {
    info!(act, ?commitment, ?leader, "pages.acted");
}

/// No page could be made.
pub fn page_failed(problem: &str) {
    error!(problem = mask_all(problem), "pages.failed");
}

#[cfg(test)]
mod tests {
    use super::{log_panics, mask, mask_all, mask_answer};

    #[test]
    fn an_address_keeps_its_first_letter_and_its_domain() {
        for (address, masked) in [
            ("leder@kommune.example", "l***@kommune.example"),
            ("x@kommune.example", "x***@kommune.example"),
            ("ø.l@kommune.example", "ø***@kommune.example"),
            ("@kommune.example", "***@kommune.example"),
            ("a@b@kommune.example", "a***@kommune.example"),
            ("nobody", "***"),
            ("", "***"),
        ] {
            assert_eq!(mask(address), masked);
        }
    }

    #[test]
    fn what_a_server_says_keeps_its_words_but_no_address() {
        for (said, masked) in [
            (
                "5.1.1 <leder@kommune.example>: no such user",
                "5.1.1 <l***@kommune.example>: no such user",
            ),
            ("a@x.example,b@x.example", "a***@x.example,b***@x.example"),
            ("2.0.0 Ok: queued as 4F1", "2.0.0 Ok: queued as 4F1"),
            ("", ""),
        ] {
            assert_eq!(mask_all(said), masked);
        }
    }

    #[test]
    fn an_answer_about_a_reader_does_not_give_the_name_away_by_itself() {
        for (said, masked) in [
            ("User jens.holm unknown", "User *** unknown"),
            (
                "JENS.HOLM: no such user; jens.holm%40kommune.example",
                "***: no such user; ***%40kommune.example",
            ),
            ("jens.holmgren and xjens.holm", "jens.holmgren and xjens.holm"),
            (
                "<jens.holm@kommune.example> k\u{f8}b jens.holm",
                "<j***@kommune.example> k\u{f8}b ***",
            ),
            ("", ""),
        ] {
            assert_eq!(mask_answer(said, "jens.holm@kommune.example"), masked);
        }
        assert_eq!(mask_answer("a @ b", "@kommune.example"), "a ***@ b");
    }

    #[test]
    fn a_panic_goes_to_the_log_without_addresses() {
        let log = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let writer = {
            let log = std::sync::Arc::clone(&log);
            move || Writer(std::sync::Arc::clone(&log))
        };
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(writer).finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let usual = std::panic::take_hook();
        log_panics();
        let fallen = std::panic::catch_unwind(|| panic!("no mail to jens.holm@kommune.example"));
        std::panic::set_hook(usual);
        assert!(fallen.is_err());
        let text = String::from_utf8(log.lock().unwrap().clone()).unwrap();
        for word in ["program.panicked", "telemetry.rs:", "no mail to j***@kommune.example"] {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert!(!text.contains("jens.holm"), "{text}");
    }

    struct Writer(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

    impl std::io::Write for Writer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
}
