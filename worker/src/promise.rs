//! A value that comes once: threads wait for it, code that waits for several things listens, futures await it.
//! What the value means is not known here.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::sync::lock;

pub(crate) type Listener = Box<dyn FnOnce() + Send>;

/// Only the first value counts.
pub(crate) struct Promise<T> {
    state: Mutex<State<T>>,
    kept: Condvar,
}

struct State<T> {
    value: Option<T>,
    /// By seat, so that a future has one however often it is polled.
    listeners: BTreeMap<u64, Listener>,
    last_seat: u64,
}

impl<T> Default for Promise<T> {
    fn default() -> Self {
        let state = State { value: None, listeners: BTreeMap::new(), last_seat: 0 };
        Self { state: Mutex::new(state), kept: Condvar::new() }
    }
}

impl<T: Copy> Promise<T> {
    /// One that is kept already.
    pub(crate) fn kept(value: T) -> Self {
        let promise = Self::default();
        promise.keep(value);
        promise
    }

    /// Brings the value. Listeners are called on this thread; they must be short.
    pub(crate) fn keep(&self, value: T) {
        let mut state = lock(&self.state);
        if state.value.is_some() {
            return;
        }
        state.value = Some(value);
        let listeners = std::mem::take(&mut state.listeners);
        drop(state);
        self.kept.notify_all();
        listeners.into_values().for_each(|listener| listener());
    }

    pub(crate) fn get(&self) -> Option<T> {
        lock(&self.state).value
    }

    /// Waits for the value, at most so long.
    pub(crate) fn wait(&self, at_most: Duration) -> Option<T> {
        let state = lock(&self.state);
        let (state, _) = self
            .kept
            .wait_timeout_while(state, at_most, |state| state.value.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        state.value
    }

    /// Calls `listener` once the value is there, from the thread that brings it; at once when it already is.
    pub(crate) fn listen(&self, listener: Listener) {
        let mut state = lock(&self.state);
        if state.value.is_some() {
            drop(state);
            return listener();
        }
        state.last_seat += 1;
        let seat = state.last_seat;
        state.listeners.insert(seat, listener);
    }
}

#[cfg(feature = "tokio")]
mod future {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use super::Promise;
    use crate::sync::lock;

    impl<T: Copy> Promise<T> {
        /// The value, once it is there. Needs no particular runtime.
        pub(crate) fn value(&self) -> Value<'_, T> {
            Value { promise: self, seat: None }
        }
    }

    pub(crate) struct Value<'p, T> {
        promise: &'p Promise<T>,
        seat: Option<u64>,
    }

    impl<T: Copy> Future for Value<'_, T> {
        type Output = T;

        fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
            let mut state = lock(&self.promise.state);
            if let Some(value) = state.value {
                return Poll::Ready(value);
            }
            let seat = self.seat.unwrap_or(state.last_seat + 1);
            state.last_seat = state.last_seat.max(seat);
            let waker = context.waker().clone();
            state.listeners.insert(seat, Box::new(move || waker.wake()));
            drop(state);
            self.seat = Some(seat);
            Poll::Pending
        }
    }

    impl<T> Drop for Value<'_, T> {
        fn drop(&mut self) {
            if let Some(seat) = self.seat {
                lock(&self.promise.state).listeners.remove(&seat);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn only_the_first_value_counts() {
        let promise = Promise::default();
        assert_eq!((promise.get(), promise.wait(Duration::ZERO)), (None, None));
        promise.keep(1);
        promise.keep(2);
        assert_eq!((promise.get(), promise.wait(Duration::MAX)), (Some(1), Some(1)));
    }

    #[test]
    fn every_listener_is_called_once_whether_it_came_before_or_after_the_value() {
        let calls = Arc::new(AtomicUsize::new(0));
        let listener = || -> Listener {
            let calls = Arc::clone(&calls);
            Box::new(move || {
                calls.fetch_add(1, Ordering::SeqCst);
            })
        };
        let promise = Promise::default();
        promise.listen(listener());
        promise.listen(listener());
        assert_eq!(calls.load(Ordering::SeqCst), 0);
        promise.keep(());
        promise.keep(());
        assert_eq!(calls.load(Ordering::SeqCst), 2);
        promise.listen(listener());
        assert_eq!(calls.load(Ordering::SeqCst), 3);
    }

    #[cfg(feature = "tokio")]
    #[test]
    fn a_future_has_one_seat_and_gives_it_back() {
        use std::pin::pin;
        use std::task::{Context, Poll, Waker};

        let (promise, mut context) = (Promise::default(), Context::from_waker(Waker::noop()));
        let seats = || lock(&promise.state).listeners.len();
        {
            let mut value = pin!(promise.value());
            for _ in 0..3 {
                assert_eq!(value.as_mut().poll(&mut context), Poll::Pending);
                assert_eq!(seats(), 1);
            }
        }
        assert_eq!(seats(), 0, "it was dropped");
        let mut value = pin!(promise.value());
        assert!(value.as_mut().poll(&mut context).is_pending());
        promise.keep(7);
        assert_eq!(value.poll(&mut context), Poll::Ready(7));
    }
}
