use super::WireError;

/// Reads fields off a byte slice; every step is checked.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn take(&mut self, what: &'static str, count: usize) -> Result<&'a [u8], WireError> {
        match self.rest.split_at_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(WireError::Truncated {
                what,
                needed: count,
                available: self.rest.len(),
            }),
        }
    }

    pub(crate) fn array<const N: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<[u8; N], WireError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(what, N)?);
        Ok(array)
    }

    pub(crate) fn u8(&mut self, what: &'static str) -> Result<u8, WireError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self, what: &'static str) -> Result<u16, WireError> {
        self.array(what).map(u16::from_be_bytes)
    }

    pub(crate) fn u24(&mut self, what: &'static str) -> Result<usize, WireError> {
        let [a, b, c] = self.array(what)?;
        Ok(usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c))
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, WireError> {
        self.array(what).map(u32::from_be_bytes)
    }

    /// Bytes behind a one-byte length.
    pub(crate) fn vec8(&mut self, what: &'static str) -> Result<&'a [u8], WireError> {
        let count = self.u8(what)?;
        self.take(what, count.into())
    }

    /// Bytes behind a two-byte length.
    pub(crate) fn vec16(&mut self, what: &'static str) -> Result<&'a [u8], WireError> {
        let count = self.u16(what)?;
        self.take(what, count.into())
    }

    /// Bytes behind a three-byte length.
    pub(crate) fn vec24(&mut self, what: &'static str) -> Result<&'a [u8], WireError> {
        let count = self.u24(what)?;
        self.take(what, count)
    }

    /// A list of two-byte values behind a two-byte length.
    pub(crate) fn list16(&mut self, what: &'static str) -> Result<Vec<u16>, WireError> {
        u16s(what, self.vec16(what)?)
    }

    /// An error if anything is left.
    pub(crate) fn finish(self, what: &'static str) -> Result<(), WireError> {
        match self.rest.len() {
            0 => Ok(()),
            count => Err(WireError::TrailingBytes { what, count }),
        }
    }
}

/// Big-endian two-byte values filling `bytes` exactly.
pub(super) fn u16s(what: &'static str, bytes: &[u8]) -> Result<Vec<u16>, WireError> {
    if !bytes.len().is_multiple_of(2) {
        return Err(WireError::Illegal {
            what,
            found: bytes.len() as u64,
            expected: "an even number of bytes",
        });
    }
    Ok(bytes
        .chunks_exact(2)
        .map(|pair| u16::from(pair[0]) << 8 | u16::from(pair[1]))
        .collect())
}
