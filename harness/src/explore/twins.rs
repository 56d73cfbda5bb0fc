//! Changes of a combination that are documented to change nothing, and what did change: metamorphic testing (Chen, Cheung,
//! Yiu, 1998), which needs no expected result.

use toml::{Table, Value};

use crate::mutate::{Mutation, value_at};

/// A change that changes nothing.
pub struct Twin {
    /// Its name.
    pub name: &'static str,
    /// What it says.
    pub claim: &'static str,
    /// Who says so.
    pub source: &'static str,
    /// The other document; `None` where the change cannot be made.
    pub of: fn(&Table) -> Option<Table>,
}

/// All of them.
pub const TWINS: [&Twin; 5] = [
    &Twin {
        name: "level-from-policy",
        claim: "A level means the same in the policy table as in smtp_tls_security_level.",
        source: "TLS_README, TLS policy table",
        of: level_from_policy,
    },
    &Twin {
        name: "one-process-each",
        claim: "Sessions in one process of smtpd are what they are in processes of their own.",
        source: "postconf(5), max_use",
        of: one_process_each,
    },
    &Twin {
        name: "random-bytes",
        claim: "From how many bytes a generator is seeded changes no session.",
        source: "postconf(5), tls_daemon_random_bytes",
        of: random_bytes,
    },
    &Twin {
        name: "other-role",
        claim: "The level of the client role says nothing of a server, and that of the server role nothing of a client.",
        source: "postconf(5), smtp_tls_enforce_peername, smtpd_tls_auth_only",
        of: other_role,
    },
    &Twin {
        name: "verify-depth",
        claim: "A depth that every chain is within changes nothing.",
        source: "postconf(5), smtp_tls_scert_verifydepth, smtpd_tls_ccert_verifydepth",
        of: verify_depth,
    },
];

fn with(document: &Table, edits: Vec<(&str, Option<Value>)>) -> Option<Table> {
    let edits = edits
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    let whole = Mutation {
        key: String::new(),
        what: String::new(),
        edits,
        changes: None,
    };
    Some(whole.apply(document))
}

fn level_from_policy(document: &Table) -> Option<Table> {
    const LEVEL: &str = "client.postfix.smtp_tls_security_level";
    const TABLE: &str = "client.postfix.smtp_tls_policy_maps";
    if value_at(document, TABLE).is_some() {
        return None;
    }
    let level = value_at(document, LEVEL)?.as_str()?;
    let table = format!("inline:{{{{[mail.example.test]={level}}}}}");
    let other = if level == "none" { "encrypt" } else { "none" };
    with(
        document,
        vec![(TABLE, Some(table.into())), (LEVEL, Some(other.into()))],
    )
}

fn one_process_each(document: &Table) -> Option<Table> {
    value_at(document, "server.postfix")?;
    value_at(document, "message.count")?;
    with(document, vec![("server.postfix.max_use", Some("1".into()))])
}

fn random_bytes(document: &Table) -> Option<Table> {
    let side = ["server", "client"]
        .into_iter()
        .find(|side| value_at(document, &format!("{side}.postfix")).is_some())?;
    let key = format!("{side}.postfix.tls_daemon_random_bytes");
    with(document, vec![(&key, Some("64".into()))])
}

fn other_role(document: &Table) -> Option<Table> {
    value_at(document, "client.postfix")?;
    with(
        document,
        vec![(
            "client.postfix.smtp_tls_enforce_peername",
            Some("no".into()),
        )],
    )
}

fn verify_depth(document: &Table) -> Option<Table> {
    let key = match value_at(document, "server.postfix") {
        Some(_) => "server.postfix.smtpd_tls_ccert_verifydepth",
        None => "client.postfix.smtp_tls_scert_verifydepth",
    };
    with(document, vec![(key, Some("5".into()))])
}

/// Lines that only one of two snapshot texts has, those of the first with a minus before them.
pub fn differences(first: &str, second: &str) -> Vec<String> {
    let one = |mark: char, own: &str, other: &str| -> Vec<String> {
        let other: Vec<&str> = other.lines().collect();
        let lines = own.lines().filter(|line| !other.contains(line));
        // Who closes first is a race that no setting decides.
        let lines = lines.filter(|line| !line.contains("disconnect from "));
        lines.map(|line| format!("{mark}{line}")).collect()
    };
    let mut all = one('-', first, second);
    all.extend(one('+', second, first));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_moves_into_the_table_and_another_one_stands_in_its_place() {
        let document: Table =
            "client = { postfix = { smtp_tls_security_level = 'verify' } }\nserver = { rustls = {} }"
                .parse()
                .unwrap();
        let twin = level_from_policy(&document).unwrap();
        let postfix = value_at(&twin, "client.postfix").unwrap().to_string();
        assert!(postfix.contains("[mail.example.test]=verify"), "{postfix}");
        assert!(
            postfix.contains("smtp_tls_security_level = \"none\""),
            "{postfix}"
        );
        assert!(level_from_policy(&twin).is_none());
        assert!(one_process_each(&document).is_none());
    }

    #[test]
    fn lines_of_one_text_alone_are_differences() {
        assert_eq!(differences("a\nb\n", "a\nc\n"), ["-b", "+c"]);
        assert!(differences("a\nb", "a\nb").is_empty());
    }
}
