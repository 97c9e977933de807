//! What a refusal of the hub means, in words for people.

use std::time::Duration;

use super::error::trouble;
use super::wire::Wire;

impl Wire<'_> {
    /// The error for an answer that is no success.
    ///
    /// `code` is the hub's `X-Error-Code`, or nothing; `file` is none for the listing; `at_home` says whether the hub's own
    /// host answered; `asked` is the pause that it asks for.
    pub(super) fn refusal(
        &self,
        status: u16,
        code: &str,
        file: Option<&str>,
        at_home: bool,
        asked: Option<Duration>,
    ) -> anyhow::Error {
        let (name, id, hub) = (self.name, &self.name.id, &self.settings.endpoint);
        let kept = "what has come is kept";
        match status {
            401 | 403 if !at_home => trouble(
                format!("the hub's file server refuses {} of `{name}` ({status})", file.unwrap_or("a file")),
                format!("try again in a minute; {kept}"),
            ),
            401 | 403 if code == "GatedRepo" || (status == 403 && self.settings.token.is_some()) => trouble(
                format!("`{name}` is only for accounts that its owner has let in ({status})"),
                format!("open {hub}/{id} in a browser, accept its terms, and use that account's token as HF_TOKEN"),
            ),
            401 if self.settings.token.is_some() => trouble(
                format!("the hub does not accept the token for `{name}` (401)"),
                format!("check the name, or make a new token at {hub}/settings/tokens and set HF_TOKEN"),
            ),
            401 | 403 => trouble(
                format!(
                    "the hub shows `{name}` only to those it knows: it is private, gated, or no such model ({status})"
                ),
                format!("check the name, or make a token at {hub}/settings/tokens and set HF_TOKEN"),
            ),
            404 if code == "RevisionNotFound"
                || (file.is_none() && code != "RepoNotFound" && self.name.revision != "main") =>
            {
                trouble(
                    format!("there is no model `{id}` with the revision `{}` (404)", self.name.revision),
                    format!("the revisions are listed at {hub}/{id}/tree/main; without @… it is `main`"),
                )
            }
            404 if file.is_none() || code == "RepoNotFound" => trouble(
                format!("there is no model `{id}` on {hub} (404)"),
                "check the name; a private model also needs HF_TOKEN",
            ),
            404 => trouble(
                format!("the hub lists {} of `{name}` but does not have it (404)", file.unwrap_or("a file")),
                "try again later, or name another revision",
            ),
            429 => trouble(
                "the hub has had too many requests from here (429)",
                match asked {
                    Some(pause) => format!("try again in {} s, or set HF_TOKEN; {kept}", pause.as_secs()),
                    None => format!("try again in some minutes, or set HF_TOKEN; {kept}"),
                },
            ),
            500.. => trouble(
                format!("{hub} has trouble of its own ({status})"),
                format!("try again in some minutes; {kept}"),
            ),
            _ => trouble(format!("{hub} refuses `{name}` ({status})"), "check the name and HF_ENDPOINT"),
        }
    }

    /// The error for no answer.
    pub(super) fn unreachable(&self, error: &ureq::Error) -> anyhow::Error {
        let hub = &self.settings.endpoint;
        let why = match error {
            ureq::Error::HostNotFound => "there is no such host, or no network".to_owned(),
            ureq::Error::Timeout(_) => "no answer".to_owned(),
            ureq::Error::RedirectFailed | ureq::Error::TooManyRedirects => "it redirects to nowhere".to_owned(),
            ureq::Error::Io(error) => error.to_string(),
            other => other.to_string(),
        };
        let why = crate::safe::printable_line(&why);
        if let Some((proxy, variable)) = self.settings.proxy() {
            return trouble(
                format!("cannot fetch `{}` from {hub} through the proxy {proxy}: {why}", self.name),
                format!("check {variable}, which names the proxy, or unset it; what has come is kept"),
            );
        }
        trouble(
            format!("cannot fetch `{}` from {hub}: {why}", self.name),
            if why.contains("certificate") {
                "if the certificate is one of your own network, set SSL_CERT_FILE to a file that holds its signer's"
            } else {
                "check the network and HF_ENDPOINT, or name a model that is in a folder; what has come is kept"
            },
        )
    }
}
