//! The tests of `scenarios/run.rs` are made from the files there: a new file needs a new build.

fn main() {
    println!("cargo::rerun-if-changed=../scenarios");
    println!("cargo::rerun-if-changed=build.rs");
}
