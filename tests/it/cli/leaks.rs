//! Canaries: a password and an address that must turn up nowhere but where they belong, whatever a server says and
//! wherever it fails.

use std::fs;

use advis::delivery::state::Stage;
use advis::mail::transport::smtp::Tls;
use chrono::NaiveDate;
use data_encoding::BASE64;

use super::{FIRST_DAY, sheet};
use crate::smtp_server::{Reaction, Script, SmtpServer, reply, say};
use crate::world::{Ran, STORE, World};

const SECRET: &str = "Hemm3lig-Kanarie:9Zq";
const LOCAL: &str = "kanarie.fugl7";
const USER: &str = "advis-konto";

/// Shortest part of a secret that gives something away.
const PART_CHARS: usize = 10;

/// One who has the task and one who gets it; what happens to that mail is what these tests are about.
const LEADERS: &str = "\
reference,name,email
led,Lise Holm,lise@kommune.example
ny,Kaj Ny,kanarie.fugl7@kommune.example
";

/// What a server could have in mind after a login.
fn proofs() -> [String; 5] {
    let bearer = format!("user={USER}\u{1}auth=Bearer {SECRET}\u{1}\u{1}");
    let encoded = |text: &str| BASE64.encode(text.as_bytes());
    [
        SECRET.to_owned(),
        encoded(SECRET),
        encoded(&format!("\0{USER}\0{SECRET}")),
        encoded(&bearer),
        bearer,
    ]
}

/// How secrets could show: themselves, their parts, and their parts in base64.
fn traces() -> Vec<String> {
    // The name of the user is no secret, and neither are the words around a token.
    let public = ["user=", "auth=Bearer", USER];
    let encoded_public = BASE64.encode(format!("\0{USER}\0").as_bytes());
    let bearer_public = BASE64.encode(format!("user={USER}\u{1}auth=Bearer ").as_bytes());
    let is_public = |part: &str| {
        public.iter().any(|public| part.contains(&public[..4.min(public.len())]))
            || encoded_public.contains(part)
            || bearer_public.contains(part)
    };
    let mut traces = Vec::new();
    for proof in proofs() {
        let chars: Vec<char> = proof.chars().collect();
        traces.extend(chars.windows(PART_CHARS).map(|part| part.iter().collect::<String>()));
    }
    traces.retain(|part| !is_public(part));
    traces
}

#[track_caller]
fn check_secret(name: &str, text: &str) {
    for trace in traces() {
        assert!(!text.contains(&trace), "{name}: {trace:?} in {text}");
    }
}

/// A world whose mail goes to that server, and in which a mail to the canary waits.
fn world(server: &SmtpServer, login: &str, log: &str) -> World {
    let world = World::new();
    world.import(FIRST_DAY, LEADERS, &sheet(&["R-1,Status,decision,2027-06-05,led"])).ok();
    world.file("secret", SECRET);
    let (port, ca_file) = (server.addr.port(), server.ca_file.display());
    world.config(&format!(
        "[mail]\nfrom = \"Advis <advis@kommune.example>\"\nsecretariat = \"Sek <sek@kommune.example>\"\n\
         transport = \"smtp\"\n[smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"starttls\"\n\
         ca_file = \"{ca_file}\"\nusername = \"{USER}\"\n{login}\n[log]\nlevel = \"trace\"\nformat = \"{log}\"\n"
    ));
    world.run("assign R-1 ny").ok();
    world
}

const PASSWORD: &str = "password_file = \"secret\"";

fn said(ran: &Ran) -> String {
    format!("{}\n{}", ran.out, ran.err)
}

/// Everything that the verbs say after a pass, but for the address book's own addresses.
fn check_verbs(name: &str, world: &World) {
    for verb in ["log", "log --json", "explain R-1", "explain R-1 --json", "list", "check", "plan"]
    {
        check_secret(&format!("{name}: {verb}"), &said(&world.run(verb)));
    }
    for file in [STORE.to_owned(), format!("{STORE}-wal")] {
        let bytes = fs::read(world.path(&file)).unwrap_or_default();
        check_secret(&format!("{name}: {file}"), &String::from_utf8_lossy(&bytes));
    }
}

/// Every way to write the address.
fn addresses() -> String {
    format!(
        "<{LOCAL}@kommune.example> {LOCAL} \"{LOCAL}\"@kommune.example {} user={LOCAL}.",
        LOCAL.to_uppercase()
    )
}

/// The reader's address without a secret, which must not be left to the care for secrets; and both.
fn gossip() -> [String; 2] {
    let [secret, encoded, plain, bearer, _] = proofs();
    [addresses(), format!("{} {secret} {encoded} {plain} {bearer}", addresses())]
}

fn check_pass(name: &str, script: Script, login: &str, event: &str) {
    for format in ["text", "json"] {
        let server = SmtpServer::start(script.clone());
        let world = world(&server, login, format);
        let ran = world.run("once --now");
        let text = said(&ran);
        assert!(text.contains(event), "{name}: no {event}: {text}");
        check_secret(name, &text);
        let lower = text.to_lowercase();
        assert!(!lower.contains(LOCAL), "{name}: an address: {text}");
        // They read the store, which knows nothing of the format of the log.
        if format == "text" {
            check_verbs(name, &world);
        }
    }
}

#[test]
fn a_server_that_repeats_what_it_knows_at_any_stage_is_not_repeated() {
    let after_login = [Stage::Auth, Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Body];
    for stage in after_login {
        for code in [450, 554] {
            let event = if code == 554 && stage >= Stage::Mail {
                "delivery.failed"
            } else {
                "delivery.deferred"
            };
            for gossip in gossip() {
                let script = Script::new(Tls::StartTls).on(stage, [reply(code, &gossip)]);
                check_pass(&format!("{stage} {code}"), script, PASSWORD, event);
            }
        }
    }
    for gossip in gossip() {
        let agrees = |stage, code| Script::new(Tls::StartTls).on(stage, [reply(code, &gossip)]);
        check_pass("accepted", agrees(Stage::Body, 250), PASSWORD, "delivery.accepted");
        check_pass("logged in", agrees(Stage::Auth, 235), PASSWORD, "delivery.accepted");
        check_pass("354", agrees(Stage::Data, 354), PASSWORD, "delivery.accepted");
    }
}

#[test]
fn a_server_that_fails_at_any_stage_makes_nobody_talk() {
    let whole = gossip().map(|gossip| format!("{gossip}\r\n")).concat();
    for stage in [Stage::Auth, Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Body] {
        for (what, reaction) in [("garbage", say(whole.clone())), ("cut", Reaction::Cut)] {
            let event = if stage == Stage::Body { "delivery.failed" } else { "delivery.deferred" };
            let script = Script::new(Tls::StartTls).on(stage, [reaction]);
            check_pass(&format!("{stage} {what}"), script, PASSWORD, event);
        }
    }
}

#[test]
fn tokens_and_other_mechanisms_are_kept_as_well() {
    let refuses = |offers: &'static [&'static str], stage, gossip: &str| {
        Script::new(Tls::StartTls).offers(offers).on(stage, [reply(554, gossip)])
    };
    let token_command = format!("token_command = [\"echo\", \"{SECRET}\"]");
    for (offers, login) in [
        (["AUTH LOGIN"].as_slice(), PASSWORD),
        (&["AUTH XOAUTH2"], "token_file = \"secret\""),
        (&["AUTH XOAUTH2"], &token_command),
    ] {
        for gossip in gossip() {
            let refuses = |stage| refuses(offers, stage, &gossip);
            check_pass("refused", refuses(Stage::Auth), login, "delivery.stopped");
            check_pass("later", refuses(Stage::Rcpt), login, "delivery.failed");
        }
    }
    let fails = format!("token_command = [\"sh\", \"-c\", \"echo {SECRET} >&2; exit 7\"]");
    check_pass("a command that fails", Script::new(Tls::StartTls), &fails, "delivery.deferred");
}

#[test]
fn a_secret_in_the_wrong_place_is_not_read_aloud() {
    for smtp in [
        format!("password = \"{SECRET}\""),
        format!("token = \"{SECRET}\""),
        format!("passwordfile = \"{SECRET}\""),
        format!("token_command = \"curl --data {SECRET}\""),
        format!("token_command = [\"\", \"{SECRET}\"]"),
        format!("token_command = [\"curl\", \"{SECRET}\", 7]"),
        format!("password = \"{SECRET}"),
        format!("username = \"advis\"\npassword_file = [\"{SECRET}\"]"),
        format!("username = \"advis\"\npassword_file = {{ text = \"{SECRET}\" }}"),
    ] {
        let world = super::world(&["R-1,Status,status,2027-02-05,led"]);
        world.config(&format!("[smtp]\n{smtp}\n"));
        for verb in ["check", "once", "list", "run"] {
            let ran = world.run(verb).ended(78);
            check_secret(&format!("{verb}: {smtp}"), &said(&ran));
        }
    }
    let world = super::world(&["R-1,Status,status,2027-02-05,led"]);
    for variable in ["PASSWORD", "TOKEN", "TOKEN_COMMAND", "PASWORD_FILE"] {
        let variable = format!("ADVIS__SMTP__{variable}");
        let ran = world.run_with("check", &[(variable.as_str(), SECRET)]).ended(78);
        check_secret(&variable, &said(&ran));
    }
}

#[test]
fn settings_show_no_secret_in_debug() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("advis.toml");
    let text = format!(
        "[smtp]\ntls = \"starttls\"\nusername = \"{USER}\"\ntoken_command = [\"curl\", \"--data\", \"{SECRET}\"]\n"
    );
    fs::write(&file, text).unwrap();
    let config = advis::config::load(Some(&file), Vec::new(), NaiveDate::default()).unwrap();
    let shown = format!("{config:?} {config:#?}");
    assert!(shown.contains("curl") && shown.contains(USER), "{shown}");
    assert!(!shown.contains(SECRET), "{shown}");
}
