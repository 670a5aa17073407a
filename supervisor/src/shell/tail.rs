//! The last part of a stream within a limit, and how much went before it. Values only.

/// Output of a run that is kept with its end.
pub const OUTPUT_TAIL_BYTES: usize = 64 * 1024;

#[derive(Clone, Debug, Default)]
pub struct Tail {
    bytes: Vec<u8>,
}

impl Tail {
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(&bytes[bytes.len().saturating_sub(OUTPUT_TAIL_BYTES)..]);
        // Cut rarely, so that a flood costs one move per tail and not one per chunk.
        if self.bytes.len() > 2 * OUTPUT_TAIL_BYTES {
            self.cut();
        }
    }

    pub fn take(&mut self) -> Vec<u8> {
        self.cut();
        std::mem::take(&mut self.bytes)
    }

    fn cut(&mut self) {
        let surplus = self.bytes.len().saturating_sub(OUTPUT_TAIL_BYTES);
        self.bytes.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_stays_whatever_the_chunks() {
        let stream: Vec<u8> = (0..500_000u32).map(|n| n as u8).collect();
        for chunk in [1, 7, 4096, OUTPUT_TAIL_BYTES, 400_000] {
            let mut tail = Tail::default();
            for part in stream.chunks(chunk) {
                tail.push(part);
                assert!(tail.bytes.len() <= 3 * OUTPUT_TAIL_BYTES);
            }
            assert!(tail.take() == stream[stream.len() - OUTPUT_TAIL_BYTES..], "chunks of {chunk}");
            assert!(tail.take().is_empty());
        }
    }
}
