//! What holds tasks back: as lanes and claims decide it, and as `explain` tells it. Values.

use crate::state::TaskState;
use crate::task::PoolId;

/// Whether a queue or a key may start tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gate {
    #[default]
    Open,
    /// Until this time, in microseconds since 1970.
    ClosedUntil(i64),
    /// Until somebody opens it.
    Closed,
}

impl Gate {
    pub fn is_open(self) -> bool {
        self == Gate::Open
    }

    /// When a closed one opens by itself, in microseconds since 1970.
    pub fn opens_at_us(self) -> Option<i64> {
        if let Gate::ClosedUntil(until_us) = self { Some(until_us) } else { None }
    }
}

/// Why a task, or nothing more of a queue or key, may start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It is scheduled, or waits to be tried again, until this time, in microseconds since 1970.
    Due(TaskState, i64),
    KeyClosed(Gate),
    KeyLimit {
        running: u64,
        limit: u64,
    },
    QueueClosed(Gate),
    QueueLimit {
        running: u64,
        limit: u64,
    },
    Meter(Debit),
    /// No pool serves its queue.
    NoPool,
    /// These pools serve its queue, and none has a free slot.
    Pools(Vec<PoolId>),
}

/// A meter that lets the next task not through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debit {
    pub unit: String,
    /// In any `per_us`.
    pub allowed: u64,
    pub per_us: i64,
    /// Spent beyond what was allowed, and paid first.
    pub debt: u64,
    /// When it lets it through, in microseconds since 1970; the end of all time when a debt is not paid until then.
    pub opens_at_us: i64,
}

impl Hold {
    /// When it is over by itself, in microseconds since 1970; `None` when that depends on others.
    pub fn until_us(&self) -> Option<i64> {
        match self {
            Hold::Due(_, at_us) => Some(*at_us),
            Hold::KeyClosed(gate) | Hold::QueueClosed(gate) => gate.opens_at_us(),
            Hold::Meter(debit) => Some(debit.opens_at_us),
            Hold::KeyLimit { .. } | Hold::QueueLimit { .. } | Hold::NoPool | Hold::Pools(_) => None,
        }
    }
}
