//! `pfs plan`: a plan as text.

use std::fmt::Write as _;

use super::{Case, ClientPlan, PostfixSide, ServerPlan};

/// What would run, as main.cf and master.cf lines and as sentences.
pub fn show(case: &Case) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{} on {}", case.id, case.target);
    let _ = writeln!(out, "  {}", case.scenario.file.why.trim());
    match &case.server {
        ServerPlan::Postfix(side) => {
            let _ = writeln!(out, "server: Postfix of {}", side.fleet);
            service(
                &mut out,
                side,
                "127.0.0.1:<port>  inet  n - n - - smtpd",
                &case.tag,
            );
        }
        ServerPlan::Rustls {
            options,
            certificates,
            sni,
        } => {
            let _ = writeln!(
                out,
                "server: rustls, certificates {}",
                certificates.join(", ")
            );
            for (name, chain) in sni {
                let _ = writeln!(out, "    for {name}: {}", chain.join(", "));
            }
            let _ = writeln!(out, "    {options:?}");
        }
        ServerPlan::Classic {
            options,
            certificates,
        } => {
            let _ = writeln!(
                out,
                "server: classic, certificates {}",
                certificates.join(", ")
            );
            let _ = writeln!(out, "    {options:?}");
        }
    }
    match &case.client {
        ClientPlan::Postfix { side, nexthop } => {
            let _ = writeln!(out, "client: Postfix of {}, next hop {nexthop}", side.fleet);
            service(
                &mut out,
                side,
                &format!("{}  unix  - - n - - smtp", case.tag),
                &case.tag,
            );
        }
        ClientPlan::Rustls {
            options,
            certificate,
        } => {
            let _ = writeln!(
                out,
                "client: rustls, certificate {}",
                certificate.as_deref().unwrap_or("none")
            );
            let _ = writeln!(out, "    {options:?}");
        }
        ClientPlan::Classic {
            options,
            certificate,
        } => {
            let _ = writeln!(
                out,
                "client: classic, certificate {}",
                certificate.as_deref().unwrap_or("none")
            );
            let _ = writeln!(out, "    {options:?}");
        }
    }
    out
}

fn service(out: &mut String, side: &PostfixSide, line: &str, tag: &str) {
    let _ = writeln!(out, "    {line}");
    let _ = writeln!(out, "      -o syslog_name=postfix/{tag}");
    for (name, value) in &side.parameters {
        let _ = writeln!(out, "      -o {{{name}={value}}}");
    }
    for (name, value) in &side.fleet.settings {
        let _ = writeln!(out, "    main.cf: {name} = {value}");
    }
}
