//! The command `pfs`.

fn main() {}
