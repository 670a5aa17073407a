//! How long a failed task waits: the back-off from (policy, number of the failure, a random number). Pure.

/// Exponential back-off: `base * 2^(n-1)`, at most `cap`, then moved by up to `jitter` of itself either way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    pub base_ms: u64,
    pub cap_ms: u64,
    /// 0.0 (none) to 1.0.
    pub jitter: f64,
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff { base_ms: 15_000, cap_ms: 3_600_000, jitter: 0.2 }
    }
}

impl Backoff {
    /// Microseconds to wait after failure number `n` (1 is the first); `random` is any uniformly drawn word.
    pub fn delay_us(&self, n: u32, random: u64) -> i64 {
        let doublings = n.saturating_sub(1).min(62);
        let whole_ms = self.base_ms.saturating_mul(1 << doublings).min(self.cap_ms) as f64;
        let unit = random as f64 / u64::MAX as f64;
        (whole_ms * 1000.0 * (1.0 + self.jitter * (2.0 * unit - 1.0))) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_the_cap() {
        let plain = Backoff { base_ms: 100, cap_ms: 1_000, jitter: 0.0 };
        let delays: Vec<i64> = [1, 2, 3, 4, 5, 1_000_000].map(|n| plain.delay_us(n, 7)).into();
        assert_eq!(delays, [100_000, 200_000, 400_000, 800_000, 1_000_000, 1_000_000]);
    }

    #[test]
    fn jitter_stays_within_its_share() {
        let policy = Backoff { base_ms: 1_000, cap_ms: 10_000, jitter: 0.2 };
        assert_eq!(policy.delay_us(1, 0), 800_000);
        assert_eq!(policy.delay_us(1, u64::MAX), 1_200_000);
    }
}
