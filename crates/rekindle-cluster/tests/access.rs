//! Servers that want to see something first: certificates, users and credentials, of a real etcd and a real NATS.
#![cfg(all(feature = "etcd", feature = "nats"))]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nkeys::KeyPair;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer};
use rekindle_cluster::store::{Access, Store, Write, open_with};
use rekindle_cluster::{Error, Key, Result};
use tempfile::TempDir;

/// Longer than anything takes.
const LIMIT: Duration = Duration::from_secs(30);

/// A process that ends with its test.
struct Server(Child);

impl Server {
    fn start(command: &mut Command) -> Self {
        let quiet = command.env("ETCD_UNSUPPORTED_ARCH", std::env::consts::ARCH);
        let child = quiet.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self(child.expect("it is installed: run `cargo xtask test`"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _killed = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// Certificates of the server and of a client, by an authority of their own, as files.
fn certificates() -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| {
        std::fs::write(directory.path().join(name), text).expect("there is room");
    };
    let authority_key = rcgen::KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::new(Vec::new()).expect("a certificate");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    write("ca.pem", &authority.self_signed(&authority_key).expect("a certificate").pem());
    let issuer = Issuer::from_params(&authority, &authority_key);
    for name in ["server", "client"] {
        let key = rcgen::KeyPair::generate().expect("a key");
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).expect("a certificate");
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        write(&format!("{name}.pem"), &certificate.pem());
        write(&format!("{name}.key"), &key.serialize_pem());
    }
    directory
}

fn ports() -> [u16; 2] {
    let free = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    free.map(|free| free.local_addr().expect("it is bound").port())
}

/// Waits until it is answered.
async fn works(address: &str, access: &Access) -> Arc<dyn Store> {
    let mut last = None;
    let asking = async {
        loop {
            match asked(address, access).await {
                Ok(store) => return store,
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let store = tokio::time::timeout(LIMIT, asking).await;
    store.unwrap_or_else(|_| panic!("{address}: {last:?}"))
}

/// A word written and read.
async fn asked(address: &str, access: &Access) -> Result<Arc<dyn Store>> {
    let store = open_with(address, access).await?;
    store.write(Write::put(Key::instance("a"), b"a".to_vec())).await?;
    let entry = store.get(&Key::instance("a")).await?.expect("it was written");
    assert_eq!(&*entry.value, b"a");
    Ok(store)
}

async fn is_refused(address: &str, access: &Access) -> String {
    match asked(address, access).await {
        Err(Error::Unavailable(why)) => why,
        other => panic!("{other:?}"),
    }
}

fn access(files: &Path) -> Access {
    let path = |name| Some(files.join(name));
    Access {
        ca: path("ca.pem"),
        certificate: path("client.pem"),
        key: path("client.key"),
        ..Access::default()
    }
}

fn etcd(data: &Path, [client, peer]: [u16; 2], scheme: &str) -> Command {
    let (client, peer) = (format!("{scheme}://127.0.0.1:{client}"), format!("http://127.0.0.1:{peer}"));
    let mut etcd = Command::new("etcd");
    etcd.arg("--data-dir")
        .arg(data.join("etcd"))
        .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
        .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
        .args(["--initial-cluster", &format!("default={peer}")]);
    etcd
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn etcd_that_wants_certificates() {
    let files = certificates();
    let path = |name: &str| files.path().join(name);
    let ports = ports();
    let mut command = etcd(files.path(), ports, "https");
    command.arg("--cert-file").arg(path("server.pem")).arg("--key-file").arg(path("server.key"));
    let _server =
        Server::start(command.arg("--client-cert-auth").arg("--trusted-ca-file").arg(path("ca.pem")));
    let address = format!("etcd:https://127.0.0.1:{}/test", ports[0]);
    let whole = access(files.path());
    works(&address, &whole).await;
    works(&address.replace("https://", ""), &whole).await;
    is_refused(&address, &Access { certificate: None, key: None, ..whole.clone() }).await;
    is_refused(&address, &Access { ca: None, ..whole.clone() }).await;
    let gone = Access { ca: Some("/none/there".into()), ..whole };
    let told = asked(&address, &gone).await.expect_err("there is none");
    assert!(matches!(&told, Error::Local(why) if why.contains("/none/there")), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn etcd_that_wants_a_user() {
    let directory = tempfile::tempdir().expect("a directory");
    let ports = ports();
    let _server = Server::start(&mut etcd(directory.path(), ports, "http"));
    let address = format!("etcd:127.0.0.1:{}/test", ports[0]);
    works(&address, &Access::default()).await;
    let endpoint = format!("127.0.0.1:{}", ports[0]);
    let mut raw = etcd_client::Client::connect([endpoint], None).await.expect("it is there");
    raw.user_add("root", "hush hush", None).await.expect("it is new");
    raw.user_grant_role("root", "root").await.expect("it is there");
    raw.auth_enable().await.expect("there is a root");
    let user = |password: &str| Access {
        user: Some("root".to_owned()),
        password: Some(password.to_owned()),
        ..Access::default()
    };
    works(&address, &user("hush hush")).await;
    for other in [Access::default(), user("wrong")] {
        let why = match asked(&address, &other).await {
            Err(error) => error.to_string(),
            Ok(_) => panic!("it was let in"),
        };
        assert!(!why.contains("wrong"), "{why}");
    }
}

fn nats(files: &Path, port: u16, settings: &str) -> Server {
    let path = |name: &str| files.join(name).display().to_string();
    let config = format!(
        "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{}\" }}\n{settings}\n",
        path("jetstream")
    );
    std::fs::write(files.join("nats.conf"), config).expect("there is room");
    Server::start(Command::new("nats-server").args(["-c", &path("nats.conf")]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_that_wants_certificates_and_a_user() {
    let files = certificates();
    let path = |name: &str| files.path().join(name).display().to_string();
    let settings = format!(
        "tls {{ cert_file: \"{}\", key_file: \"{}\", ca_file: \"{}\", verify: true }}\n\
         authorization {{ user: shop, password: \"hush hush\" }}",
        path("server.pem"),
        path("server.key"),
        path("ca.pem"),
    );
    let [port, _] = ports();
    let _server = nats(files.path(), port, &settings);
    let address = format!("nats:tls://127.0.0.1:{port}/test");
    let whole = Access {
        user: Some("shop".to_owned()),
        password: Some("hush hush".to_owned()),
        ..access(files.path())
    };
    works(&address, &whole).await;
    works(&address.replace("tls://", ""), &whole).await;
    let why = is_refused(&address, &Access { password: Some("wrong".to_owned()), ..whole.clone() }).await;
    assert!(why.contains("authorization violation") && !why.contains("wrong"), "{why}");
    is_refused(&address, &Access { certificate: None, key: None, ..whole.clone() }).await;
    is_refused(&address, &Access { ca: None, ..whole }).await;
}

/// An operator, an account and a user, each of whom signs for the next; and what they wrote of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_that_wants_credentials() {
    let files = tempfile::tempdir().expect("a directory");
    let (operator, user) = (KeyPair::new_operator(), KeyPair::new_user());
    // The server's own, and that of those who use it.
    let (system, account) = (KeyPair::new_account(), KeyPair::new_account());
    let unlimited = r#""subs":-1,"data":-1,"payload":-1"#;
    let storage = r#""mem_storage":-1,"disk_storage":-1,"streams":-1,"consumer":-1"#;
    let of_account = format!(
        r#"{{"limits":{{{unlimited},"imports":-1,"exports":-1,"wildcards":true,"conn":-1,"leaf":-1,{storage}}},"type":"account","version":2}}"#
    );
    let of_user = format!(r#"{{{unlimited},"type":"user","version":2}}"#);
    let settings = format!(
        "operator: {}\nsystem_account: {}\nresolver: MEMORY\nresolver_preload {{ {}: {}, {}: {} }}",
        token(&operator, &operator, r#"{"type":"operator","version":2}"#),
        system.public_key(),
        system.public_key(),
        token(&operator, &system, r#"{"type":"account","version":2}"#),
        account.public_key(),
        token(&operator, &account, &of_account),
    );
    let [port, _] = ports();
    let _server = nats(files.path(), port, &settings);
    let address = format!("nats:127.0.0.1:{port}/test");
    let credentials = |name: &str, signs: &KeyPair| {
        let path = files.path().join(name);
        let seed = user.seed().expect("it has one");
        let text = format!(
            "-----BEGIN NATS USER JWT-----\n{}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n",
            token(signs, &user, &of_user),
        );
        std::fs::write(&path, text).expect("there is room");
        Access { credentials: Some(path), ..Access::default() }
    };
    works(&address, &credentials("good.creds", &account)).await;
    let why = is_refused(&address, &credentials("bad.creds", &KeyPair::new_account())).await;
    assert!(why.contains("authorization violation"), "{why}");
    is_refused(&address, &Access::default()).await;
}

/// What one says of another, as <https://docs.nats.io/using-nats/nats-tools/nsc> has it.
fn token(signs: &KeyPair, of: &KeyPair, says: &str) -> String {
    let encode = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
    let head = encode(br#"{"typ":"JWT","alg":"ed25519-nkey"}"#);
    let claims = format!(
        r#"{{"jti":"X","iat":1700000000,"iss":"{}","name":"test","sub":"{}","nats":{says}}}"#,
        signs.public_key(),
        of.public_key(),
    );
    let text = format!("{head}.{}", encode(claims.as_bytes()));
    let signature = signs.sign(text.as_bytes()).expect("it has its seed");
    format!("{text}.{}", encode(&signature))
}
