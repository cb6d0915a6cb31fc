//! Owns the connections that all users of a worker share: a bounded number, in fair order.

use std::cell::RefCell;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::connection::Connection;
use crate::metrics::{Fault, Noticed};

/// Connections that are borrowed for one exchange.
///
/// ```text
/// borrowed (a permit each) + free ≤ the bound
/// ```
#[derive(Debug)]
pub(super) struct Pool {
    most: usize,
    /// Who waits for one is served in the order of coming.
    permits: Semaphore,
    /// The one that was given back last is last.
    free: RefCell<Vec<(usize, Box<Connection>)>>,
}

impl Pool {
    /// A pool of at most so many connections, and at least one.
    pub(super) fn new(most: usize) -> Self {
        let most = most.clamp(1, Semaphore::MAX_PERMITS);
        Self { most, permits: Semaphore::new(most), free: RefCell::default() }
    }

    /// The right to one connection, when nobody has to be waited for.
    pub(super) fn try_enter(&self) -> Option<SemaphorePermit<'_>> {
        self.permits.try_acquire().ok()
    }

    /// The right to one connection, until it is dropped.
    ///
    /// # Errors
    /// None was free until `total`.
    pub(super) async fn enter(&self, total: Instant) -> Result<SemaphorePermit<'_>, Fault> {
        match timeout_at(total, self.permits.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            // It is never closed.
            Ok(Err(_)) | Err(_) => Err(Fault::PoolTimeout),
        }
    }

    /// A free connection to a target. When there is none, room is made for a new one.
    pub(super) fn take(&self, target: usize, noticed: &mut Noticed) -> Option<Box<Connection>> {
        let mut free = self.free.borrow_mut();
        while let Some(place) = free.iter().rposition(|(to, _)| *to == target) {
            let (_, mut connection) = free.remove(place);
            if connection.is_reusable(noticed) {
                return Some(connection);
            }
        }
        let borrowed = self.most - self.permits.available_permits();
        let room = self.most.saturating_sub(borrowed);
        let surplus = free.len().saturating_sub(room);
        free.drain(..surplus);
        None
    }

    /// Gives back a connection that can be used again.
    pub(super) fn give_back(&self, target: usize, connection: Box<Connection>) {
        self.free.borrow_mut().push((target, connection));
    }
}
