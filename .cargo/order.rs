//! Has the linker put the functions that a worker runs, as `order.txt` lists them, side by side in the release. The
//! kernel maps 64 KB around every byte of a program that is touched: scattered among three times as much that only other
//! verbs run, they would keep nearly all of it in memory.

#![allow(clippy::print_stdout, reason = "that is how a build script speaks to cargo")]

use std::path::Path;
use std::{env, fs, io};

const FUNCTIONS: &str = include_str!("order.txt");

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=.cargo/order.txt");
    println!("cargo::rerun-if-env-changed=ADVIS_SYMBOLS");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    if !is("PROFILE", "release") || !is("CARGO_CFG_TARGET_OS", "linux") {
        return Ok(());
    }
    // Not by the profile: with another profile all names would have other hashes, and benches/order needs the names.
    if !is("ADVIS_SYMBOLS", "keep") {
        println!("cargo::rustc-link-arg-bins=-Wl,--strip-all");
    }
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    // Another linker may not know what the script says.
    if env::var_os("RUSTC_LINKER").is_some() || flags.contains("fuse-ld") {
        return Ok(());
    }
    let folder = env::var("OUT_DIR").map_err(io::Error::other)?;
    let script = Path::new(&folder).join("order.ld");
    // Each is in a section of its own, named after it; what Rust calls cold has a prefix more.
    let sections = FUNCTIONS
        .lines()
        .map(|name| format!("    *(.text.{name} .text.unlikely.{name})\n"))
        .collect::<String>();
    let text =
        format!("SECTIONS {{\n  .text.worker : {{\n{sections}  }}\n}}\nINSERT BEFORE .text;\n");
    fs::write(&script, text)?;
    println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", script.display());
    Ok(())
}
