//! What is sent of an asset: opened, and held against what is known of it. It may block.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::time::SystemTime;

use bytes::Bytes;
use rekindle_templates::{Asset, Encoding, Representation};

use super::stream::FileBody;
use super::validators::Validators;
use crate::Body;

/// Up to so many bytes a file is read whole and hashed: what is said of it is then true of what is sent.
const SMALL: u64 = 256 * 1024;

/// The bytes that are to be sent, and what is true of them.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) encoding: Option<Encoding>,
    pub(super) validators: Validators,
    /// It is what the asset was when it was found, and so what its fingerprint stands for.
    pub(super) is_as_found: bool,
    data: Data,
}

/// Bytes, or where to get so many of them.
#[derive(Debug)]
enum Data {
    Read(Bytes),
    Opened(File, u64),
}

impl Content {
    /// Opens the best that there is: the first of the `preferred` encodings that is sure, or else the plain file.
    pub(super) fn open(asset: &Asset, preferred: &[Encoding]) -> io::Result<Self> {
        let encoded = || preferred.iter().filter_map(|encoding| asset.encoded(*encoding));
        let sure = encoded().find_map(|encoded| {
            // One that is gone or another by now is as good as none.
            Self::of(&encoded, asset.modified()).ok().filter(|content| content.is_as_found)
        });
        match sure {
            // What its source held a moment ago is not what it holds now.
            Some(sure) if asset.plain().open()?.is_unchanged() => Ok(sure),
            _ => Self::of(asset.plain(), asset.modified()),
        }
    }

    fn of(representation: &Representation, modified: Option<SystemTime>) -> io::Result<Self> {
        let opened = representation.open()?;
        let (is_unchanged, len) = (opened.is_unchanged(), opened.len());
        let (etag, is_as_found, data) = match read_small(opened.into_file(), len)? {
            Data::Read(bytes) => {
                let etag = Representation::etag_of(&bytes);
                let is_as_found = etag == representation.etag();
                (Some(etag), is_as_found, Data::Read(bytes))
            }
            opened => (is_unchanged.then(|| representation.etag().to_owned()), is_unchanged, opened),
        };
        let modified = modified.filter(|_| is_as_found);
        let validators = etag.map(|etag| Validators::new(etag, modified, SystemTime::now()));
        let encoding = representation.encoding();
        Ok(Self { encoding, validators: validators.unwrap_or_default(), is_as_found, data })
    }

    /// How many bytes it has.
    pub(super) fn len(&self) -> u64 {
        match &self.data {
            Data::Read(bytes) => bytes.len() as u64,
            Data::Opened(_, len) => *len,
        }
    }

    /// These bytes of it.
    pub(super) fn into_body(self, part: Range<u64>) -> io::Result<Body> {
        match self.data {
            // Those are at most as many as memory holds.
            Data::Read(bytes) => Ok(Body::from(bytes.slice(part.start as usize..part.end as usize))),
            Data::Opened(mut file, _) => {
                file.seek(SeekFrom::Start(part.start))?;
                Ok(Body::new(FileBody::new(file, part.end - part.start)?))
            }
        }
    }
}

/// A small file is read. One that turns out to be larger than it was said to be is not small.
fn read_small(mut file: File, len: u64) -> io::Result<Data> {
    if len > SMALL {
        return Ok(Data::Opened(file, len));
    }
    let mut bytes = Vec::with_capacity(len as usize + 1);
    (&mut file).take(SMALL + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SMALL {
        let len = file.metadata()?.len();
        return Ok(Data::Opened(file, len));
    }
    Ok(Data::Read(bytes.into()))
}
