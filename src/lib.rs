#![doc = include_str!("ARCHITECTURE.md")]

pub mod config;
pub mod delivery;
pub mod domain;
pub mod intake;
pub mod phrase;
pub mod planner;
pub mod schedule;
