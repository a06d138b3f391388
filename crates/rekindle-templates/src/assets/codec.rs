//! Encoding, and what an encoded file holds. No file is opened here.

use std::io::{self, BufRead, BufReader, Read, Write};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;

use super::representation::Encoding;
use super::stamp;

/// Within a few percent of the best that Brotli can do, in a tenth of the time.
const BROTLI_QUALITY: u32 = 9;

/// The largest window that every decoder has to take (RFC 7932): 4 MiB would do for most, 16 MiB is the limit.
const BROTLI_WINDOW: u32 = 22;

const BUFFER: usize = 64 * 1024;

/// Copies a reader into a writer, encoded.
pub(super) fn encode(encoding: Encoding, mut from: impl Read, to: impl Write) -> io::Result<()> {
    match encoding {
        Encoding::Brotli => {
            let mut encoder = brotli::CompressorWriter::new(to, BUFFER, BROTLI_QUALITY, BROTLI_WINDOW);
            io::copy(&mut from, &mut encoder)?;
            // This ends the stream and tells of no failure; a buffer behind it meets it again.
            encoder.into_inner().flush()
        }
        Encoding::Gzip => {
            let mut encoder = GzEncoder::new(to, Compression::best());
            io::copy(&mut from, &mut encoder)?;
            encoder.finish()?.flush()
        }
    }
}

/// The hash of what encoded bytes hold; `None` when that is more than `limit` bytes, or not one well-formed stream.
///
/// No more than `limit` bytes are decoded, however much they claim to hold.
pub(super) fn hash_of_decoded(encoding: Encoding, encoded: impl Read, limit: u64) -> Option<blake3::Hash> {
    let mut encoded = BufReader::with_capacity(BUFFER, encoded);
    match encoding {
        Encoding::Brotli => {
            let first = *encoded.fill_buf().ok()?.first()?;
            if has_large_window(first) {
                return None;
            }
            limited_hash(brotli::Decompressor::new(encoded, BUFFER), limit)
        }
        Encoding::Gzip => {
            let mut decoder = GzDecoder::new(encoded);
            let hash = limited_hash(&mut decoder, limit)?;
            // Decoders do not agree on what follows the first member.
            decoder.get_mut().fill_buf().ok()?.is_empty().then_some(hash)
        }
    }
}

/// Whether a Brotli stream needs more memory than RFC 7932 allows for: such a stream is none for a browser.
fn has_large_window(first: u8) -> bool {
    first & 0x7f == 0x11
}

fn limited_hash(decoder: impl Read, limit: u64) -> Option<blake3::Hash> {
    let mut decoder = decoder.take(limit.saturating_add(1));
    let hash = stamp::hash(&mut decoder).ok()?;
    (decoder.limit() > 0).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(encoding: Encoding, content: &[u8]) -> Vec<u8> {
        let mut encoded = Vec::new();
        encode(encoding, content, &mut encoded).expect("memory takes everything");
        encoded
    }

    fn holds(encoding: Encoding, encoded: &[u8], content: &[u8]) -> bool {
        hash_of_decoded(encoding, encoded, content.len() as u64) == Some(blake3::hash(content))
    }

    #[test]
    fn what_is_encoded_holds_its_source_and_nothing_else() {
        for encoding in Encoding::ALL {
            for content in [&b"a { color: red }".repeat(1000)[..], b"", b"a"] {
                let good = encoded(encoding, content);
                assert!(holds(encoding, &good, content), "{encoding:?}");
                assert!(!holds(encoding, &good, b"b { color: red }"), "{encoding:?}");
                assert!(!holds(encoding, &good[..good.len() - 1], content), "{encoding:?}: cut off");
                assert!(!holds(encoding, b"", content), "{encoding:?}: empty");
                assert!(!holds(encoding, b"no such stream", content), "{encoding:?}");
            }
        }
    }

    /// Gives without end, and says how much was taken.
    struct Endless(u64);

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            buffer.fill(0);
            self.0 += buffer.len() as u64;
            Ok(buffer.len())
        }
    }

    #[test]
    fn a_bomb_is_not_decoded_beyond_what_its_source_has() {
        for encoding in Encoding::ALL {
            let bomb = encoded(encoding, &vec![0; 4 << 20]);
            assert!(bomb.len() < 1 << 14);
            assert_eq!(hash_of_decoded(encoding, &*bomb, 100), None);
            assert_eq!(hash_of_decoded(encoding, &*bomb, u64::MAX), Some(blake3::hash(&vec![0; 4 << 20])));
        }
        let mut endless = Endless(0);
        assert_eq!(limited_hash(&mut endless, 100), None);
        assert_eq!(endless.0, 101);
    }

    #[test]
    fn what_decoders_do_not_agree_on_is_refused() {
        let content = b"a { color: red }";
        let mut two = encoded(Encoding::Gzip, content);
        two.extend(encoded(Encoding::Gzip, b""));
        assert!(!holds(Encoding::Gzip, &two, content), "a second member");
        let mut large = Vec::new();
        let parameters =
            brotli::enc::BrotliEncoderParams { large_window: true, lgwin: 26, ..Default::default() };
        brotli::BrotliCompress(&mut &content[..], &mut large, &parameters).expect("encoded");
        assert!(has_large_window(large[0]));
        assert!(!holds(Encoding::Brotli, &large, content));
    }
}
