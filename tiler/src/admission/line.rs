//! A line before a few places, measured in time: who would wait longer than is worth waiting for is sent away at once.
//!
//! Nothing here reads a clock or wakes anybody, so that tests let hours pass in no time; [`super`] does both.

use std::collections::VecDeque;
use std::time::Duration;

/// How a class of requests waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// Requests in work at the same time.
    pub(crate) readers: usize,
    /// So many may wait whatever the estimate says: what one page asks for at once.
    pub(crate) least: usize,
    /// More never wait.
    pub(crate) most: usize,
    /// Nobody is sent away for a shorter wait than this.
    pub(crate) least_wait: Duration,
    /// Nobody is let in for a longer wait than this, except the `least`.
    pub(crate) longest_wait: Duration,
}

/// What a request is told when it comes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// A place is free and now taken.
    Start,
    /// The request stands in line.
    Wait,
    /// It would wait so long, which is too long.
    Refused(Duration),
}

/// The line of one class; `W` is how a waiting request is woken.
#[derive(Debug)]
pub(crate) struct Line<W> {
    rules: Rules,
    running: usize,
    /// Expected times of those in work, from their start on.
    running_work: Duration,
    waiting: VecDeque<(W, Duration)>,
    waiting_work: Duration,
}

impl<W> Line<W> {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            running: 0,
            running_work: Duration::ZERO,
            waiting: VecDeque::new(),
            waiting_work: Duration::ZERO,
        }
    }

    pub(crate) fn running(&self) -> usize {
        self.running
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How long who comes now will wait: those in work are half done on average.
    fn wait(&self) -> Duration {
        if self.running < self.rules.readers {
            return Duration::ZERO;
        }
        let readers = u32::try_from(self.rules.readers.max(1)).unwrap_or(u32::MAX);
        (self.running_work / 2 + self.waiting_work) / readers
    }

    /// A request comes that is expected to work for `work`, and would rather go than wait longer than `patience`.
    pub(crate) fn arrive(
        &mut self,
        work: Duration,
        patience: Duration,
        waker: impl FnOnce() -> W,
    ) -> Arrival {
        if self.running < self.rules.readers {
            self.running += 1;
            self.running_work += work;
            return Arrival::Start;
        }
        let wait = self.wait();
        let patience = patience.max(self.rules.least_wait).min(self.rules.longest_wait);
        let waiting = self.waiting.len();
        if waiting >= self.rules.most || (waiting >= self.rules.least && wait > patience) {
            return Arrival::Refused(wait);
        }
        self.waiting.push_back((waker(), work));
        self.waiting_work += work;
        Arrival::Wait
    }

    /// A request that was expected to take `work` is done; the next in line takes its place and has to be woken.
    pub(crate) fn leave(&mut self, work: Duration) -> Option<(W, Duration)> {
        self.running = self.running.saturating_sub(1);
        self.running_work = self.running_work.saturating_sub(work);
        let (waker, work) = self.waiting.pop_front()?;
        self.waiting_work = self.waiting_work.saturating_sub(work);
        self.running += 1;
        self.running_work += work;
        Some((waker, work))
    }

    /// Takes those out of the line who are there no more.
    pub(crate) fn forget(&mut self, gone: impl Fn(&W) -> bool) {
        self.waiting.retain(|(waker, _)| !gone(waker));
        self.waiting_work = self.waiting.iter().map(|(_, work)| *work).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        readers: 2,
        least: 1,
        most: 1024,
        least_wait: Duration::from_millis(20),
        longest_wait: Duration::from_secs(2),
    };

    /// A class under load in virtual time: a request comes every `every`, each works for `work`. Gives the longest time
    /// from coming to leaving, how many were served and how many were sent away.
    fn flood(rules: Rules, every: Duration, work: Duration, count: u32) -> (Duration, usize, usize) {
        let mut line = Line::new(rules);
        let mut ends: Vec<(Duration, Duration)> = Vec::new(); // end and arrival of those in work
        let (mut longest, mut served, mut refused) = (Duration::ZERO, 0, 0);
        let step = |line: &mut Line<Duration>, ends: &mut Vec<(Duration, Duration)>, until: Duration| {
            let mut spent = Vec::new();
            while let Some(first) = ends
                .iter()
                .position(|end| Some(end.0) == ends.iter().map(|end| end.0).min())
            {
                if ends[first].0 > until {
                    break;
                }
                let (end, arrival) = ends.swap_remove(first);
                spent.push(end.checked_sub(arrival).unwrap());
                if let Some((arrival, work)) = line.leave(work) {
                    ends.push((end + work, arrival));
                }
            }
            spent
        };
        for number in 0..count {
            let now = every * number;
            for time in step(&mut line, &mut ends, now) {
                (longest, served) = (longest.max(time), served + 1);
            }
            match line.arrive(work, work, || now) {
                Arrival::Start => ends.push((now + work, now)),
                Arrival::Wait => {}
                Arrival::Refused(_) => refused += 1,
            }
        }
        for time in step(&mut line, &mut ends, Duration::MAX) {
            (longest, served) = (longest.max(time), served + 1);
        }
        assert_eq!((line.running(), line.waiting()), (0, 0));
        (longest, served, refused)
    }

    #[test]
    fn nobody_is_refused_while_there_is_room() {
        let (longest, served, refused) =
            flood(RULES, Duration::from_millis(50), Duration::from_millis(100), 1000);
        assert_eq!((served, refused), (1000, 0));
        assert_eq!(longest, Duration::from_millis(100));
    }

    #[test]
    fn under_a_flood_who_is_let_in_waits_no_longer_than_it_works() {
        let work = Duration::from_millis(150);
        let (longest, served, refused) = flood(RULES, Duration::from_millis(1), work, 60_000);
        assert!(longest < work * 3, "{longest:?}");
        assert!(refused > 50_000, "{refused}");
        // both places are busy all the time: two requests each 150 ms for a minute
        assert!((795..=810).contains(&served), "{served}");
    }

    #[test]
    fn tiles_wait_two_seconds_and_never_fewer_than_sixty_four() {
        let tiles = Rules {
            least: 64,
            least_wait: Duration::from_secs(2),
            ..RULES
        };
        let mut line = Line::new(tiles);
        let work = Duration::from_millis(5);
        for _ in 0..2000 {
            line.arrive(work, work, || ());
        }
        assert!((798..=802).contains(&line.waiting()), "{}", line.waiting());
        let mut line = Line::new(tiles);
        for _ in 0..100 {
            line.arrive(Duration::from_secs(1), work, || ());
        }
        assert_eq!(line.waiting(), 64, "tiles of a second each: the least");
    }

    #[test]
    fn cheap_requests_wait_by_the_time_of_those_before_them() {
        let mut line = Line::new(RULES);
        for _ in 0..2 {
            assert_eq!(
                line.arrive(Duration::from_secs(1), Duration::from_secs(1), || ()),
                Arrival::Start
            );
        }
        // the first is let wait (`least`), though the places are busy for half a second
        let quick = Duration::from_millis(5);
        assert_eq!(line.arrive(quick, quick, || ()), Arrival::Wait);
        assert_eq!(
            line.arrive(quick, quick, || ()),
            Arrival::Refused(Duration::from_micros(502_500))
        );
        // a patient one is let in behind it
        assert_eq!(line.arrive(quick, Duration::from_secs(1), || ()), Arrival::Wait);
        assert!(line.leave(Duration::from_secs(1)).is_some());
        assert_eq!((line.running(), line.waiting()), (2, 1));
    }

    #[test]
    fn who_has_gone_takes_no_room_in_the_line() {
        let mut line = Line::new(Rules { least: 0, ..RULES });
        let work = Duration::from_millis(40);
        for number in 0..10 {
            line.arrive(work, work, || number);
        }
        let waiting = line.waiting();
        assert!(matches!(line.arrive(work, work, || 99), Arrival::Refused(_)));
        line.forget(|_| true);
        assert_eq!(
            (line.waiting(), line.arrive(work, work, || 99)),
            (0, Arrival::Wait)
        );
        assert!(waiting >= 1);
    }

    #[test]
    fn no_more_than_the_most_wait_however_short_it_is() {
        let mut line = Line::new(Rules { most: 3, ..RULES });
        for _ in 0..100 {
            line.arrive(Duration::from_micros(1), Duration::ZERO, || ());
        }
        assert_eq!(line.waiting(), 3);
    }
}
