//! The load generator: one thread, many connections, one request under way on each.
//!
//! It is a closed loop: a connection sends its next request when its last one is answered. So a server that is slow is
//! asked less, and what a request waited for is in its time.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use crate::answer::{self, Answer};

/// How long before the measurement the same load runs: caches fill, and connections are accepted.
const WARM_UP: Duration = Duration::from_secs(1);
/// A server that answers nobody for so long hangs.
const PATIENCE: Duration = Duration::from_secs(30);
/// What a connection reads at once; more is made when an answer is longer.
const BUFFER: usize = 64 * 1024;
/// The status of every answer.
const EXPECTED: u16 = 200;
/// What is shown of an answer that was not expected.
const SHOWN: usize = 400;

/// How long each answer took that came within the time measured.
#[derive(Default)]
pub struct Samples {
    micros: Vec<u32>,
    measured: Duration,
}

impl Samples {
    /// Adds those of another run of the same load.
    pub fn extend(&mut self, other: &Self) {
        self.micros.extend_from_slice(&other.micros);
        self.measured += other.measured;
    }

    /// Requests per second.
    #[allow(clippy::cast_precision_loss, reason = "nobody counts 2^53 requests")]
    pub fn rate(&self) -> f64 {
        self.micros.len() as f64 / self.measured.as_secs_f64()
    }

    /// The times below which `percents` of all lie, in microseconds.
    pub fn percentiles<const N: usize>(&self, percents: [usize; N]) -> [u32; N] {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        let rank = |percent: usize| (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        percents.map(|percent| sorted.get(rank(percent)).copied().unwrap_or_default())
    }
}

/// Sends `requests` in turn over `connections` connections, and measures for `seconds`.
///
/// # Errors
/// An answer is not 200, a connection breaks, or nothing is answered any more.
pub fn run(server: SocketAddr, requests: &[Vec<u8>], connections: usize, seconds: u64) -> io::Result<Samples> {
    let mut poll = Poll::new()?;
    let mut open = (0..connections).map(|n| Connection::open(server, &poll, n)).collect::<io::Result<Vec<_>>>()?;
    let mut events = Events::with_capacity(connections.max(1));
    let mut turn = requests.iter().cycle();
    let mut next = || turn.next().ok_or_else(|| io::Error::other("a scenario without a request"));

    let begin = Instant::now() + WARM_UP;
    let end = begin + Duration::from_secs(seconds);
    let mut samples = Samples { micros: Vec::new(), measured: end - begin };
    for connection in &mut open {
        connection.send(next()?, Instant::now())?;
    }
    let mut under_way = connections;
    while under_way > 0 {
        wait(&mut poll, &mut events)?;
        for event in &events {
            let connection = &mut open[event.token().0];
            let Some(answer) = connection.receive()? else { continue };
            let now = Instant::now();
            let micros = connection.finish(&answer, now)?;
            if (begin..end).contains(&now) {
                samples.micros.push(micros);
            }
            // Nothing is left under way at the end: the next scenario begins with a server at rest.
            if now < end {
                connection.send(next()?, now)?;
            } else {
                under_way -= 1;
            }
        }
    }
    Ok(samples)
}

fn wait(poll: &mut Poll, events: &mut Events) -> io::Result<()> {
    match poll.poll(events, Some(PATIENCE)) {
        Ok(()) if events.is_empty() => {
            Err(io::Error::other(format!("the server answered nobody for {} seconds", PATIENCE.as_secs())))
        }
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
        other => other,
    }
}

struct Connection {
    stream: mio::net::TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    sent: Instant,
}

impl Connection {
    fn open(server: SocketAddr, poll: &Poll, number: usize) -> io::Result<Self> {
        let stream = TcpStream::connect(server)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = mio::net::TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
        Ok(Self { stream, buffer: vec![0; BUFFER], filled: 0, sent: Instant::now() })
    }

    /// A request is far smaller than a socket's buffer, which is empty: either all of it goes or something is wrong.
    fn send(&mut self, request: &[u8], now: Instant) -> io::Result<()> {
        self.sent = now;
        match self.stream.write(request)? {
            all if all == request.len() => Ok(()),
            _ => Err(io::Error::other("a request was only sent in part")),
        }
    }

    /// The answer, once all of it is there. Whoever reads less than there was room for has read everything, so the next
    /// event is waited for without another read that would tell just that.
    fn receive(&mut self) -> io::Result<Option<Answer>> {
        loop {
            if self.filled == self.buffer.len() {
                self.buffer.resize(2 * self.filled, 0);
            }
            let room = &mut self.buffer[self.filled..];
            match self.stream.read(room) {
                Ok(0) => return Err(io::Error::other("the server closed a connection")),
                Ok(count) => {
                    let is_all = count < room.len();
                    self.filled += count;
                    if is_all {
                        return answer::read(&self.buffer[..self.filled]);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return answer::read(&self.buffer[..self.filled]);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Holds that it was answered as it should be, and says how long that took. A benchmark of failures is none.
    fn finish(&mut self, answer: &Answer, now: Instant) -> io::Result<u32> {
        if answer.status != EXPECTED || answer.length != self.filled {
            let text = String::from_utf8_lossy(&self.buffer[..self.filled.min(SHOWN)]);
            return Err(io::Error::other(format!("an answer was not the {EXPECTED} expected:\n{text}")));
        }
        self.filled = 0;
        Ok(u32::try_from((now - self.sent).as_micros()).unwrap_or(u32::MAX))
    }
}
