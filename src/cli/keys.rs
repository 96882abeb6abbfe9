//! `bearward keys`: creates keys of services.

use bearward::{NewServiceKey, ServiceKey};
use clap::Subcommand;

use super::{Failure, stdout, style};
use crate::settings::{is_service_name, parse_expiry};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a service key: print it on stdout, and the configuration of its digest on stderr
    #[command(after_help = AFTER_HELP)]
    New {
        /// The name of the service in logs and metrics: lower-case letters, digits and _
        name: String,
        /// Add this scope to the printed configuration; may be repeated
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// Add this expiry to the printed configuration: a day in UTC or an RFC 3339 time
        #[arg(long, value_name = "DATE")]
        expires: Option<String>,
    },
}

const AFTER_HELP: &str = "\
Examples:
  Create a key and keep it in a file that only you can read:
    (umask 077; bearward keys new cron --scope reports:write > cron.key)
  Send a request with it:
    curl -H \"Authorization: Bearer $(cat cron.key)\" https://api.example.com/

To replace a key:
  1. Create another one with the same name and add its digest to sha256, next
     to the old one. Restart the servers.
  2. Give the new key to the service.
  3. When the access log shows no more requests with the old key (field kid),
     remove its digest.

The key is not stored and cannot be printed again. Scanners find leaked keys
with the expression bwk_[0-9A-Za-z]{46}.";

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    let Command::New {
        name,
        scopes,
        expires,
    } = command;
    if !is_service_name(name) {
        return Err(Failure::Usage(format!(
            "{name:?} cannot be the name of a service: use 1 to 64 lower-case letters, digits and _, and not \"none\""
        )));
    }
    let scopes = scopes.join(" ");
    let service = ServiceKey::new(name)
        .and_then(|service| service.scope(&scopes))
        .map_err(|error| Failure::Usage(error.to_string()))?;
    if let Some(expires) = expires
        && parse_expiry(expires).is_none()
    {
        return Err(Failure::Usage(format!(
            "--expires {expires:?}: write a day such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z"
        )));
    }
    let key = NewServiceKey::generate();
    let digest = key.sha256();
    let scopes: Vec<&str> = service.scopes().collect();
    let quoted: Vec<String> = scopes.iter().map(|scope| format!("{scope:?}")).collect();
    let id = &digest[..8];
    let variable = |key: &str, value: &str| {
        format!(
            "\nBEARWARD_SERVICE_KEYS__{}__{key}={value}",
            name.to_uppercase()
        )
    };
    let mut toml = format!(
        "sha256 = [\"{digest}\"]\nscopes = [{}]\n",
        quoted.join(", ")
    );
    let mut variables = variable("SHA256", &digest);
    if !scopes.is_empty() {
        variables += &variable("SCOPES", &scopes.join(","));
    }
    if let Some(expires) = expires {
        toml += &["expires = \"", expires, "\"\n"].concat();
        variables += &variable("EXPIRES", expires);
    }
    anstream::eprintln!(
        "The key of {}{name}{} (id {id}) is on stdout and is not stored. Add its digest to the configuration
of the server, in config/default.toml:

[service_keys.{name}]
{toml}
or in the environment:{variables}",
        style::GOOD,
        style::PLAIN
    );
    stdout::write(format!("{}\n", key.expose()).as_bytes())
}
