//! `bearward vault rotate`: seals every kept API key under the first key of the configuration, so
//! that older keys can go.

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, load, style};
use crate::{
    domain::Owner,
    settings::Sources,
    store::{SealedApiKey, Store, StoreError},
    vault::{Sealed, Vault, VaultError},
};

/// How many users' rows are asked for at a time.
const BATCH: u64 = 100;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Seals every kept API key under the first of vault.keys; may be interrupted and run again,
    /// and run while servers serve
    #[command(after_help = AFTER_HELP)]
    Rotate,
}

const AFTER_HELP: &str = "\
To change the key:
  1. add a new key behind the old one in vault.keys, on every server:
     each must be able to open what another one seals
  2. put the new key in front, on every server, and keep the old one behind it
  3. bearward vault rotate
  4. when it says that nothing is left under another key, remove the old one";

pub(super) async fn run(sources: &Sources, action: Command) -> Result<(), Failure> {
    let Command::Rotate = action;
    let config = load(sources)?;
    let Some(first) = config.vault.keys.first().map(|key| key.id().to_owned()) else {
        return Err(Failure::Usage(
            "vault.keys is empty: there is no key to seal under".to_owned(),
        ));
    };
    let store = Store::open(&config.database)
        .await
        .map_err(|error| Failure::Failed(error.to_string()))?;
    let rotation = Rotation {
        store,
        vault: Vault::new(config.vault.keys.clone()),
        first,
    };
    let count = rotation
        .run()
        .await
        .map_err(|error| Failure::Failed(format!("{error}; run it again to go on")))?;
    let first = &rotation.first;
    anstream::println!("{} keys sealed again under {first}", count.resealed);
    // Looked at, not counted: a server may have sealed under the old key meanwhile.
    let left = rotation
        .store
        .count_owners_to_reseal(first)
        .await
        .map_err(|error| Failure::Failed(error.to_string()))?;
    if left > 0 && count.closed == 0 {
        anstream::eprintln!(
            "{}keys of {left} users are under another key again{}: does a server still seal with it? Run it again",
            style::BAD,
            style::PLAIN
        );
        return Err(Failure::AlreadyReported);
    }
    if left == 0 {
        anstream::println!(
            "{}nothing is left under another key{}",
            style::GOOD,
            style::PLAIN
        );
        return Ok(());
    }
    anstream::eprintln!(
        "{}{} keys do not open{}, each is named above: put the key that sealed them back into vault.keys",
        style::BAD,
        count.closed,
        style::PLAIN
    );
    Err(Failure::AlreadyReported)
}

struct Rotation {
    store: Store,
    vault: Vault,
    first: String,
}

#[derive(Default)]
struct Count {
    resealed: u64,
    closed: u64,
}

impl Rotation {
    /// What is under the first key already is not asked for: that makes it resumable.
    async fn run(&self) -> Result<Count, StoreError> {
        let bar = ProgressBar::new(self.store.count_owners_to_reseal(&self.first).await?);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} users, {eta} left") {
            bar.set_style(style);
        }
        let (mut count, mut last) = (Count::default(), None);
        loop {
            let owners = self
                .store
                .owners_to_reseal(&self.first, last, BATCH)
                .await?;
            let Some(latest) = owners.last() else { break };
            last = Some(*latest);
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
        for kept in self
            .store
            .api_keys(owner)
            .await?
            .into_iter()
            .filter(|kept| kept.key_id != self.first)
        {
            match self.sealed_again(owner, &kept) {
                // A user who has just kept another key needs no older one sealed again.
                Ok(newer) => {
                    count.resealed +=
                        u64::from(self.store.replace_api_key(owner, &kept, &newer).await?)
                }
                Err(error) => {
                    count.closed += 1;
                    bar.suspend(|| {
                        anstream::eprintln!(
                            "user {}, {}: {error}",
                            owner.id().uuid(),
                            kept.provider
                        )
                    });
                }
            }
        }
        Ok(())
    }

    fn sealed_again(&self, owner: &Owner, kept: &SealedApiKey) -> Result<SealedApiKey, VaultError> {
        let id = owner.id().uuid();
        let sealed = Sealed {
            key_id: kept.key_id.clone(),
            bytes: kept.sealed.clone(),
        };
        let opened = self.vault.unseal(&id, &kept.provider, &sealed)?;
        let Sealed { key_id, bytes } = self.vault.seal(&id, &kept.provider, &opened.key)?;
        Ok(SealedApiKey {
            provider: kept.provider.clone(),
            key_id,
            sealed: bytes,
        })
    }
}
