//! Damaged inputs: what a fuzzer does, without a fuzzer, and the same in every run.

use crate::Random;

/// Pieces on which parsers of text stumble.
const PIECES: [&str; 28] = [
    "\0",
    "\n",
    "\r\n",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "null",
    "NaN",
    "-1",
    "1e999",
    "18446744073709551616",
    "../../x",
    "/absolute",
    "\u{1b}[2J",
    "\u{feff}",
    "\u{202e}",
    "&a",
    "*a",
    "<<: ",
    "#####",
    "${A}",
];

/// The longest input that is made.
const BYTES_MAX: usize = 64 << 10;

/// Makes damaged inputs of good ones.
///
/// ```
/// let seeds = [b"{\"run\": 1}".to_vec()];
/// let inputs: Vec<_> = test_kit::Mutator::new(7, &seeds).take(3).collect();
/// assert_eq!(inputs, test_kit::Mutator::new(7, &seeds).take(3).collect::<Vec<_>>());
/// ```
#[derive(Debug, Clone)]
pub struct Mutator<'s> {
    random: Random,
    seeds: &'s [Vec<u8>],
}

impl<'s> Mutator<'s> {
    /// Inputs made of `seeds`; the same `seed` gives the same ones.
    pub fn new(seed: u64, seeds: &'s [Vec<u8>]) -> Self {
        Self { random: Random(seed), seeds }
    }

    /// A number below `limit`, or 0.
    fn below(&mut self, limit: usize) -> usize {
        self.random.below(limit)
    }

    fn seed(&mut self) -> &'s [u8] {
        let place = self.below(self.seeds.len());
        self.seeds.get(place).map_or(&[], Vec::as_slice)
    }

    /// Two places of an input, in their order.
    fn range(&mut self, input: &[u8]) -> std::ops::Range<usize> {
        let (a, b) = (self.below(input.len() + 1), self.below(input.len() + 1));
        a.min(b)..a.max(b)
    }

    fn mutate(&mut self, input: &mut Vec<u8>) {
        match self.below(8) {
            // A bit.
            0 if !input.is_empty() => {
                let (place, bit) = (self.below(input.len()), self.below(8));
                input[place] ^= 1 << bit;
            }
            // A byte.
            1 if !input.is_empty() => {
                let place = self.below(input.len());
                input[place] = self.random.next_u64().to_le_bytes()[0];
            }
            // The end is lost.
            2 => input.truncate(self.below(input.len() + 1)),
            // A part is lost.
            3 => drop(input.drain(self.range(input))),
            // A part comes twice.
            4 => {
                let part = input[self.range(input)].to_vec();
                let place = self.below(input.len() + 1);
                input.splice(place..place, part);
            }
            // A part of another input.
            5 => {
                let other = self.seed();
                let part = other[self.range(other)].to_vec();
                let at = self.range(input);
                input.splice(at, part);
            }
            // A piece that hurts.
            _ => {
                let piece = PIECES[self.below(PIECES.len())];
                let place = self.below(input.len() + 1);
                let end = if self.below(2) == 0 { place } else { input.len().min(place + piece.len()) };
                input.splice(place..end, piece.bytes());
            }
        }
        input.truncate(BYTES_MAX);
    }
}

impl Iterator for Mutator<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut input = self.seed().to_vec();
        for _ in 0..=self.below(4) {
            self.mutate(&mut input);
        }
        Some(input)
    }
}

/// Small texts that cost a careless parser all memory, all stack or all day, with what they are: nesting, aliases,
/// numbers, names, and the seeds over and over.
pub fn bombs(seeds: &[Vec<u8>]) -> Vec<(String, Vec<u8>)> {
    const TIMES: usize = 100_000;
    let mut bombs: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: &str, text: String| bombs.push((name.to_owned(), text.into_bytes()));
    for open in
        ["[", "{", "(", "{\"a\":", "a: {", "a: [", "- ", "a.", "a[0]", "\"", "'", "#", "//", "\\", "\n", "\t", "? "]
    {
        add(&format!("{open:?} over and over"), open.repeat(TIMES));
        add(&format!("{open:?} over and over in a value"), format!("a: {}", open.repeat(TIMES)));
    }
    for open in ["&a [*a,", "!", "!!map ", "%", "*a "] {
        add(&format!("{open:?} over and over"), open.repeat(TIMES / 10));
    }
    add("a number of a hundred thousand digits", "9".repeat(TIMES));
    add("the same as a value", format!("{{\"version\": \"1.0\", \"a\": {}}}", "9".repeat(TIMES)));
    add("a billion laughs", laughs(12));
    add("a quadratic blow-up", format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(TIMES), "*a,".repeat(TIMES / 10)));
    for (number, seed) in seeds.iter().enumerate().filter(|(_, seed)| !seed.is_empty()) {
        let times = (TIMES / seed.len()).max(2);
        bombs.push((format!("seed {number} {times} times"), seed.repeat(times)));
        bombs.push((format!("seed {number} {times} times, a line each"), [&seed[..], b"\n"].concat().repeat(times)));
    }
    bombs
}

/// YAML whose aliases stand for ten to the power of `levels` values.
fn laughs(levels: usize) -> String {
    let line = |level: usize| match level {
        0 => "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned(),
        _ => format!("a{level}: &a{level} [{}]\n", format!("*a{}, ", level - 1).repeat(10)),
    };
    (0..levels).map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn inputs_are_many_and_bounded() {
        let seeds = [b"{\"a\": [1, 2]}".to_vec(), vec![b'x'; BYTES_MAX]];
        let inputs: BTreeSet<_> = Mutator::new(1, &seeds).take(1000).collect();
        assert!(inputs.len() > 900, "{} different ones", inputs.len());
        assert!(inputs.iter().all(|input| input.len() <= BYTES_MAX));
        assert_eq!(Mutator::new(1, &[]).take(10).count(), 10);
    }
}
