//! Where a configuration value was written.

use std::fmt;

/// The source of one effective value. Later variants win over earlier ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValueSource {
    /// Compiled in from `config/default.toml`, or the documented default of an issuer's key.
    Default,
    /// A file, by the path under which it was read.
    File(String),
    /// An environment variable, by its name.
    Variable(String),
    /// A flag of the command line.
    CommandLine,
}

impl ValueSource {
    /// Variables and flags hold nothing but text, so numbers and lists are read out of text there.
    /// A file has types of its own.
    pub(super) const fn is_text(&self) -> bool {
        matches!(self, Self::Variable(_) | Self::CommandLine)
    }

    /// The form in which the `config` crate carries an origin through its layers.
    pub(super) fn tag(&self) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::File(path) => format!("file:{path}"),
            Self::Variable(name) => format!("variable:{name}"),
            Self::CommandLine => "flag".to_owned(),
        }
    }

    /// The inverse of [`tag`](Self::tag). A merged table has lost its tag, so no tag reads as
    /// [`ValueSource::Default`].
    pub(super) fn from_tag(tag: Option<&str>) -> Self {
        match tag.unwrap_or_default() {
            "flag" => Self::CommandLine,
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
            Self::File(text) | Self::Variable(text) => f.write_str(text),
            Self::CommandLine => f.write_str("the command line"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_origin_survives_the_way_through_the_layers() {
        for origin in [
            ValueSource::Default,
            ValueSource::File("config/default.toml".into()),
            ValueSource::File(r"C:\bear:ward\default.toml".into()),
            ValueSource::Variable("BEARWARD_JWKS__TIMEOUT".into()),
            ValueSource::CommandLine,
        ] {
            assert_eq!(ValueSource::from_tag(Some(&origin.tag())), origin);
        }
    }
}
