//! A service manager as far as a service sees one: a socket at which it hears how the service is.

use std::os::unix::net::UnixDatagram;

use super::guard::Guard;
use super::sandbox::Sandbox;

/// Of a message, what is read.
const MESSAGE_BYTES_MAX: usize = 4096;

pub struct ServiceManager(UnixDatagram);

impl ServiceManager {
    /// Its socket is the file `notify` of the sandbox.
    pub fn listen(sandbox: &Sandbox) -> ServiceManager {
        ServiceManager(UnixDatagram::bind(sandbox.path("notify")).expect("the sandbox is writable"))
    }

    /// The next message that has a line which begins so.
    pub fn hears(&self, prefix: &str) -> String {
        let guard = Guard::start();
        let mut heard = Vec::new();
        loop {
            assert!(guard.readable(&self.0), "never heard {prefix:?}, but {heard:?}");
            let mut bytes = [0; MESSAGE_BYTES_MAX];
            let size = self.0.recv(&mut bytes).expect("a message is there");
            let text = String::from_utf8_lossy(&bytes[..size]).into_owned();
            if text.lines().any(|line| line.starts_with(prefix)) {
                return text;
            }
            heard.push(text);
        }
    }
}
