//! Sockets that listen.

mod address;

pub use address::Address;
