//! [`Dice`]: chance that can be repeated.

use std::hash::{BuildHasher, RandomState};

/// A generator of numbers (SplitMix64): not for secrets.
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// With the seed that the environment gives, or another one in every run; it is printed.
    pub(crate) fn new() -> Self {
        let seed = crate::number("REKINDLE_CHAOS_SEED", RandomState::new().hash_one(0));
        eprintln!("REKINDLE_CHAOS_SEED={seed}");
        Self(seed)
    }

    /// With this seed.
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below another one.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Whether something of so many per cent comes about.
    pub(crate) fn per_cent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// One of these.
    pub(crate) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        let index = self.below(all.len() as u64);
        all[usize::try_from(index).expect("it is below a length")]
    }

    /// One of these, by weight.
    pub(crate) fn weighted<T: Copy>(&mut self, all: &[(u64, T)]) -> T {
        let mut left = self.below(all.iter().map(|(weight, _)| weight).sum());
        for (weight, one) in all {
            match left.checked_sub(*weight) {
                Some(less) => left = less,
                None => return *one,
            }
        }
        unreachable!("it is below the sum of all weights")
    }
}
