//! `/api/user/api-keys`: keys of other services, which users entrust to this one; sealed where they
//! are kept, masked where they are shown.

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

use super::{ApiError, body::FieldReader, current_user::CurrentUser, openapi::ErrorEnvelope};
use crate::{
    domain::{Owner, Provider},
    settings,
    store::{SealedApiKey, Store, StoreError},
    vault::{ApiKeySecret, Sealed, Unsealed, Vault, VaultError},
};

/// What users' keys are kept with, and under which names.
#[derive(Debug, Clone)]
pub struct ApiKeys {
    vault: Vault,
    providers: Vec<String>,
}

impl ApiKeys {
    /// What `[vault]` says.
    pub fn new(settings: &settings::Vault) -> Self {
        Self {
            vault: Vault::new(settings.keys.clone()),
            providers: settings.providers.clone(),
        }
    }

    /// The caller's key for one provider, opened. None without one.
    pub(super) async fn open(
        &self,
        user: &CurrentUser,
        provider: &str,
    ) -> Result<Option<ApiKeySecret>, ApiError> {
        let Ok(provider) = Provider::parse(provider, &self.providers) else {
            return Ok(None);
        };
        let kept = user
            .on(async |store, owner| {
                Ok(store
                    .api_key(owner, &provider)
                    .await?
                    .map(|kept| (*owner, kept)))
            })
            .await?;
        let Some((owner, kept)) = kept else {
            return Ok(None);
        };
        let opened = self
            .unseal(&owner, &kept)
            .map_err(|error| refused(user, &error))?;
        if opened.needs_reseal {
            user.on(async |store, owner| self.reseal(store, owner, &kept, &opened.key).await)
                .await?;
        }
        Ok(Some(opened.key))
    }

    fn unseal(&self, owner: &Owner, kept: &SealedApiKey) -> Result<Unsealed, VaultError> {
        let sealed = Sealed {
            key_id: kept.key_id.clone(),
            bytes: kept.sealed.clone(),
        };
        self.vault
            .unseal(&owner.id().uuid(), &kept.provider, &sealed)
    }

    fn seal(
        &self,
        owner: &Owner,
        provider: &str,
        plain: &ApiKeySecret,
    ) -> Result<SealedApiKey, VaultError> {
        let Sealed { key_id, bytes } = self.vault.seal(&owner.id().uuid(), provider, plain)?;
        Ok(SealedApiKey {
            provider: provider.to_owned(),
            key_id,
            sealed: bytes,
        })
    }

    /// Seals a key again under the first key of the vault. What cannot be sealed stays as it is.
    async fn reseal(
        &self,
        store: &Store,
        owner: &Owner,
        kept: &SealedApiKey,
        plain: &ApiKeySecret,
    ) -> Result<(), StoreError> {
        match self.seal(owner, &kept.provider, plain) {
            Ok(newer) => store.replace_api_key(owner, kept, &newer).await.map(drop),
            Err(error) => {
                tracing::error!("a key stays under an old key of the vault: {error}");
                Ok(())
            }
        }
    }

    /// Every key of the caller, masked. One that does not open is shown as one of which nothing may
    /// be seen: its owner can replace it.
    async fn masked(&self, user: &CurrentUser) -> Result<BTreeMap<String, String>, ApiError> {
        let (owner, kept) = user
            .on(async |store, owner| Ok((*owner, store.api_keys(owner).await?)))
            .await?;
        let mask = |kept: SealedApiKey| {
            let masked = match self.unseal(&owner, &kept) {
                Ok(opened) => opened.key.masked(),
                Err(error) => {
                    tracing::error!(
                        provider = kept.provider,
                        "a kept key does not open: {error}"
                    );
                    ApiKeySecret::full_mask()
                }
            };
            (kept.provider, masked)
        };
        Ok(kept.into_iter().map(mask).collect())
    }
}

/// The caller's keys.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct MaskedKeys {
    #[schema(example = true)]
    success: bool,
    /// By provider; the first 8 and the last 4 characters, all stars for a short key.
    #[serde(rename = "apiKeys")]
    #[schema(example = json!({"togetherAI": "sk-abc12...wxyz"}))]
    api_keys: BTreeMap<String, String>,
}

/// Keys to keep, by provider: one or several of those that `vault.providers` lists.
#[derive(utoipa::ToSchema)]
#[schema(min_properties = 1)]
#[expect(dead_code, non_snake_case, reason = "it describes what Fields reads")]
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

/// The caller's keys, masked
#[utoipa::path(
    get, operation_id = "listApiKeys", path = "/api/user/api-keys", tag = "api keys",
    responses((status = 200, description = "What is kept", body = MaskedKeys))
)]
pub(super) async fn list(user: CurrentUser, keys: Data<ApiKeys>) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(MaskedKeys {
        success: true,
        api_keys: keys.masked(&user).await?,
    }))
}

/// Keep one or several keys
///
/// In place of those that are kept for the same providers. All of them are kept, or none.
#[utoipa::path(
    post, operation_id = "keepApiKeys", path = "/api/user/api-keys", tag = "api keys", request_body = NewKeys,
    responses((status = 200, description = "What is kept now", body = MaskedKeys))
)]
pub(super) async fn keep(
    user: CurrentUser,
    keys: Data<ApiKeys>,
    mut body: FieldReader,
) -> Result<impl Responder, ApiError> {
    if body.is_empty() {
        let example =
            "send at least one provider with its key, for example {\"togetherAI\": \"sk-...\"}";
        body.problem(
            "body",
            format!(
                "is empty: {example}; providers are {}",
                keys.providers.join(", ")
            ),
        );
    }
    let mut plain = Vec::new();
    for (name, value) in body.rest() {
        match read(&name, value, &keys.providers) {
            Ok(key) if plain.iter().any(|(known, _)| *known == key.0) => {
                body.problem(name, "is there twice")
            }
            Ok(key) => plain.push(key),
            Err(problem) => body.unknown(name, problem),
        }
    }
    let plain = body.finish(Some(plain))?;
    let now = user.now();
    let seal = |owner: &Owner| {
        plain
            .iter()
            .map(|(provider, key)| keys.seal(owner, provider.as_str(), key))
            .collect()
    };
    let kept = user
        .on(async |store, owner| {
            let sealed: Result<Vec<SealedApiKey>, VaultError> = seal(owner);
            match sealed {
                Ok(sealed) => store.put_api_keys(owner, sealed, now).await.map(Ok),
                Err(error) => Ok(Err(error)),
            }
        })
        .await?;
    kept.map_err(|error| refused(&user, &error))?;
    list(user, keys).await
}

/// Remove a key
#[utoipa::path(
    delete, operation_id = "removeApiKey", path = "/api/user/api-keys/{provider}", tag = "api keys",
    params(("provider" = String, Path, description = "The provider's name", example = "togetherAI")),
    responses(
        (status = 200, description = "What is kept now", body = MaskedKeys),
        (status = 404, description = "There is no key for this provider", body = ErrorEnvelope)
    )
)]
pub(super) async fn remove(
    user: CurrentUser,
    keys: Data<ApiKeys>,
    name: Path<String>,
) -> Result<impl Responder, ApiError> {
    let absent = || ApiError::not_found(user.request_id(), "no key is kept under this name");
    let provider = Provider::parse(&name, &keys.providers).map_err(|_| absent())?;
    if !user
        .on(async |store, owner| store.remove_api_key(owner, &provider).await)
        .await?
    {
        return Err(absent());
    }
    list(user, keys).await
}

/// A key and where it belongs, or what is wrong with them.
fn read(
    name: &str,
    value: Value,
    providers: &[String],
) -> Result<(Provider, ApiKeySecret), String> {
    let provider = Provider::parse(name, providers).map_err(|_| {
        format!(
            "is no provider; send each key under its provider's name: {}",
            providers.join(", ")
        )
    })?;
    let Value::String(mut text) = value else {
        return Err("must be a text; DELETE /api/user/api-keys/NAME removes a key".to_owned());
    };
    let key = ApiKeySecret::new(SecretString::from(text.as_str()))
        .map_err(|problem| format!("cannot be kept: {problem}"));
    text.zeroize();
    Ok((provider, key?))
}

/// Without a vault nothing can be kept, which an operator can mend; what does not open is for the
/// log.
fn refused(user: &CurrentUser, error: &VaultError) -> ApiError {
    tracing::error!("{error}");
    match error {
        VaultError::NoKey => {
            let message = "this server keeps no API keys: it has no vault key (vault.keys)";
            ApiError::under(
                user.request_id(),
                StatusCode::SERVICE_UNAVAILABLE,
                "VAULT_UNAVAILABLE",
                message,
            )
            .with_retry_after(300)
        }
        _ => ApiError::fault(user.request_id()),
    }
}
