//! Means with what is not known of them.

use std::collections::BTreeMap;

/// A mean with its confidence interval of 95 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// The interval's lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Values that it is of.
    pub count: usize,
}

impl Interval {
    /// Of values that are independent of each other, by Student's distribution; `None` of none. One value has an interval without
    /// ends.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        if count == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count as f64;
        if count == 1 {
            return Some(Self { mean, low: f64::NEG_INFINITY, high: f64::INFINITY, count });
        }
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1) as f64;
        let reach = quantile(count - 1) * (variance / count as f64).sqrt();
        Some(Self { mean, low: mean - reach, high: mean + reach, count })
    }

    /// Whether zero lies outside: a difference that is one.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// The mean of what belongs to each key.
#[must_use]
pub fn means_by<K: Ord>(values: impl Iterator<Item = (K, f64)>) -> BTreeMap<K, f64> {
    let mut sums: BTreeMap<K, (f64, usize)> = BTreeMap::new();
    for (key, value) in values {
        let sum = sums.entry(key).or_default();
        *sum = (sum.0 + value, sum.1 + 1);
    }
    sums.into_iter().map(|(key, (sum, count))| (key, sum / count as f64)).collect()
}

/// The value that Student's distribution with so many degrees of freedom stays below in 97.5 % of cases.
fn quantile(freedom: usize) -> f64 {
    const TABLE: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ];
    // Beyond the table, the first terms of the expansion about the normal distribution.
    let n = freedom as f64;
    TABLE.get(freedom.wrapping_sub(1)).copied().unwrap_or(1.959_964 + 2.372_3 / n + 2.822_5 / (n * n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_students_and_one_value_settles_nothing() {
        // Twenty values from 1 to 20: mean 10.5, deviation 5.916, 2.093 times 1.3229.
        let values: Vec<f64> = (1..=20).map(f64::from).collect();
        let interval = Interval::of(&values).unwrap();
        assert!((interval.mean - 10.5).abs() < 1e-9);
        assert!((interval.low - 7.731).abs() < 1e-3 && (interval.high - 13.269).abs() < 1e-3, "{interval:?}");
        assert!(interval.is_settled());
        let one = Interval::of(&[5.0]).unwrap();
        assert!(!one.is_settled() && one.mean == 5.0);
        assert_eq!(Interval::of(&[]), None);
        assert!(!Interval::of(&[-1.0, 1.0, 0.5]).unwrap().is_settled());
    }

    #[test]
    fn beyond_the_table_the_quantile_falls_towards_that_of_the_normal_distribution() {
        assert!((quantile(31) - 2.0395).abs() < 1e-3 && (quantile(120) - 1.9799).abs() < 1e-3, "{}", quantile(31));
        assert!((1..200).all(|n| quantile(n) > quantile(n + 1)));
    }
}
