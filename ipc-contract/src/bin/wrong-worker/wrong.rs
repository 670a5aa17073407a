//! Which single thing is wrong, and how the process ends.

/// The name of the deviation.
#[derive(Clone, Copy)]
pub(crate) struct Wrong(pub(crate) &'static str);

impl Wrong {
    /// True when this is the one.
    pub(crate) fn is(self, name: &str) -> bool {
        self.0 == name
    }
}

pub(crate) const EXIT_FAILED: i32 = 1;

/// Ends the process, wherever it is.
pub(crate) fn leave(code: i32, why: &str) -> ! {
    eprintln!("{why}");
    std::process::exit(code)
}
