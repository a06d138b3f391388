//! The certificate of a listener and its key: `pem` from files to their contents, `identity` whether these fit together,
//! `credentials` what is in use, and follows the files.

mod credentials;
mod identity;
mod pem;
mod pinned;

pub(super) use credentials::Credentials;
pub use identity::Certificate;
pub(super) use identity::Freshness;
pub(super) use pinned::expecting;
