//! Owns what the demo remembers of each subject: so much and no more, the oldest go.

use std::borrow::Borrow;
use std::collections::BTreeMap;

/// Values by key. What was put in first is dropped when there are more than may be kept.
#[derive(Debug)]
pub(super) struct Kept<K, V> {
    entries: BTreeMap<K, (u64, V)>,
    /// The keys by when they came.
    order: BTreeMap<u64, K>,
    next: u64,
    most: usize,
}

impl<K: Ord + Clone, V> Kept<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self { entries: BTreeMap::new(), order: BTreeMap::new(), next: 0, most }
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        self.next += 1;
        if let Some((at, _)) = self.entries.insert(key.clone(), (self.next, value)) {
            self.order.remove(&at);
        }
        self.order.insert(self.next, key);
        while self.entries.len() > self.most {
            let Some((_, oldest)) = self.order.pop_first() else { break };
            self.entries.remove(&oldest);
        }
    }

    pub(super) fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        self.entries.get_mut(key).map(|(_, value)| value)
    }

    /// The values, in the order of their keys.
    pub(super) fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.values().map(|(_, value)| value)
    }

    pub(super) fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let (at, value) = self.entries.remove(key)?;
        self.order.remove(&at);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let mut kept = Kept::new(2);
        for (key, value) in [("a", 1), ("b", 2), ("c", 3)] {
            kept.insert(key, value);
        }
        assert_eq!(kept.get_mut("a"), None);
        assert_eq!(kept.get_mut("b"), Some(&mut 2));
        // Put in again, it is the newest.
        kept.insert("b", 4);
        kept.insert("d", 5);
        assert_eq!(kept.get_mut("c"), None);
        assert_eq!(kept.get_mut("b"), Some(&mut 4));
    }

    #[test]
    fn what_was_removed_takes_no_place() {
        let mut kept = Kept::new(2);
        for round in 0..100 {
            kept.insert(round, ());
            assert_eq!(kept.remove(&round), Some(()));
            assert_eq!(kept.remove(&round), None);
        }
        assert!(kept.entries.is_empty() && kept.order.is_empty());
    }
}
