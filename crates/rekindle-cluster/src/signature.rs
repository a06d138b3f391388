//! Signatures of payloads: [`Signer`] makes them, and [`Signers`] are those whose word an instance takes.
//!
//! Whoever can write to the store can have the instances use anything; where that is not enough, each instance has a file of the
//! keys of those who may publish. The keys are Ed25519 (RFC 8032), in the files that `openssl genpkey -algorithm ed25519`
//! and `openssl pkey -pubout` write.

use std::fmt;
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{Digest, FORMAT, Key, Versioned, from_bytes, to_bytes};
use crate::store::Store;

/// In front of what is signed, so that a signature means nothing anywhere else.
const PURPOSE: &[u8] = b"rekindle payload 1\n";

/// What a block of a public key begins and ends with.
const BLOCK: (&str, &str) = ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----");

/// Somebody who publishes, by their private key.
pub struct Signer(SigningKey);

/// Without the key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", name(&self.0.verifying_key()).short())
    }
}

/// A signature, as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct Signed {
    format: u32,
    /// 128 hexadecimal digits.
    signature: String,
}

impl Versioned for Signed {
    fn format(&self) -> u32 {
        self.format
    }
}

impl Signer {
    /// By the private key in a file: PKCS #8, as PEM.
    ///
    /// # Errors
    ///
    /// [`Error::Local`] when it cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self> {
        let said = |why: &dyn fmt::Display| Error::local(format!("{}: {why}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|cause| said(&cause))?;
        let key = SigningKey::from_pkcs8_pem(&text);
        // What it says instead may be a part of the key.
        let none = "no private key of Ed25519 as PEM: make one with `openssl genpkey -algorithm ed25519`";
        key.map(Self).map_err(|_| said(&none))
    }

    /// Where the signature of a payload goes, and what it is.
    pub(crate) fn sign(&self, payload: Digest) -> (Key, Vec<u8>) {
        let signature = self.0.sign(&message(payload));
        let signed = Signed { format: FORMAT, signature: format!("{signature:x}") };
        (Key::signature(payload, name(&self.0.verifying_key())), to_bytes(&signed))
    }
}

/// Those whose word an instance takes: the keys in a file of its own, read anew whenever something is looked at.
#[derive(Debug, Clone)]
pub(crate) struct Signers(pub(crate) PathBuf);

impl Signers {
    /// Whether one of them has signed a payload.
    pub(crate) async fn check(&self, store: &dyn Store, payload: Digest) -> Result<()> {
        let keys = self.read()?;
        let mut why = format!("none of those in {} has signed it", self.0.display());
        for key in keys {
            let Some(entry) = store.get(&Key::signature(payload, name(&key))).await? else { continue };
            match fits(&key, payload, entry.key.as_str(), &entry.value) {
                Ok(()) => return Ok(()),
                Err(error) => why = error.to_string(),
            }
        }
        Err(Error::Signature(format!("{} is not to be used: {why}", Key::payload(payload))))
    }

    fn read(&self) -> Result<Vec<VerifyingKey>> {
        let said = |why: String| Error::Signature(format!("{}: {why}", self.0.display()));
        let text = std::fs::read_to_string(&self.0).map_err(|cause| said(cause.to_string()))?;
        let blocks = text.split(BLOCK.0).skip(1).enumerate();
        let keys = blocks.map(|(number, block)| {
            let wrong = || said(format!("key {} is none of Ed25519 as PEM", number + 1));
            let (inside, _) = block.split_once(BLOCK.1).ok_or_else(wrong)?;
            VerifyingKey::from_public_key_pem(&format!("{}{inside}{}\n", BLOCK.0, BLOCK.1))
                .map_err(|_| wrong())
        });
        keys.collect()
    }
}

/// What a key is called.
fn name(key: &VerifyingKey) -> Digest {
    Digest::of(key.as_bytes())
}

fn message(payload: Digest) -> Vec<u8> {
    [PURPOSE, payload.as_bytes()].concat()
}

fn fits(key: &VerifyingKey, payload: Digest, place: &str, bytes: &[u8]) -> Result<()> {
    let wrong = || Error::malformed(place, "it is not the signature of that payload");
    let signed: Signed = from_bytes(place, bytes)?;
    let signature: Signature = signed.signature.parse().map_err(|_| wrong())?;
    // Strict: no key and no signature that would fit more than one payload.
    key.verify_strict(&message(payload), &signature).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `openssl genpkey -algorithm ed25519`, and `openssl pkey -pubout`.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINiiuQswF486vwj0sCnUf17p+so4t9oCLVpDx1eAdilU\n-----END PRIVATE KEY-----\n";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAh7sgjqLKl/AyzsAsXJJwwWZhE7GMTyd9ZDCg980RT+o=\n-----END PUBLIC KEY-----\n";

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("there is room");
        std::fs::write(file.path(), text).expect("there is room");
        file
    }

    #[test]
    fn what_openssl_writes_is_a_key_and_anything_else_is_told_apart() {
        let signer = Signer::read(file(PRIVATE).path()).expect("it is one");
        let keys = file(&format!("of the first\n{PUBLIC}\n# of nobody\n"));
        let keys = Signers(keys.path().to_owned()).read().expect("they are keys");
        assert_eq!(keys, [signer.0.verifying_key()]);
        let secret = PRIVATE.lines().nth(1).expect("three lines");
        assert!(!format!("{signer:?}").contains(secret));
        for wrong in ["", PUBLIC, "-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----\n"] {
            let why = Signer::read(file(wrong).path()).expect_err("it is none").to_string();
            assert!(why.contains("openssl genpkey"), "{why}");
        }
        let cut = file(&format!("{PUBLIC}{}", &PUBLIC[..60]));
        let why = Signers(cut.path().to_owned()).read().expect_err("it is cut").to_string();
        assert!(why.contains("key 2"), "{why}");
        let why = Signers("/none/there".into()).read().expect_err("there is none").to_string();
        assert!(why.contains("/none/there"), "{why}");
    }

    #[test]
    fn a_signature_fits_its_payload_and_its_key_only() {
        let signer = Signer::read(file(PRIVATE).path()).expect("it is one");
        let other = SigningKey::from_bytes(&[7; 32]).verifying_key();
        let (payload, another) = (Digest::of(b"a"), Digest::of(b"b"));
        let (key, bytes) = signer.sign(payload);
        let own = signer.0.verifying_key();
        assert_eq!(key, Key::signature(payload, name(&own)));
        assert!(fits(&own, payload, "x", &bytes).is_ok());
        assert!(fits(&own, another, "x", &bytes).is_err());
        assert!(fits(&other, payload, "x", &bytes).is_err());
        for wrong in ["", "{}", r#"{"format":1,"signature":"00"}"#, r#"{"format":1,"signature":""}"#] {
            assert!(fits(&own, payload, "x", wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
