//! Who is woken, when a reader and a writer are two tasks and the connection knows one of them.

use std::io;
use std::sync::Mutex;
use std::task::{Poll, Wake, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::task::TaskTracker;

use super::*;

const HEAD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";
const CLOSE: &[u8] = b"\x88\x0c\x03\xe9going away";

/// A task: whether it has been woken since it was last asked.
#[derive(Default)]
struct Task(AtomicBool);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Task {
    fn new() -> (Arc<Self>, Waker) {
        let task = Arc::<Self>::default();
        (Arc::clone(&task), task.into())
    }

    fn was_woken(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}

/// A connection that takes so many bytes, and wakes the last that tried to write.
#[derive(Clone, Default)]
struct Pipe(Arc<Mutex<Room>>);

#[derive(Default)]
struct Room {
    bytes: usize,
    out: Vec<u8>,
    waiting: Option<Waker>,
}

impl Pipe {
    fn make_room(&self, bytes: usize) {
        let mut room = self.0.lock().unwrap();
        room.bytes += bytes;
        room.waiting.take().into_iter().for_each(Waker::wake);
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut room = self.0.lock().unwrap();
        if room.bytes == 0 {
            room.waiting = Some(context.waker().clone());
            return Poll::Pending;
        }
        let taken = room.bytes.min(bytes.len());
        room.bytes -= taken;
        room.out.extend(&bytes[..taken]);
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A WebSocket on a pipe, with room for the head alone, which is out.
struct Link {
    io: FarewellIo<Pipe>,
    pipe: Pipe,
    signals: Signals,
}

impl Link {
    fn new() -> Self {
        let (pipe, signals, switched) = (Pipe::default(), signals(), Arc::new(Switched::default()));
        switched.to_websocket(&Farewell::new(&signals));
        let io = FarewellIo::new(pipe.clone(), signals.clone(), switched, TaskTracker::new().token().into());
        let mut link = Self { io, pipe, signals };
        link.pipe.make_room(HEAD.len());
        assert!(link.write(Waker::noop(), HEAD).is_ready());
        link
    }

    fn write(&mut self, waker: &Waker, bytes: &[u8]) -> Poll<usize> {
        let written = Pin::new(&mut self.io).poll_write(&mut Context::from_waker(waker), bytes);
        written.map(|written| written.expect("the pipe does not break"))
    }

    /// Reads, for which nothing ever comes.
    fn read(&mut self, waker: &Waker) {
        let mut buffer = [0];
        let mut buffer = ReadBuf::new(&mut buffer);
        let read = Pin::new(&mut self.io).poll_read(&mut Context::from_waker(waker), &mut buffer);
        assert!(read.is_pending());
    }

    fn out(&self) -> Vec<u8> {
        self.pipe.0.lock().unwrap().out[HEAD.len()..].to_vec()
    }
}

#[test]
fn a_writer_whose_turn_a_goodbye_takes_goes_on_with_it() {
    let (mut link, (reader, reading), (writer, writing)) = (Link::new(), Task::new(), Task::new());
    assert!(link.write(&writing, b"\x81\x02hi").is_pending());
    link.read(&reading);
    link.signals.farewell.cancel();
    assert!(reader.was_woken());
    link.read(&reading);
    assert!(writer.was_woken(), "the pipe would wake the reader alone");
    assert!(link.write(&writing, b"\x81\x02hi").is_pending());
    link.pipe.make_room(5);
    assert!(writer.was_woken());
    assert!(link.write(&writing, b"\x81\x02hi").is_pending());
    link.pipe.make_room(100);
    assert_eq!(link.write(&writing, b"\x81\x02hi"), Poll::Ready(4));
    assert_eq!(link.out(), CLOSE);
}

#[test]
fn a_goodbye_out_of_reads_alone_gets_out() {
    let (mut link, (reader, reading), (writer, writing)) = (Link::new(), Task::new(), Task::new());
    assert!(link.write(&writing, b"\x81\x02hi").is_pending());
    link.read(&reading);
    link.signals.farewell.cancel();
    for _ in CLOSE {
        link.read(&reading);
        reader.was_woken();
        link.pipe.make_room(1);
        assert!(reader.was_woken());
    }
    link.read(&reading);
    assert!(writer.was_woken());
    assert_eq!(link.out(), CLOSE);
}

#[test]
fn a_frame_that_has_begun_is_finished_before_the_goodbye() {
    let (mut link, (reader, reading), (writer, writing)) = (Link::new(), Task::new(), Task::new());
    link.pipe.make_room(1);
    assert_eq!(link.write(&writing, b"\x81\x02hi\x81"), Poll::Ready(1));
    assert!(link.write(&writing, b"\x02hi\x81").is_pending());
    link.read(&reading);
    link.signals.farewell.cancel();
    assert!(reader.was_woken());
    link.read(&reading);
    assert!(!writer.was_woken(), "its turn was not taken");
    link.pipe.make_room(100);
    assert!(writer.was_woken());
    assert_eq!(link.write(&writing, b"\x02hi\x81"), Poll::Ready(3));
    assert_eq!(link.write(&writing, b"\x81"), Poll::Ready(1));
    assert_eq!(link.out(), [b"\x81\x02hi", CLOSE].concat());
}

#[test]
fn a_cut_wakes_both() {
    let (mut link, (reader, reading), (writer, writing)) = (Link::new(), Task::new(), Task::new());
    assert!(link.write(&writing, b"\x81\x02hi").is_pending());
    link.read(&reading);
    link.signals.cut.cancel();
    assert!(reader.was_woken() && writer.was_woken());
}
