use std::error::Error as _;
use std::io;
use std::net::{SocketAddr, TcpStream};

use rekindle::ErrorKind;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::super::{Bound, Peer, Socket, Stream, fault, is_of_one_connection};
use super::{LIMIT, STARTING, accept, bind, refusal, talk};

fn address(socket: &Socket) -> SocketAddr {
    match socket.bound() {
        Bound::Tcp(address) => *address,
        Bound::Unix(path) => panic!("{} is not TCP", path.display()),
    }
}

#[tokio::test]
async fn port_0_is_one_that_is_free_and_connections_come_through_it() {
    let socket = bind("127.0.0.1:0").await.unwrap();
    assert_ne!(address(&socket).port(), 0);
    let client = Socket::connect(socket.bound()).await.unwrap();
    let (server, peer) = accept(&socket).await;
    let Stream::Tcp(tcp) = &client else { panic!("{client:?}") };
    assert_eq!(peer, Peer::Tcp(tcp.local_addr().unwrap()));
    assert_eq!(peer.to_string(), tcp.local_addr().unwrap().to_string());
    let Stream::Tcp(tcp) = &server else { panic!("{server:?}") };
    assert!(tcp.nodelay().unwrap());
    assert!(server.is_write_vectored());
    talk(client, server).await;
}

#[tokio::test]
async fn a_socket_on_all_addresses_is_reached_on_loopback() {
    for everywhere in ["0.0.0.0:0", "[::]:0"] {
        let socket = match bind(everywhere).await {
            Ok(socket) => socket,
            Err(error) if everywhere.starts_with('[') && error.message().contains("no address") => continue,
            Err(error) => panic!("{error}"),
        };
        let (connected, accepted) = tokio::join!(Socket::connect(socket.bound()), accept(&socket));
        talk(connected.unwrap(), accepted.0).await;
    }
}

#[tokio::test]
async fn a_port_on_which_somebody_listens_is_taken_and_it_says_how_to_find_who() {
    let socket = bind("127.0.0.1:0").await.unwrap();
    let (place, port) = (address(&socket), address(&socket).port());
    let expected =
        format!("somebody else listens on {place} already (`ss -ltnp 'sport = :{port}'` says who)");
    assert_eq!(refusal(&place.to_string()).await, (ErrorKind::Conflict, expected));
}

#[tokio::test]
async fn a_port_is_free_again_at_once_though_its_connections_linger() {
    let _nobody_starts = STARTING.read().await;
    let socket = bind("127.0.0.1:0").await.unwrap();
    let place = address(&socket);
    let mut client = Socket::connect(socket.bound()).await.unwrap();
    // The end that closes first is the one that lingers in TIME_WAIT.
    let (mut server, _) = accept(&socket).await;
    server.shutdown().await.unwrap();
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    client.shutdown().await.unwrap();
    assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
    drop((socket, server, client));
    assert_eq!(address(&bind(&place.to_string()).await.unwrap()), place);
}

#[tokio::test]
async fn what_waits_is_accepted_without_waiting_though_the_runtime_knows_nothing_of_it_yet() {
    let socket = bind("127.0.0.1:0").await.unwrap();
    assert!(socket.accept_waiting().is_none());
    // Nothing here awaits: the driver of the runtime has no time to look.
    let clients = [(); 3].map(|()| TcpStream::connect(address(&socket)).unwrap());
    for client in clients {
        let (server, peer) = socket.accept_waiting().unwrap().unwrap();
        assert_eq!(peer, Peer::Tcp(client.local_addr().unwrap()));
        client.set_nonblocking(true).unwrap();
        talk(Stream::Tcp(tokio::net::TcpStream::from_std(client).unwrap()), server).await;
    }
    assert!(socket.accept_waiting().is_none());
}

#[tokio::test]
async fn whoever_waits_to_accept_is_woken_after_the_queue_was_emptied_past_it() {
    let socket = bind("127.0.0.1:0").await.unwrap();
    let _first = TcpStream::connect(address(&socket)).unwrap();
    socket.accept_waiting().unwrap().unwrap();
    let (connected, accepted) = tokio::join!(Socket::connect(socket.bound()), accept(&socket));
    talk(connected.unwrap(), accepted.0).await;
}

#[tokio::test]
async fn a_closed_socket_refuses_connections() {
    let _nobody_starts = STARTING.read().await;
    let socket = bind("127.0.0.1:0").await.unwrap();
    let bound = socket.bound().clone();
    drop(socket);
    let refused = tokio::time::timeout(LIMIT, Socket::connect(&bound)).await.unwrap().unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn an_address_of_another_machine_is_refused() {
    let expected = "192.0.2.1 is no address of this machine (0.0.0.0 and [::] are all that it has, `ip address` \
                    lists them)";
    assert_eq!(refusal("192.0.2.1:0").await, (ErrorKind::Io, expected.to_owned()));
}

#[tokio::test]
async fn a_name_that_is_no_host_is_refused() {
    let (kind, text) = refusal("no host:80").await;
    assert_eq!(kind, ErrorKind::Io);
    assert!(text.starts_with("the host name `no host` leads to no address: "), "{text}");
    assert!(text.ends_with(" (write an IP address, such as 127.0.0.1 or [::1])"), "{text}");
}

#[test]
fn a_low_port_without_the_right_to_it_says_how_to_get_the_right() {
    let cause = io::Error::from(io::ErrorKind::PermissionDenied);
    let error = fault::tcp(([0, 0, 0, 0], 443).into(), cause);
    assert_eq!(error.message(), "this process may not listen on 0.0.0.0:443");
    assert!(error.advice().unwrap().contains("AmbientCapabilities=CAP_NET_BIND_SERVICE"), "{error}");
    assert!(error.source().is_some());
}

#[test]
fn an_error_of_one_connection_is_told_from_one_of_the_process() {
    let aborted = io::Error::from(io::ErrorKind::ConnectionAborted);
    assert!(is_of_one_connection(&aborted));
    #[cfg(unix)]
    for (of_one, code) in [
        (true, rustix::io::Errno::PROTO),
        (true, rustix::io::Errno::PERM),
        (false, rustix::io::Errno::MFILE),
        (false, rustix::io::Errno::NFILE),
        (false, rustix::io::Errno::NOMEM),
        (false, rustix::io::Errno::NOBUFS),
    ] {
        assert_eq!(is_of_one_connection(&code.into()), of_one, "{code}");
    }
}
