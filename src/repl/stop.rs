//! Ctrl-C: the first stops a turn between two steps, the second leaves. Other signals that end us give the terminal back
//! as it was found, and so does Ctrl-Z, until the program is gone on with.
//!
//! Where the terminal is drawn over, its own line editing and its echo are off for as long as we have it: keys would land in
//! the middle of a picture, and what ends a line or the input, pressed while a turn runs, would be gone by the next prompt.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use anyhow::{Context, Result};
#[cfg(unix)]
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

/// The exit status after a second Ctrl-C: what shells give to a program that an interrupt ended.
pub const INTERRUPTED: u8 = 130;

/// Whether a stop was asked for.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    asked: Arc<AtomicU32>,
    at_work: Arc<AtomicBool>,
    /// Whether typing is hidden while a turn runs, and lines are drawn over.
    draws_over: bool,
    /// Whether nothing is said: programs read what is written.
    silent: bool,
    /// How often the program was stopped in the middle and gone on with.
    resumed: Arc<AtomicU32>,
    /// Whether another program has the terminal: a pager, an editor.
    lent: Arc<AtomicBool>,
    /// What the terminal was set to when it was found.
    #[cfg(unix)]
    found: Option<Arc<Termios>>,
    /// Gives it back; whoever listens for signals has none.
    #[cfg(unix)]
    had: Option<Arc<Had>>,
}

/// The terminal, given back as it was found once nobody has it any more.
#[cfg(unix)]
#[derive(Debug)]
struct Had {
    found: Arc<Termios>,
}

#[cfg(unix)]
impl Drop for Had {
    fn drop(&mut self) {
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Drain, &self.found);
    }
}

impl Stop {
    /// Begins to listen for Ctrl-C. `draws_over` says whether the terminal may be drawn over; then what is typed is not
    /// shown but by whoever reads it, until the last copy of this is gone.
    ///
    /// # Errors
    /// Fails if the system does not let us, or this was done before.
    pub fn listen(draws_over: bool) -> Result<Self> {
        Self { draws_over, ..Self::default() }.heard()
    }

    /// The same without a word on standard output.
    ///
    /// # Errors
    /// As [`listen`](Self::listen).
    pub fn listen_silently() -> Result<Self> {
        Self { silent: true, ..Self::default() }.heard()
    }

    fn heard(mut self) -> Result<Self> {
        #[cfg(unix)]
        if self.draws_over {
            self.found = tcgetattr(rustix::stdio::stdin()).ok().map(Arc::new);
            self.give_back_at_the_end()?;
        }
        let heard = self.clone();
        ctrlc::set_handler(move || heard.hear()).context("cannot listen for Ctrl-C")?;
        #[cfg(unix)]
        if let Some(found) = self.found.clone() {
            self.had = Some(Arc::new(Had { found }));
            self.take_keys();
        }
        Ok(self)
    }

    fn hear(&self) {
        if self.lent.load(Ordering::SeqCst) {
            return;
        }
        let again = self.again();
        let mut out = std::io::stdout();
        if self.silent {
            if again {
                std::process::exit(i32::from(INTERRUPTED));
            }
            return;
        }
        if again {
            self.give_back();
            let _ = out.write_all(b"\n").and_then(|()| out.flush());
            std::process::exit(i32::from(INTERRUPTED));
        }
        let said = match (self.at_work.load(Ordering::SeqCst), self.draws_over) {
            (true, true) => "\r\x1b[K  stopping after this step; Ctrl-C again leaves",
            (true, false) => "\nstopping after this step; Ctrl-C again leaves\n",
            (false, _) => "\nCtrl-C again leaves, and so does Ctrl-D\n",
        };
        let _ = out.write_all(said.as_bytes()).and_then(|()| out.flush());
    }

    /// Counts a Ctrl-C, whether it came as a signal or as a key at the prompt. True: it is the second, with no line
    /// in between.
    #[must_use]
    pub fn again(&self) -> bool {
        self.asked.fetch_add(1, Ordering::SeqCst) > 0
    }

    /// A turn begins.
    pub fn begin(&self) {
        self.asked.store(0, Ordering::SeqCst);
        self.at_work.store(true, Ordering::SeqCst);
    }

    /// The turn is over.
    pub fn end(&self) {
        self.at_work.store(false, Ordering::SeqCst);
        self.asked.store(0, Ordering::SeqCst);
    }

    /// Whether the turn is to stop.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst) > 0
    }

    /// Lends the terminal to another program for as long as `to` takes: Ctrl-C is that program's meanwhile.
    pub fn lend<T>(&self, to: impl FnOnce() -> T) -> T {
        self.lent.store(true, Ordering::SeqCst);
        self.give_back();
        let result = to();
        self.take_keys();
        self.lent.store(false, Ordering::SeqCst);
        self.asked.store(0, Ordering::SeqCst);
        result
    }

    /// How often the program was stopped in the middle (Ctrl-Z) and gone on with: what was drawn before is elsewhere then.
    #[must_use]
    pub fn resumed(&self) -> u32 {
        self.resumed.load(Ordering::SeqCst)
    }

    /// The terminal as it was found, for another program or the end.
    fn give_back(&self) {
        #[cfg(unix)]
        if let Some(found) = &self.found {
            let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Drain, found);
        }
    }

    /// Keys wait unseen and whole for whoever reads them; those that send signals do so.
    fn take_keys(&self) {
        #[cfg(unix)]
        if let Some(mut modes) = self.found.as_deref().cloned() {
            modes.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON);
            modes.special_codes[SpecialCodeIndex::VMIN] = 1;
            modes.special_codes[SpecialCodeIndex::VTIME] = 0;
            let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Drain, &modes);
        }
    }
}

#[cfg(unix)]
impl Stop {
    /// Gives the terminal back as it was found when a signal ends us or stops us, whatever it is set to by then, and lets the
    /// signal do so.
    fn give_back_at_the_end(&self) -> Result<()> {
        use signal_hook::consts::{SIGALRM, SIGHUP, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU};
        let Some(found) = self.found.clone() else { return Ok(()) };
        let ends = [SIGHUP, SIGQUIT, SIGTERM, SIGALRM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU, SIGTSTP];
        let mut signals = signal_hook::iterator::Signals::new(ends).context("cannot listen for signals")?;
        let stop = self.clone();
        let wait = move || {
            for signal in signals.forever() {
                if signal == SIGTSTP {
                    stop.suspend();
                    continue;
                }
                let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &found);
                write_past(END_OF_EDITING);
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        };
        std::thread::Builder::new().name("signals".to_owned()).spawn(wait).context("cannot listen for signals")?;
        Ok(())
    }

    /// Stops the program until the shell goes on with it; the terminal is as it was found meanwhile. Does nothing where
    /// there is no shell that could go on with it.
    pub fn suspend(&self) {
        use signal_hook::consts::{SIGTSTP, SIGWINCH};
        let input = rustix::stdio::stdin();
        let (Some(found), Ok(now)) = (&self.found, tcgetattr(input)) else { return };
        if is_orphaned() {
            return;
        }
        // Only whoever edits a line takes the keys that send signals, too.
        let edits = !now.local_modes.contains(LocalModes::ISIG);
        let _ = tcsetattr(input, OptionalActions::Now, found);
        write_past(END_OF_EDITING);
        let _ = signal_hook::low_level::emulate_default_handler(SIGTSTP);
        // Here it goes on.
        let _ = tcsetattr(input, OptionalActions::Now, &now);
        self.resumed.fetch_add(1, Ordering::SeqCst);
        if edits {
            write_past(BEGIN_OF_EDITING);
            // Whoever edits a line draws it anew when the window changes.
            let _ = signal_hook::low_level::raise(SIGWINCH);
        }
    }
}

/// Writes to the terminal past whoever is writing to standard output: nobody needs to be waited for.
#[cfg(unix)]
fn write_past(bytes: &[u8]) {
    if let Ok(mut terminal) = std::fs::File::options().write(true).open("/dev/tty") {
        let _ = terminal.write_all(bytes);
    }
}

/// Whether nobody in this session could go on with the program if it were stopped: no shell with job control started it.
#[cfg(unix)]
fn is_orphaned() -> bool {
    let parent = std::os::unix::process::parent_id();
    let of = |process: &str| {
        let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // Behind the name, which may hold anything: state, parent, process group, session.
        let mut numbers = text.rsplit_once(')')?.1.split_whitespace().skip(2).map_while(|n| n.parse::<u64>().ok());
        Some((numbers.next()?, numbers.next()?))
    };
    match (of("self"), of(&parent.to_string())) {
        (Some((group, session)), Some((parents_group, parents_session))) => {
            session != parents_session || group == parents_group
        }
        (Some(_), None) => true,
        // A system that does not tell: the first process of all starts no shells' jobs.
        (None, _) => parent <= 1,
    }
}

/// Pastes are marked.
#[cfg(unix)]
const BEGIN_OF_EDITING: &[u8] = b"\x1b[?2004h";

/// Pastes are no longer marked, colours are those of the terminal, and a new line begins.
#[cfg(unix)]
const END_OF_EDITING: &[u8] = b"\x1b[?2004l\x1b[m\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_asked_for_in_one_turn_does_not_stop_the_next() {
        let stop = Stop::default();
        stop.begin();
        assert!(!stop.is_asked());
        assert!(!stop.again());
        assert!(stop.is_asked() && stop.again());
        stop.end();
        stop.begin();
        assert!(!stop.is_asked());
    }
}
