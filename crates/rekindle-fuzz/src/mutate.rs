//! Inputs made of other inputs, the same for the same seed.

/// Pieces that mean something in at least one of the formats.
const PIECES: &[&str] = &[
    "\n",
    "\r\n",
    " ",
    "\t",
    "  ",
    "\0",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "é",
    "😀",
    "{",
    "}",
    "[",
    "]",
    "[[",
    "]]",
    ",",
    ":",
    ": ",
    "=",
    " = ",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "\\",
    "\\u00e9",
    "\\ud800",
    "#",
    "//",
    "/*",
    "*/",
    "- ",
    "? ",
    "&a ",
    "*a",
    "<<: *a",
    "!!int ",
    "|\n",
    ">-\n",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "0",
    "-0",
    "017",
    "0x1f",
    "1_000",
    "1e999",
    ".inf",
    "nan",
    "9223372036854775808",
    "1979-05-27T07:32:00Z",
    "true",
    "null",
    "~",
    "a",
    "a.b",
    "*",
    "**",
    "/",
    "./",
    "../",
    "?",
    "[!a]",
    "{a,b/c}",
    "=== app.toml\n",
    "=== app.yaml\n",
    "=== X_APP__A__B=1\n",
];

/// What makes inputs, a few mutations at a time.
#[derive(Debug)]
pub struct Mutator {
    state: u64,
    longest: usize,
}

impl Mutator {
    /// A mutator of inputs of at most `longest` bytes.
    #[must_use]
    pub fn new(seed: u64, longest: usize) -> Self {
        Self { state: seed, longest }
    }

    /// An input made of one of the corpus, and perhaps of parts of others.
    pub fn next(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.one_of(corpus).clone();
        input.truncate(self.longest);
        for _ in 0..=self.below(4) {
            self.mutate(&mut input, corpus);
        }
        input.truncate(self.longest);
        input
    }

    fn mutate(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let from = self.below(input.len() + 1);
        let to = (from + self.below(17)).min(input.len());
        match self.below(7) {
            0 => drop(input.drain(from..to)),
            1 => {
                let piece = self.one_of(PIECES).bytes();
                drop(input.splice(from..from, piece));
            }
            2 => {
                let piece = self.one_of(PIECES).bytes();
                drop(input.splice(from..to, piece));
            }
            3 => {
                let again = input[from..to].to_vec();
                let at = self.below(input.len() + 1);
                drop(input.splice(at..at, again));
            }
            4 => {
                let other = self.one_of(corpus);
                let start = self.below(other.len() + 1);
                let end = (start + self.below(65)).min(other.len());
                drop(input.splice(from..to, other[start..end].iter().copied()));
            }
            5 => input.truncate(from),
            _ => {
                let byte = u8::try_from(self.below(256)).unwrap_or_default();
                input[from..to].iter_mut().take(1).for_each(|old| *old = byte);
            }
        }
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// A number below `bound`. SplitMix64: small, fast, and even enough for this.
    fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let mixed = mixed ^ (mixed >> 31);
        usize::try_from(mixed % bound.max(1) as u64).unwrap_or_default()
    }
}
