//! Which characters a file is written in, and what of it is text.

use std::borrow::Cow;

use encoding_rs::GB18030;
use memchr::{memchr, memrchr};

/// How a file's bytes are to be read. UTF-16 is turned into UTF-8 while it is read, so only
/// no UTF-16 reaches the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf8Bom,
    Utf16Le,
    Utf16Be,
    Gb18030,
    /// A workbook's sheet, whose text is UTF-8.
    Sheet,
}

impl Encoding {
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "utf-8",
            Encoding::Utf8Bom => "utf-8-bom",
            Encoding::Utf16Le => "utf-16le",
            Encoding::Utf16Be => "utf-16be",
            Encoding::Gb18030 => "gb18030",
            Encoding::Sheet => "xlsx",
        }
    }

    pub fn is_utf16(self) -> bool {
        matches!(self, Encoding::Utf16Le | Encoding::Utf16Be)
    }

    /// What the file's first bytes say, and how many of them say it.
    pub fn of_bom(start: &[u8]) -> Option<(Encoding, usize)> {
        match start {
            [0xEF, 0xBB, 0xBF, ..] => Some((Encoding::Utf8Bom, 3)),
            [0xFF, 0xFE, ..] => Some((Encoding::Utf16Le, 2)),
            [0xFE, 0xFF, ..] => Some((Encoding::Utf16Be, 2)),
            _ => None,
        }
    }

    /// The text of `bytes`, which have passed [`Encoding::is_text`]; what is no text is replaced.
    pub fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Encoding::Gb18030 => GB18030.decode_without_bom_handling(bytes).0,
            _ => String::from_utf8_lossy(bytes),
        }
    }

    /// Whether all of `bytes` decode, and none is NUL, which no text holds.
    pub fn is_text(self, bytes: &[u8]) -> bool {
        if memchr(0, bytes).is_some() {
            return false;
        }
        match self {
            Encoding::Gb18030 => {
                bytes.is_ascii()
                    || GB18030.decode_without_bom_handling_and_without_replacement(bytes).is_some()
            }
            _ => simdutf8::basic::from_utf8(bytes).is_ok(),
        }
    }

    /// Where the lines start that are no text. In no encoding that reaches here a character holds the byte of a
    /// line break, so that bytes are text if their lines are.
    pub fn lines_of_no_text(self, bytes: &[u8]) -> Vec<u32> {
        let mut found = Vec::new();
        self.find_no_text(bytes, 0, &mut found);
        found
    }

    /// Halves what is no text until only a line of it is left.
    fn find_no_text(self, bytes: &[u8], start: usize, found: &mut Vec<u32>) {
        if self.is_text(bytes) {
            return;
        }
        let (before, behind) = bytes.split_at(bytes.len() / 2);
        let in_behind = memchr(b'\n', behind).map(|at| before.len() + at + 1);
        let in_before = || memrchr(b'\n', before).map(|at| at + 1);
        match in_behind.filter(|cut| *cut < bytes.len()).or_else(in_before) {
            Some(cut) => {
                self.find_no_text(&bytes[..cut], start, found);
                self.find_no_text(&bytes[cut..], start + cut, found);
            }
            None => found.push(start as u32),
        }
    }
}

/// UTF-16 to UTF-8 as a stream. What does not decode becomes the byte 0xFF, which is never
/// UTF-8, so that its row (and no other) is refused as E105.
pub struct Utf16(encoding_rs::Decoder);

impl Utf16 {
    pub fn new(encoding: Encoding) -> Utf16 {
        Utf16(match encoding {
            Encoding::Utf16Be => encoding_rs::UTF_16BE.new_decoder_without_bom_handling(),
            _ => encoding_rs::UTF_16LE.new_decoder_without_bom_handling(),
        })
    }

    pub fn decode(&mut self, mut bytes: &[u8], last: bool, out: &mut Vec<u8>) {
        use encoding_rs::DecoderResult;
        let mut buffer = vec![0u8; 3 * bytes.len() + 16];
        loop {
            let (result, read, written) = self.0.decode_to_utf8_without_replacement(bytes, &mut buffer, last);
            out.extend_from_slice(&buffer[..written]);
            bytes = &bytes[read..];
            match result {
                DecoderResult::InputEmpty => return,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => out.push(0xFF),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lines_that_are_no_text_are_found() {
        let good = "卫生院,1\n".as_bytes();
        for count in [1, 2, 3, 10, 33] {
            for spoiled in [&b"\xB4\xFF,2\n"[..], b"\xE5\n", b"a\0\n"] {
                for at in (0..count).flat_map(|a| [vec![a], vec![a, count - 1], (0..=a).collect()]) {
                    let (mut bytes, mut want) = (Vec::new(), Vec::new());
                    for line in 0..count {
                        if at.contains(&line) {
                            want.push(bytes.len() as u32);
                        }
                        bytes.extend_from_slice(if at.contains(&line) { spoiled } else { good });
                    }
                    assert_eq!(Encoding::Utf8.lines_of_no_text(&bytes), want, "{count} {at:?}");
                    bytes.pop();
                    assert_eq!(Encoding::Utf8.lines_of_no_text(&bytes), want, "{count} {at:?}");
                }
            }
        }
        let gb18030 = b"\xB4\xE5,1\n\xB4\n\xB4\xE5,\n,\xD2\xFF";
        assert_eq!(Encoding::Gb18030.lines_of_no_text(gb18030), [5, 11]);
        assert!(Encoding::Gb18030.lines_of_no_text(b"").is_empty());
    }

    #[test]
    fn a_nul_byte_is_no_text() {
        assert!(Encoding::Utf8.is_text("居民".as_bytes()));
        assert!(!Encoding::Utf8.is_text(b"a\0b"));
        assert!(!Encoding::Utf8.is_text(&[0xB4, 0xE5]));
        assert!(Encoding::Gb18030.is_text(&[0xB4, 0xE5]));
        assert!(!Encoding::Gb18030.is_text(&[0xD2, 0xFF]));
    }

    #[test]
    fn a_broken_surrogate_spoils_only_its_place() {
        let mut out = Vec::new();
        let mut stream = Utf16::new(Encoding::Utf16Le);
        stream.decode(&[b'a', 0, 0x00], false, &mut out);
        stream.decode(&[0xD8, b'\n', 0, b'b', 0], true, &mut out);
        assert_eq!(out, b"a\xFF\nb");
    }
}
