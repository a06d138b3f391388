//! Assets over HTTP: a real engine, real files, a real server.

mod attacks;
mod conditions;
mod server;
mod serving;
