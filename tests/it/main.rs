//! The one integration binary. `world.rs` builds the surroundings; one file a subject.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout
)]

mod calendar;
mod cli;
mod compose;
mod config;
mod delivery;
mod intake;
mod notices;
mod oracle;
mod phrase;
mod planner;
mod schedule;
mod simulation;
mod smtp;
mod smtp_server;
mod store;
mod tidy;
mod web;
mod world;
mod zone;
