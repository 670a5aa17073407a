//! The Python part as it is carried inside this program: the package, and the worker and the client that use it.

/// The package `mutirao`: each file's path below the folder that Python imports it from, and its text.
pub(super) const PACKAGE: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/python_package.rs"));

/// The worker of the pool `python`.
pub(super) const WORKER: (&str, &str) = ("worker.py", include_str!("python/worker.py"));
/// The application that uses the queue.
pub(super) const CLIENT: (&str, &str) = ("client.py", include_str!("python/client.py"));
/// Their lines of the configuration.
pub(super) const POOL: &str = include_str!("python/pool.toml");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_is_whole_and_nothing_else_is_carried() {
        let names: Vec<&str> = PACKAGE.iter().map(|(name, _)| *name).collect();
        for name in ["mutirao/__init__.py", "mutirao/client.py", "mutirao/worker.py", "mutirao/py.typed"] {
            assert!(names.contains(&name), "{name} is not in {names:?}");
        }
        let strays: Vec<_> =
            names.iter().filter(|name| !name.starts_with("mutirao/") || name.contains("__pycache__")).collect();
        assert!(strays.is_empty(), "{strays:?}");
    }
}
