//! Which single thing is wrong.

/// The name of the deviation.
#[derive(Clone, Copy)]
pub(crate) struct Wrong(pub(crate) &'static str);

impl Wrong {
    /// True when this is the one.
    pub(crate) fn is(self, name: &str) -> bool {
        self.0 == name
    }
}
