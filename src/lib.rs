#![doc = include_str!("ARCHITECTURE.md")]

pub mod cli;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod domain;
pub mod intake;
pub mod link;
pub mod mail;
pub mod phrase;
pub mod planner;
pub mod schedule;
pub mod store;
pub mod telemetry;
pub mod web;
