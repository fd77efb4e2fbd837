//! The command `advis`.

fn main() {}
