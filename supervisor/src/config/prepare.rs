//! What the processes of a pool get from this host beside their program: the user that they become, the variables of a file.
//! Looked up once for each life, and before that by whoever checks a configuration.

use nix::unistd::geteuid;

use super::env_file;
use super::identity::Identity;
use super::pool::Pool;
use super::problem::Problem;
use super::resolved::Host;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prepared {
    /// Absent: workers stay who the supervisor is.
    pub identity: Option<Identity>,
    /// Of the pool's file.
    pub variables: Vec<(String, String)>,
}

impl Prepared {
    /// Looks up what one pool names.
    ///
    /// # Errors
    /// All that is not there, or may not be.
    pub fn of(pool: &Pool, host: &Host) -> Result<Prepared, Vec<Problem>> {
        let mut problems = Vec::new();
        let process = &pool.process;
        let mut keep = |key: &str, sentence: String| {
            problems.push(Problem::new(format!("pools.{}.{key}", pool.name), sentence));
        };
        let identity = process.user.as_deref().map(Identity::to_become).transpose();
        let identity = identity.map(Option::flatten).map_err(|error| keep("user", error));
        if let Ok(identity) = &identity
            && host.require_user
            && uid(identity.as_ref()) == 0
        {
            let sentence = "its workers would run as root, which require_user of [host] forbids; name a user, or start the \
                            supervisor as one";
            keep("user", sentence.to_owned());
        }
        let variables = process.env_file.as_deref().map(env_file::load).transpose();
        let variables = variables.map_err(|error| keep("env_file", error));
        for (name, file) in &process.secrets {
            if let Err(error) = env_file::read_bounded(file) {
                let sentence = format!("{} cannot be read: {error}; check the path and its rights", file.display());
                keep(&format!("secrets.{name}"), sentence);
            }
        }
        match (identity, variables, problems.is_empty()) {
            (Ok(identity), Ok(variables), true) => Ok(Prepared { identity, variables: variables.unwrap_or_default() }),
            _ => Err(problems),
        }
    }
}

/// Of the processes.
fn uid(identity: Option<&Identity>) -> u32 {
    identity.map_or_else(|| geteuid().as_raw(), |identity| identity.uid)
}

#[cfg(test)]
mod tests {
    use super::super::pool::{ProcessSpec, Program, Workers};
    use super::*;

    fn found(process: ProcessSpec, require_user: bool) -> Result<Prepared, Vec<String>> {
        let pool = Pool { process, ..Pool::new("p", Program::Stock, Vec::new(), Workers::fixed(1)) };
        let told = |problems: Vec<Problem>| problems.iter().map(Problem::to_string).collect();
        Prepared::of(&pool, &Host { require_user, ..Host::default() }).map_err(told)
    }

    #[test]
    fn everything_that_is_missing_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("env"), "A=1\nB").unwrap();
        let secrets = [("KEY".to_owned(), file("gone"))].into();
        let user = Some("no-such-user-5be7".to_owned());
        let spec = ProcessSpec { user, env_file: Some(file("env")), secrets, ..ProcessSpec::default() };
        let told = found(spec, false).unwrap_err();
        let starts = ["pools.p.user: there is no user", "pools.p.env_file: /", "pools.p.secrets.KEY: /"];
        assert_eq!(told.len(), starts.len(), "{told:?}");
        assert!(told.iter().zip(starts).all(|(told, start)| told.starts_with(start)), "{told:?}");
        assert!(told[1].contains("/env:2: there is no ="), "{told:?}");
        std::fs::write(file("env"), "A=1").unwrap();
        let spec = ProcessSpec { env_file: Some(file("env")), ..ProcessSpec::default() };
        assert_eq!(found(spec, false).unwrap().variables, [("A".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn root_is_refused_where_a_user_is_required() {
        let as_user =
            |user: Option<&str>| found(ProcessSpec { user: user.map(str::to_owned), ..ProcessSpec::default() }, true);
        match geteuid().is_root() {
            true => {
                let told = as_user(None).unwrap_err();
                assert!(told[0].starts_with("pools.p.user: its workers would run as root"), "{told:?}");
                assert_eq!(as_user(Some("root")).unwrap_err(), told);
                assert!(as_user(Some("nobody")).is_ok());
            }
            false => assert!(as_user(None).is_ok()),
        }
    }
}
