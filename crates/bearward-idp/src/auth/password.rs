//! Password rules and argon2id hashing.

use actix_web::web;
use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};

use super::error::AuthApiError;

/// The hosted service counts bytes, although its message names characters.
const MIN_BYTES: usize = 6;

/// The limit of the hosted service, which comes from bcrypt.
const MAX_BYTES: usize = 72;

/// Checks the length of a password.
///
/// # Errors
/// 422 `weak_password`, 400 `validation_failed` if it is longer than 72 bytes.
pub(crate) fn check(password: &str) -> Result<(), AuthApiError> {
    if password.len() > MAX_BYTES {
        return Err(AuthApiError::invalid(
            "Password cannot be longer than 72 characters",
        ));
    }
    if password.len() < MIN_BYTES {
        return Err(AuthApiError::WeakPassword(
            "Password should be at least 6 characters.".to_owned(),
        ));
    }
    Ok(())
}

/// Checks the length of a password and hashes it, on the blocking thread pool.
///
/// # Errors
/// Those of [`check`].
pub(crate) async fn hash(password: String) -> Result<String, AuthApiError> {
    check(&password)?;
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

/// Whether the password matches the hash. Runs on the blocking thread pool.
pub(crate) async fn verify(password: String, hash: String) -> bool {
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
