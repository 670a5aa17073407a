//! The one statistic that the load programs need. Pure.

/// The smallest value that `percent` of all do not exceed. Sorts the values; 0 when there are none.
pub(super) fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() * percent).div_ceil(100).saturating_sub(1);
    values.get(at).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        for (values, percent, want) in [
            (&[][..], 50, 0.0),
            (&[3.0], 99, 3.0),
            (&[3.0, 1.0, 2.0], 50, 2.0),
            (&[4.0, 1.0, 3.0, 2.0], 50, 2.0),
            (&[4.0, 1.0, 3.0, 2.0], 75, 3.0),
            (&[4.0, 1.0, 3.0, 2.0], 0, 1.0),
            (&[4.0, 1.0, 3.0, 2.0], 100, 4.0),
        ] {
            assert_eq!(percentile(&mut values.to_vec(), percent), want, "{percent} % of {values:?}");
        }
    }
}
