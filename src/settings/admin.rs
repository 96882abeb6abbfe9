//! The `[admin]` section: who may manage accounts.

use std::collections::BTreeMap;

use bearward::Issuer;

use super::{
    issuer_values::names,
    raw::Raw,
    section::{Reported, Section},
};

/// Who may use the administration endpoints.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Admin {
    /// The names of the issuers whose roles are trusted. Empty: there are no administrators.
    pub issuers: Vec<String>,
    /// The role that a token of these issuers must have.
    pub role: String,
}

impl Admin {
    pub(super) fn read(
        mut section: Section<'_>,
        configured: &BTreeMap<String, Issuer>,
    ) -> Result<Self, Reported> {
        let issuers = section.take("issuers", |raw| {
            let issuers = names(raw)?;
            match issuers.iter().find(|name| !configured.contains_key(*name)) {
                Some(unknown) => Err(format!(
                    "there is no section [issuers.{unknown}]; write the names of configured issuers"
                )),
                None => Ok(issuers),
            }
        });
        let role = section.take("role", |raw: Raw<'_>| raw.text().map(str::to_owned));
        section.finish();
        Ok(Self {
            issuers: issuers?,
            role: role?,
        })
    }
}
