//! `[web]`: the section, its keys, and every problem with them.

use std::fs;

use advis::config::{self, Config, Error, Problem, Problems};
use advis::link::Purpose;
use tempfile::TempDir;

const KEY: &str = "2026 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

/// A folder with a file of keys and a config; `KEYS` in it stands for the path of that file.
fn load(keys: &str, config: &str) -> (TempDir, Result<Config, Error>) {
    let folder = tempfile::tempdir().unwrap();
    let (keys_file, file) = (folder.path().join("keys"), folder.path().join("advis.toml"));
    fs::write(&keys_file, keys).unwrap();
    fs::write(&file, config.replace("KEYS", keys_file.to_str().unwrap())).unwrap();
    let loaded = config::load(Some(&file), [], "2026-01-05".parse().unwrap());
    (folder, loaded)
}

fn valid(config: &str) -> Config {
    load(KEY, config).1.unwrap_or_else(|error| panic!("{error}"))
}

fn problems(keys: &str, config: &str) -> Vec<Problem> {
    match load(keys, config).1 {
        Err(Error::Invalid(Problems(problems))) => problems,
        other => panic!("no problems: {other:?}"),
    }
}

#[test]
fn without_the_section_or_anything_in_it_there_are_no_pages() {
    assert_eq!(valid("").web, None);
    assert_eq!(valid("[web]").web, None);
}

#[test]
fn an_address_and_keys_are_enough() {
    let config =
        valid("[web]\npublic_url = \"https://advis.nordby.dk/opgaver/\"\nkey_file = \"KEYS\"");
    let web = config.web.unwrap();
    assert_eq!(web.listen.to_string(), "127.0.0.1:8321");
    assert_eq!(web.public_url.as_str(), "https://advis.nordby.dk/opgaver");
    assert_eq!(web.public_url.origin(), "https://advis.nordby.dk");
    assert_eq!((web.public_url.path(), web.public_url.host()), ("/opgaver", "advis.nordby.dk"));
    assert_eq!(web.links.days, 90);
    let link = web.links.task("A-1", "nora", "2026-01-05".parse().unwrap());
    let token = link.strip_prefix("https://advis.nordby.dk/opgaver/t/").unwrap();
    let check = |now: &str| web.links.keys.check(token, Purpose::Task, now.parse().unwrap());
    assert_eq!(check("2026-04-04T23:59:59Z").unwrap().person, "nora");
    assert!(check("2026-04-05T00:00:00Z").is_err());
}

#[test]
fn every_problem_is_said_with_its_key_and_no_secret() {
    let url = "public_url = \"https://advis.nordby.dk\"";
    #[rustfmt::skip]
    let table = [
        ("listen = \"127.0.0.1:1\"".to_owned(), vec![("web.key_file (not set)", "no key"), ("web.public_url (not set)", "no address")]),
        (format!("{url}\nkey_file = \"/nowhere/keys\""), vec![("web.key_file", "/nowhere/keys is not there")]),
        (format!("{url}\nkey_file = \"KEYS\"\nlisten = \"8321\""), vec![("web.listen", "127.0.0.1:8321")]),
        (format!("{url}\nkey_file = \"KEYS\"\nlink_days = 0"), vec![("web.link_days", "from 1 to 730")]),
        (format!("{url}\nkey_file = \"KEYS\"\nport = 1"), vec![("web.port", "no such key")]),
        ("key_file = \"KEYS\"\npublic_url = \"advis.nordby.dk\"".to_owned(), vec![("web.public_url", "begin it with https://")]),
        ("key_file = \"KEYS\"\npublic_url = \"http://advis.nordby.dk\"".to_owned(), vec![("web.public_url", "write https://")]),
        ("key_file = \"KEYS\"\npublic_url = \"https://a:b@nordby.dk\"".to_owned(), vec![("web.public_url", "without a login")]),
        ("key_file = \"KEYS\"\npublic_url = \"https://nordby.dk/?a=1\"".to_owned(), vec![("web.public_url", "no plain path")]),
        ("key_file = \"KEYS\"\npublic_url = \"https://nordby.dk/../x\"".to_owned(), vec![("web.public_url", "no plain path")]),
    ];
    for (text, expected) in table {
        let found = problems(KEY, &format!("[web]\n{text}"));
        assert_eq!(found.len(), expected.len(), "{text}: {found:#?}");
        for (problem, (place, what)) in found.iter().zip(expected) {
            let all = problem.to_string();
            assert!(problem.place.to_string().contains(place) && all.contains(what), "{all}");
        }
    }
    let both = format!("[web]\n{url}\nkey_file = \"KEYS\"");
    let found = problems(&format!("{KEY}{KEY}b c2VjcmV0\n"), &both);
    let said: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2);
    assert!(said[0].contains("line 2: there is a key \"2026\" already"), "{said:?}");
    assert!(said[1].contains("line 3: the secret of b has 6 bytes"), "{said:?}");
    assert!(said.iter().all(|text| !text.contains("AAEC") && !text.contains("c2Vj")), "{said:?}");
}

#[test]
fn on_this_very_machine_plain_http_is_enough() {
    for host in ["localhost:8321", "127.0.0.1:1", "[::1]:8321"] {
        let web = format!("[web]\npublic_url = \"http://{host}\"\nkey_file = \"KEYS\"");
        assert_eq!(valid(&web).web.unwrap().public_url.origin(), format!("http://{host}"));
    }
}

#[test]
fn an_example_address_is_refused_where_mail_is_real() {
    let text = "[web]\npublic_url = \"https://advis.kommune.example\"\nkey_file = \"KEYS\"\n\
                [mail]\ntransport = \"smtp\"\nfrom = \"a@nordby.dk\"\nsecretariat = \"b@nordby.dk\"\n\
                [organisation]\ncontact = \"b@nordby.dk\"\n\
                [smtp]\nhost = \"mail.nordby.dk\"\ntls = \"starttls\"";
    let found = problems(KEY, text);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].to_string().contains("web.public_url"), "{}", found[0]);
}

#[test]
fn no_debug_text_shows_a_secret() {
    let config = valid("[web]\npublic_url = \"https://advis.nordby.dk\"\nkey_file = \"KEYS\"");
    let text = format!("{config:?}");
    assert!(
        text.contains("2026") && !text.contains("AAEC") && !text.contains("[0, 1, 2"),
        "{text}"
    );
}
