//! Credentials for the key fetch: files that are read at each fetch.

use std::path::PathBuf;

#[cfg(feature = "remote")]
pub use self::files::FetchHeaders;

/// The files with the credentials that are sent when the keys of an issuer are fetched. See
/// [`Issuer::jwks_token_file`](crate::Issuer::jwks_token_file).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FetchCredentials {
    /// A file with a token that is sent as `Authorization: Bearer`.
    pub token_file: Option<PathBuf>,
    /// A file with header fields, one `Name: value` on each line.
    pub headers_file: Option<PathBuf>,
}

impl FetchCredentials {
    /// Returns whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.token_file.is_none() && self.headers_file.is_none()
    }
}

#[cfg(feature = "remote")]
mod files {
    use std::{
        fmt,
        fs::{self, File},
        io::{self, Read},
        path::Path,
    };

    use reqwest::header::{HeaderName, HeaderValue};

    use super::FetchCredentials;
    use crate::keys::fetch_error::{FetchError, FetchErrorKind};

    /// The maximum size of a file, in bytes.
    const MAX_BYTES: u64 = 16 * 1024;

    /// Fields that the client sets, or that frame the message.
    const RESERVED: [&str; 13] = [
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "if-none-match",
        "keep-alive",
        "range",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];

    /// The header fields with credentials of one request. `Debug` shows their names only.
    #[derive(Clone, Default, PartialEq, Eq)]
    pub struct FetchHeaders(Vec<(HeaderName, HeaderValue)>);

    impl FetchHeaders {
        /// Iterates over the names and values.
        pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
            self.fields()
                .map(|(name, value)| (name.as_str(), value.as_bytes()))
        }

        pub(in crate::keys) fn fields(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
            self.0.iter().map(|(name, value)| (name, value))
        }

        fn push(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|_| "a field name is invalid")?;
            if RESERVED.contains(&name.as_str()) {
                return Err("it sets a field that is reserved for the client, such as Host");
            }
            if self.0.iter().any(|(known, _)| *known == name) {
                return Err("it sets a field more than once");
            }
            let mut value = HeaderValue::from_str(value).map_err(|_| "a field value is invalid")?;
            value.set_sensitive(true);
            self.0.push((name, value));
            Ok(())
        }
    }

    impl fmt::Debug for FetchHeaders {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_list()
                .entries(self.0.iter().map(|(name, _)| name.as_str()))
                .finish()
        }
    }

    impl FetchCredentials {
        /// Reads the files. Blocks.
        ///
        /// # Errors
        /// The message names the file and the problem, but not the contents.
        pub(in crate::keys) fn read(&self) -> Result<FetchHeaders, FetchError> {
            let mut headers = FetchHeaders::default();
            if let Some(path) = &self.token_file {
                let fail = |problem: &str| error("jwks_token_file", path, problem);
                let text = read(path).map_err(|problem| fail(&problem))?;
                let token = text.trim();
                if token.is_empty() {
                    return Err(fail("the file is empty"));
                }
                if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                    return Err(fail(
                        "the file does not contain one token of printable ASCII characters",
                    ));
                }
                headers
                    .push("authorization", &format!("Bearer {token}"))
                    .map_err(fail)?;
            }
            if let Some(path) = &self.headers_file {
                let fail = |problem: &str| error("jwks_headers_file", path, problem);
                let text = read(path).map_err(|problem| fail(&problem))?;
                let lines = text.lines().map(str::trim);
                for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
                    let (name, value) = line
                        .split_once(':')
                        .ok_or_else(|| fail("a line is not of the form \"Name: value\""))?;
                    headers.push(name.trim_end(), value.trim()).map_err(fail)?;
                }
            }
            Ok(headers)
        }
    }

    fn error(key: &str, path: &Path, problem: &str) -> FetchError {
        FetchError::new(
            FetchErrorKind::Credentials,
            format!("{key} {}: {problem}", path.display()),
        )
    }

    fn read(path: &Path) -> Result<String, String> {
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => "the file does not exist".to_owned(),
            io::ErrorKind::InvalidData => "the file is not UTF-8 text".to_owned(),
            _ => format!("the file cannot be read: {error}"),
        };
        // Before it is opened: opening a named pipe waits for a writer.
        if !fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err("it is not a file".to_owned());
        }
        let mut text = String::new();
        File::open(path)
            .map_err(unreadable)?
            .take(MAX_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(unreadable)?;
        if text.len() as u64 > MAX_BYTES {
            return Err(format!("the file is larger than {MAX_BYTES} bytes"));
        }
        Ok(text)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn read_headers(
            token: Option<&str>,
            headers: Option<&str>,
        ) -> Result<FetchHeaders, String> {
            let dir = tempfile::tempdir().unwrap();
            let file = |name: &str, text: Option<&str>| {
                let path = dir.path().join(name);
                text.map(|text| std::fs::write(&path, text).map(|()| path).unwrap())
            };
            let credentials = FetchCredentials {
                token_file: file("token", token),
                headers_file: file("headers", headers),
            };
            let error_without_path = |error: FetchError| {
                error
                    .message
                    .split(": ")
                    .skip(1)
                    .collect::<Vec<_>>()
                    .join(": ")
            };
            credentials.read().map_err(error_without_path)
        }

        fn fields(token: Option<&str>, headers: Option<&str>) -> Vec<String> {
            let headers = read_headers(token, headers).unwrap();
            headers
                .iter()
                .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)))
                .collect()
        }

        #[test]
        fn token_and_fields_are_read() {
            assert_eq!(
                fields(Some(" a.b-c\n"), None),
                ["authorization: Bearer a.b-c"]
            );
            assert_eq!(
                fields(
                    None,
                    Some("# comment\n\nX-Api-Key: a: b \nauthorization:Basic eDp5\n")
                ),
                ["x-api-key: a: b", "authorization: Basic eDp5"]
            );
            assert!(fields(None, None).is_empty());
        }

        #[test]
        fn invalid_files_are_errors_without_their_contents() {
            let long = "t".repeat(16 * 1024 + 1);
            for (token, headers, problem) in [
                (Some(" \n"), None, "the file is empty"),
                (
                    Some("hunter2 hunter2"),
                    None,
                    "one token of printable ASCII",
                ),
                (Some("hunter2\u{e4}"), None, "one token of printable ASCII"),
                (Some(long.as_str()), None, "larger than 16384 bytes"),
                (None, Some("hunter2"), "not of the form"),
                (None, Some("hunt er2: a"), "a field name is invalid"),
                (
                    None,
                    Some("X-Key: a\u{1}hunter2"),
                    "a field value is invalid",
                ),
                (None, Some("Host: hunter2"), "reserved for the client"),
                (None, Some("X-Key: hunter2\nx-key: b"), "more than once"),
                (Some("a"), Some("Authorization: hunter2"), "more than once"),
            ] {
                let error = read_headers(token, headers).unwrap_err();
                assert!(error.contains(problem), "{problem}: {error}");
                assert!(!error.contains("hunter2"), "{error}");
            }
            assert!(read_headers(Some(&long[1..]), None).is_ok());
        }

        #[test]
        fn debug_hides_the_values() {
            let headers = read_headers(Some("hunter2"), None).unwrap();
            assert_eq!(format!("{headers:?}"), r#"["authorization"]"#);
        }
    }
}
