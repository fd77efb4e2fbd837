//! Mail: composing messages (pure), and carrying frozen messages away. `lettre` lives here and only here.

pub mod compose;
pub mod transport;
