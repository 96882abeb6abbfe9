//! Errors of binding a socket.

use std::io;

/// Describes why a socket cannot be bound. `options` names the options that change the address.
pub fn bind_error_hint(error: &io::Error, options: &str) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "the address is in use. Stop the other process, or choose another address with {options}"
        ),
        io::ErrorKind::PermissionDenied => {
            "permission denied; ports below 1024 need a privilege. Choose a higher port".to_owned()
        }
        io::ErrorKind::AddrNotAvailable => "this machine does not have the address".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_names_the_options() {
        let in_use = io::Error::from(io::ErrorKind::AddrInUse);
        let hint = bind_error_hint(&in_use, "--bind");
        assert!(
            hint.ends_with("choose another address with --bind"),
            "{hint}"
        );
        let other = io::Error::other("no such device");
        assert_eq!(bind_error_hint(&other, "--bind"), "no such device");
    }
}
