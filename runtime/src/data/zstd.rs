//! What is packed by zstd: one frame after another, each perhaps with a checksum.

use std::error::Error;
use std::io::{self, ErrorKind, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::bytes::read_up_to;

/// The most bytes that a frame may refer back to, which are held. The format asks readers for
/// these, and zstd writes no more at its levels up to 19.
const MAX_WINDOW: u64 = 8 << 20;

/// A reader of what is packed in a file.
pub(super) struct Frames<R> {
    file: R,
    decoder: FrameDecoder,
}

impl<R: Read> Frames<R> {
    pub fn new(file: R) -> Frames<R> {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW);
        Frames { file, decoder }
    }

    /// Goes to the next frame; false where there is none.
    fn advance(&mut self) -> io::Result<bool> {
        let mut first = [0];
        while read_up_to(&mut self.file, &mut first)? > 0 {
            match self.decoder.reset((&first[..]).chain(&mut self.file)) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => skip(&mut self.file, length)?,
                Err(error) => return Err(failure(&error)),
            }
        }
        Ok(false)
    }

    /// A frame that is at its end holds what it held when it was packed.
    fn check(&self) -> io::Result<()> {
        match self.decoder.get_checksum_from_data() {
            Some(sum) if self.decoder.get_calculated_checksum() != Some(sum) => Err(corrupt()),
            _ => Ok(()),
        }
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.decoder.can_collect() == 0 {
            if !self.decoder.is_finished() {
                let block = BlockDecodingStrategy::UptoBlocks(1);
                let decoded = self.decoder.decode_blocks(&mut self.file, block);
                decoded.map_err(|error| failure(&error))?;
                continue;
            }
            self.check()?;
            if !self.advance()? {
                return Ok(0);
            }
        }
        self.decoder.read(buffer)
    }
}

/// Skips a frame that holds what is for others.
fn skip(file: &mut impl Read, length: u32) -> io::Result<()> {
    let skipped = io::copy(&mut file.take(length.into()), &mut io::sink())?;
    if skipped < length.into() { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

fn corrupt() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "corrupt zstd stream")
}

/// Why a frame cannot be read: the file's own error, where it has one.
fn failure(error: &FrameDecoderError) -> io::Error {
    let unsupported = |message: String| io::Error::new(ErrorKind::Unsupported, message);
    match error {
        FrameDecoderError::WindowSizeTooBig { requested, .. } => {
            return unsupported(format!(
                "packed by zstd with a window of {requested} bytes; up to {MAX_WINDOW} are read"
            ));
        }
        FrameDecoderError::DictNotProvided { .. } => {
            return unsupported("packed by zstd with a dictionary".to_string());
        }
        _ => {}
    }
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref::<io::Error>() {
            Some(error) if error.kind() == ErrorKind::UnexpectedEof => return error.kind().into(),
            Some(error) => return io::Error::new(error.kind(), error.to_string()),
            None => cause = error.source(),
        }
    }
    corrupt()
}
