//! Lines about the policy table, and about logins.

use super::super::super::draft::{Draft, Peer};
use super::super::super::symptom::Kind;
use super::super::super::values::Stock;
use super::super::Matter;
use super::CLIENT;

pub(super) fn policy(matter: &Matter<'_>, stock: &Stock, draft: &mut Draft) {
    draft.expect("delivered", false);
    let has_table = draft.client.value("smtp_tls_policy_maps").is_some();
    match matter.kind {
        Kind::PolicyAttribute => {
            let text = |needle: &str| {
                matter
                    .report
                    .log
                    .iter()
                    .any(|line| line.text.contains(needle))
            };
            let of_tlsrpt = [
                "policy_type",
                "policy_domain",
                "policy_ttl",
                "policy_string",
                "mx_host_pattern",
            ]
            .iter()
            .any(|name| text(&format!("\"{name}\"")));
            if !has_table {
                let attribute = if of_tlsrpt {
                    "policy_type=sts"
                } else {
                    "unknown_attribute=yes"
                };
                draft.client.add(
                    "smtp_tls_policy_maps",
                    &format!("inline:{{{{{} = may {attribute}}}}}", stock.nexthop),
                    "its row is not in the report",
                );
            }
            if of_tlsrpt {
                draft.targets.push("postfix < 3.10".to_owned());
                draft.notes.push(
                    "Postfix 3.10 knows the attributes of TLSRPT: no later target shows the line"
                        .to_owned(),
                );
            }
            draft.expect_log(
                CLIENT,
                &[
                    "invalid attribute name: \"",
                    "client TLS configuration problem",
                ],
            );
        }
        Kind::PolicyLookup => {
            draft.client.replace(
                "smtp_tls_policy_maps",
                "texthash:/etc/postfix/no-such-tls_policy",
                "a table that cannot be opened",
            );
            draft.expect_log(CLIENT, &["table lookup"]);
        }
        Kind::PolicyMalformed => {
            if !has_table {
                draft.client.add(
                    "smtp_tls_policy_maps",
                    &format!(
                        "inline:{{{{{} = encrypt protocols=!SSLv2, !SSLv3}}}}",
                        stock.nexthop
                    ),
                    "its row is not in the report",
                );
            }
            draft.expect_log(CLIENT, &["client TLS configuration problem"]);
        }
        _ => draft.expect_log(CLIENT, &["client TLS configuration problem"]),
    }
}

pub(super) fn sasl(matter: &Matter<'_>, stock: &Stock, draft: &mut Draft) {
    draft.server.peer = Peer::Postfix(Vec::new());
    draft
        .server
        .add("smtpd_sasl_auth_enable", "yes", "the relay wants a login");
    draft
        .server
        .add("smtpd_tls_auth_only", "yes", "and offers one inside TLS");
    draft.client.add(
        "smtp_sasl_auth_enable",
        "yes",
        "not in the report; the line needs it",
    );
    draft.client.add(
        "smtp_sasl_password_maps",
        &format!(
            "inline:{{{{{} = some.user:not-a-password}}}}",
            stock.nexthop
        ),
        "a login made up",
    );
    draft.expect("delivered", false);
    draft.expect("tls", true);
    if matter.kind == Kind::SaslClient {
        draft.client.replace(
            "smtp_sasl_mechanism_filter",
            "plain, login",
            "what the relay offers; what is asked for is not told by a log",
        );
        draft.expect_log(
            CLIENT,
            &[
                "SASL authentication failure: No worthy mechs found",
                "no mechanism available",
            ],
        );
    } else {
        draft.client.add(
            "smtp_sasl_mechanism_filter",
            "no-such-mechanism",
            "no mechanism in common",
        );
        draft.expect_log(CLIENT, &["offered no compatible authentication mechanisms"]);
    }
}
