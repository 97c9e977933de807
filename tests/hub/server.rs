//! A hub of one model on 127.0.0.1, which can be told to misbehave.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;

/// The commit of the made-up model.
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) from: Option<usize>,
    pub(crate) token: Option<String>,
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// The connection is closed after this many bytes of the body, whatever the headers promise.
    pub(crate) cut: Option<usize>,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), cut: None }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.retain(|(old, _)| *old != name);
        self.headers.push((name, value.to_string()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn cut(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self
    }
}

/// The files of a model, by path.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

macro_rules! asset {
    ($path:literal) => {
        ($path, include_bytes!(concat!("../../assets/atelier/", $path)).as_slice())
    };
}

impl Model {
    /// The embedded model's configuration with made-up weights.
    pub(crate) fn tiny() -> Self {
        let mut model = Self::default();
        for (path, bytes) in [
            asset!("model_index.json"),
            asset!("scheduler/scheduler_config.json"),
            asset!("text_encoder/config.json"),
            asset!("unet/config.json"),
            asset!("vae/config.json"),
        ] {
            model.put(path, bytes);
        }
        model.put("tokenizer/vocab.json", b"{\"a\":0}");
        model.put("tokenizer/merges.txt", b"#version: 0.2\n");
        model.put("text_encoder/model.safetensors", &weights(1, 1_000));
        model.put("unet/diffusion_pytorch_model.safetensors", &weights(2, 200_000));
        model.put("vae/diffusion_pytorch_model.safetensors", &weights(3, 1_000));
        // Never to be fetched.
        model.put("unet/diffusion_pytorch_model.bin", b"pickle");
        model.put("v1-5.ckpt", b"pickle");
        model.put("safety_checker/model.safetensors", b"not needed");
        model.put("README.md", b"not needed");
        model
    }

    pub(crate) fn put(&mut self, path: &str, bytes: &[u8]) {
        self.files.insert(path.to_owned(), bytes.to_vec());
    }

    /// The full listing.
    pub(crate) fn listing(&self) -> serde_json::Value {
        let sibling = |(path, bytes): (&String, &Vec<u8>)| {
            let lfs = is_lfs(path).then(|| json!({ "sha256": sha256(bytes), "size": bytes.len(), "pointerSize": 134 }));
            json!({ "rfilename": path, "size": bytes.len(), "blobId": blob_id(bytes), "lfs": lfs })
        };
        json!({ "id": "owner/tiny", "sha": COMMIT, "siblings": self.files.iter().map(sibling).collect::<Vec<_>>() })
    }

    /// The answer of a hub that works.
    pub(crate) fn answer(&self, request: &Request) -> Reply {
        let path = request.path.as_str();
        if path.starts_with("/api/models/owner/tiny/revision/") {
            return Reply::status(200).body(self.listing().to_string());
        }
        let file = path.strip_prefix("/owner/tiny/resolve/").and_then(|rest| rest.split_once('/'));
        let Some((file, bytes)) = file.and_then(|(_, file)| Some((file, self.files.get(file)?))) else {
            return Reply::status(404);
        };
        let etag = if is_lfs(file) { sha256(bytes) } else { blob_id(bytes) };
        part(bytes, request.from).with("x-repo-commit", COMMIT).with("etag", format!("\"{etag}\""))
    }
}

/// The bytes from `from` on, as a part if there is one.
pub(crate) fn part(bytes: &[u8], from: Option<usize>) -> Reply {
    match from {
        None => Reply::status(200).body(bytes),
        Some(from) if from >= bytes.len() => Reply::status(416),
        Some(from) => {
            let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
            Reply::status(206).with("content-range", range).body(&bytes[from..])
        }
    }
}

/// A safetensors file with one tensor of `count` made-up numbers.
pub(crate) fn weights(seed: u32, count: u32) -> Vec<u8> {
    let header = json!({ "a": { "dtype": "F32", "shape": [count], "data_offsets": [0, count * 4] } }).to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.bytes());
    bytes.extend((0..count).flat_map(|n| n.wrapping_mul(2_654_435_761).wrapping_add(seed).to_le_bytes()));
    bytes
}

pub(crate) fn is_lfs(path: &str) -> bool {
    path.ends_with(".safetensors") || path.ends_with(".bin")
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    let sum = ring::digest::digest(&ring::digest::SHA256, bytes);
    sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Forty hexadecimal digits, as the hub's ETags of small files are.
pub(crate) fn blob_id(bytes: &[u8]) -> String {
    sha256(bytes)[..40].to_owned()
}

/// A running server; it ends when dropped.
pub(crate) struct Hub {
    scheme: &'static str,
    address: SocketAddr,
    log: Arc<Mutex<Vec<Request>>>,
    over: Arc<AtomicBool>,
}

impl Hub {
    /// A hub of `model` that works.
    pub(crate) fn of(model: Model) -> Self {
        Self::start(move |request| model.answer(request))
    }

    /// A hub that answers in its own way; each request has a thread of its own.
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve_by("http", answer, Some)
    }

    /// A hub of `model` behind a certificate that `tests/hub/tls/signer.pem` signed.
    pub(crate) fn start_tls(model: Model) -> Self {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hub/tls");
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        let chain = ureq::tls::Certificate::from_pem(&read("server.pem")).unwrap();
        let chain = vec![rustls::pki_types::CertificateDer::from(chain.der().to_vec())];
        let key = ureq::tls::PrivateKey::from_pem(&read("server.key")).unwrap();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.der().to_vec()).into();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .unwrap();
        let config = Arc::new(config);
        Self::serve_by(
            "https",
            move |request: &Request| model.answer(request),
            move |stream| {
                let connection = rustls::ServerConnection::new(Arc::clone(&config)).ok()?;
                Some(rustls::StreamOwned::new(connection, stream))
            },
        )
    }

    fn serve_by<S: Read + Write>(
        scheme: &'static str,
        answer: impl Fn(&Request) -> Reply + Send + Sync + 'static,
        wrap: impl Fn(TcpStream) -> Option<S> + Send + Sync + 'static,
    ) -> Self {
        let wrap = Arc::new(wrap);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (log, over) = (Arc::<Mutex<Vec<Request>>>::default(), Arc::<AtomicBool>::default());
        let (told, ended, answer) = (Arc::clone(&log), Arc::clone(&over), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::SeqCst) {
                    break;
                }
                let (log, answer, wrap) = (Arc::clone(&told), Arc::clone(&answer), Arc::clone(&wrap));
                std::thread::spawn(move || serve(wrap(stream)?, &log, answer.as_ref()));
            }
        });
        Self { scheme, address, log, over }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// All requests so far.
    pub(crate) fn log(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }

    /// The requests so far whose address ends so.
    pub(crate) fn asked(&self, end: &str) -> Vec<Request> {
        self.log().into_iter().filter(|request| request.path.ends_with(end)).collect()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
    }
}

/// Answers one request and closes the connection. A client that has gone away is no failure.
fn serve(mut stream: impl Read + Write, log: &Mutex<Vec<Request>>, answer: &dyn Fn(&Request) -> Reply) -> Option<()> {
    let mut lines = BufReader::new(&mut stream).lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.split('?').next()?.to_owned();
    let mut request = Request { path, from: None, token: None };
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(": ")?;
        match name.to_lowercase().as_str() {
            "range" => request.from = value.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok(),
            "authorization" => request.token = Some(value.to_owned()),
            _ => {}
        }
    }
    log.lock().unwrap().push(request.clone());
    let mut reply = answer(&request);
    let length = reply.body.len();
    if !reply.headers.iter().any(|(name, _)| ["content-length", "transfer-encoding"].contains(name)) {
        reply = reply.with("content-length", length);
    }
    let mut head = format!("HTTP/1.1 {} Said\r\nconnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all((head + "\r\n").as_bytes()).ok()?;
    stream.write_all(&reply.body[..reply.cut.unwrap_or(length).min(length)]).ok()?;
    stream.flush().ok()
}
