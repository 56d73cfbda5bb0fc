/// Appends fields to a growing message.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    pub(crate) fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    pub(crate) fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    pub(crate) fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Bytes behind a one-byte length; what does not fit is cut off.
    pub(crate) fn vec8(&mut self, bytes: &[u8]) -> &mut Self {
        let count = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
        self.u8(count).bytes(&bytes[..count.into()])
    }

    /// Bytes behind a two-byte length; what does not fit is cut off.
    pub(crate) fn vec16(&mut self, bytes: &[u8]) -> &mut Self {
        let count = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        self.u16(count).bytes(&bytes[..count.into()])
    }

    /// Bytes behind a three-byte length; what does not fit is cut off.
    pub(crate) fn vec24(&mut self, bytes: &[u8]) -> &mut Self {
        let count = bytes.len().min(0x00ff_ffff);
        self.bytes(&(count as u32).to_be_bytes()[1..])
            .bytes(&bytes[..count])
    }

    /// Two-byte values behind a two-byte length.
    pub(crate) fn list16(&mut self, values: impl IntoIterator<Item = u16>) -> &mut Self {
        let bytes: Vec<u8> = values.into_iter().flat_map(u16::to_be_bytes).collect();
        self.vec16(&bytes)
    }
}
