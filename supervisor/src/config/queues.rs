//! What the file says of queues: limits, order, weights, rates, aging. Every problem is found. Pure.

use std::collections::{BTreeMap, BTreeSet};

use ipc_contract::name::{check_key, check_name, nearest};
use queue_core::meter::Rate;
use queue_core::policy::{Order, QueuePolicy, WEIGHT_DEFAULT, WEIGHT_MAX};
use queue_core::priority::{AGING_OFF_US, AGING_STEP_US};

use super::pool::Program;
use super::problem::Problems;
use super::raw::{RawQueue, RawRate};
use super::resolved::Config;
use super::units::{millis, timeout_ms};

/// Runs of a queue or key at a time, at most.
const RUNS_MAX: u32 = 1_000_000;
/// What a rate may allow, at most: whole numbers stay exact in JSON up to here.
const ALLOWED_MAX: u64 = 1 << 53;
/// The longest period of a rate, and what one step of priority may be worth: a year.
const PERIOD_MS_MAX: u64 = 365 * 24 * 60 * 60 * 1000;
/// What [`RawQueue::rate`] counts.
const TASKS: &str = "tasks";

/// The pools of `config` are there already.
pub(super) fn queues(
    raw: BTreeMap<String, RawQueue>,
    config: &Config,
    problems: &mut Problems,
) -> BTreeMap<String, QueuePolicy> {
    let resolve = |(name, raw): (String, RawQueue)| {
        let policy = queue(&name, raw, config, problems);
        (name, policy)
    };
    raw.into_iter().map(resolve).collect()
}

fn queue(name: &str, raw: RawQueue, config: &Config, problems: &mut Problems) -> QueuePolicy {
    let key = format!("queues.{name}");
    served(&key, name, false, config, problems);
    let named = raw.order.as_deref().map(|name| (name, Order::ALL.into_iter().find(|order| order.name() == name)));
    let order = match named {
        None => Order::default(),
        Some((_, Some(order))) => order,
        Some((other, None)) => {
            let text = format_args!(
                "{other:?} is not known; the orders are \"rank\" (the best rank first) and \"fair\" (the keys take turns)"
            );
            problems.add(&format!("{key}.order"), text);
            Order::Rank
        }
    };
    if order == Order::Rank && !raw.weights.is_empty() {
        problems.add(&format!("{key}.weights"), "are those of keys in a fair queue; say order = \"fair\" as well");
    }
    for of_key in raw.weights.keys() {
        problems.keep(&format!("{key}.weights"), check_key(of_key));
    }
    let weights = checked_weights(&format!("{key}.weights"), raw.weights, problems);
    let mut runs = |field: &str, value: Option<i64>| {
        let value = value?;
        let runs = u32::try_from(value).ok().filter(|runs| (1..=RUNS_MAX).contains(runs));
        if runs.is_none() {
            let text = format_args!(
                "must be 1 to {RUNS_MAX}; `supervisor pause` stops a queue, and without a limit leave it out"
            );
            problems.add(&format!("{key}.{field}"), text);
        }
        runs
    };
    let (limit, limit_per_key) = (runs("limit", raw.limit), runs("limit_per_key", raw.limit_per_key));
    QueuePolicy {
        limit,
        limit_per_key,
        order,
        weights,
        rates: rates(&key, raw.rate, raw.rates, problems),
        aging_step_us: aging(&format!("{key}.aging"), raw.aging.as_deref(), problems),
        timeout_ms: raw.timeout.and_then(|text| timeout_ms(&format!("{key}.timeout"), &text, problems)),
    }
}

/// Some pool must take tasks from a queue, and whatever takes them from that of a plain command must be able to run it.
pub(super) fn served(key: &str, queue: &str, plain: bool, config: &Config, problems: &mut Problems) {
    if config.pools_of(queue).next().is_none() {
        let known: BTreeSet<&str> = config.pools.iter().flat_map(|pool| &pool.queues).map(String::as_str).collect();
        let hint = match nearest(queue, known.iter().copied()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("served are {}", Vec::from_iter(known).join(", ")),
        };
        problems.add(key, format_args!("no pool serves queue {queue:?}; {hint}"));
    }
    for pool in config.pools_of(queue).filter(|pool| plain && pool.program != Program::Stock) {
        let name = &pool.name;
        problems.add(
            key,
            format_args!("queue {queue:?} is served by pool {name}, which is not stock and cannot run plain commands"),
        );
    }
}

pub(super) fn checked_weights(key: &str, raw: BTreeMap<String, i64>, problems: &mut Problems) -> BTreeMap<String, u32> {
    let mut weight = |value: i64| {
        let weight = u32::try_from(value).ok().filter(|weight| (1..=WEIGHT_MAX).contains(weight));
        weight.unwrap_or_else(|| {
            problems.add(key, format_args!("has a weight of {value}; a weight is 1 (the default) to {WEIGHT_MAX}"));
            WEIGHT_DEFAULT
        })
    };
    raw.into_iter().map(|(name, value)| (name, weight(value))).collect()
}

/// `rate` is a short way to say `rates.tasks`.
fn rates(key: &str, rate: Option<RawRate>, rates: BTreeMap<String, RawRate>, problems: &mut Problems) -> Vec<Rate> {
    if rate.is_some() && rates.contains_key(TASKS) {
        problems.add(&format!("{key}.rate"), "and rates.tasks are the same; keep one");
    }
    let short = rate.map(|rate| (format!("{key}.rate"), TASKS.to_owned(), rate));
    let long = rates.into_iter().map(|(unit, rate)| (format!("{key}.rates.{unit}"), unit, rate));
    short.into_iter().chain(long).map(|(key, unit, raw)| meter(&key, unit, &raw, problems)).collect()
}

fn meter(key: &str, unit: String, raw: &RawRate, problems: &mut Problems) -> Rate {
    problems.keep(key, check_name("unit", &unit));
    let allowed = raw.allowed.and_then(|value| u64::try_from(value).ok());
    let allowed = allowed.filter(|allowed| (1..=ALLOWED_MAX).contains(allowed));
    if allowed.is_none() {
        let text = format_args!("must say allowed, 1 to {ALLOWED_MAX}: how many {unit} in any period");
        problems.add(key, text);
    }
    let per = raw.per.as_deref().and_then(|text| millis(&format!("{key}.per"), text, problems));
    if raw.per.is_none() {
        problems.add(key, "must say per: how long the period is, such as per = \"1m\"");
    }
    let per_ms = per.unwrap_or(1);
    if !(1..=PERIOD_MS_MAX).contains(&per_ms) {
        problems.add(&format!("{key}.per"), "must be 1ms to 365days");
    }
    let cost = raw.cost.map_or(Some(u32::from(unit == TASKS)), |cost| u32::try_from(cost).ok());
    if cost.is_none() {
        problems.add(&format!("{key}.cost"), format_args!("must be 0 to {}", u32::MAX));
    }
    let per_us = i64::try_from(per_ms.min(PERIOD_MS_MAX)).unwrap_or(1) * 1_000;
    Rate { unit, allowed: allowed.unwrap_or(1), per_us, cost: u64::from(cost.unwrap_or(1)) }
}

fn aging(key: &str, raw: Option<&str>, problems: &mut Problems) -> i64 {
    match raw {
        None => AGING_STEP_US,
        Some("off") => AGING_OFF_US,
        Some(text) => {
            let Some(step_ms) = millis(key, text, problems) else { return AGING_STEP_US };
            if !(1..=PERIOD_MS_MAX).contains(&step_ms) {
                problems.add(key, "must be 1ms to 365days, or \"off\"");
            }
            i64::try_from(step_ms.min(PERIOD_MS_MAX)).unwrap_or(1) * 1_000
        }
    }
}

#[cfg(test)]
#[path = "queues_tests.rs"]
mod tests;
