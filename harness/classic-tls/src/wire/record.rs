use super::WireError;
use crate::names::Version;

/// Largest plaintext of a record in bytes (RFC 5246 section 6.2.1).
pub const MAX_PLAINTEXT: usize = 1 << 14;
/// Largest protected record in bytes (RFC 5246 section 6.2.3).
pub const MAX_CIPHERTEXT: usize = MAX_PLAINTEXT + 2048;

/// What a record carries (RFC 5246 section 6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentType {
    /// 20
    ChangeCipherSpec,
    /// 21
    Alert,
    /// 22
    Handshake,
    /// 23
    ApplicationData,
    /// 24 (RFC 6520)
    Heartbeat,
}

impl ContentType {
    /// The content type with code point `code`.
    pub fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            20 => Self::ChangeCipherSpec,
            21 => Self::Alert,
            22 => Self::Handshake,
            23 => Self::ApplicationData,
            24 => Self::Heartbeat,
            _ => return None,
        })
    }

    /// The code point.
    pub fn code(self) -> u8 {
        match self {
            Self::ChangeCipherSpec => 20,
            Self::Alert => 21,
            Self::Handshake => 22,
            Self::ApplicationData => 23,
            Self::Heartbeat => 24,
        }
    }
}

/// The five bytes before a record's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHeader {
    /// What the record carries.
    pub content: ContentType,
    /// The version the record claims.
    pub version: Version,
    /// Bytes that follow.
    pub length: usize,
}

impl RecordHeader {
    /// Size of a header in bytes.
    pub const SIZE: usize = 5;

    /// Reads a header from the front of `bytes`; `None` if there are fewer than five.
    ///
    /// # Errors
    /// An unknown content type, a major version other than 3, or a length above [`MAX_CIPHERTEXT`].
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, WireError> {
        let Some(&[code, major, minor, high, low]) = bytes.first_chunk() else {
            return Ok(None);
        };
        let content = ContentType::from_code(code).ok_or(WireError::Illegal {
            what: "the record's content type",
            found: code.into(),
            expected: "20 to 24",
        })?;
        if major != 3 {
            return Err(WireError::Illegal {
                what: "the record's major version",
                found: major.into(),
                expected: "3",
            });
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > MAX_CIPHERTEXT {
            return Err(WireError::TooLarge {
                what: "the record",
                found: length,
                limit: MAX_CIPHERTEXT,
            });
        }
        Ok(Some(Self {
            content,
            version: Version(u16::from_be_bytes([major, minor])),
            length,
        }))
    }
}

/// Most bytes of a line of plain text that are waited for.
const LONGEST_LINE: usize = 512;

/// What stands where a record should begin, if that is text instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PlainText {
    /// A whole line, or as much as is ever shown of one.
    Line(String),
    /// The beginning of a line.
    Begun(String),
}

/// Whether `bytes` begin with text instead of a record: no content type is a printable character.
pub(crate) fn plain_text(bytes: &[u8]) -> Option<PlainText> {
    let printable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t');
    let text: Vec<u8> = bytes
        .iter()
        .take(LONGEST_LINE)
        .copied()
        .take_while(printable)
        .collect();
    bytes
        .first()
        .filter(|first| printable(first) && **first != b'\t')?;
    let line = String::from_utf8_lossy(&text).into_owned();
    match bytes.get(text.len()) {
        None if text.len() < LONGEST_LINE => Some(PlainText::Begun(line)),
        // A first byte that happens to be printable is not text yet.
        Some(next) if !matches!(next, b'\r' | b'\n') && text.len() < 4 => None,
        _ => Some(PlainText::Line(line)),
    }
}

/// One record, its content still protected if it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The header.
    pub header: RecordHeader,
    /// What follows the header.
    pub content: &'a [u8],
}

impl<'a> Record<'a> {
    /// Splits the first record off `bytes` and returns it with what follows; `None` if it is not complete.
    ///
    /// # Errors
    /// As [`RecordHeader::parse`].
    pub fn split(bytes: &'a [u8]) -> Result<Option<(Self, &'a [u8])>, WireError> {
        let Some(header) = RecordHeader::parse(bytes)? else {
            return Ok(None);
        };
        let body = bytes.get(RecordHeader::SIZE..).unwrap_or_default();
        Ok(body
            .split_at_checked(header.length)
            .map(|(content, rest)| (Self { header, content }, rest)))
    }
}
