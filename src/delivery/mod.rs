//! From a planned reminder to a delivered message: a firing, the state machine, and the engine that steps it.

mod alarm;
pub mod engine;
mod failures;
pub mod firings;
pub mod health;
mod letters;
pub mod notices;
pub mod outlook;
pub mod pass;
mod posting;
pub mod preview;
mod reading;
mod report;
pub mod shift;
pub mod state;
pub mod worker;

pub use posting::Posted;
pub use reading::unknown_kind;
