//! The inputs of one target that have shown something, and what was shown so far. Reads and writes no files.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::mutate::INPUT_BYTES_MAX;
use super::rng::SplitMix64;
use super::target::Target;
use super::trail::Trail;

/// Inputs that one run keeps.
const INPUTS_MAX: usize = 4096;
/// Marks that one run remembers; after that nothing is new.
const MARKS_MAX: usize = 100_000;

#[derive(Clone, Debug, Default)]
pub struct Pool {
    inputs: Vec<Vec<u8>>,
    marks: HashSet<u64>,
}

impl Pool {
    pub fn inputs(&self) -> &[Vec<u8>] {
        &self.inputs
    }

    /// Keeps the input when it has shown something new, and is not larger than what is made from it.
    pub fn offer(&mut self, input: &[u8], trail: &Trail) {
        let mut is_new = false;
        for mark in trail.marks() {
            is_new |= self.marks.len() < MARKS_MAX && self.marks.insert(*mark);
        }
        if is_new && input.len() <= INPUT_BYTES_MAX && self.inputs.len() < INPUTS_MAX {
            self.inputs.push(input.to_vec());
        }
    }

    /// One of the inputs; those that came late are as likely as those that were there.
    pub fn pick(&self, rng: &mut SplitMix64) -> &[u8] {
        self.inputs.get(rng.below(self.inputs.len())).map_or(&[], Vec::as_slice)
    }
}

/// Few inputs that show most of what `inputs` show, those that show much first; each made smaller while it shows what is
/// new with it.
pub fn distil(target: Target, mut inputs: Vec<Vec<u8>>, files_max: usize, input_bytes_max: usize) -> Vec<Vec<u8>> {
    let shown = |input: &[u8]| target.run(input).map_or(0, |trail| trail.marks().iter().collect::<HashSet<_>>().len());
    inputs.sort_by_cached_key(|input| (Reverse(shown(input)), input.len(), input.clone()));
    let mut marks: HashSet<u64> = HashSet::new();
    let mut kept = Vec::new();
    for input in inputs {
        let Ok(trail) = target.run(&input) else { continue };
        let fresh: Vec<u64> = trail.marks().iter().filter(|mark| !marks.contains(mark)).copied().collect();
        if fresh.is_empty() || kept.len() == files_max {
            continue;
        }
        let small = shrink(&input, |part| {
            target.run(part).is_ok_and(|trail| fresh.iter().all(|mark| trail.marks().contains(mark)))
        });
        if small.len() <= input_bytes_max {
            marks.extend(fresh);
            kept.push(small);
        }
    }
    kept
}

/// Cuts out what is not needed for `holds`, in halves, quarters, and so on to single bytes.
pub fn shrink(input: &[u8], holds: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut best = input.to_vec();
    let mut span = best.len().div_ceil(2);
    while span > 0 {
        let mut at = 0;
        while at < best.len() {
            let end = best.len().min(at + span);
            let part = [&best[..at], &best[end..]].concat();
            if holds(&part) { best = part } else { at = end }
        }
        span /= 2;
    }
    best
}
