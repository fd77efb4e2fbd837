//! Who must be reminded of what, said a second time: plainly, slowly, and without a line of the product's planner,
//! calendar or rules, so that the two can be held against each other. Only `product` and `exported` know Advis.

mod agreement;
mod corners;
mod days;
mod digests;
mod due;
mod edits;
mod exported;
mod product;
mod program;
mod random;
mod steps;
mod who;
mod world;

pub(crate) use due::{due, messages};
pub(crate) use world::{
    Commitment, Key, Ladder, Leader, Posted, Responsible, Rules, Sent, Snooze, Status, Window,
    World,
};
