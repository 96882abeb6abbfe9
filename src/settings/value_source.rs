//! The source of a configuration value.

use std::fmt;

/// The layer that set an effective value. Later variants override earlier ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValueSource {
    /// The compiled-in `config/default.toml`, or the default of an issuer's key.
    Default,
    /// The defaults of `bearward dev`, which override those of `bearward serve`.
    Development,
    /// A file, by its path.
    File(String),
    /// An environment variable, by its name.
    Variable(String),
    /// A command-line flag.
    CommandLine,
}

impl ValueSource {
    /// Returns whether values of this source are always text, from which numbers and lists are
    /// parsed. TOML files have types.
    pub(super) const fn is_text(&self) -> bool {
        matches!(self, Self::Variable(_) | Self::CommandLine)
    }

    /// Encodes the source as the origin string that the `config` crate attaches to values.
    pub(super) fn tag(&self) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::Development => "development".to_owned(),
            Self::File(path) => format!("file:{path}"),
            Self::Variable(name) => format!("variable:{name}"),
            Self::CommandLine => "flag".to_owned(),
        }
    }

    /// Decodes a [`tag`](Self::tag). A merged table has no tag, which is read as
    /// [`ValueSource::Default`].
    pub(super) fn from_tag(tag: Option<&str>) -> Self {
        match tag.unwrap_or_default() {
            "flag" => Self::CommandLine,
            "development" => Self::Development,
            other => match other.split_once(':') {
                Some(("file", path)) => Self::File(path.to_owned()),
                Some(("variable", name)) => Self::Variable(name.to_owned()),
                _ => Self::Default,
            },
        }
    }
}

impl fmt::Display for ValueSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the built-in defaults"),
            Self::Development => f.write_str("the defaults of bearward dev"),
            Self::File(text) | Self::Variable(text) => f.write_str(text),
            Self::CommandLine => f.write_str("the command line"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_round_trips_through_its_tag() {
        for source in [
            ValueSource::Default,
            ValueSource::Development,
            ValueSource::File("config/default.toml".into()),
            ValueSource::File(r"C:\bear:ward\default.toml".into()),
            ValueSource::Variable("BEARWARD_JWKS__TIMEOUT".into()),
            ValueSource::CommandLine,
        ] {
            assert_eq!(ValueSource::from_tag(Some(&source.tag())), source);
        }
    }
}
