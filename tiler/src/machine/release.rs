//! Memory goes back to the system when the work that needed it is done.
//!
//! The C library keeps what was freed, in up to eight arenas a core, for the next request; after a flood these are
//! hundreds of megabytes. Its own `malloc_trim` gives whole pages back, those that the catalogue's library freed among
//! them, which another allocator of this program's own would not reach. It costs some milliseconds, so it runs when
//! everything is done, and every few seconds of long work.

use crate::state::App;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// How often it is looked whether there is anything to give back.
const LOOK: Duration = Duration::from_secs(1);

/// How long work may go on before memory is given back beside it.
const BESIDE_WORK: Duration = Duration::from_secs(5);

/// A thread that gives memory back and ends the silence about refused requests, as long as the service lives.
#[derive(Debug)]
pub(crate) struct Keeper;

impl Keeper {
    /// Starts the thread.
    pub(crate) fn start(app: &Arc<App>) -> std::io::Result<()> {
        let app = Arc::downgrade(app);
        std::thread::Builder::new()
            .name("sen-keeper".into())
            .spawn(move || keep(&app))
            .map(|_| ())
    }
}

fn keep(app: &Weak<App>) {
    let (mut given, mut last) = (0, Instant::now());
    loop {
        std::thread::sleep(LOOK);
        let Some(app) = app.upgrade() else { return };
        app.refusals.tell();
        let made = app.admission.made();
        let due = app.admission.is_idle() || last.elapsed() >= BESIDE_WORK;
        if made != given && due {
            give_back();
            (given, last) = (made, Instant::now());
        }
    }
}

/// Gives free pages back to the system.
#[cfg(target_env = "gnu")]
#[expect(
    unsafe_code,
    reason = "a call of the C library; it takes a number and may run at any time on any thread"
)]
fn give_back() {
    unsafe { libc::malloc_trim(0) };
}

/// Other C libraries give back by themselves.
#[cfg(not(target_env = "gnu"))]
fn give_back() {}
