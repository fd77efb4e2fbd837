//! Mails: what they say, and whether other eyes than lettre's can read them.

pub(crate) mod calendar;
mod forms;
pub(crate) mod gallery;
mod golden;
mod hostile;
mod scene;
mod templates;
mod wire;
mod wording;
