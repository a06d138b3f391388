//! Live reload over real sockets, on a real engine and real files.

mod guard;
mod listen;
mod livereload;
mod pages;
mod server;
mod socket;
mod sources;
