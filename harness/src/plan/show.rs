//! `pfs plan`: a plan as text.

use std::fmt::Write as _;

use super::{Case, ClientPlan, CommandPlan, PostfixSide, ServerPlan};

/// What would run, as main.cf and master.cf lines and as sentences.
pub fn show(case: &Case) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{} on {}", case.id, case.target);
    let _ = writeln!(out, "  {}", case.scenario.file.why.trim());
    match &case.server {
        ServerPlan::Postfix(side) => {
            let _ = writeln!(out, "server: Postfix of {}", side.fleet);
            let port = side
                .daemons
                .service
                .map_or("<port>".to_owned(), |service| service.to_string());
            let lines = if side.daemons.postscreen {
                vec![
                    format!("127.0.0.1:{port}  inet  n - n - 1 postscreen"),
                    format!("{}-smtpd  pass  - - n - - smtpd", case.tag),
                    format!("{}-tlsproxy  unix  - - n - 0 tlsproxy", case.tag),
                ]
            } else {
                vec![format!("127.0.0.1:{port}  inet  n - n - - smtpd")]
            };
            service(&mut out, side, &lines, &case.tag);
        }
        ServerPlan::Exim(side) => {
            let _ = writeln!(out, "server: Exim of {}", side.fleet);
            exim(
                &mut out,
                side,
                "127.0.0.1:<port>  inet  n n n - - spawn",
                &case.tag,
            );
        }
        ServerPlan::Command(plan) => command(&mut out, "server", plan),
        ServerPlan::Rustls {
            certificates, sni, ..
        }
        | ServerPlan::Classic {
            certificates, sni, ..
        } => {
            let certificates = certificates.join(", ");
            let _ = writeln!(out, "server: certificates {certificates}");
            for (name, chain) in sni {
                let _ = writeln!(out, "    for {name}: {}", chain.join(", "));
            }
            peer(&mut out, case, "server");
        }
    }
    match &case.client {
        ClientPlan::Postfix {
            side,
            nexthop,
            zones,
        } => {
            let _ = writeln!(out, "client: Postfix of {}, next hop {nexthop}", side.fleet);
            let mut lines = vec![format!("{}  unix  - - n - - smtp", case.tag)];
            if side.daemons.tlsproxy {
                lines.push(format!("{}-tlsproxy  unix  - - n - 0 tlsproxy", case.tag));
            }
            service(&mut out, side, &lines, &case.tag);
            let zones = zones.as_ref().map(ToString::to_string);
            for line in zones.iter().flat_map(|zones| zones.lines()) {
                let _ = writeln!(out, "    {line}");
            }
        }
        ClientPlan::Exim(side) => {
            let _ = writeln!(out, "client: Exim of {}", side.fleet);
            let line = format!("{}  unix  - n n - - pipe", case.tag);
            exim(&mut out, side, &line, &case.tag);
        }
        ClientPlan::Command(plan) => command(&mut out, "client", plan),
        ClientPlan::Rustls { certificate, .. } | ClientPlan::Classic { certificate, .. } => {
            let certificate = certificate.as_deref().unwrap_or("none");
            let _ = writeln!(out, "client: certificate {certificate}");
            peer(&mut out, case, "client");
        }
    }
    if let Some(change) = &case.scenario.file.change {
        let _ = writeln!(out, "before the last mail:");
        for (file, contents) in &change.files {
            let _ = writeln!(out, "    {file} gets the contents of {contents}");
        }
        if change.reload {
            let _ = writeln!(out, "    postfix reload");
        }
    }
    out
}

/// A peer of ours, as the scenario has it, the values of this case put in.
fn peer(out: &mut String, case: &Case, side: &str) {
    let document = case.scenario.document().unwrap_or_default();
    for kind in ["rustls", "classic"] {
        if let Some(options) = document.get(side).and_then(|side| side.get(kind)) {
            let _ = writeln!(out, "    {kind} = {options}");
        }
    }
}

/// Lines of master.cf, all with the same overrides.
fn service(out: &mut String, side: &PostfixSide, lines: &[String], tag: &str) {
    for line in lines {
        let _ = writeln!(out, "    {line}");
    }
    let _ = writeln!(out, "      -o syslog_name=postfix/{tag}");
    for (name, value) in &side.parameters {
        let _ = writeln!(out, "      -o {{{name}={value}}}");
    }
    for (name, value) in &side.fleet.settings {
        let _ = writeln!(out, "    main.cf: {name} = {value}");
    }
    for note in &side.notes {
        let _ = writeln!(out, "    note: {note}");
    }
    for (path, contents) in &side.files {
        let _ = writeln!(out, "    {path}:");
        for line in contents.lines() {
            let _ = writeln!(out, "        {line}");
        }
    }
}

fn command(out: &mut String, side: &str, plan: &CommandPlan) {
    let place = plan.side.as_ref().map_or_else(
        || "this machine".to_owned(),
        |side| format!("the root of {}", side.fleet),
    );
    let _ = writeln!(out, "{side}: a command in {place}");
    let _ = writeln!(out, "    {}", plan.line);
    for (name, contents) in &plan.line.files {
        let _ = writeln!(out, "    {name}:");
        for line in contents.lines() {
            let _ = writeln!(out, "        {line}");
        }
    }
}

fn exim(out: &mut String, side: &PostfixSide, line: &str, tag: &str) {
    let _ = writeln!(out, "    {line} user=nobody argv=… exim4 -C {tag}.exim");
    for (name, value) in &side.parameters {
        let _ = writeln!(out, "    {tag}.exim: {name} = {value}");
    }
}
