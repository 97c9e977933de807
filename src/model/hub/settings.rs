//! Where the hub and the cache are.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::error::trouble;
use crate::safe::printable_line;

/// Where models come from and go to, and how patient a fetch is.
#[derive(Clone)]
pub struct HubSettings {
    /// The folder that holds `models--owner--name`.
    pub cache: PathBuf,
    /// The hub's address, without a slash at the end.
    pub endpoint: String,
    /// Sent to the hub, and to no other host, with every request.
    pub token: Option<String>,
    /// Use only what is in the cache.
    pub offline: bool,
    /// How often a request is tried, at least once.
    pub tries: u32,
    /// The pause before the second try; it doubles with each further one.
    pub pause: Duration,
    /// The longest pause that the hub may ask for; a longer one is an error.
    pub patience: Duration,
    /// How long a connection may be silent before it counts as broken.
    pub silence: Duration,
    /// A file of certificates that are believed in place of those in the program.
    pub certificate_file: Option<PathBuf>,
    /// Folders of such files.
    pub certificate_folders: Vec<PathBuf>,
}

impl HubSettings {
    /// Settings from variables of the environment, which `lookup` reads; an empty one counts as not set.
    ///
    /// - `HF_HUB_CACHE`, else `$HF_HOME/hub`, else `$XDG_CACHE_HOME/huggingface/hub`, else `~/.cache/huggingface/hub`
    /// - `HF_TOKEN`, else the file at `HF_TOKEN_PATH`, else `$HF_HOME/token`
    /// - `HF_ENDPOINT`, else `https://huggingface.co`
    /// - `HF_HUB_OFFLINE`: 1, on, yes or true
    /// - `SSL_CERT_FILE` and `SSL_CERT_DIR`: certificates that are believed in place of those in the program
    ///
    /// # Errors
    /// Fails if there is no home folder, or a setting is not what it should be; the message names it.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let get = |name: &str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let home = get("HOME").or_else(|| get("USERPROFILE")).map(PathBuf::from);
        let path = |name: &str| {
            let value = get(name)?;
            let below_home = home.as_ref().zip(value.strip_prefix("~/")).map(|(home, rest)| home.join(rest));
            Some(below_home.unwrap_or_else(|| value.into()))
        };
        let hf_home = path("HF_HOME")
            .or_else(|| Some(path("XDG_CACHE_HOME")?.join("huggingface")))
            .or_else(|| Some(home.as_ref()?.join(".cache").join("huggingface")));
        let cache = path("HF_HUB_CACHE").or_else(|| Some(hf_home.as_ref()?.join("hub")));
        let Some(cache) = cache else {
            return Err(trouble("there is no home folder to keep models in", "set HF_HOME to a folder"));
        };
        let token_file = path("HF_TOKEN_PATH").or_else(|| Some(hf_home?.join("token")));
        let token = get("HF_TOKEN").or_else(|| {
            let text = std::fs::read_to_string(token_file?).ok()?;
            Some(text.trim().to_owned()).filter(|token| !token.is_empty())
        });
        if token.as_ref().is_some_and(|token| !token.bytes().all(|b| b.is_ascii_graphic())) {
            return Err(trouble("the token for the hub has characters that no token has", "set HF_TOKEN to it again"));
        }
        let endpoint = get("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".to_owned());
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        let host = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
        let odd = |b: u8| !b.is_ascii_graphic() || b"?#@\\".contains(&b);
        if host.is_none_or(|host| host.is_empty() || host.starts_with('/') || host.bytes().any(odd)) {
            let message = format!(
                "HF_ENDPOINT is `{}`, which is not the address of a hub",
                crate::safe::printable_line(&endpoint)
            );
            return Err(trouble(message, "write it as https://host, or unset it to use https://huggingface.co"));
        }
        let offline =
            get("HF_HUB_OFFLINE").is_some_and(|v| ["1", "on", "yes", "true"].contains(&v.to_lowercase().as_str()));
        Ok(Self {
            cache,
            endpoint,
            token,
            offline,
            tries: 4,
            pause: Duration::from_secs(1),
            patience: Duration::from_secs(10),
            silence: Duration::from_secs(60),
            certificate_file: path("SSL_CERT_FILE"),
            certificate_folders: get("SSL_CERT_DIR")
                .map(|folders| std::env::split_paths(&folders).filter(|path| !path.as_os_str().is_empty()).collect())
                .unwrap_or_default(),
        })
    }

    /// Whose signatures are believed: those of the certificates that the environment names, else those in the program.
    ///
    /// # Errors
    /// Fails if a file or folder that is named cannot be read, or no certificate is in them.
    pub(super) fn tls(&self) -> Result<TlsConfig> {
        if self.certificate_file.is_none() && self.certificate_folders.is_empty() {
            return Ok(TlsConfig::default());
        }
        let mut found: Vec<Certificate<'static>> = Vec::new();
        let mut take = |bytes: &[u8]| {
            let items = parse_pem(bytes).filter_map(Result::ok);
            found.extend(items.filter_map(|item| match item {
                PemItem::Certificate(certificate) => Some(certificate),
                _ => None,
            }));
        };
        let unread = |variable: &str, path: &Path, error: &std::io::Error| {
            let shown = printable_line(&path.display().to_string());
            trouble(
                format!("{variable} names `{shown}`, which cannot be read: {}", error.kind()),
                format!("unset {variable}, or set it to what holds the certificates of those that are to be believed"),
            )
        };
        if let Some(path) = &self.certificate_file {
            take(&std::fs::read(path).map_err(|error| unread("SSL_CERT_FILE", path, &error))?);
        }
        for folder in &self.certificate_folders {
            let entries = std::fs::read_dir(folder).map_err(|error| unread("SSL_CERT_DIR", folder, &error))?;
            // Links and copies of one certificate under several names are common there.
            for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()) {
                take(&std::fs::read(path).unwrap_or_default());
            }
        }
        if found.is_empty() {
            return Err(trouble(
                "there is no certificate in what SSL_CERT_FILE and SSL_CERT_DIR name",
                "unset them, or set SSL_CERT_FILE to a file of certificates in PEM",
            ));
        }
        Ok(TlsConfig::builder().root_certs(RootCerts::new_with_certs(&found)).build())
    }

    /// The proxy that stands before the hub, without the name and password for it, and the variable that names it.
    pub(super) fn proxy(&self) -> Option<(String, &'static str)> {
        const VARIABLES: [&str; 6] =
            ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];
        let proxy = ureq::Proxy::try_from_env().filter(|_| !self.is_here())?;
        let host = format!("{}:{}", crate::safe::printable_line(proxy.host()), proxy.port());
        let variable =
            VARIABLES.into_iter().find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))?;
        Some((host, variable))
    }

    /// Whether the hub is this machine, which no proxy stands in front of.
    pub(super) fn is_here(&self) -> bool {
        let host = self.endpoint.split("://").nth(1).unwrap_or_default();
        ["127.0.0.1", "localhost", "[::1]"]
            .iter()
            .any(|here| host.strip_prefix(here).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/'])))
    }
}

impl fmt::Debug for HubSettings {
    /// Everything but the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("cache", &self.cache)
            .field("endpoint", &self.endpoint)
            .field("token", &self.token.as_ref().map(|_| "…"))
            .field("offline", &self.offline)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Result<HubSettings> {
        HubSettings::from_env(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[track_caller]
    fn cache(pairs: &[(&str, &str)], expected: &str) {
        assert_eq!(from(pairs).unwrap().cache, PathBuf::from(expected));
    }

    #[test]
    fn the_cache_is_where_other_programs_have_it() {
        cache(&[("HOME", "/h")], "/h/.cache/huggingface/hub");
        cache(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")], "/x/huggingface/hub");
        cache(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x"), ("HF_HOME", "/f")], "/f/hub");
        cache(&[("HOME", "/h"), ("HF_HOME", "~/f")], "/h/f/hub");
        cache(&[("HF_HOME", "/f"), ("HF_HUB_CACHE", "/c")], "/c");
        cache(&[("HOME", "/h"), ("HF_HOME", "")], "/h/.cache/huggingface/hub");
        assert!(from(&[]).unwrap_err().to_string().contains("no home folder"));
    }

    #[test]
    fn a_token_in_the_environment_goes_before_the_one_in_the_file() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("token"), "hf_file\n").unwrap();
        let hf_home = home.path().to_str().unwrap();
        assert_eq!(from(&[("HF_HOME", hf_home)]).unwrap().token.as_deref(), Some("hf_file"));
        assert_eq!(from(&[("HF_HOME", hf_home), ("HF_TOKEN", "hf_env")]).unwrap().token.as_deref(), Some("hf_env"));
        assert!(from(&[("HF_HOME", hf_home), ("HF_TOKEN", "a\nb")]).is_err());
        assert_eq!(from(&[("HOME", "/nowhere")]).unwrap().token, None);
    }

    #[test]
    fn a_token_is_not_shown() {
        let settings = from(&[("HOME", "/h"), ("HF_TOKEN", "hf_secret")]).unwrap();
        assert!(!format!("{settings:?}").contains("secret"));
    }

    #[test]
    fn an_endpoint_is_an_address() {
        let endpoint = |text| from(&[("HOME", "/h"), ("HF_ENDPOINT", text)]).map(|settings| settings.endpoint);
        assert_eq!(endpoint("https://mirror.example/").unwrap(), "https://mirror.example");
        for bad in [
            "mirror.example",
            "ftp://mirror.example",
            "https://",
            "http:///x",
            "https://a b",
            "https://a?b",
            "https://u@a",
        ] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn offline_is_on_only_if_the_variable_says_so() {
        for (value, expected) in
            [("1", true), ("ON", true), ("True", true), ("yes", true), ("0", false), ("", false), ("no", false)]
        {
            assert_eq!(from(&[("HOME", "/h"), ("HF_HUB_OFFLINE", value)]).unwrap().offline, expected, "{value:?}");
        }
    }

    #[test]
    fn only_a_hub_on_this_machine_is_here() {
        for (endpoint, expected) in [
            ("http://127.0.0.1:80", true),
            ("http://localhost", true),
            ("http://[::1]:9/x", true),
            ("http://127.0.0.10", false),
            ("https://localhost.example", false),
        ] {
            assert_eq!(from(&[("HOME", "/h"), ("HF_ENDPOINT", endpoint)]).unwrap().is_here(), expected, "{endpoint}");
        }
    }
}
