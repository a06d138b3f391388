//! A fleet in virtual time: the coordinator and the participants as they are, the store, the network and the engines
//! played. Everything follows from the seed.
//!
//! What is lost, late, cut off, stopped and killed is drawn by lot; what must hold is looked at after each event.

use std::sync::atomic::{AtomicU64, Ordering};

mod random;
mod world;

use random::Random;
use world::{Chances, World};

/// As many as the environment asks for, otherwise as many as a test may take.
fn seeds(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(otherwise)
}

fn run(seed: u64, size: usize, chances: Chances) -> World {
    let _told = Told { seed, size };
    let mut world = World::new(Random::new(seed), size, chances);
    world.run();
    world
}

/// Says which run it was that failed.
struct Told {
    seed: u64,
    size: usize,
}

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in the run of seed {} with {} instances", self.seed, self.size);
        }
    }
}

#[test]
fn small_fleets_in_all_sorts_of_trouble() {
    let mut ends = std::collections::BTreeMap::<&str, usize>::new();
    for seed in 0..seeds("REKINDLE_SEEDS", 1000) {
        let size = 1 + usize::try_from(seed % 40).expect("it is small");
        let world = run(seed, size, Chances::trouble());
        for end in world.ends() {
            *ends.entry(end).or_default() += 1;
        }
    }
    for end in ["promoted", "refused", "rolled-back", "aborted"] {
        assert!(ends.get(end).is_some_and(|times| *times > 5), "each end has to occur: {ends:?}");
    }
}

#[test]
fn a_fleet_without_trouble_promotes_what_is_good() {
    for seed in 0..20 {
        let world = run(seed, 50, Chances::none());
        assert!(world.ends().iter().all(|end| *end == "promoted"), "{seed}: {:?}", world.ends());
        assert!(!world.ends().is_empty());
    }
}

#[test]
fn ten_thousand_instances() {
    let next = AtomicU64::new(0);
    let last = seeds("REKINDLE_LARGE_SEEDS", 2);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= last {
                break;
            }
            assert!(!run(seed, 10_000, Chances::trouble()).ends().is_empty());
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
}
