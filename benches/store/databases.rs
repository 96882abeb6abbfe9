//! One database server of each kind, and new databases on it.

use std::{
    env,
    sync::atomic::{AtomicUsize, Ordering},
};

use tempfile::TempDir;

use crate::database_server::{DatabaseServer, Kind};

pub struct Databases {
    /// On the disk that the build is on: a temporary folder may be memory.
    folder: TempDir,
    servers: Vec<(&'static str, DatabaseServer)>,
    made: AtomicUsize,
    has_sqlite: bool,
}

impl Databases {
    pub async fn start() -> Self {
        let kinds =
            env::var("STORE_KINDS").unwrap_or_else(|_| "sqlite,postgres,mariadb".to_owned());
        let chosen = |kind: &str| kinds.split(',').any(|chosen| chosen == kind);
        let mut servers = Vec::new();
        for (name, kind) in [("postgres", Kind::Postgres), ("mariadb", Kind::MariaDb)] {
            if let Some(mut server) = chosen(name).then(|| DatabaseServer::make(kind)).flatten() {
                server.start();
                server.until_up().await;
                servers.push((name, server));
            }
        }
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Self {
            folder,
            servers,
            made: AtomicUsize::new(0),
            has_sqlite: chosen("sqlite"),
        }
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub fn kinds(&self) -> Vec<&'static str> {
        self.has_sqlite
            .then_some("sqlite")
            .into_iter()
            .chain(self.servers.iter().map(|(name, _)| *name))
            .collect()
    }

    /// The URL of a new, empty database.
    pub async fn fresh(&self, kind: &str) -> String {
        let name = format!("bench_{}", self.made.fetch_add(1, Ordering::Relaxed));
        match self.servers.iter().find(|(of, _)| *of == kind) {
            Some((_, server)) => server.create(&name).await,
            None => format!("sqlite://{}/{name}.db", self.folder.path().display()),
        }
    }
}
