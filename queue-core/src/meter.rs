//! A meter: a named balance that refills and may go into debt. Pure: the time is an argument.
//!
//! At most `allowed` is let through in any stretch of `per`. What cannot be refused, such as what a run has spent, becomes
//! debt, and is paid from what comes free before anything else is let through. A period is counted in slots: what was
//! charged comes free with its whole slot, so that a meter opens up to a slot late and never early.

use std::collections::BTreeMap;

/// Parts of a period that are counted apart. One more is kept, since a stretch of one period touches so many.
const SLOTS: i64 = 60;
pub const KEPT: usize = SLOTS as usize + 1;

/// What a meter lets through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What is charged, such as `tasks` or `tokens`.
    pub unit: String,
    /// In any `per_us`; 1 or more.
    pub allowed: u64,
    /// In microseconds; 1 or more.
    pub per_us: i64,
    /// What a task is charged when it starts, unless it says so itself.
    pub cost: u64,
}

impl Rate {
    /// What a task is charged at its start that says this of its cost.
    pub fn cost_of(&self, said: &BTreeMap<String, u32>) -> u64 {
        said.get(&self.unit).map_or(self.cost, |cost| u64::from(*cost))
    }

    pub(crate) fn slot_us(&self) -> i64 {
        (self.per_us.max(1) - 1) / SLOTS + 1
    }
}

/// A balance. Every question is preceded by [`Meter::settle`] at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    /// The number of the newest slot, from the zero of the clock.
    slot: i64,
    /// What was charged in each slot; slot `n` stands at `n % KEPT`.
    charged: [u64; KEPT],
    /// Charged and not yet in a slot; then the slots are full.
    debt: u64,
}

impl Default for Meter {
    fn default() -> Meter {
        Meter { slot: 0, charged: [0; KEPT], debt: 0 }
    }
}

impl Meter {
    /// A balance as it was kept, under a rate that may have changed since: then all of it counts as charged just now.
    pub fn kept(slot: i64, charged: [u64; KEPT], debt: u64, was: &Rate, is: &Rate) -> Meter {
        let kept = Meter { slot, charged, debt };
        if (was.allowed, was.per_us) == (is.allowed, is.per_us) {
            return kept;
        }
        let mut anew = Meter { slot: slot.saturating_mul(was.slot_us()) / is.slot_us(), ..Meter::default() };
        anew.charge(is, kept.used().saturating_add(debt));
        anew
    }

    /// What [`Meter::kept`] takes: the newest slot, the slots, the debt.
    pub fn parts(&self) -> (i64, &[u64; KEPT], u64) {
        (self.slot, &self.charged, self.debt)
    }

    /// Lets time pass until `clock_us`; a clock that goes back changes nothing.
    pub fn settle(&mut self, rate: &Rate, clock_us: i64) {
        let now = clock_us.div_euclid(rate.slot_us());
        self.skip_rounds(rate, now);
        // By then the debt is less than a round pays, and in the round after that every slot comes free.
        let last = self.slot.saturating_add(2 * KEPT as i64).min(now);
        while self.slot < last {
            self.pass(rate);
        }
        self.slot = self.slot.max(now);
    }

    /// What may be charged now without a debt.
    pub fn free(&self, rate: &Rate) -> u64 {
        rate.allowed.saturating_sub(self.used())
    }

    /// Whether a task of this cost may start. One that costs more than is ever free may when all is, and leaves a debt; one
    /// that costs nothing may when there is no debt and something is free.
    pub fn lets(&self, rate: &Rate, cost: u64) -> bool {
        self.free(rate) >= cost.clamp(1, rate.allowed)
    }

    pub fn charge(&mut self, rate: &Rate, amount: u64) {
        self.debt = self.debt.saturating_add(amount);
        self.pay(rate);
    }

    /// When [`Meter::lets`] becomes true if nothing else is charged; now or before when it is, and the end of all time when a
    /// debt is not paid until then.
    pub fn opens_at_us(&self, rate: &Rate, cost: u64) -> i64 {
        let mut ahead = self.clone();
        let end = i64::MAX / rate.slot_us();
        ahead.skip_rounds(rate, end);
        while !ahead.lets(rate, cost) {
            if ahead.slot >= end {
                return i64::MAX;
            }
            ahead.pass(rate);
        }
        ahead.slot.saturating_mul(rate.slot_us())
    }

    pub fn debt(&self) -> u64 {
        self.debt
    }

    /// True when it is as if nothing had ever been charged: it need not be kept.
    pub fn is_full(&self) -> bool {
        self.debt == 0 && self.used() == 0
    }

    fn used(&self) -> u64 {
        self.charged.iter().fold(0, |sum, charged| sum.saturating_add(*charged))
    }

    fn place(&self) -> usize {
        usize::try_from(self.slot.rem_euclid(KEPT as i64)).unwrap_or(0)
    }

    /// The next slot: what was charged a period ago comes free, and pays debt.
    fn pass(&mut self, rate: &Rate) {
        self.slot += 1;
        let place = self.place();
        self.charged[place] = 0;
        self.pay(rate);
    }

    fn pay(&mut self, rate: &Rate) {
        let paid = self.debt.min(self.free(rate));
        let place = self.place();
        self.charged[place] += paid;
        self.debt -= paid;
    }

    /// A round of all slots pays `allowed`, as long as the debt is more than that, and leaves the slots as they were.
    fn skip_rounds(&mut self, rate: &Rate, until: i64) {
        let of_debt = i64::try_from(self.debt / rate.allowed.max(1)).unwrap_or(i64::MAX);
        let rounds = of_debt.min(until.saturating_sub(self.slot) / KEPT as i64).max(0);
        self.slot += rounds * KEPT as i64;
        self.debt -= rounds.unsigned_abs() * rate.allowed.max(1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND_US: i64 = 1_000_000;

    fn rate(allowed: u64, per_us: i64) -> Rate {
        Rate { unit: "tasks".to_owned(), allowed, per_us, cost: 1 }
    }

    fn at(rate: &Rate, charges: &[(i64, u64)]) -> Meter {
        let mut meter = Meter::default();
        for (clock_us, amount) in charges {
            meter.settle(rate, *clock_us);
            meter.charge(rate, *amount);
        }
        meter
    }

    #[test]
    fn what_was_charged_comes_free_a_period_later() {
        let rate = rate(10, 60 * SECOND_US);
        let mut meter = at(&rate, &[(0, 4), (30 * SECOND_US, 6)]);
        assert!(!meter.lets(&rate, 1));
        assert_eq!(meter.opens_at_us(&rate, 1), 61 * SECOND_US);
        assert_eq!(meter.opens_at_us(&rate, 5), 91 * SECOND_US);
        meter.settle(&rate, 61 * SECOND_US - 1);
        assert_eq!(meter.free(&rate), 0);
        meter.settle(&rate, 61 * SECOND_US);
        assert_eq!(meter.free(&rate), 4);
        meter.settle(&rate, 0);
        assert_eq!(meter.free(&rate), 4, "a clock that goes back changes nothing");
        meter.settle(&rate, i64::MAX);
        assert!(meter.is_full());
    }

    #[test]
    fn a_debt_is_paid_before_anything_is_let_through() {
        let rate = rate(100, 60 * SECOND_US);
        let mut meter = at(&rate, &[(0, 250)]);
        assert_eq!((meter.free(&rate), meter.debt()), (0, 150));
        assert_eq!(meter.opens_at_us(&rate, 1), 2 * 61 * SECOND_US);
        meter.settle(&rate, 61 * SECOND_US);
        assert_eq!(meter.debt(), 50);
        meter.settle(&rate, 122 * SECOND_US);
        assert_eq!((meter.free(&rate), meter.debt()), (50, 0));
    }

    #[test]
    fn a_debt_of_more_than_all_time_is_told_at_once() {
        let rate = rate(1, 365 * 24 * 3_600 * SECOND_US);
        let meter = at(&rate, &[(1_795_437_300 * SECOND_US, 1 << 53)]);
        assert_eq!(meter.opens_at_us(&rate, 1), i64::MAX);
    }

    #[test]
    fn a_cost_above_the_allowance_waits_for_all_of_it_and_leaves_a_debt() {
        let rate = rate(10, SECOND_US);
        let mut meter = at(&rate, &[(0, 1)]);
        assert!(!meter.lets(&rate, 25));
        meter.settle(&rate, 2 * SECOND_US);
        assert!(meter.lets(&rate, 25));
        meter.charge(&rate, 25);
        assert_eq!(meter.debt(), 15);
        assert!(!meter.lets(&rate, 0), "what costs nothing waits for the debt as well");
    }

    #[test]
    fn a_changed_rate_forgets_nothing() {
        let (was, is) = (rate(100, 60 * SECOND_US), rate(10, SECOND_US));
        let meter = at(&was, &[(90 * SECOND_US, 25)]);
        let (slot, charged, debt) = meter.parts();
        assert_eq!(Meter::kept(slot, *charged, debt, &was, &was), meter);
        let mut anew = Meter::kept(slot, *charged, debt, &was, &is);
        assert_eq!((anew.free(&is), anew.debt()), (0, 15));
        anew.settle(&is, 90 * SECOND_US);
        assert_eq!((anew.free(&is), anew.debt()), (0, 15));
    }

    proptest! {
        /// Steps between charges, wishes: whatever is let through, no stretch of a period has more than is allowed.
        #[test]
        fn no_period_has_more_than_is_allowed(
            allowed in 1_u64..20, per_us in 1_i64..2_000, steps in prop::collection::vec((0_i64..400, 0_u64..8), 1..200),
        ) {
            let rate = rate(allowed, per_us);
            let (mut meter, mut clock_us, mut let_through) = (Meter::default(), 0, Vec::new());
            for (step_us, cost) in steps {
                clock_us += step_us;
                meter.settle(&rate, clock_us);
                let cost = cost.min(allowed);
                if meter.lets(&rate, cost) {
                    meter.charge(&rate, cost);
                    let_through.push((clock_us, cost));
                } else {
                    let opens_at_us = meter.opens_at_us(&rate, cost);
                    prop_assert!(opens_at_us > clock_us && opens_at_us <= clock_us + 2 * (per_us + 60));
                    let mut then = meter.clone();
                    then.settle(&rate, opens_at_us);
                    prop_assert!(then.lets(&rate, cost));
                    then = meter.clone();
                    then.settle(&rate, opens_at_us - 1);
                    prop_assert!(!then.lets(&rate, cost));
                }
                prop_assert_eq!(meter.debt(), 0);
            }
            for (from_us, _) in &let_through {
                let within = let_through.iter().filter(|(at_us, _)| (*from_us..from_us + per_us).contains(at_us));
                prop_assert!(within.map(|(_, cost)| cost).sum::<u64>() <= allowed);
            }
        }

        /// One long step is as many short ones, debt or not.
        #[test]
        fn time_passes_alike_at_once_and_bit_by_bit(
            allowed in 1_u64..20, per_us in 1_i64..300, charges in prop::collection::vec((0_i64..400, 0_u64..200), 1..20), rest_us in 0_i64..20_000,
        ) {
            let rate = rate(allowed, per_us);
            let (mut at_once, mut clock_us) = (Meter::default(), 0);
            for (step_us, amount) in charges {
                clock_us += step_us;
                at_once.settle(&rate, clock_us);
                at_once.charge(&rate, amount);
            }
            let mut bit_by_bit = at_once.clone();
            for step in 0..=rest_us {
                bit_by_bit.settle(&rate, clock_us + step);
            }
            at_once.settle(&rate, clock_us + rest_us);
            prop_assert_eq!(at_once, bit_by_bit);
        }
    }
}
