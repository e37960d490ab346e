//! The ways of packing a file that are undone while it is read.

use std::io::Read;

use super::error::DataError;

/// A way of packing a file.
pub(super) struct Packing {
    /// What such a file begins with.
    magic: &'static [u8],
    /// What such a file is.
    what: &'static str,
    /// The feature of this package that reads it.
    feature: &'static str,
    unpack: Option<Unpack>,
}

/// Makes a reader of what is packed in a file; nothing where that is not built in.
type Unpack = for<'r> fn(Box<dyn Read + 'r>) -> Box<dyn Read + 'r>;

const PACKINGS: [Packing; 2] = [
    Packing { magic: b"\x1F\x8B", what: "gzipped", feature: "gzip", unpack: GUNZIP },
    Packing { magic: b"\x28\xB5\x2F\xFD", what: "packed by zstd", feature: "zstd", unpack: UNZSTD },
];

#[cfg(feature = "gzip")]
const GUNZIP: Option<Unpack> = Some(|file| Box::new(flate2::read::MultiGzDecoder::new(file)));
#[cfg(not(feature = "gzip"))]
const GUNZIP: Option<Unpack> = None;

#[cfg(feature = "zstd")]
const UNZSTD: Option<Unpack> = Some(|file| Box::new(super::zstd::Frames::new(file)));
#[cfg(not(feature = "zstd"))]
const UNZSTD: Option<Unpack> = None;

/// How a file is packed that begins so, if it is.
pub(super) fn packing(head: &[u8]) -> Option<&'static Packing> {
    PACKINGS.iter().find(|packing| head.starts_with(packing.magic))
}

impl Packing {
    /// What is packed in a file; `name` is what errors call it.
    pub fn open<'r>(
        &self,
        file: Box<dyn Read + 'r>,
        name: &str,
    ) -> Result<Box<dyn Read + 'r>, DataError> {
        let Packing { what, feature, .. } = self;
        let unpack = self.unpack.ok_or_else(|| {
            let message = format!("is {what}, and this program was built without {feature}");
            let help =
                format!("unpack it, or build with the feature `{feature}` of arenet-runtime");
            DataError::new(name, message).with_help(help)
        })?;
        Ok(unpack(file))
    }
}
