//! One database server of each kind.

use std::{
    env,
    sync::atomic::{AtomicUsize, Ordering},
};

use tempfile::TempDir;

use crate::database_server::{Kind, TestDatabaseServer};

pub struct Databases {
    /// On the disk of the build directory: /tmp may be in memory.
    directory: TempDir,
    servers: Vec<(&'static str, TestDatabaseServer)>,
    created: AtomicUsize,
    has_sqlite: bool,
}

impl Databases {
    pub async fn start() -> Self {
        let kinds =
            env::var("STORE_KINDS").unwrap_or_else(|_| "sqlite,postgres,mariadb".to_owned());
        let chosen = |kind: &str| kinds.split(',').any(|chosen| chosen == kind);
        let mut servers = Vec::new();
        for (name, kind) in [("postgres", Kind::Postgres), ("mariadb", Kind::MariaDb)] {
            if let Some(mut server) = chosen(name)
                .then(|| TestDatabaseServer::create(kind))
                .flatten()
            {
                server.start();
                server.wait_until_ready().await;
                servers.push((name, server));
            }
        }
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Self {
            directory,
            servers,
            created: AtomicUsize::new(0),
            has_sqlite: chosen("sqlite"),
        }
    }

    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    pub fn kinds(&self) -> Vec<&'static str> {
        self.has_sqlite
            .then_some("sqlite")
            .into_iter()
            .chain(self.servers.iter().map(|(name, _)| *name))
            .collect()
    }

    /// Creates an empty database and returns its URL.
    pub async fn fresh(&self, kind: &str) -> String {
        let name = format!("bench_{}", self.created.fetch_add(1, Ordering::Relaxed));
        match self.servers.iter().find(|(name, _)| *name == kind) {
            Some((_, server)) => server.create_database(&name).await,
            None => format!("sqlite://{}/{name}.db", self.directory.path().display()),
        }
    }
}
