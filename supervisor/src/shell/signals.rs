//! Signals to the supervisor: the first asks it to stop, the second to stop at once, the third ends it here and now. SIGHUP asks
//! it to read its configuration anew, however often.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::reload::Wish;

/// Shells add this to a signal's number.
const SIGNAL_EXIT_BASE: i32 = 128;
/// Wishes that are heard; the next one is a command.
const POLITE_MAX: usize = 2;

/// Forwards each wish to `stops` or `wishes`. To be called on the runtime.
pub fn forward(stops: mpsc::Sender<()>, wishes: mpsc::Sender<Wish>) -> io::Result<()> {
    tokio::spawn(reload(signal(SignalKind::hangup())?, wishes));
    let heard = Arc::new(AtomicUsize::new(0));
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        tokio::spawn(listen(signal(kind)?, kind, heard.clone(), stops.clone()));
    }
    Ok(())
}

async fn listen(mut signals: Signal, kind: SignalKind, heard: Arc<AtomicUsize>, stops: mpsc::Sender<()>) {
    while signals.recv().await.is_some() {
        if heard.fetch_add(1, Ordering::SeqCst) >= POLITE_MAX {
            // Workers die with us; what they ran is requeued at the next start.
            std::process::exit(SIGNAL_EXIT_BASE + kind.as_raw_value());
        }
        // A full line means that it has been asked often enough.
        let _ = stops.try_send(());
    }
}

async fn reload(mut signals: Signal, wishes: mpsc::Sender<Wish>) {
    while signals.recv().await.is_some() {
        // A full line means that the file is going to be read.
        let _ = wishes.try_send(Wish::Signal);
    }
}
