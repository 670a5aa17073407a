//! What a service manager such as systemd is told, by the protocol of `sd_notify(3)`: that we are ready, reload, stop, and live.
//! Says nothing when nobody asked for it, and never waits: what cannot be delivered now is told again soon, or was not needed.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use super::handle::Handle;
use super::pulse::Condition;

/// Where the manager listens.
pub const SOCKET_VARIABLE: &str = "NOTIFY_SOCKET";
const WATCHDOG_VARIABLE: &str = "WATCHDOG_USEC";
const WATCHDOG_PID_VARIABLE: &str = "WATCHDOG_PID";
/// How often the words of our state are renewed.
const STATUS_EVERY: Duration = Duration::from_secs(10);

/// Who is to be told, and how often that we live. The default is nobody.
#[derive(Debug, Default)]
pub struct ServiceManager {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl ServiceManager {
    /// From variables of the environment.
    ///
    /// # Errors
    /// The name of the socket is none.
    pub fn of_environment(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> io::Result<ServiceManager> {
        let Some(name) = variable(SOCKET_VARIABLE).filter(|name| !name.is_empty()) else {
            return Ok(ServiceManager::default());
        };
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        let text = |name| variable(name).and_then(|value| value.into_string().ok());
        let watchdog = watchdog(text(WATCHDOG_VARIABLE), text(WATCHDOG_PID_VARIABLE), std::process::id());
        Ok(ServiceManager { socket: Some((socket, address(&name)?)), watchdog })
    }

    pub fn ready(&self) {
        self.tell("READY=1");
    }

    /// To be followed by [`ServiceManager::ready`], whatever comes of it.
    pub fn reloading(&self) {
        // The clock is always there.
        let Ok(now) = clock_gettime(ClockId::CLOCK_MONOTONIC) else { return };
        let us = Duration::from(now).as_micros();
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={us}\nSTATUS=reloading the configuration"));
    }

    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=stopping: what runs may come to its end");
    }

    fn tell(&self, text: &str) {
        if let Some((socket, address)) = &self.socket
            && let Err(error) = socket.send_to_addr(text.as_bytes(), address)
        {
            tracing::debug!(%error, "the service manager cannot be told");
        }
    }

    /// Says again and again how we are, and that we live as long as loop and writer answer. Ends with the event loop.
    pub(super) async fn keep_told(&self, handle: &Handle) {
        if self.socket.is_none() {
            return;
        }
        let every = self.watchdog.map_or(STATUS_EVERY, |within| within / 2);
        let mut beats = tokio::time::interval(every);
        beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            beats.tick().await;
            if let Some(condition) = handle.condition().await {
                let alive = if self.watchdog.is_some() { "WATCHDOG=1\n" } else { "" };
                self.tell(&format!("{alive}STATUS={}", words(&condition)));
            }
        }
    }
}

fn words(condition: &Condition) -> String {
    let Condition { reasons, workers, running, available, .. } = condition;
    let counts = format!("{workers} workers, {running} tasks running, {available} waiting");
    if reasons.is_empty() { counts } else { format!("{counts}; {}", reasons.join("; ")).replace('\n', " ") }
}

/// Of another process, or without a time, it is not ours.
fn watchdog(usec: Option<String>, pid: Option<String>, own_pid: u32) -> Option<Duration> {
    if pid.is_some_and(|pid| pid.parse() != Ok(own_pid)) {
        return None;
    }
    usec?.parse().ok().filter(|us| *us > 0).map(Duration::from_micros)
}

/// A path, or behind an `@` a name that is in no folder.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        [b'/', ..] => SocketAddr::from_pathname(name),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{SOCKET_VARIABLE} is {name:?}, which is neither a whole path nor an @name; unset it"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Offers};
    use crate::shell::handle::Asked;
    use crate::shell::host::Facts;

    /// One of the variables, and what is heard at the socket.
    fn told(name: &str, heard: &UnixDatagram) -> Vec<String> {
        let variables = [(SOCKET_VARIABLE, name), (WATCHDOG_VARIABLE, "3000000")];
        let variable =
            |wanted: &str| variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).into());
        let manager = ServiceManager::of_environment(variable).unwrap();
        assert_eq!(manager.watchdog, Some(Duration::from_secs(3)));
        manager.ready();
        manager.reloading();
        manager.stopping();
        let mut bytes = [0; 1024];
        let next = |_| heard.recv(&mut bytes).map(|size| String::from_utf8_lossy(&bytes[..size]).into_owned()).unwrap();
        (0..3).map(next).collect()
    }

    #[test]
    fn a_manager_hears_it_at_a_path_and_at_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let at_path = UnixDatagram::bind(&path).unwrap();
        let name = format!("mutirao-test-{}", std::process::id());
        let at_name = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        for said in [told(&path.to_string_lossy(), &at_path), told(&format!("@{name}"), &at_name)] {
            assert_eq!(said[0], "READY=1");
            let usec = said[1].strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap().lines().next().unwrap();
            assert!(usec.parse::<u64>().unwrap() > 0);
            assert!(said[2].starts_with("STOPPING=1\nSTATUS=stopping"));
        }
    }

    #[test]
    fn who_did_not_ask_is_told_nothing_and_who_is_gone_harms_nobody() {
        let manager = ServiceManager::of_environment(|_| None).unwrap();
        manager.ready();
        let gone = ServiceManager::of_environment(|name| (name == SOCKET_VARIABLE).then(|| "/no/such".into())).unwrap();
        gone.ready();
        let wrong = ServiceManager::of_environment(|_| Some("relative".into()));
        assert!(wrong.unwrap_err().to_string().contains("neither a whole path nor an @name"));
    }

    /// With virtual time: what does not come in an hour never comes.
    #[tokio::test(start_paused = true)]
    async fn a_supervisor_that_does_not_answer_is_not_called_alive() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let heard = UnixDatagram::bind(&path).unwrap();
        heard.set_nonblocking(true).unwrap();
        let socket = UnixDatagram::unbound().unwrap();
        let address = SocketAddr::from_pathname(&path).unwrap();
        let manager = ServiceManager { socket: Some((socket, address)), watchdog: Some(Duration::from_secs(30)) };
        let (pulses, mut asked) = tokio::sync::mpsc::channel(9);
        let (requests, wishes) = (tokio::sync::mpsc::channel(1).0, tokio::sync::mpsc::channel(1).0);
        let asked_with = Asked { requests, wishes, pulses };
        let handle = Handle::new(Config::default(), Offers::default(), Facts::default(), asked_with);
        let hour = tokio::time::timeout(Duration::from_secs(3_600), manager.keep_told(&handle));
        assert!(hour.await.is_err());
        let mut bytes = [0; 1024];
        assert_eq!(heard.recv(&mut bytes).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let answers = async {
            while let Some(pulse) = asked.recv().await {
                let _: Result<_, Condition> = pulse.send(Condition::default());
            }
        };
        let both = async { tokio::join!(manager.keep_told(&handle), answers) };
        assert!(tokio::time::timeout(Duration::from_secs(10), both).await.is_err());
        let size = heard.recv(&mut bytes).unwrap();
        assert_eq!(&bytes[..size], b"WATCHDOG=1\nSTATUS=0 workers, 0 tasks running, 0 waiting");
    }

    #[test]
    fn a_watchdog_of_another_process_is_not_ours() {
        let text = |text: &str| Some(text.to_owned());
        let second = Some(Duration::from_secs(1));
        let table = [
            (text("1000000"), None, second),
            (text("1000000"), text("7"), second),
            (text("1000000"), text("8"), None),
            (text("0"), None, None),
            (text("x"), None, None),
            (None, text("7"), None),
        ];
        for (usec, pid, want) in table {
            assert_eq!(watchdog(usec, pid, 7), want);
        }
    }

    #[test]
    fn the_state_in_words_is_one_line() {
        let mut condition = Condition { workers: 4, running: 2, available: 10, ..Condition::default() };
        assert_eq!(words(&condition), "4 workers, 2 tasks running, 10 waiting");
        condition.reasons.push("pool a is broken: its worker said\nno".to_owned());
        assert!(words(&condition).ends_with("waiting; pool a is broken: its worker said no"));
    }
}
