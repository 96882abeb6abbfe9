//! The limit of open connections of a process.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::connection::{CloseReason, ConnectionState};

/// Counts open connections and enforces their limits.
///
/// At the limit, a new connection replaces the one that has been idle longest: clients that open
/// connections and send nothing cannot keep others out. If every connection has a request in
/// flight, the new one is closed.
#[derive(Debug)]
pub(crate) struct Connections {
    max: usize,
    max_per_address: Option<usize>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    connections: HashMap<u64, Arc<ConnectionState>>,
    by_address: HashMap<IpAddr, usize>,
    next_id: u64,
}

/// An open connection, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    connections: Arc<Connections>,
    id: u64,
    address: Option<IpAddr>,
}

impl Connections {
    /// `max` is the limit of the process, `max_per_address` that of one client address, if any.
    pub(crate) fn new(max: usize, max_per_address: Option<usize>) -> Arc<Self> {
        Arc::new(Self {
            max,
            max_per_address,
            open: Mutex::default(),
        })
    }

    /// Admits a connection, or returns why it must be closed.
    pub(super) fn admit(
        self: &Arc<Self>,
        address: Option<IpAddr>,
        state: &Arc<ConnectionState>,
    ) -> Result<Permit, CloseReason> {
        let mut open = self.open();
        if let (Some(address), Some(max)) = (address, self.max_per_address)
            && open
                .by_address
                .get(&address)
                .is_some_and(|count| *count >= max)
        {
            return Err(CloseReason::AddressLimit);
        }
        if open.connections.len() >= self.max {
            let idle = open
                .connections
                .values()
                .filter_map(|other| Some((other.idle_since()?, other)))
                .min_by_key(|(since, _)| *since);
            let Some((_, longest_idle)) = idle else {
                return Err(CloseReason::Limit);
            };
            // It is removed from the table when its task drops it.
            longest_idle.evict();
        }
        let id = open.next_id;
        open.next_id += 1;
        open.connections.insert(id, Arc::clone(state));
        if let Some(address) = address {
            *open.by_address.entry(address).or_default() += 1;
        }
        publish(open.connections.len());
        Ok(Permit {
            connections: Arc::clone(self),
            id,
            address,
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        open.connections.remove(&self.id);
        if let Some(address) = self.address
            && let Some(count) = open.by_address.get_mut(&address)
        {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
        publish(open.connections.len());
    }
}

fn publish(count: usize) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    metrics::gauge!("bearward_http_connections").set(count as f64);
}
