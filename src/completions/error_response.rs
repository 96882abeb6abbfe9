//! Classifies responses with a status other than 200.

use std::time::Duration;

use bearward::{SanitizedText, Timestamp};
use bearward_http::{headers::parse_retry_after, read_prefix};
use reqwest::{Response, StatusCode};
use serde_json::Value;
use tracing::Level;
use zeroize::Zeroizing;

use super::CompletionsError;
use crate::vault::ApiKeySecret;

/// Maximum number of bytes read. JSON error bodies have a few hundred; larger ones are HTML pages.
const MAX_BYTES: usize = 16 << 10;

/// How long to wait for the body. The status is known already.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// Used if a 429 response has no `Retry-After`. Most services limit per minute or shorter.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(10);

/// Shorter parts of the key are not redacted: they also occur in other text.
const MIN_REDACTED: usize = 6;

/// Maps an error response to a [`CompletionsError`]. Reads the body only if the status is
/// ambiguous, or if debug logging is enabled.
pub(super) async fn classify(
    response: Response,
    key: &ApiKeySecret,
    now: Timestamp,
) -> CompletionsError {
    let status = response.status();
    let delay = parse_retry_after(response.headers(), now.into()).unwrap_or(DEFAULT_RETRY_AFTER);
    let is_logged = tracing::enabled!(Level::DEBUG);
    let is_ambiguous = matches!(
        status,
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY
    );
    let body = if is_logged || is_ambiguous {
        read_excerpt(response).await
    } else {
        Vec::new()
    };
    if is_logged {
        let excerpt = redact_key(&body, key);
        tracing::debug!(status = status.as_u16(), body = %excerpt, "the completions service returned an error");
    }
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => CompletionsError::RejectedKey,
        StatusCode::TOO_MANY_REQUESTS => CompletionsError::RateLimited {
            retry_after: delay.clamp(Duration::from_secs(1), Duration::from_hours(1)),
        },
        StatusCode::NOT_FOUND => CompletionsError::UnknownModel,
        _ if is_ambiguous && names_the_model(&body) => CompletionsError::UnknownModel,
        _ if status.is_client_error() => CompletionsError::Rejected {
            status: status.as_u16(),
        },
        _ if status.is_server_error() => CompletionsError::ServerError {
            status: status.as_u16(),
        },
        _ => CompletionsError::UnexpectedStatus {
            status: status.as_u16(),
        },
    }
}

/// Reads as much of the body as arrives in time, up to [`MAX_BYTES`]. Errors end the reading.
async fn read_excerpt(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    let reading = read_prefix(&mut response, MAX_BYTES, &mut body);
    let _ = tokio::time::timeout(READ_TIMEOUT, reading).await;
    body
}

/// Reports whether an error body is about the model: by `param` or `code` (OpenAI, Together AI), or
/// by the message (vLLM, LiteLLM and others). A context that is too long for the model is not one
/// of these errors.
fn names_the_model(body: &[u8]) -> bool {
    const PHRASES: [&str; 7] = [
        "invalid model",
        "unknown model",
        "no such model",
        "model not found",
        "model does not exist",
        "model is not available",
        "access model",
    ];
    let Ok(document) = serde_json::from_slice::<Value>(body) else {
        return false;
    };
    let error = document.get("error").unwrap_or(&document);
    let text = |name: &str| {
        error
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    let message = error
        .as_str()
        .map_or_else(|| text("message"), str::to_ascii_lowercase);
    let is_named = text("param") == "model" || text("code").contains("model");
    is_named || PHRASES.iter().any(|phrase| message.contains(phrase))
}

/// Returns the beginning of the body for the log. Parts of the key are replaced by stars, even if
/// the key is truncated, escaped or written in another case.
fn redact_key(body: &[u8], key: &ApiKeySecret) -> SanitizedText {
    let text = Zeroizing::new(String::from_utf8_lossy(&body[..body.len().min(1024)]).into_owned());
    let lower = Zeroizing::new(text.to_ascii_lowercase());
    let secret = Zeroizing::new(key.expose().to_ascii_lowercase());
    let window = MIN_REDACTED.min(secret.len());
    let mut is_secret = vec![false; text.len()];
    for (at, part) in lower.as_bytes().windows(window).enumerate() {
        if secret.as_bytes().windows(window).any(|own| own == part) {
            is_secret[at..at + window].fill(true);
        }
    }
    // The key is ASCII, so no multi-byte character is redacted in part.
    let redacted: String = text
        .char_indices()
        .map(|(at, c)| if is_secret[at] { '*' } else { c })
        .collect();
    SanitizedText::new(&redacted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sk-proj-AbCdEfGh/IjKlMnOp+QrStUvWx==";

    fn redacted(text: &str) -> String {
        redact_key(text.as_bytes(), &ApiKeySecret::new(KEY.into()).unwrap()).to_string()
    }

    #[test]
    fn key_is_redacted_in_every_form() {
        assert_eq!(
            redacted(&format!("bad key {KEY}.")),
            format!("bad key {}.", "*".repeat(KEY.len()))
        );
        assert_eq!(
            redacted("bad key sk-proj-****StUvWx=="),
            format!("bad key {}****{}", "*".repeat(8), "*".repeat(8))
        );
        for form in [
            KEY.to_uppercase(),
            KEY.replace('/', "\\/"),
            KEY.replace('+', "%2B"),
            KEY[3..20].to_owned(),
        ] {
            let shown = redacted(&format!("bad key {form} in use"));
            let left: String = shown.chars().filter(char::is_ascii_alphanumeric).collect();
            assert!(left.len() <= "badkey2Binuse".len(), "{form}: {shown}");
            assert!(
                shown.starts_with("bad key *") && shown.ends_with(" in use"),
                "{shown}"
            );
        }
    }

    #[test]
    fn truncated_key_at_the_end_is_redacted() {
        for before in 80..125 {
            let shown = redacted(&format!("{}{KEY}", " ".repeat(before)));
            assert!(!shown.contains(char::is_alphanumeric), "{before}: {shown}");
        }
    }

    #[test]
    fn other_text_is_kept_without_control_characters() {
        assert_eq!(
            redacted("{\"error\": \"schlüssel\"}"),
            "{\"error\": \"schlüssel\"}"
        );
        assert_eq!(redacted("a\r\nb\u{1b}[2J"), "a\u{fffd}\u{fffd}b\u{fffd}[2J");
        assert_eq!(redacted(&"x".repeat(5000)).chars().count(), 121);
        assert_eq!(redacted(""), "");
    }

    #[test]
    fn short_key_is_redacted_completely() {
        assert_eq!(
            redact_key(b"key abc", &ApiKeySecret::new("abc".into()).unwrap()).to_string(),
            "key ***"
        );
    }

    #[test]
    fn errors_about_the_model_are_recognized() {
        for body in [
            r#"{"error":{"message":"The model `x` does not exist","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
            r#"{"error":{"message":"Unable to access model x","type":"invalid_request_error","param":"model","code":"model_not_available"}}"#,
            r#"{"error":{"message":"nope","param":"model"}}"#,
            r#"{"error":{"message":"/chat/completions: Invalid model name passed in model=x","code":"400"}}"#,
            r#"{"object":"error","message":"Unknown model x","code":400}"#,
            r#"{"error":"model not found"}"#,
        ] {
            assert!(names_the_model(body.as_bytes()), "{body}");
        }
        for body in [
            r#"{"error":{"message":"This model's maximum context length is 8192 tokens","param":"messages","code":"context_length_exceeded"}}"#,
            r#"{"error":{"message":"temperature is too hot","param":"temperature"}}"#,
            r#"{"error":7}"#,
            "[]",
            "<html>invalid model</html>",
            "",
        ] {
            assert!(!names_the_model(body.as_bytes()), "{body}");
        }
    }
}
