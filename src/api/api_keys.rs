//! `/api/user/api-keys`: the caller's API keys of other services, stored encrypted and shown
//! masked.

use std::collections::BTreeMap;

use actix_web::{
    HttpResponse, Responder,
    http::StatusCode,
    web::{Data, Path},
};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;
use zeroize::Zeroize;

use super::{
    ApiError,
    body::FieldReader,
    current_user::CurrentUser,
    schema::{AccountErrors, BodyErrors, ErrorEnvelope},
};
use crate::{
    audit::Action,
    domain::{Owner, Provider},
    settings,
    store::{SealedApiKey, Store, StoreError},
    vault::{ApiKeySecret, Sealed, Unsealed, Vault, VaultError},
};

/// The vault that encrypts API keys, and the providers that keys may be stored for.
#[derive(Debug, Clone)]
pub struct ApiKeys {
    vault: Vault,
    providers: Vec<String>,
}

impl ApiKeys {
    /// Creates the vault of `[vault]`.
    pub fn new(settings: &settings::Vault) -> Self {
        Self {
            vault: Vault::new(settings.keys.clone()),
            providers: settings.providers.clone(),
        }
    }

    /// Returns the caller's decrypted key for a provider, or `None` if no key is stored. A key that
    /// was sealed with an old vault key is sealed again with the current one.
    ///
    /// # Errors
    /// 500 if the key cannot be decrypted, 503 if the vault has no key or the database is
    /// unavailable.
    pub(super) async fn unsealed_key(
        &self,
        user: &CurrentUser,
        provider: &str,
    ) -> Result<Option<ApiKeySecret>, ApiError> {
        let Ok(provider) = Provider::parse(provider, &self.providers) else {
            return Ok(None);
        };
        let stored = user
            .with_store(async |store, owner| {
                Ok(store
                    .api_key(owner, &provider)
                    .await?
                    .map(|sealed| (*owner, sealed)))
            })
            .await?;
        let Some((owner, sealed)) = stored else {
            return Ok(None);
        };
        let opened = self
            .unseal(&owner, &sealed)
            .map_err(|error| vault_error(user, &error))?;
        if opened.needs_reseal {
            user.with_store(async |store, owner| {
                self.reseal(store, owner, &sealed, &opened.key).await
            })
            .await?;
        }
        Ok(Some(opened.key))
    }

    fn unseal(&self, owner: &Owner, stored: &SealedApiKey) -> Result<Unsealed, VaultError> {
        let sealed = Sealed {
            key_id: stored.key_id.clone(),
            bytes: stored.sealed.clone(),
        };
        self.vault
            .unseal(&owner.id().uuid(), &stored.provider, &sealed)
    }

    fn seal(
        &self,
        owner: &Owner,
        provider: &str,
        secret: &ApiKeySecret,
    ) -> Result<SealedApiKey, VaultError> {
        let Sealed { key_id, bytes } = self.vault.seal(&owner.id().uuid(), provider, secret)?;
        Ok(SealedApiKey {
            provider: provider.to_owned(),
            key_id,
            sealed: bytes,
        })
    }

    /// Seals a key again with the current vault key. If that fails, the stored key is not changed.
    async fn reseal(
        &self,
        store: &Store,
        owner: &Owner,
        stored: &SealedApiKey,
        secret: &ApiKeySecret,
    ) -> Result<(), StoreError> {
        match self.seal(owner, &stored.provider, secret) {
            Ok(newer) => store.replace_api_key(owner, stored, &newer).await.map(drop),
            Err(error) => {
                tracing::error!(
                    "an API key could not be sealed with the current vault key: {error}"
                );
                Ok(())
            }
        }
    }

    /// Returns all keys of the caller, masked. A key that cannot be decrypted is masked completely,
    /// so that its owner can see and replace it.
    async fn masked(&self, user: &CurrentUser) -> Result<BTreeMap<String, String>, ApiError> {
        let (owner, stored) = user
            .with_store(async |store, owner| Ok((*owner, store.api_keys(owner).await?)))
            .await?;
        let mask = |stored: SealedApiKey| {
            let masked = match self.unseal(&owner, &stored) {
                Ok(opened) => opened.key.masked(),
                Err(error) => {
                    tracing::error!(
                        provider = stored.provider,
                        "a stored API key cannot be decrypted: {error}"
                    );
                    ApiKeySecret::full_mask()
                }
            };
            (stored.provider, masked)
        };
        Ok(stored.into_iter().map(mask).collect())
    }
}

/// The caller's API keys.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct MaskedKeys {
    #[schema(example = true)]
    success: bool,
    /// By provider: the first 8 and the last 4 characters of the key; a short key is masked
    /// completely.
    #[serde(rename = "apiKeys")]
    #[schema(example = json!({"togetherAI": "sk-abc12...wxyz"}))]
    api_keys: BTreeMap<String, String>,
}

/// API keys by provider: one or more of the providers in `vault.providers`.
#[derive(utoipa::ToSchema)]
#[schema(min_properties = 1)]
#[expect(
    dead_code,
    non_snake_case,
    reason = "it describes what FieldReader reads"
)]
pub(super) struct NewKeys {
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 4096,
        pattern = "^[!-~]+$",
        example = "sk-abc12345678901234567890wxyz"
    )]
    togetherAI: Option<String>,
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 4096,
        pattern = "^[!-~]+$"
    )]
    codeRabbit: Option<String>,
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 4096,
        pattern = "^[!-~]+$"
    )]
    oumi: Option<String>,
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 4096,
        pattern = "^[!-~]+$"
    )]
    kestra: Option<String>,
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 4096,
        pattern = "^[!-~]+$"
    )]
    googleProviderToken: Option<String>,
}

/// List API keys, masked
#[utoipa::path(
    get, operation_id = "listApiKeys", path = "/api/user/api-keys", tag = "api keys",
    responses(AccountErrors, (status = 200, description = "The stored keys", body = MaskedKeys))
)]
pub(super) async fn list(user: CurrentUser, keys: Data<ApiKeys>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(MaskedKeys {
        success: true,
        api_keys: keys.masked(&user).await?,
    }))
}

/// Store API keys
///
/// Replaces the stored keys of the same providers. Either all keys are stored or none.
#[utoipa::path(
    post, operation_id = "keepApiKeys", path = "/api/user/api-keys", tag = "api keys", request_body = NewKeys,
    responses(AccountErrors, BodyErrors, (status = 200, description = "The stored keys", body = MaskedKeys))
)]
pub(super) async fn upsert(
    user: CurrentUser,
    keys: Data<ApiKeys>,
    mut body: FieldReader,
) -> Result<impl Responder, ApiError> {
    if body.is_empty() {
        body.error(
            "body",
            format!(
                "is empty; send at least one provider with its key, for example {{\"togetherAI\": \"sk-...\"}}; providers: {}",
                keys.providers.join(", ")
            ),
        );
    }
    let mut secrets = Vec::new();
    for (name, value) in body.remaining() {
        match parse_entry(&name, value, &keys.providers) {
            Ok((provider, _)) if secrets.iter().any(|(known, _)| *known == provider) => {
                body.error(name, "is repeated");
            }
            Ok(entry) => secrets.push(entry),
            Err(problem) => body.error_for_member(name, problem),
        }
    }
    let secrets = body.validate(Some(secrets))?;
    let now = user.now();
    let seal_all = |owner: &Owner| {
        secrets
            .iter()
            .map(|(provider, secret)| keys.seal(owner, provider.as_str(), secret))
            .collect()
    };
    let stored = user
        .with_store(async |store, owner| {
            let sealed: Result<Vec<SealedApiKey>, VaultError> = seal_all(owner);
            match sealed {
                Ok(sealed) => store.put_api_keys(owner, sealed, now).await.map(Ok),
                Err(error) => Ok(Err(error)),
            }
        })
        .await?;
    stored.map_err(|error| vault_error(&user, &error))?;
    for (provider, _) in &secrets {
        user.record(Action::ApiKeyStored, provider.as_str());
    }
    list(user, keys).await
}

/// Delete an API key
#[utoipa::path(
    delete, operation_id = "removeApiKey", path = "/api/user/api-keys/{provider}", tag = "api keys",
    params(("provider" = String, Path, description = "The provider's name", example = "togetherAI")),
    responses(
        AccountErrors,
        (status = 200, description = "The remaining keys", body = MaskedKeys),
        (status = 404, description = "No key is stored for this provider", body = ErrorEnvelope)
    )
)]
pub(super) async fn remove(
    user: CurrentUser,
    keys: Data<ApiKeys>,
    name: Path<String>,
) -> Result<impl Responder, ApiError> {
    let not_found =
        || ApiError::not_found(user.request_id(), "no API key is stored for this provider");
    let provider = Provider::parse(&name, &keys.providers).map_err(|_| not_found())?;
    let is_removed = user
        .with_store(async |store, owner| store.remove_api_key(owner, &provider).await)
        .await?;
    if !is_removed {
        return Err(not_found());
    }
    user.record(Action::ApiKeyRemoved, provider.as_str());
    list(user, keys).await
}

/// Parses a member of the body: a provider's name and its key.
fn parse_entry(
    name: &str,
    value: Value,
    providers: &[String],
) -> Result<(Provider, ApiKeySecret), String> {
    let provider = Provider::parse(name, providers)
        .map_err(|_| format!("is not a provider; providers: {}", providers.join(", ")))?;
    let Value::String(mut text) = value else {
        return Err(
            "must be a string; delete a key with DELETE /api/user/api-keys/NAME".to_owned(),
        );
    };
    let secret = ApiKeySecret::new(SecretString::from(text.as_str()))
        .map_err(|error| format!("is invalid: {error}"));
    text.zeroize();
    Ok((provider, secret?))
}

/// Maps a vault error to 503 if the operator has configured no key, else to 500, and logs it.
fn vault_error(user: &CurrentUser, error: &VaultError) -> ApiError {
    // A missing key is logged once, at the start.
    if !matches!(error, VaultError::NoKey) {
        tracing::error!("{error}");
    }
    match error {
        VaultError::NoKey => ApiError::with_request_id(
            user.request_id(),
            StatusCode::SERVICE_UNAVAILABLE,
            "VAULT_UNAVAILABLE",
            "this server cannot store API keys: vault.keys is empty",
        )
        .with_retry_after(300),
        _ => ApiError::internal_with_request_id(user.request_id()),
    }
}
