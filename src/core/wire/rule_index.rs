//! A rule by its place in the policy.

use core::ops::{Index, IndexMut};

use crate::prelude::*;

/// A rule, counted as in the policy. It indexes every list that has one entry for each rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleIndex(pub usize);

impl RuleIndex {
    /// The rules of a policy that has so many.
    pub fn all(count: usize) -> impl Iterator<Item = Self> + Clone {
        (0..count).map(Self)
    }
}

impl<T> Index<RuleIndex> for [T] {
    type Output = T;

    fn index(&self, RuleIndex(at): RuleIndex) -> &T {
        &self[at]
    }
}

impl<T> IndexMut<RuleIndex> for [T] {
    fn index_mut(&mut self, RuleIndex(at): RuleIndex) -> &mut T {
        &mut self[at]
    }
}

impl<T> Index<RuleIndex> for Vec<T> {
    type Output = T;

    fn index(&self, rule: RuleIndex) -> &T {
        &self.as_slice()[rule]
    }
}

impl<T> IndexMut<RuleIndex> for Vec<T> {
    fn index_mut(&mut self, rule: RuleIndex) -> &mut T {
        &mut self.as_mut_slice()[rule]
    }
}
