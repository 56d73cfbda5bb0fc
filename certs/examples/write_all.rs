//! Writes every certificate, key and parameter file into a directory, to use them by hand, and says how
//! long each took: `cargo run -p pfs-certs --example write_all -- /tmp/pki`.

use std::error::Error;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use pfs_certs::dh::Parameters;
use pfs_certs::{CaName, CertName, Generated, GeneratedName, Pki};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(std::env::args_os().nth(1).ok_or("expected a directory")?);
    let pki = Pki::open(&directory.join("pki"), SystemTime::now())?;
    let mut names = Vec::new();
    for name in CertName::all() {
        let start = Instant::now();
        pki.get(name)?;
        println!("{name:20}{:>8.1?}  {}", start.elapsed(), name.description());
        names.extend(["cert", "key", "chain"].map(|item| format!("{item}:{name}")));
    }
    for parameters in Parameters::all() {
        println!("{:28}  {}", parameters.name(), parameters.description());
        names.push(format!("dh:{}", parameters.name()));
    }
    names.extend(CaName::ALL.map(|name| format!("ca:{name}")));
    for name in names {
        if let Generated::File {
            name,
            contents,
            private,
        } = GeneratedName::parse(&name)?.make(&pki)?
        {
            let path = directory.join(name);
            fs::write(&path, contents)?;
            let mode = if private { 0o600 } else { 0o644 };
            fs::set_permissions(&path, Permissions::from_mode(mode))?;
        }
    }
    Ok(())
}
