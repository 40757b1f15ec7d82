//! The load generator: one thread, many connections, one request in progress on each.
//!
//! It is a closed loop: a connection sends its next request when the last one is answered. A slow server therefore gets
//! fewer requests, and waiting times are part of the measured times.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};

use crate::answer::{self, Answer};

/// How long the load runs before it is measured: caches fill, and connections are accepted.
pub const WARM_UP: Duration = Duration::from_secs(1);
/// A server that does not answer anything for this long hangs.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Initial size of a connection's buffer, which grows for longer responses.
const BUFFER: usize = 64 * 1024;
/// The expected status of every response.
const EXPECTED: u16 = 200;
/// How much of an unexpected response is shown, in bytes.
const SHOWN: usize = 400;

/// The duration of every response within the measured time.
#[derive(Default)]
pub struct Samples {
    micros: Vec<u32>,
    measured: Duration,
}

impl Samples {
    /// Adds the samples of another run of the same load.
    pub fn extend(&mut self, other: &Self) {
        self.micros.extend_from_slice(&other.micros);
        self.measured += other.measured;
    }

    /// Requests per second.
    #[allow(clippy::cast_precision_loss, reason = "nobody counts 2^53 requests")]
    pub fn rate(&self) -> f64 {
        self.micros.len() as f64 / self.measured.as_secs_f64()
    }

    /// Percentiles of the durations, in microseconds.
    pub fn percentiles<const N: usize>(&self, percents: [usize; N]) -> [u32; N] {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        let rank = |percent: usize| (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        percents.map(|percent| sorted.get(rank(percent)).copied().unwrap_or_default())
    }
}

/// Sends `requests` in rotation over `connections` connections, and measures for `seconds`.
///
/// # Errors
/// A response is not 200, a connection breaks, or the server stops answering.
pub fn run(server: SocketAddr, requests: &[Vec<u8>], connections: usize, seconds: u64) -> io::Result<Samples> {
    let mut poll = Poll::new()?;
    let mut open = (0..connections).map(|n| Connection::open(server, &poll, n)).collect::<io::Result<Vec<_>>>()?;
    let mut events = Events::with_capacity(connections.max(1));
    let mut rotation = requests.iter().cycle();
    let mut next = || rotation.next().ok_or_else(|| io::Error::other("a scenario without a request"));

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
            // Nothing remains in progress at the end, so that the next scenario begins with an idle server.
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
    match poll.poll(events, Some(TIMEOUT)) {
        Ok(()) if events.is_empty() => {
            Err(io::Error::other(format!("the server answered nobody for {} seconds", TIMEOUT.as_secs())))
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

    /// A request is far smaller than the socket's empty buffer, so anything but a complete write is an error.
    fn send(&mut self, request: &[u8], now: Instant) -> io::Result<()> {
        self.sent = now;
        match self.stream.write(request)? {
            count if count == request.len() => Ok(()),
            _ => Err(io::Error::other("a request was only sent in part")),
        }
    }

    /// The response, once it is complete. A read that does not fill the buffer has read everything, so there is no need
    /// for another read that would only report this.
    fn receive(&mut self) -> io::Result<Option<Answer>> {
        loop {
            if self.filled == self.buffer.len() {
                self.buffer.resize(2 * self.filled, 0);
            }
            let free = &mut self.buffer[self.filled..];
            match self.stream.read(free) {
                Ok(0) => return Err(io::Error::other("the server closed a connection")),
                Ok(count) => {
                    let is_all = count < free.len();
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

    /// Checks the response, and returns how long it took. A benchmark of failures would be worthless.
    fn finish(&mut self, answer: &Answer, now: Instant) -> io::Result<u32> {
        if answer.status != EXPECTED || answer.length != self.filled {
            let text = String::from_utf8_lossy(&self.buffer[..self.filled.min(SHOWN)]);
            return Err(io::Error::other(format!("an answer was not the {EXPECTED} expected:\n{text}")));
        }
        self.filled = 0;
        Ok(u32::try_from((now - self.sent).as_micros()).unwrap_or(u32::MAX))
    }
}
