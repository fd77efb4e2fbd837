//! The alarm that ends the worker's sleep.

use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

/// Rings once at the end of a wait. It waits on a thread of its own, which the kernel wakes once: a timer of the event
/// loop sinks through the levels of its wheel, and wakes the process up to twice more before a minute is over.
///
/// The thread ends with the alarm.
#[derive(Debug)]
pub(super) struct Alarm {
    waits: Sender<Duration>,
    bell: Arc<Notify>,
}

impl Alarm {
    /// An alarm that is not set.
    ///
    /// # Errors
    /// When the machine has no thread left.
    pub(super) fn new() -> std::io::Result<Self> {
        let (waits, set) = mpsc::channel::<Duration>();
        let bell = Arc::new(Notify::new());
        let rung = Arc::clone(&bell);
        thread::Builder::new().name("alarm".to_owned()).spawn(move || {
            while let Ok(mut wait) = set.recv() {
                while let Ok(other) = set.recv_timeout(wait) {
                    wait = other;
                }
                rung.notify_one();
            }
        })?;
        Ok(Self { waits, bell })
    }

    /// Sets it anew; what is answered ends when it rings. Dropped before, it may ring into the next wait and end it early.
    pub(super) fn after(&self, wait: Duration) -> OwnedNotified {
        // The thread lives as long as the sender.
        self.waits.send(wait).ok();
        Arc::clone(&self.bell).notified_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_rings_at_the_end_of_each_wait_and_of_the_last_one_that_was_set() {
        let alarm = Alarm::new().unwrap();
        alarm.after(Duration::ZERO).await;
        alarm.after(Duration::from_millis(1)).await;
        drop(alarm.after(Duration::from_secs(3_600)));
        alarm.after(Duration::from_millis(1)).await;
    }
}
