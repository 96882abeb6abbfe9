//! Passwords: how long they must be, and their argon2id hashes.

use actix_web::web;
use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};

use super::error::AuthApiError;

const MIN_CHARACTERS: usize = 6;

/// The hosted service's limit, which comes from bcrypt.
const MAX_BYTES: usize = 72;

/// The hash of a password that is long enough, made off the thread that answers requests.
///
/// # Errors
/// 422 `weak_password`, 400 `validation_failed` for one that is too long.
pub(super) async fn hashed(password: String) -> Result<String, AuthApiError> {
    if password.len() > MAX_BYTES {
        return Err(AuthApiError::invalid(
            "Password cannot be longer than 72 characters",
        ));
    }
    if password.chars().count() < MIN_CHARACTERS {
        return Err(AuthApiError::WeakPassword(
            "Password should be at least 6 characters.".to_owned(),
        ));
    }
    let hash = web::block(move || {
        Argon2::default()
            .hash_password(password.as_bytes())
            .map(|hash| hash.to_string())
    })
    .await;
    hash.ok().and_then(Result::ok).ok_or(AuthApiError::new(
        500,
        "unexpected_failure",
        "The password could not be hashed",
    ))
}

/// Whether the password is the one of the hash.
pub(super) async fn fits(password: String, hash: String) -> bool {
    let verified = web::block(move || {
        let hash = PasswordHash::new(&hash).ok();
        hash.is_some_and(|hash| {
            Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok()
        })
    });
    verified.await.unwrap_or(false)
}
