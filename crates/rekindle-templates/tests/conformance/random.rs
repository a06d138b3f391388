//! Whatever is saved in whichever order: in the end it is what is on disk.

use std::collections::BTreeMap;

use rekindle_templates::Templates;

use crate::bench::Bench;
use crate::dialect::Dialect;

/// Small, and the same in every run (xorshift, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }
}

const NAMES: [&str; 6] = ["a.html", "b.html", "c/d.html", "c/e.html", "f.html", "g.html"];

/// A good source, a broken one, or one that uses another, which may not exist.
fn source<E: Dialect>(random: &mut Random, step: usize) -> String {
    match random.below(5) {
        0 => E::BROKEN.0.to_owned(),
        1 | 2 => format!("{step} {}", E::include(NAMES[random.below(NAMES.len())])),
        _ => format!("text {step}"),
    }
}

pub(crate) async fn whatever_is_saved_the_end_is_what_is_on_disk<E: Dialect>() {
    let mut random = Random(0x5eed);
    let mut bench = Bench::<E>::new(&[]).await;
    for round in 0..5 {
        for step in 0..50 {
            let name = NAMES[random.below(NAMES.len())];
            match random.below(4) {
                0 if bench.site.path(&format!("templates/{name}")).exists() => bench.remove(name),
                1 => bench.site.write(&format!("templates/{name}"), &source::<E>(&mut random, step)),
                _ => bench.save(name, &source::<E>(&mut random, step)),
            }
            // Whatever is in use can be rendered, or says why not.
            let _either = bench.templates.render(name, &());
        }
        let expected: BTreeMap<&str, String> =
            NAMES[..4].iter().map(|name| (*name, format!("{name} of round {round}"))).collect();
        NAMES[4..]
            .iter()
            .for_each(|name| drop(std::fs::remove_file(bench.site.path(&format!("templates/{name}")))));
        expected.iter().for_each(|(name, source)| bench.save(name, source));
        let is_there = |templates: &Templates<E>| {
            let rendered = |(name, text): (&&str, &String)| {
                templates.render(name, &()).is_ok_and(|rendered| rendered == *text)
            };
            templates.digest().len() == expected.len()
                && templates.problems().is_empty()
                && expected.iter().all(rendered)
        };
        bench.until(&format!("the end of round {round}"), is_there).await;
    }
}
