//! Requests to the hub: redirects, patience, and what a refusal means.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use hf_hub::api::sync::{ApiBuilder, ApiRepo};
use hf_hub::{Cache, RepoType};
use serde::Deserialize;
use ureq::http::Response;
use ureq::tls::TlsConfig;
use ureq::{Agent, Body};

use super::download::{Remote, Tally};
use super::error::trouble;
use super::name::{Name, is_file_name, is_sha256};
use super::settings::HubSettings;
use super::{FetchStep, Listing};

/// The largest listing that is read.
const MAX_LISTING: u64 = 32 << 20;
const MAX_REDIRECTS: usize = 8;

/// Sets timeouts for connecting and for silence, none for the whole: a model may take hours. A macro, because ureq does not
/// name what its two kinds of configuration have in common.
macro_rules! patient {
    ($config:expr, $settings:expr, $tls:expr) => {{
        let config = $config
            .tls_config($tls.clone())
            .http_status_as_error(false)
            .timeout_connect(Some($settings.silence.min(Duration::from_secs(20))))
            .timeout_recv_response(Some($settings.silence))
            .timeout_per_read(Some($settings.silence));
        if $settings.is_here() { config.proxy(None) } else { config }
    }};
}

/// A way to the hub, for one model.
pub(super) struct Wire<'a> {
    pub(super) settings: &'a HubSettings,
    pub(super) name: &'a Name,
    api: ApiRepo,
    agent: Agent,
    /// Whose signatures under a host's certificate are believed.
    tls: TlsConfig,
}

/// A file's answer: what the hub said of the file, and the body.
pub(super) struct Answer {
    /// 200, 206 or 416.
    pub(super) status: u16,
    /// The commit that the file is of.
    pub(super) commit: Option<String>,
    /// The file as the hub announces it.
    pub(super) remote: Remote,
    /// First byte and full length of a part.
    pub(super) range: Option<(u64, u64)>,
    /// Bytes of the body, if announced.
    pub(super) length: Option<u64>,
    /// Whether the body itself says where it ends.
    pub(super) chunked: bool,
    /// The bytes.
    pub(super) body: Body,
}

#[derive(Deserialize)]
struct Info {
    sha: String,
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    blob_id: Option<String>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    #[serde(alias = "oid")]
    sha256: Option<String>,
    size: Option<u64>,
}

impl<'a> Wire<'a> {
    /// Prepares a way to the hub; nothing is sent yet.
    ///
    /// # Errors
    /// Fails if hf-hub cannot be set up, or the environment names certificates that cannot be read.
    pub(super) fn new(settings: &'a HubSettings, name: &'a Name) -> Result<Self> {
        let api = ApiBuilder::from_cache(Cache::new(settings.cache.clone()))
            .with_endpoint(settings.endpoint.clone())
            .with_token(settings.token.clone())
            .with_progress(false)
            .with_user_agent("wordbrush", env!("CARGO_PKG_VERSION"))
            .build()?;
        let api = api.repo(hf_hub::Repo::with_revision(name.id.clone(), RepoType::Model, name.revision.clone()));
        // Redirects are followed here: the hub describes a file in the answer that redirects, and the token must not
        // go along to another host.
        let tls = settings.tls()?;
        let agent = patient!(Agent::config_builder(), settings, tls)
            .max_redirects(0)
            .accept_encoding("identity")
            .user_agent(concat!("wordbrush/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Ok(Self { settings, name, api, agent, tls })
    }

    /// The revision's commit and files.
    ///
    /// # Errors
    /// Fails if the hub cannot be reached, refuses, or answers with something else.
    pub(super) fn listing(&self, tally: &mut Tally<'_>) -> Result<Listing> {
        let mut last = None;
        for round in 1..=self.settings.tries.max(1) {
            let (mut response, _) = self.patiently(tally, None, || {
                let request =
                    patient!(self.api.info_request().query("blobs", "true").config(), self.settings, self.tls).build();
                Ok((request.call()?, true))
            })?;
            match response.body_mut().with_config().limit(MAX_LISTING).read_to_string() {
                Ok(text) => return self.read_listing(&text),
                Err(error) => last = Some(error),
            }
            self.pause(tally, round, "the connection broke")?;
        }
        Err(self.unreachable(&last.unwrap_or(ureq::Error::ConnectionFailed)))
    }

    fn read_listing(&self, text: &str) -> Result<Listing> {
        let info = serde_json::from_str::<Info>(text).ok().filter(|info| is_file_name(&info.sha));
        let Some(Info { sha: commit, siblings }) = info else {
            let message = format!("what {} answers is not the listing of a model", self.settings.endpoint);
            return Err(trouble(message, "check HF_ENDPOINT, and whether the network asks for a login first"));
        };
        let file = |sibling: Sibling| {
            let (sha256, lfs_size) = sibling.lfs.map_or((None, None), |lfs| (lfs.sha256, lfs.size));
            let sha256 = sha256.map(|sha| sha.to_lowercase()).filter(|sha| is_sha256(sha));
            let etag = sha256.clone().or(sibling.blob_id).filter(|etag| is_file_name(etag));
            (sibling.rfilename, Remote { size: lfs_size.or(sibling.size), etag, sha256 })
        };
        Ok(Listing { commit, files: siblings.into_iter().map(file).collect::<BTreeMap<_, _>>() })
    }

    /// Asks for a file from byte `from` on.
    ///
    /// # Errors
    /// Fails if the hub cannot be reached or refuses.
    pub(super) fn get(&self, tally: &mut Tally<'_>, path: &str, from: u64) -> Result<Answer> {
        let mut said = Said::default();
        let (response, _) = self.patiently(tally, Some(path), || {
            said = Said::default();
            self.follow(path, from, &mut said)
        })?;
        let status = response.status().as_u16();
        let number = |name| header(&response, name)?.parse().ok();
        let range = header(&response, "content-range").and_then(read_range);
        let length = number("content-length");
        let chunked = header(&response, "transfer-encoding").is_some_and(|coding| coding.ends_with("chunked"));
        let plain = header(&response, "etag").and_then(clean_etag);
        // An ETag of the hub's own host may be a SHA-256; one of another host is anything.
        let sha256 =
            said.etag.as_ref().or(plain.as_ref().filter(|_| !said.elsewhere)).filter(|etag| is_sha256(etag)).cloned();
        let size = said.size.or(range.map(|(_, total)| total)).or(length.filter(|_| status == 200));
        let remote = Remote { size, etag: said.etag.or(plain), sha256 };
        Ok(Answer { status, commit: said.commit, remote, range, length, chunked, body: response.into_body() })
    }

    /// One request, through its redirects; also says whether the answer is from the hub's own host.
    fn follow(&self, path: &str, from: u64, said: &mut Said) -> Result<(Response<Body>, bool), ureq::Error> {
        let mut url = self.api.url(path);
        for _ in 0..=MAX_REDIRECTS {
            let at_home = origin(&url) == origin(&self.settings.endpoint);
            let mut request = self.agent.get(&url);
            if let Some(token) = self.settings.token.as_ref().filter(|_| at_home) {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            if from > 0 {
                request = request.header("range", format!("bytes={from}-"));
            }
            let response = request.call()?;
            said.note(&response, at_home);
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok((response, at_home));
            }
            url = header(&response, "location").and_then(|to| resolve(&url, to)).ok_or(ureq::Error::RedirectFailed)?;
        }
        Err(ureq::Error::TooManyRedirects)
    }

    /// Tries a request again while the hub is busy or connections break, and turns a refusal into words.
    fn patiently(
        &self,
        tally: &mut Tally<'_>,
        file: Option<&str>,
        mut request: impl FnMut() -> Result<(Response<Body>, bool), ureq::Error>,
    ) -> Result<(Response<Body>, bool)> {
        let mut round = 1;
        loop {
            let last = round >= self.settings.tries;
            match request() {
                Ok((response, at_home)) => {
                    let status = response.status().as_u16();
                    if matches!(status, 200 | 206) || (status == 416 && file.is_some()) {
                        return Ok((response, at_home));
                    }
                    let busy = matches!(status, 408 | 429 | 500 | 502 | 503 | 504);
                    let asked =
                        header(&response, "retry-after").and_then(|text| text.parse().ok()).map(Duration::from_secs);
                    if !busy || last || asked.is_some_and(|pause| pause > self.settings.patience) {
                        let code = header(&response, "x-error-code").unwrap_or_default();
                        return Err(self.refusal(status, code, file, at_home, asked));
                    }
                    match asked {
                        Some(pause) => wait(tally, pause, "the hub asks to wait")?,
                        None => self.pause(tally, round, "the hub is busy")?,
                    }
                }
                Err(error) if last || !is_passing(&error) => return Err(self.unreachable(&error)),
                Err(_) => self.pause(tally, round, "the connection broke")?,
            }
            round += 1;
        }
    }

    /// Waits before try `round + 1`.
    pub(super) fn pause(&self, tally: &mut Tally<'_>, round: u32, reason: &'static str) -> Result<()> {
        let doubled = self.settings.pause.saturating_mul(1 << (round - 1).min(10));
        wait(tally, doubled.min(self.settings.patience), reason)
    }
}

/// What the hub says of a file on the way to its bytes.
#[derive(Default)]
struct Said {
    commit: Option<String>,
    etag: Option<String>,
    size: Option<u64>,
    elsewhere: bool,
}

impl Said {
    fn note(&mut self, response: &Response<Body>, at_home: bool) {
        self.elsewhere |= !at_home;
        if at_home {
            let text = |name| header(response, name);
            self.commit = self.commit.take().or_else(|| text("x-repo-commit").map(str::to_owned));
            self.etag = self.etag.take().or_else(|| text("x-linked-etag").and_then(clean_etag));
            self.size = self.size.or_else(|| text("x-linked-size")?.parse().ok());
        }
    }
}

fn wait(tally: &mut Tally<'_>, pause: Duration, reason: &'static str) -> Result<()> {
    tally.step(FetchStep::Wait { pause, reason })?;
    std::thread::sleep(pause);
    Ok(())
}

fn header<'r>(response: &'r Response<Body>, name: &str) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
}

/// An ETag without quotes and `W/`, if it can name a blob.
fn clean_etag(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches("W/").trim_matches('"');
    is_file_name(text).then(|| text.to_owned())
}

/// First byte and full length of `bytes 5-9/10`.
fn read_range(text: &str) -> Option<(u64, u64)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.parse().ok()?, total.parse().ok()?))
}

/// Scheme and host of an address.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find(['/', '?', '#']).map_or(url.len(), |at| host + at);
    &url[..end]
}

/// Where a redirect leads, as RFC 3986 (section 5.2) has it; none from https to http, or to another kind of address.
fn resolve(from: &str, to: &str) -> Option<String> {
    let from = from.split('#').next()?;
    let to = to.trim().split('#').next()?;
    let (scheme, _) = from.split_once("://")?;
    let whole = match scheme_of(to) {
        Some(_) => to.to_owned(),
        None if to.starts_with("//") => format!("{scheme}:{to}"),
        None => {
            let (path, query) = split_query(&from[origin(from).len()..]);
            let (to_path, to_query) = split_query(to);
            let (path, query) = match to_path {
                "" => (path.to_owned(), if to_query.is_empty() { query } else { to_query }),
                _ if to_path.starts_with('/') => (to_path.to_owned(), to_query),
                // In place of what follows the last slash.
                _ => (format!("{}/{to_path}", path.rsplit_once('/').map_or("", |(folder, _)| folder)), to_query),
            };
            format!("{}{path}{query}", origin(from))
        }
    };
    let to = scheme_of(&whole)?.to_ascii_lowercase();
    let is_safe = to == "https" || (to == "http" && !scheme.eq_ignore_ascii_case("https"));
    let rest = whole.split_once("://").map(|(_, rest)| rest).filter(|_| is_safe)?;
    let whole = format!("{to}://{rest}");
    let host = origin(&whole);
    if host.len() <= to.len() + 3 {
        return None;
    }
    let (path, query) = split_query(&whole[host.len()..]);
    Some(format!("{host}{}{query}", without_dots(path)))
}

/// The scheme of an address that has one.
fn scheme_of(address: &str) -> Option<&str> {
    let (scheme, _) = address.split_once(':')?;
    let begins = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    (begins && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))).then_some(scheme)
}

/// A path, and its query with the `?`.
fn split_query(text: &str) -> (&str, &str) {
    text.split_at(text.find('?').unwrap_or(text.len()))
}

/// A path without its steps `.` and `..`; none leads above the top.
fn without_dots(path: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        match part {
            "." | ".." => {
                if part == ".." {
                    out.pop();
                }
                if is_last {
                    out.push("");
                }
            }
            _ => out.push(part),
        }
    }
    format!("/{}", out.join("/"))
}

/// Whether trying again may help.
fn is_passing(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Io(error) => error.kind() != std::io::ErrorKind::ConnectionRefused,
        ureq::Error::Timeout(_) | ureq::Error::Protocol(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_goes_on_at_the_same_host_or_a_safe_one() {
        let check =
            |from: &str, to: &str, expected: Option<&str>| assert_eq!(resolve(from, to).as_deref(), expected, "{to}");
        check("https://a/b?c", "/d?e", Some("https://a/d?e"));
        check("https://a/b", "https://c/d", Some("https://c/d"));
        check("http://a:1/b", "http://c/d", Some("http://c/d"));
        check("https://a/b", "http://a/b", None);
        check("https://a/b", "//c/d", Some("https://c/d"));
        check("https://a/b", "HTTPS://c/d", Some("https://c/d"));
        for none in ["file:///etc/x", "//", "https://", "javascript:x", "x:y"] {
            check("https://a/b", none, None);
        }
    }

    /// The examples of RFC 3986, section 5.4, as far as they stay on the web.
    #[test]
    fn a_relative_redirect_is_followed_as_the_standard_has_it() {
        for (to, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g#s", "http://a/b/c/g"),
            (";x", "http://a/b/c/;x"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../g", "http://a/g"),
            ("../../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g..", "http://a/b/c/g.."),
            ("./g/.", "http://a/b/c/g/"),
            ("g/../h", "http://a/b/c/h"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
        ] {
            assert_eq!(resolve("http://a/b/c/d;p?q", to).as_deref(), Some(expected), "{to}");
        }
    }

    #[test]
    fn hosts_that_only_begin_alike_are_two_origins() {
        assert_eq!(origin("https://a.b:1/c?d"), "https://a.b:1");
        assert_ne!(origin("https://hub.example"), origin("https://hub.example.evil/x"));
        assert_ne!(origin("https://hub.example"), origin("https://hub.example@evil/x"));
        assert_ne!(origin("https://hub.example"), origin("http://hub.example/x"));
        assert_ne!(origin("https://hub.example"), origin("https://hub.example:8443/x"));
    }

    #[test]
    fn an_etag_that_is_no_file_name_is_none() {
        assert_eq!(clean_etag("W/\"abc-1\"").as_deref(), Some("abc-1"));
        assert_eq!(clean_etag("\"../../x\""), None);
        assert_eq!(clean_etag("\"\""), None);
    }

    #[test]
    fn the_first_byte_and_the_length_are_read_from_a_range() {
        assert_eq!(read_range("bytes 5-9/10"), Some((5, 10)));
        assert_eq!(read_range("bytes 5-9/*"), None);
        assert_eq!(read_range("items 5-9/10"), None);
    }
}
