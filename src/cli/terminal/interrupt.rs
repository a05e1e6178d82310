//! Ctrl-C, and what else asks a command to end: SIGINT, SIGTERM and SIGHUP.
//!
//! While a command waits, or is in the middle of a change, they are noted and the command ends by itself, after it
//! has said what is done. At any other time they end it at once, as they end any program.

#[cfg(unix)]
pub use unix::{guard, take};

#[cfg(not(unix))]
pub use other::{guard, take};

#[cfg(unix)]
mod unix {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::{Arc, LazyLock};

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::flag::{register, register_conditional_default};

    /// Whether somebody has asked, and is told so no longer.
    pub fn take() -> bool {
        SIGNALS.is_asked.swap(false, Ordering::SeqCst)
    }

    /// Until it is dropped, the command ends by itself.
    pub struct Guarded(());

    /// From here on the command ends by itself.
    pub fn guard() -> Guarded {
        SIGNALS.guards.fetch_add(1, Ordering::SeqCst);
        SIGNALS.is_idle.store(false, Ordering::SeqCst);
        Guarded(())
    }

    impl Drop for Guarded {
        fn drop(&mut self) {
            if SIGNALS.guards.fetch_sub(1, Ordering::SeqCst) == 1 {
                SIGNALS.is_idle.store(true, Ordering::SeqCst);
            }
        }
    }

    struct Signals {
        is_asked: Arc<AtomicBool>,
        /// Whether a signal ends the program at once.
        is_idle: Arc<AtomicBool>,
        guards: AtomicUsize,
    }

    static SIGNALS: LazyLock<Signals> = LazyLock::new(|| {
        let signals = Signals {
            is_asked: Arc::default(),
            is_idle: Arc::new(AtomicBool::new(true)),
            guards: AtomicUsize::new(0),
        };
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            // where the system refuses, the signal ends the program, as it did before
            if register_conditional_default(signal, signals.is_idle.clone()).is_ok() {
                let _ = register(signal, signals.is_asked.clone());
            }
        }
        signals
    });
}

#[cfg(not(unix))]
mod other {
    /// Nobody asks: the system ends the program.
    pub fn take() -> bool {
        false
    }

    /// Changes nothing.
    pub struct Guarded(());

    /// Changes nothing.
    pub fn guard() -> Guarded {
        Guarded(())
    }
}
