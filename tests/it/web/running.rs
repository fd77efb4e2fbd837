//! The pages beside the worker: `run` serves them, keeps serving them over a reload, and ends them with itself.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};

use super::site::OLD_KEY;
use crate::cli::running::Worker;
use crate::world::World;

/// A port that nobody listens on.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn config(port: u16, name: &str) -> String {
    format!(
        "[organisation]\nname = {name:?}\n[web]\nlisten = \"127.0.0.1:{port}\"\n\
         public_url = \"https://advis.kommune.example/opgaver\"\nkey_file = \"keys\"\n"
    )
}

fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn the_worker_serves_the_pages_over_a_reload_until_it_ends() {
    let (world, port) = (World::new(), free_port());
    world.config(&config(port, "Vor By")).file("keys", OLD_KEY);
    let mut worker = Worker::start(&world);
    worker.hear("pages.began");
    worker.hear("delivery.began");
    let answer = get(port, "/opgaver/t/x");
    assert!(answer.starts_with("HTTP/1.1 404") && answer.contains("Vor By"), "{answer}");
    assert!(answer.contains("Linket virker ikke"), "{answer}");

    world.config(&config(port, "Vores By"));
    worker.signal("-HUP");
    worker.hear("config.reloaded");
    assert!(get(port, "/opgaver/t/x").contains("Vores By"));
    world.config(&config(free_port(), "Vores By"));
    worker.signal("-HUP");
    worker.hear("pages.stay");
    worker.hear("config.reloaded");
    assert!(get(port, "/opgaver/t/x").contains("Vores By"));

    // Somebody who says nothing does not keep the worker from ending.
    let silent = TcpStream::connect(("127.0.0.1", port)).unwrap();
    worker.signal("-TERM");
    worker.hear("worker.ended");
    assert_eq!(worker.end().0, Some(0));
    drop(silent);
    let gone = TcpStream::connect(("127.0.0.1", port)).unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn the_operators_page_needs_no_other_pages_and_ends_with_the_worker() {
    let (world, port) = (World::new(), free_port());
    let operator = |port: u16| format!("[operator]\nlisten = \"127.0.0.1:{port}\"\n");
    world.config(&operator(port));
    let mut worker = Worker::start(&world);
    worker.hear("operator_page.began");
    worker.hear("delivery.began");
    let look = |path: &str| get(port, path);
    assert!(look("/").contains("Alt går, som det skal"));
    assert!(look("/health").starts_with("HTTP/1.1 200"));
    world.config(&operator(free_port()));
    worker.signal("-HUP");
    worker.hear("pages.stay");
    worker.hear("config.reloaded");
    assert!(look("/metrics").contains("advis_backlog 0"));
    worker.signal("-TERM");
    worker.hear("worker.ended");
    assert_eq!(worker.end().0, Some(0));
    let gone = TcpStream::connect(("127.0.0.1", port)).unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn two_pages_at_one_address_are_refused_and_one_that_is_taken_is_named() {
    let (world, port) = (World::new(), free_port());
    let both = config(port, "Vor By") + &format!("[operator]\nlisten = \"127.0.0.1:{port}\"\n");
    world.config(&both).file("keys", OLD_KEY);
    world.run("check").refused(78, &["operator.listen", "choose another port"]);
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap();
    world.config(&format!("[operator]\nlisten = \"{address}\"\n"));
    let words = ["another program listens there", "[operator] listen", &address.to_string()];
    world.run("run").refused(78, &words);
}

#[test]
fn an_address_that_cannot_be_had_is_said_and_a_second_worker_in_its_own_words() {
    let (world, port) = (World::new(), free_port());
    world.config(&config(port, "Vor By")).file("keys", OLD_KEY);
    let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let address = format!("127.0.0.1:{port}");
    let words =
        ["the pages cannot listen on", &address, "another program listens there", "[web] listen"];
    world.run("run").refused(78, &words);
    drop(taken);

    let mut worker = Worker::start(&world);
    worker.hear("pages.began");
    worker.hear("delivery.began");
    world.run("run").refused(75, &["another advis is sending"]);
    worker.signal("-TERM");
    assert_eq!(worker.end().0, Some(0));
}

#[test]
fn check_says_what_is_wrong_with_the_pages() {
    let world = World::new();
    world.config("[web]\npublic_url = \"http://advis.kommune.example\"\nkey_file = \"keys\"\n");
    world.file("keys", "2026 c2VjcmV0\n");
    world.run("check").refused(78, &["web.public_url", "write https://"]);
    world.config("[web]\npublic_url = \"https://advis.kommune.example\"\nkey_file = \"keys\"\n");
    world
        .run("check")
        .refused(78, &["web.key_file", "keys: line 1: the secret of 2026 has 6 bytes"]);
}
