//! How much of what a worker logs is passed on: so many lines a second, the rest is counted. Pure.

/// Lines of one worker in one second.
pub const LINES_PER_S_MAX: u32 = 200;
/// Of one line.
pub const LINE_BYTES_MAX: usize = 8 * 1024;
const SECOND_US: i64 = 1_000_000;

#[derive(Clone, Copy, Debug, Default)]
pub struct LogBudget {
    second_began_at: i64,
    lines: u32,
}

impl LogBudget {
    /// Whether one more line is passed on, and how many were not in the second that has just ended.
    pub fn take(&mut self, now: i64) -> (bool, u32) {
        let mut dropped = 0;
        if now - self.second_began_at >= SECOND_US {
            dropped = self.lines.saturating_sub(LINES_PER_S_MAX);
            *self = LogBudget { second_began_at: now, lines: 0 };
        }
        self.lines = self.lines.saturating_add(1);
        (self.lines <= LINES_PER_S_MAX, dropped)
    }
}

/// The beginning of a line, not in the middle of a character.
pub fn clip(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(LINE_BYTES_MAX));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_counted_and_the_next_second_is_new() {
        let mut budget = LogBudget::default();
        let passed = (0..1_000).filter(|n| budget.take(SECOND_US + n).0).count();
        assert_eq!(passed, LINES_PER_S_MAX as usize);
        assert_eq!(budget.take(2 * SECOND_US), (true, 1_000 - LINES_PER_S_MAX));
        assert_eq!(budget.take(4 * SECOND_US), (true, 0));
    }

    #[test]
    fn a_long_line_keeps_its_beginning() {
        assert_eq!(clip("é".repeat(LINE_BYTES_MAX)).len(), LINE_BYTES_MAX);
        assert_eq!(clip(format!("x{}", "é".repeat(LINE_BYTES_MAX))).len(), LINE_BYTES_MAX - 1);
        assert_eq!(clip("short".into()), "short");
    }
}
