//! TLS and X.509, on a server that demands both.

use std::{
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use artdaq_db::{Certificates, ConfigStore as _, ErrorClass, MongoStore, MongoUri, conformance};
use mongodb::{
    Client,
    bson::doc,
    options::{ClientOptions, Tls, TlsOptions},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::setup::surroundings;

/// Where `bin/mongod` and `lib/` are.
const HOME: &str = "WAYMARK_TEST_MONGOD_HOME";

#[expect(clippy::disallowed_methods, reason = "how tests are told of a server")]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn home() -> Option<PathBuf> {
    let home = std::env::var_os(HOME).map(PathBuf::from);
    if home.is_none() {
        eprintln!("SKIPPED: `{HOME}` is not set; enable with `cargo xtask servers mongod -- COMMAND`");
    }
    home
}

/// A certificate with its key in one PEM file.
fn issue(path: &Path, common_name: &str, authority: &CertifiedIssuer<'_, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let certificate = params.signed_by(&key, authority).unwrap();
    fs_err::write(path, format!("{}{}", certificate.pem(), key.serialize_pem())).unwrap();
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn start(home: &Path, data: &Path, port: u16) -> Server {
    let mut child = Command::new(home.join("bin/mongod"))
        .env("LD_LIBRARY_PATH", home.join("lib"))
        .args(["--bind_ip", "127.0.0.1", "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25", "--port"])
        .arg(port.to_string())
        .args(["--wiredTigerEngineConfigString", "log=(enabled=true,prealloc=false,file_max=10MB)"])
        .args(["--tlsMode", "requireTLS", "--tlsCertificateKeyFile"])
        .arg(data.join("server.pem"))
        .arg("--tlsCAFile")
        .arg(data.join("ca.pem"))
        .arg("--dbpath")
        .arg(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let server = Server(child);
    let is_ready = lines.by_ref().any(|line| line.contains("Waiting for connections"));
    // The server must not wait for a reader of its log.
    std::thread::spawn(move || lines.for_each(drop));
    assert!(is_ready, "mongod did not start");
    server
}

#[tokio::test]
async fn a_client_is_known_by_its_certificate() {
    let Some(home) = home() else { return };
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    let (ours, other) = (authority("Waymark test authority"), authority("Another authority"));
    fs_err::write(file("ca.pem"), ours.pem()).unwrap();
    fs_err::write(file("other-ca.pem"), other.pem()).unwrap();
    for (name, common_name, authority) in [
        ("server.pem", "server", &ours),
        ("daq.pem", "daq", &ours),
        ("guest.pem", "guest", &ours),
        ("forged.pem", "daq", &other),
    ] {
        issue(&file(name), common_name, authority);
    }
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let _server = start(&home, directory.path(), port);

    // The server knows one user, by the name in its certificate.
    let mut options = ClientOptions::parse(format!("mongodb://127.0.0.1:{port}")).await.unwrap();
    let tls = TlsOptions::builder().ca_file_path(file("ca.pem")).cert_key_file_path(file("daq.pem")).build();
    options.tls = Some(Tls::Enabled(tls));
    let administrator = Client::with_options(options).unwrap();
    let role = doc! { "role": "readWrite", "db": "waymark_test" };
    // rcgen adds no other part to the name.
    let user = doc! { "createUser": "CN=daq", "roles": [role] };
    administrator.database("$external").run_command(user).await.unwrap();

    let store = |client: Option<&str>, authorities: &str| {
        let uri = format!("mongodb://127.0.0.1:{port}/waymark_test?serverSelectionTimeoutMS=1500");
        let certificates = Certificates { client: client.map(file), authorities: Some(file(authorities)) };
        MongoStore::new(MongoUri::parse(&uri).unwrap(), certificates, surroundings())
    };
    let known = store(Some("daq.pem"), "ca.pem");
    known.insert(Arc::new([conformance::sample(1, "demo", None)])).await.unwrap()[0].as_ref().unwrap();
    assert_eq!(known.runs().await.unwrap().len(), 1);

    // One whom the server does not know is told so for good; one that does not even connect may try again.
    let check = async |client, authorities, class, says: &str| {
        let error = store(client, authorities).runs().await.unwrap_err();
        let text = format!("{error:?}");
        assert!(error.class() == class && text.contains(says), "{client:?} {authorities}: {text}");
    };
    check(Some("guest.pem"), "ca.pem", ErrorClass::Permanent, "uthentication").await;
    check(Some("forged.pem"), "ca.pem", ErrorClass::Transient, "").await;
    check(Some("daq.pem"), "other-ca.pem", ErrorClass::Transient, "").await;
    check(None, "ca.pem", ErrorClass::Transient, "").await;
}
