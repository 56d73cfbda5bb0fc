//! What a scenario says of its own mutants (`pfs mutate`).

use schemars::JsonSchema;
use serde::Deserialize;

use super::predicate::Predicate;
use super::value::OneOrMany;

/// A change of the scenario under which the case must fail, where none can be derived that shows
/// what the case is about.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mutation {
    /// What is different then.
    pub why: String,
    /// Keys with dots between their parts and what they are set to, e.g.
    /// `"server.postfix.tls_preempt_cipherlist" = "no"`.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub set: toml::Table,
    /// Keys that are left out.
    #[serde(default)]
    pub drop: Vec<String>,
    /// A piece of the difference that must be found, e.g. `cipher: expected`. Default: any.
    pub changes: Option<String>,
}

/// A key of the scenario that makes no difference there, and should not.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Equivalent {
    /// The key with dots between its parts, e.g. `server.postfix.smtpd_tls_eecdh_grade`, or several.
    pub key: OneOrMany,
    /// Values of the matrix for which it holds. Default: all.
    #[serde(default)]
    pub cases: OneOrMany,
    /// All of these hold for the targets meant. Default: all targets.
    #[serde(default)]
    pub targets: OneOrMany<Predicate>,
    /// Why it makes no difference.
    pub why: String,
}
