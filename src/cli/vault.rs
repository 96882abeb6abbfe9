//! `bearward vault rotate`: reseals every stored API key with the first vault key, so that older
//! vault keys can be removed.

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, load, style};
use crate::{
    domain::Owner,
    settings::Sources,
    store::{SealedApiKey, Store, StoreError},
    vault::{Sealed, Vault, VaultError},
};

/// The number of users that are loaded at a time.
const BATCH_SIZE: u64 = 100;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Reseal every stored API key with the first of vault.keys; can be interrupted and repeated,
    /// and run while servers are running
    #[command(after_help = AFTER_HELP)]
    Rotate,
}

const AFTER_HELP: &str = "\
To replace a vault key:
  1. Add the new key after the old one in vault.keys on every server, so that
     every server can open what another one seals.
  2. Move the new key to the front on every server and keep the old one.
  3. Run `bearward vault rotate`.
  4. When it reports that all API keys use the new key, remove the old one.";

pub(super) async fn run(sources: &Sources, command: Command) -> Result<(), Failure> {
    let Command::Rotate = command;
    let config = load(sources)?;
    let Some(key_id) = config.vault.keys.first().map(|key| key.id().to_owned()) else {
        return Err(Failure::Usage(
            "vault.keys is empty; configure the key to seal with".to_owned(),
        ));
    };
    let store = Store::open(&config.database)
        .await
        .map_err(|error| Failure::Failed(error.to_string()))?;
    let rotation = Rotation {
        store,
        vault: Vault::new(config.vault.keys.clone()),
        key_id,
    };
    let count = rotation
        .run()
        .await
        .map_err(|error| Failure::Failed(format!("{error}; run the command again to continue")))?;
    let key_id = &rotation.key_id;
    anstream::println!("resealed {} API keys with {key_id}", count.resealed);
    // Queried again, because a server may have sealed an API key with the old key meanwhile.
    let remaining = rotation
        .store
        .count_owners_to_reseal(key_id)
        .await
        .map_err(|error| Failure::Failed(error.to_string()))?;
    if remaining > 0 && count.failed == 0 {
        anstream::eprintln!(
            "{}API keys of {remaining} users were sealed with another key meanwhile{}: put {key_id} first on every server, then run the command again",
            style::BAD,
            style::PLAIN
        );
        return Err(Failure::AlreadyReported);
    }
    if remaining == 0 {
        anstream::println!(
            "{}all API keys are sealed with {key_id}{}",
            style::GOOD,
            style::PLAIN
        );
        return Ok(());
    }
    anstream::eprintln!(
        "{}{} API keys cannot be opened{} (listed above): add the key that sealed them to vault.keys",
        style::BAD,
        count.failed,
        style::PLAIN
    );
    Err(Failure::AlreadyReported)
}

struct Rotation {
    store: Store,
    vault: Vault,
    /// The id of the first vault key.
    key_id: String,
}

#[derive(Default)]
struct Count {
    resealed: u64,
    failed: u64,
}

impl Rotation {
    /// Reseals all API keys. Keys that are sealed with the first vault key are not loaded, so an
    /// interrupted rotation can be resumed.
    async fn run(&self) -> Result<Count, StoreError> {
        let bar = ProgressBar::new(self.store.count_owners_to_reseal(&self.key_id).await?);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} users, {eta} left") {
            bar.set_style(style);
        }
        let (mut count, mut last_owner) = (Count::default(), None);
        loop {
            let owners = self
                .store
                .owners_to_reseal(&self.key_id, last_owner, BATCH_SIZE)
                .await?;
            let Some(owner) = owners.last() else { break };
            last_owner = Some(*owner);
            for owner in &owners {
                self.reseal(owner, &mut count, &bar).await?;
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        Ok(count)
    }

    async fn reseal(
        &self,
        owner: &Owner,
        count: &mut Count,
        bar: &ProgressBar,
    ) -> Result<(), StoreError> {
        for old in self
            .store
            .api_keys(owner)
            .await?
            .into_iter()
            .filter(|old| old.key_id != self.key_id)
        {
            match self.reseal_one(owner, &old) {
                // Not counted if the user has replaced the API key meanwhile.
                Ok(new) => {
                    count.resealed +=
                        u64::from(self.store.replace_api_key(owner, &old, &new).await?);
                }
                Err(error) => {
                    count.failed += 1;
                    bar.suspend(|| {
                        anstream::eprintln!(
                            "user {}, {}: {error}",
                            owner.id().uuid(),
                            old.provider
                        );
                    });
                }
            }
        }
        Ok(())
    }

    fn reseal_one(&self, owner: &Owner, old: &SealedApiKey) -> Result<SealedApiKey, VaultError> {
        let id = owner.id().uuid();
        let sealed = Sealed {
            key_id: old.key_id.clone(),
            bytes: old.sealed.clone(),
        };
        let opened = self.vault.unseal(&id, &old.provider, &sealed)?;
        let Sealed { key_id, bytes } = self.vault.seal(&id, &old.provider, &opened.key)?;
        Ok(SealedApiKey {
            provider: old.provider.clone(),
            key_id,
            sealed: bytes,
        })
    }
}
