//! Errors with their sources.

use std::{error::Error, iter};

/// Formats an error and its sources, outermost first, separated by `": "`.
///
/// The innermost source is often the useful one ("Connection refused"), and many errors do not
/// include it in their own message.
#[must_use]
pub fn error_chain(error: &dyn Error) -> String {
    iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn error_chain_lists_every_source_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] io::Error);

        let error = Outer(io::Error::other("inner"));
        assert_eq!(error_chain(&error), "outer: inner");
        assert_eq!(error_chain(&io::Error::other("only")), "only");
    }
}
