//! What a status other than 200 means, and what the service says about it.

use std::time::Duration;

use {SanitizedText, Timestamp, internals::retry_after};
use reqwest::{Response, StatusCode};
use serde_json::Value;
use tracing::Level;
use zeroize::Zeroizing;

use super::CompletionsError;
use crate::vault::ApiKeySecret;

/// Services explain themselves in a few hundred bytes; what is longer is an HTML page.
const MAX_BYTES: usize = 16 << 10;

/// An explanation is worth no wait: the status is known already.
const TIME: Duration = Duration::from_secs(2);

/// When a service that takes no more requests does not say until when: the limits of most are
/// counted by the minute or less.
const UNSTATED_PAUSE: Duration = Duration::from_secs(10);

/// A part of the key that is shorter than this may stay in the log: it occurs in other words too.
const TELLING: usize = 6;

/// The refusal that a response means. Its body is looked at where the status does not say enough,
/// or for the log at debug level.
pub(super) async fn refusal(
    response: Response,
    key: &ApiKeySecret,
    now: Timestamp,
) -> CompletionsError {
    let status = response.status();
    let pause = retry_after(response.headers(), now).unwrap_or(UNSTATED_PAUSE);
    let is_logged = tracing::enabled!(Level::DEBUG);
    let is_unclear = matches!(
        status,
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY
    );
    let body = if is_logged || is_unclear {
        body(response).await
    } else {
        Vec::new()
    };
    if is_logged {
        let explanation = scrubbed(&body, key);
        tracing::debug!(status = status.as_u16(), %explanation, "the chat service refused");
    }
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => CompletionsError::RejectedKey,
        StatusCode::TOO_MANY_REQUESTS => CompletionsError::RateLimited {
            retry_after: pause.clamp(Duration::from_secs(1), Duration::from_hours(1)),
        },
        StatusCode::NOT_FOUND => CompletionsError::UnknownModel,
        _ if is_unclear && speaks_of_the_model(&body) => CompletionsError::UnknownModel,
        _ if status.is_client_error() => CompletionsError::Refused {
            status: status.as_u16(),
        },
        _ if status.is_server_error() => CompletionsError::ServerError {
            status: status.as_u16(),
        },
        _ => CompletionsError::Unexpected {
            status: status.as_u16(),
        },
    }
}

/// As much of the body as came in time; what breaks it off is of no interest any more.
async fn body(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    let reading = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = MAX_BYTES - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if body.len() == MAX_BYTES {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(TIME, reading).await;
    body
}

/// Whether an error object names the model as what is wrong: by `param` or `code`, as OpenAI and
/// Together AI do, or in the words of vLLM, LiteLLM and others. A context that is too long for the
/// model is another matter.
fn speaks_of_the_model(body: &[u8]) -> bool {
    const WORDS: [&str; 7] = [
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
    is_named || WORDS.iter().any(|words| message.contains(words))
}

/// The beginning of what the service said, for the log: whatever of the key it repeats is starred
/// out, also where it was cut, escaped or written in other capitals.
fn scrubbed(body: &[u8], key: &ApiKeySecret) -> SanitizedText {
    let text = Zeroizing::new(String::from_utf8_lossy(&body[..body.len().min(1024)]).into_owned());
    let lower = Zeroizing::new(text.to_ascii_lowercase());
    let secret = Zeroizing::new(key.expose().to_ascii_lowercase());
    let telling = TELLING.min(secret.len());
    let mut is_secret = vec![false; text.len()];
    for (at, part) in lower.as_bytes().windows(telling).enumerate() {
        if secret.as_bytes().windows(telling).any(|own| own == part) {
            is_secret[at..at + telling].fill(true);
        }
    }
    // The key is ASCII, so no character is hidden in part.
    let shown: String = text
        .char_indices()
        .map(|(at, c)| if is_secret[at] { '*' } else { c })
        .collect();
    SanitizedText::new(&shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "sk-proj-AbCdEfGh/IjKlMnOp+QrStUvWx==";

    fn shown(text: &str) -> String {
        scrubbed(text.as_bytes(), &ApiKeySecret::new(KEY.into()).unwrap()).to_string()
    }

    #[test]
    fn a_repeated_key_is_starred_out_in_whatever_form() {
        assert_eq!(
            shown(&format!("bad key {KEY}.")),
            format!("bad key {}.", "*".repeat(KEY.len()))
        );
        assert_eq!(
            shown("bad key sk-proj-****StUvWx=="),
            format!("bad key {}****{}", "*".repeat(8), "*".repeat(8))
        );
        for form in [
            KEY.to_uppercase(),
            KEY.replace('/', "\\/"),
            KEY.replace('+', "%2B"),
            KEY[3..20].to_owned(),
        ] {
            let shown = shown(&format!("bad key {form} in use"));
            let left: String = shown.chars().filter(char::is_ascii_alphanumeric).collect();
            assert!(left.len() <= "badkey2Binuse".len(), "{form}: {shown}");
            assert!(
                shown.starts_with("bad key *") && shown.ends_with(" in use"),
                "{shown}"
            );
        }
    }

    #[test]
    fn a_key_that_is_cut_by_the_end_of_the_excerpt_is_starred_out_too() {
        for before in 80..125 {
            let shown = shown(&format!("{}{KEY}", " ".repeat(before)));
            assert!(!shown.contains(char::is_alphanumeric), "{before}: {shown}");
        }
    }

    #[test]
    fn other_text_stays_readable_and_moves_no_terminal() {
        assert_eq!(
            shown("{\"error\": \"schlüssel\"}"),
            "{\"error\": \"schlüssel\"}"
        );
        assert_eq!(shown("a\r\nb\u{1b}[2J"), "a\u{fffd}\u{fffd}b\u{fffd}[2J");
        assert_eq!(shown(&"x".repeat(5000)).chars().count(), 121);
        assert_eq!(shown(""), "");
    }

    #[test]
    fn a_short_key_is_starred_out_whole() {
        assert_eq!(
            scrubbed(b"key abc", &ApiKeySecret::new("abc".into()).unwrap()).to_string(),
            "key ***"
        );
    }

    #[test]
    fn an_error_about_the_model_is_told_from_others() {
        for body in [
            r#"{"error":{"message":"The model `x` does not exist","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#,
            r#"{"error":{"message":"Unable to access model x","type":"invalid_request_error","param":"model","code":"model_not_available"}}"#,
            r#"{"error":{"message":"nope","param":"model"}}"#,
            r#"{"error":{"message":"/chat/completions: Invalid model name passed in model=x","code":"400"}}"#,
            r#"{"object":"error","message":"Unknown model x","code":400}"#,
            r#"{"error":"model not found"}"#,
        ] {
            assert!(speaks_of_the_model(body.as_bytes()), "{body}");
        }
        for body in [
            r#"{"error":{"message":"This model's maximum context length is 8192 tokens","param":"messages","code":"context_length_exceeded"}}"#,
            r#"{"error":{"message":"temperature is too hot","param":"temperature"}}"#,
            r#"{"error":7}"#,
            "[]",
            "<html>invalid model</html>",
            "",
        ] {
            assert!(!speaks_of_the_model(body.as_bytes()), "{body}");
        }
    }
}
