//! Time-based one-time passwords (RFC 6238), with the parameters that authenticator apps expect.

use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;
use qrcode::{EcLevel, QrCode, render::svg};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use crate::auth::random;

/// Length of a time step in seconds.
const PERIOD_SECONDS: i64 = 30;

/// Number of time steps before and after the current one whose codes are accepted.
const SKEW: i64 = 1;

/// The shared secret of an authenticator app. It has no `Debug`, so that it cannot reach a log.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct TotpSecret(String);

impl TotpSecret {
    /// Creates a secret of 160 bits, the length of a SHA-1 hash (RFC 4226 §4).
    pub(super) fn generate() -> Self {
        Self(BASE32_NOPAD.encode(&random::bytes::<20>()))
    }

    /// Returns the secret in base32, as users type it into an app.
    pub(super) fn as_base32(&self) -> &str {
        &self.0
    }

    /// Whether the code is that of the current time step or of one next to it. Surrounding spaces
    /// are ignored.
    pub(super) fn verify(&self, code: &str, unix_seconds: i64) -> bool {
        let Ok(key) = BASE32_NOPAD.decode(self.0.as_bytes()) else {
            return false;
        };
        let step = unix_seconds.div_euclid(PERIOD_SECONDS);
        let code = code.trim();
        (step - SKEW..=step + SKEW)
            .filter_map(|step| u64::try_from(step).ok())
            // Every step is compared, so that the time does not depend on which one matches.
            .fold(false, |found, step| {
                random::constant_time_eq(code, &hotp(&key, step)) | found
            })
    }

    /// Returns the `otpauth` URI that an authenticator app reads from a QR code.
    pub(super) fn uri(&self, issuer: &str, account: &str) -> String {
        let encode = |text: &str| -> String {
            // Apps show `+` as it is, so a space is `%20`.
            form_urlencoded::byte_serialize(text.as_bytes())
                .collect::<String>()
                .replace('+', "%20")
        };
        format!(
            "otpauth://totp/{}:{}?algorithm=SHA1&digits=6&issuer={}&period={PERIOD_SECONDS}&secret={}",
            encode(issuer),
            encode(account),
            encode(issuer),
            self.0
        )
    }
}

/// Renders a QR code as SVG. Colors have names, because supabase-js puts the SVG into a `data:` URL
/// as it is, where `#` would end the URL.
///
/// Returns `None` if the text is too long for a QR code.
pub(super) fn qr_code(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let image = code
        .render::<svg::Color<'_>>()
        .dark_color(svg::Color("black"))
        .light_color(svg::Color("white"))
        .build();
    // The XML declaration is not part of an element in a page.
    image.find("<svg").map(|start| image[start..].to_owned())
}

/// Computes a code of six digits (RFC 4226 §5.3).
fn hotp(key: &[u8], counter: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[tag.len() - 1] & 0xf);
    let number = tag[offset..offset + 4]
        .iter()
        .fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of the test vectors of RFC 4226 and, for SHA-1, of RFC 6238.
    const RFC_KEY: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_match_the_vectors_of_rfc_4226() {
        let expected = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        for (counter, code) in (0..).zip(expected) {
            assert_eq!(hotp(RFC_KEY, counter), code, "counter {counter}");
        }
    }

    #[test]
    fn codes_match_the_vectors_of_rfc_6238() {
        // The vectors have eight digits; the last six are those of a code with six.
        let secret = TotpSecret(BASE32_NOPAD.encode(RFC_KEY));
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert!(secret.verify(code, time), "{time}");
            assert!(secret.verify(&format!(" {code} "), time), "{time}");
            assert!(!secret.verify(code, time + 90), "{time}");
        }
    }

    #[test]
    fn codes_of_the_neighboring_steps_are_accepted() {
        let secret = TotpSecret(BASE32_NOPAD.encode(RFC_KEY));
        let code = hotp(RFC_KEY, 100);
        for (step, expected) in [
            (98, false),
            (99, true),
            (100, true),
            (101, true),
            (102, false),
        ] {
            assert_eq!(secret.verify(&code, step * 30), expected, "step {step}");
        }
        for code in ["", "1", "abcdef", "00000000"] {
            assert!(!secret.verify(code, 3000), "{code:?}");
        }
        assert!(!secret.verify("755224", -31), "before 1970");
    }

    #[test]
    fn uri_escapes_its_parts() {
        let secret = TotpSecret("ABC".to_owned());
        assert_eq!(
            secret.uri("My App & co", "ada+x@example.com"),
            "otpauth://totp/My%20App%20%26%20co:ada%2Bx%40example.com\
             ?algorithm=SHA1&digits=6&issuer=My%20App%20%26%20co&period=30&secret=ABC"
        );
    }

    #[test]
    fn qr_code_is_svg_without_number_signs() {
        let image = qr_code(&TotpSecret::generate().uri("localhost:3000", "ada@example.com"));
        let image = image.unwrap();
        assert!(
            image.starts_with("<svg") && image.ends_with("</svg>"),
            "{image}"
        );
        assert!(!image.contains('#'), "{image}");
        assert_eq!(qr_code(&"x".repeat(5000)), None);
    }
}
