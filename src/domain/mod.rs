//! What the product talks about, and nothing of how it is stored, sent or shown: no I/O, no clock.

pub mod address;
pub mod calendar;
pub mod commitment;
pub mod leader;
pub mod recurrence;
pub mod reminder;
pub mod rule;
pub mod window;
pub mod zone;
