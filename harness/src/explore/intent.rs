//! What a scenario's settings ask for, in the words of the documentation: the level towards the server, what it is to be
//! known by, who is believed.

use crate::scenario::{Scenario, ScenarioFile, SideName};

/// Certificates of the test PKI that no client may take for the server's, by the property that makes them so.
const OUT_OF_TIME: [&str; 2] = ["expired", "not-yet-valid"];
const NOT_OF_ROOT: [&str; 2] = ["other-ca", "self-signed"];

/// The settings of a scenario, as far as rules ask for them.
pub struct Intent<'a> {
    file: &'a ScenarioFile,
    /// As they are written.
    records: Vec<String>,
    /// Some zone is not signed.
    unsigned: bool,
}

impl<'a> Intent<'a> {
    /// What a scenario asks for.
    pub fn of(scenario: &'a Scenario) -> Self {
        // A combination has no matrix: its text is its document.
        let document: toml::Table = scenario.text().parse().unwrap_or_default();
        let dns = document.get("dns");
        let records = dns.and_then(|dns| dns.get("records")?.as_array());
        let zones = dns.and_then(|dns| dns.get("zones")?.as_table());
        Self {
            file: &scenario.file,
            records: records
                .into_iter()
                .flatten()
                .filter_map(|record| record.as_str().map(str::to_owned))
                .collect(),
            unsigned: zones
                .into_iter()
                .flatten()
                .any(|(_, state)| state.as_str() == Some("unsigned")),
        }
    }

    /// A parameter of the Postfix of a side, as it is written; `None` where it is not, or where the side is no Postfix.
    pub fn setting(&self, side: SideName, name: &str) -> Option<&'a str> {
        let settings = match side {
            SideName::Client => self.file.client.postfix.as_ref(),
            SideName::Server => self.file.server.postfix.as_ref(),
        };
        let mut settings = settings.into_iter().flatten();
        let (_, value) = settings.find(|(known, _)| known.get_ref() == name)?;
        Some(value.get_ref().as_str())
    }

    /// Whether the client is a Postfix.
    pub fn postfix_client(&self) -> bool {
        self.file.client.postfix.is_some()
    }

    /// Whether the server is a Postfix.
    pub fn postfix_server(&self) -> bool {
        self.file.server.postfix.is_some()
    }

    /// Whether connections come in through postscreen.
    pub fn postscreen(&self) -> bool {
        self.file.server.postscreen
    }

    /// The level of a Postfix client towards the server: that of the policy table's entry, else that of main.cf.
    pub fn level(&self) -> Option<&'a str> {
        self.file.client.postfix.as_ref()?;
        let policy = self
            .setting(SideName::Client, "smtp_tls_policy_maps")
            .and_then(|table| table.strip_prefix("inline:{{"))
            .and_then(|entry| entry.split_once('='))
            .and_then(|(_, policy)| policy.split([' ', '}']).next())
            .filter(|level| !level.is_empty());
        let own = self.setting(SideName::Client, "smtp_tls_security_level");
        Some(
            policy
                .or(own)
                .filter(|level| !level.is_empty())
                .unwrap_or("may"),
        )
    }

    /// The client may not send in clear (TLS_README, all levels from `encrypt` on; `dane` where it has records).
    pub fn must_encrypt(&self) -> bool {
        match self.level() {
            Some("encrypt" | "fingerprint" | "verify" | "secure" | "dane-only") => true,
            Some("dane") => self.has_usable_tlsa(),
            _ => false,
        }
    }

    /// The client must know the server (TLS_README, mandatory server certificate verification).
    pub fn must_know_server(&self) -> bool {
        self.must_encrypt() && self.level() != Some("encrypt")
    }

    /// There are TLSA records, and DNSSEC vouches for them.
    pub fn has_usable_tlsa(&self) -> bool {
        !self.unsigned && self.records.iter().any(|record| record.contains(" TLSA "))
    }

    /// One of these records is of this certificate.
    pub fn has_tlsa_of(&self, certificate: &str) -> bool {
        let mut records = self.records.iter();
        records.any(|record| record.ends_with(&format!(":{certificate}")))
    }

    /// One of the fingerprints that the client takes is of this certificate.
    pub fn has_fingerprint_of(&self, certificate: &str) -> bool {
        let all = self.setting(SideName::Client, "smtp_tls_fingerprint_cert_match");
        let mut all = all.unwrap_or_default().split([',', ' ', '|']);
        all.any(|one| one.ends_with(&format!(":{certificate}")))
    }

    /// The server's certificates by name.
    pub fn certificates(&self) -> Vec<&'a str> {
        match &self.file.server.cert {
            Some(all) => all.iter().filter_map(|one| one.0.as_deref()).collect(),
            None => vec!["rsa2048"],
        }
    }

    /// The CA file of a side's Postfix.
    pub fn ca(&self, side: SideName) -> Option<&'a str> {
        let name = match side {
            SideName::Client => "smtp_tls_CAfile",
            SideName::Server => "smtpd_tls_CAfile",
        };
        self.setting(side, name)
    }

    /// Whether a certificate's chain leads to the CA that the client believes, within its time.
    pub fn is_trusted(&self, certificate: &str, ca: Option<&str>) -> bool {
        let of_root = !NOT_OF_ROOT.iter().any(|one| certificate.contains(one));
        let in_time = !OUT_OF_TIME.iter().any(|one| certificate.contains(one));
        let of_other = certificate.contains("other-ca");
        match ca {
            Some("ca:root") => of_root && in_time,
            Some("ca:other-root") => of_other && in_time,
            _ => false,
        }
    }

    /// The client's certificate, if it has one.
    pub fn client_certificate(&self) -> Option<&'a str> {
        self.file.client.cert.as_ref()?.0.as_deref()
    }

    /// Names of other certificates are served on request by SNI.
    pub fn has_sni(&self) -> bool {
        !self.file.server.sni.is_empty()
    }
}
