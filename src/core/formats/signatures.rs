//! The signatures that a request shows in cookies of their own, and whether one of them is the right one.
//!
//! A request may show thousands of each, so not every value is compared with every signature. Where there are many,
//! they are kept by a MAC of each under a key that is drawn for this request alone, and the right one is looked up by
//! its own: how long that takes depends on texts that nobody can foresee, and tells nothing of the right one.

use core::cell::OnceCell;

use crate::crypto::{Digest, Mac, Random, Tag, equal, random_bytes};
use crate::prelude::*;

/// So many are compared one by one.
const FEW: usize = 4;

/// Signatures for the values of one cookie.
pub struct Signatures<'h> {
    texts: Vec<&'h str>,
    random: Random,
    many: OnceCell<Many>,
}

struct Many {
    mac: Mac,
    /// The MACs of the texts, one or two in each.
    buckets: Vec<Vec<Tag>>,
}

impl<'h> Signatures<'h> {
    /// `random` is what the key of the request is drawn from.
    pub fn new(texts: Vec<&'h str>, random: Random) -> Self {
        Self {
            texts,
            random,
            many: OnceCell::new(),
        }
    }

    /// The texts, in the order of the header.
    pub fn texts(&self) -> &[&'h str] {
        &self.texts
    }

    /// Whether this secret text is one of them.
    pub fn hold(&self, expected: &str) -> bool {
        if self.texts.len() <= FEW {
            let is_it = |text: &&str| equal(text.as_bytes(), expected.as_bytes());
            return self.texts.iter().any(is_it);
        }
        let many = self
            .many
            .get_or_init(|| Many::new(&self.texts, self.random));
        many.holds(expected)
    }
}

impl Many {
    fn new(texts: &[&str], random: Random) -> Self {
        let mac = Mac::new(Digest::Sha256, &random_bytes::<32>(random));
        let mut many = Self {
            mac,
            buckets: Vec::new(),
        };
        many.buckets.resize_with(texts.len(), Vec::new);
        for text in texts {
            let tag = many.mac.sign(&[text.as_bytes()]);
            let at = many.bucket(&tag);
            many.buckets[at].push(tag);
        }
        many
    }

    fn holds(&self, text: &str) -> bool {
        let sought = self.mac.sign(&[text.as_bytes()]);
        let bucket = &self.buckets[self.bucket(&sought)];
        bucket.iter().any(|tag| equal(tag, &sought))
    }

    /// There are buckets, since there are texts.
    fn bucket(&self, tag: &Tag) -> usize {
        let first = tag.iter().take(4);
        first.fold(0, |n, b| n << 8 | usize::from(*b)) % self.buckets.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::counted;
    use super::*;

    #[test]
    fn a_signature_is_found_among_few_and_among_many() {
        for number in [0, 1, FEW, FEW + 1, 100] {
            let texts: Vec<String> = (0..number).map(|n| format!("signature{n}")).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let signatures = Signatures::new(texts.clone(), counted);
            for text in texts {
                assert!(signatures.hold(text), "{text} of {number}");
                assert!(!signatures.hold(&text[1..]), "a part of {text}");
            }
            assert!(!signatures.hold(""));
            assert!(!signatures.hold("signature"));
        }
    }
}
