//! [`Password`]: how a server knows its own questions from those of others.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use rekindle::{Error, ErrorKind, Result};
use subtle::ConstantTimeEq;

const HEADER: HeaderName = HeaderName::from_static("x-rekindle-health");

/// A word that only the server itself knows.
pub(super) struct Password(HeaderValue);

impl Password {
    /// # Errors
    ///
    /// When the system has no random bytes to give.
    pub(super) fn new() -> Result<Self> {
        let mut bytes = [0; 16];
        let none = |cause| Error::new(ErrorKind::Io, format!("there are no random bytes: {cause}"));
        getrandom::fill(&mut bytes).map_err(none)?;
        let word = format!("{:032x}", u128::from_ne_bytes(bytes));
        HeaderValue::try_from(word).map(Self).map_err(|cause| Error::from(cause.to_string()))
    }

    pub(super) fn put_into(&self, headers: &mut HeaderMap) {
        headers.insert(HEADER, self.0.clone());
    }

    /// Whether it is among the headers, which it does not stay.
    pub(super) fn take_from(&self, headers: &mut HeaderMap) -> bool {
        let said = headers.remove(HEADER);
        said.is_some_and(|said| said.as_bytes().ct_eq(self.0.as_bytes()).into())
    }
}
