//! From a planned reminder to a delivered message.

pub mod state;
