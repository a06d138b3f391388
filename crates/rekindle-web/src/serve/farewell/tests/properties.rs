//! Random frames and events, in random pieces.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Mutex;
use std::task::Poll;

use futures_util::FutureExt;
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_util::task::TaskTracker;

use super::super::events::Events;
use super::super::frames::Frames;
use super::*;

const HEAD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n";
const CLOSE: &[u8] = b"\x88\x0c\x03\xe9going away";

/// A frame as the RFC has it: any flags, any opcode but that of Close, masked or not.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let len = prop_oneof![0..200_usize, Just(125), Just(126), Just(65_535), 65_536..66_000_usize];
    let first = any::<u8>().prop_filter("no Close", |first| first & 0x0f != 8);
    (first, any::<Option<[u8; 4]>>(), len, any::<u8>()).prop_map(|(first, mask, len, fill)| {
        let mut bytes = vec![first];
        let masked = if mask.is_some() { 0x80 } else { 0 };
        match len {
            0..126 => bytes.push(masked | len as u8),
            126..65_536 => {
                bytes.push(masked | 126);
                bytes.extend((len as u16).to_be_bytes());
            }
            _ => {
                bytes.push(masked | 127);
                bytes.extend((len as u64).to_be_bytes());
            }
        }
        bytes.extend(mask.into_iter().flatten());
        bytes.resize(bytes.len() + len, fill);
        bytes
    })
}

/// The ends of the head and of the frames, in bytes.
fn ends(frames: &[Vec<u8>]) -> Vec<usize> {
    let lens = frames.iter().map(Vec::len);
    lens.fold(vec![HEAD.len()], |mut ends, len| {
        ends.push(ends[ends.len() - 1] + len);
        ends
    })
}

fn stream(frames: &[Vec<u8>]) -> Vec<u8> {
    [HEAD.to_vec()].iter().chain(frames).flatten().copied().collect()
}

/// What a write comes to: so many bytes, or nothing for now.
type Turns = VecDeque<Option<usize>>;

fn turns() -> impl Strategy<Value = Turns> {
    vec(proptest::option::weighted(0.8, 1..3_000_usize), 0..80).prop_map(Turns::from)
}

/// A connection that takes what its turns say, and nothing comes in on it.
#[derive(Default)]
struct Moody {
    turns: Turns,
    out: Arc<Mutex<Vec<u8>>>,
    is_vectored: bool,
}

impl Moody {
    fn turn(&mut self, context: &Context<'_>) -> Poll<usize> {
        match self.turns.pop_front() {
            Some(None) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Some(most)) => Poll::Ready(most),
            None => Poll::Ready(usize::MAX),
        }
    }
}

impl AsyncRead for Moody {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Moody {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.turn(context).map(|most| {
            let taken = &bytes[..most.min(bytes.len())];
            self.out.lock().unwrap().extend(taken);
            Ok(taken.len())
        })
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        self.poll_write(context, &bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.is_vectored
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.turn(context).map(|_| Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A program that writes these pieces, reads for a moment after each, and is told to go after so many of them.
async fn written(pieces: Vec<&[u8]>, told_after: usize, moody: Moody) -> Vec<u8> {
    let out = Arc::clone(&moody.out);
    let (signals, switched) = (signals(), Arc::new(Switched::default()));
    switched.to_websocket(&Farewell::new(&signals));
    let mut io = FarewellIo::new(moody, signals.clone(), switched, TaskTracker::new().token().into());
    for (place, piece) in pieces.into_iter().enumerate() {
        if place == told_after {
            signals.farewell.cancel();
        }
        let (left, right) = piece.split_at(piece.len() / 2);
        let written = io.write_vectored(&[IoSlice::new(left), IoSlice::new(right)]).await.unwrap();
        io.write_all(&piece[written..]).await.unwrap();
        assert_eq!(io.read_u8().now_or_never().map(|read| read.is_err()), None);
    }
    signals.farewell.cancel();
    io.flush().await.unwrap();
    let out = out.lock().unwrap();
    out.clone()
}

/// Cuts bytes into pieces of these lengths, and what is left.
fn pieces<'a>(mut bytes: &'a [u8], lens: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for len in lens {
        let (piece, rest) = bytes.split_at((*len).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces.push(bytes);
    pieces
}

proptest! {
    #[test]
    fn the_places_between_two_frames_are_found_however_they_are_cut(
        frames in vec(frame(), 0..5),
        lens in vec(1..300_usize, 0..200),
    ) {
        let (bytes, ends) = (stream(&frames), ends(&frames));
        let (mut follower, mut at) = (Frames::new(), 0);
        for piece in pieces(&bytes, &lens) {
            let next = ends.iter().find(|end| **end > at).map_or(piece.len(), |end| (end - at).min(piece.len()));
            prop_assert_eq!(follower.until_between(piece), next);
            follower.follow(piece);
            at += piece.len();
            prop_assert_eq!(follower.is_between(), ends.contains(&at), "at {} of {:?}", at, &ends);
            prop_assert!(!follower.is_closed());
        }
        follower.follow(b"\x88\x80mask");
        prop_assert!(follower.is_closed() && follower.is_between());
    }

    #[test]
    fn whole_frames_go_out_then_close_and_no_more(
        frames in vec(frame(), 0..5),
        lens in vec(1..2_000_usize, 0..40),
        told_after in 0..50_usize,
        turns in turns(),
        is_vectored: bool,
    ) {
        let (bytes, ends) = (stream(&frames), ends(&frames));
        let moody = Moody { turns, is_vectored, ..Moody::default() };
        let pieces = pieces(&bytes, &lens);
        let before: usize = pieces.iter().take(told_after).map(|piece| piece.len()).sum();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let out = runtime.block_on(written(pieces, told_after, moody));
        let (program, close) = out.split_at(out.len() - CLOSE.len());
        prop_assert_eq!(close, CLOSE);
        prop_assert!(bytes.starts_with(program));
        let first = ends.iter().find(|end| **end >= before).copied();
        prop_assert_eq!(program.len(), first.unwrap_or(bytes.len()));
    }

    #[test]
    fn a_stream_of_events_can_end_where_no_event_is_under_way(
        lines in vec(("(:|data: |)[a:]{0,3}", prop_oneof![Just("\n"), Just("\r\n"), Just("\r")]), 0..12),
        lens in vec(1..9_usize, 0..30),
    ) {
        let (mut text, mut wholes, mut has_begun) = (String::new(), vec![0], false);
        for (line, end) in &lines {
            // A line feed after a carriage return would be the end of that line, not of an empty one.
            let end = if line.is_empty() && text.ends_with('\r') { "\r" } else { *end };
            text += line;
            text += end;
            has_begun = !line.is_empty() && (has_begun || !line.starts_with(':'));
            if !has_begun {
                wholes.extend((end == "\r\n").then_some(text.len() - 1));
                wholes.push(text.len());
            }
        }
        let (mut events, mut at) = (Events::default(), 0);
        for piece in pieces(text.as_bytes(), &lens) {
            let last = wholes.iter().rfind(|whole| **whole > at && **whole <= at + piece.len());
            prop_assert_eq!(events.follow(piece), last.map(|whole| whole - at), "{:?} at {}", &text, at);
            at += piece.len();
            prop_assert_eq!(events.is_whole(), wholes.contains(&at));
        }
    }
}

#[test]
fn the_head_is_found_behind_what_is_left_of_earlier_answers() {
    let mut follower = Frames::new();
    follower.follow(b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\nHTHTTP/1HTTP/1.1 101 \r\n\r\r\n\r");
    assert!(!follower.is_between());
    follower.follow(b"\n");
    assert!(follower.is_between());
}
