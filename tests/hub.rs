//! Fetching models by name, from a small hub on 127.0.0.1.

#![cfg(feature = "hub")]
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

#[path = "hub/broken.rs"]
mod broken;
#[path = "hub/listings.rs"]
mod listings;
#[path = "hub/refusals.rs"]
mod refusals;
#[path = "hub/server.rs"]
mod server;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use server::{COMMIT, Hub, Model, Reply, Request, blob_id, part, sha256, weights};
use wordbrush::model::ModelSource;
use wordbrush::model::folder::Folder;
use wordbrush::model::hub::{
    FetchStep, HubError, HubSettings, fetch_autoencoder_with, fetch_segmenter_with, fetch_with, quiet,
};

const UNET: &str = "unet/diffusion_pytorch_model.safetensors";
const NEEDED: usize = 10;

/// A cache of its own for each test.
struct Desk {
    home: tempfile::TempDir,
    settings: HubSettings,
}

impl Desk {
    fn new(endpoint: &str) -> Self {
        Self::with(endpoint, &[])
    }

    fn with(endpoint: &str, more: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let hf_home = home.path().join("hf").to_str().unwrap().to_owned();
        let lookup = |name: &str| match name {
            "HF_HOME" => Some(hf_home.clone()),
            "HF_ENDPOINT" => Some(endpoint.to_owned()),
            _ => more.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()),
        };
        let mut settings = HubSettings::from_env(lookup).unwrap();
        settings.pause = Duration::from_millis(5);
        settings.silence = Duration::from_secs(20);
        Self { home, settings }
    }

    fn fetch(&self, name: &str) -> Result<Folder> {
        fetch_with(&self.settings, name, &mut quiet())
    }

    fn repo(&self) -> PathBuf {
        self.home.path().join("hf/hub/models--owner--tiny")
    }

    fn snapshot(&self, path: &str) -> PathBuf {
        self.repo().join("snapshots").join(COMMIT).join(path)
    }

    fn blob(&self, etag: &str) -> PathBuf {
        self.repo().join("blobs").join(etag)
    }

    /// The error of a fetch, and its hint.
    #[track_caller]
    fn fails(&self, name: &str) -> (String, String) {
        let error = self.fetch(name).map(|_| ()).unwrap_err();
        let hint = error.downcast_ref::<HubError>().map(|error| error.hint().to_owned());
        (format!("{error:#}"), hint.unwrap_or_default())
    }
}

#[track_caller]
fn check_says((message, hint): &(String, String), in_message: &str, in_hint: &str) {
    assert!(message.contains(in_message), "`{message}` lacks `{in_message}`");
    assert!(hint.contains(in_hint), "hint `{hint}` of `{message}` lacks `{in_hint}`");
}

fn read(source: &dyn ModelSource, path: &str) -> Vec<u8> {
    let blob = source.open(path).unwrap().unwrap();
    blob.read(0, blob.len() as usize).unwrap().into_owned()
}

/// A hub that answers the `n`-th request for a file (from 1) in its own way where `fault` says so.
fn faulty(
    model: Model,
    end: &'static str,
    fault: impl Fn(usize, &Request, Reply) -> Reply + Send + Sync + 'static,
) -> Hub {
    let count = AtomicUsize::new(0);
    Hub::start(move |request| {
        let usual = model.answer(request);
        if !request.path.ends_with(end) {
            return usual;
        }
        fault(count.fetch_add(1, Ordering::SeqCst) + 1, request, usual)
    })
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() { all.extend(files(&entry.path())) } else { all.push(entry.path()) }
    }
    all
}

#[test]
fn an_autoencoder_that_stands_alone_comes_with_its_two_files_and_is_found_again_without_the_hub() {
    let mut model = Model::tiny();
    let (config, file) = ("config.json", "diffusion_pytorch_model.safetensors");
    let (text, bytes) = (model.files["vae/config.json"].clone(), model.files[UNET].clone());
    model.files = [(config.to_owned(), text), (file.to_owned(), bytes), ("x.pth".to_owned(), vec![7; 9])].into();
    let hub = Hub::of(model.clone());
    let desk = Desk::new(&hub.endpoint());
    let folder = fetch_autoencoder_with(&desk.settings, "owner/tiny", &mut quiet()).unwrap();
    assert_eq!(folder, desk.snapshot("").components().collect::<PathBuf>());
    assert_eq!(files(&folder).len(), 2, "{:?}", files(&folder));
    assert_eq!(fs::read(folder.join(file)).unwrap(), model.files[file]);
    drop(hub);
    let again = fetch_autoencoder_with(&desk.settings, "owner/tiny", &mut quiet()).unwrap();
    assert_eq!(again, folder);
    let (said, _) = desk.fails("owner/tiny");
    assert!(said.contains("`owner/tiny`"), "{said}");
}

#[test]
fn a_model_comes_whole_into_the_layout_that_other_programs_share() {
    let model = Model::tiny();
    let hub = Hub::of(model.clone());
    let desk = Desk::new(&hub.endpoint());
    let folder = desk.fetch("owner/tiny").unwrap();
    assert_eq!(folder.name(), desk.snapshot("").to_str().unwrap().trim_end_matches('/'));
    assert_eq!(files(&desk.snapshot("")).len(), NEEDED);
    for path in ["model_index.json", "unet/config.json", "tokenizer/merges.txt", UNET] {
        assert_eq!(read(&folder, path), model.files[path], "{path}");
    }
    assert_eq!(fs::read_to_string(desk.repo().join("refs/main")).unwrap(), COMMIT);
    assert_eq!(fs::read(desk.blob(&sha256(&model.files[UNET]))).unwrap(), model.files[UNET]);
    assert_eq!(
        fs::read(desk.blob(&blob_id(&model.files["unet/config.json"]))).unwrap(),
        model.files["unet/config.json"]
    );
    assert_eq!(files(&desk.repo().join("blobs")).len(), NEEDED);
    #[cfg(unix)]
    for (path, up) in [("model_index.json", "../../"), ("unet/config.json", "../../../")] {
        let target = Path::new(up).join("blobs").join(blob_id(&model.files[path]));
        assert_eq!(fs::read_link(desk.snapshot(path)).unwrap(), target);
    }
}

#[test]
fn a_model_is_pulled_listed_and_removed_by_name() {
    let hub = Hub::of(Model::tiny());
    let desk = Desk::new(&hub.endpoint());
    let run = |words: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_wordbrush"));
        command.args(words).env_clear().env("HF_HOME", desk.home.path().join("hf")).env("HF_ENDPOINT", hub.endpoint());
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, said, told) = run(&["pull", "owner/tiny"]);
    assert_eq!((code, said.as_str()), (Some(0), "owner/tiny is there: wordbrush --model owner/tiny\n"), "{told}");
    assert_eq!(told, "fetching owner/tiny\n");
    let asked = hub.log().len();

    let (code, listed, _) = run(&["models"]);
    let line = listed.lines().find(|line| line.starts_with("owner/tiny")).unwrap_or_default();
    assert!(code == Some(0) && line.contains("evaluations") && line.ends_with("MB of memory"), "{listed}");
    assert!(listed.contains("embedded"), "{listed}");

    let (code, said, _) = run(&["models", "rm", "owner/tiny"]);
    assert!(code == Some(0) && said.starts_with("removed owner/tiny, "), "{said}");
    assert!(!desk.repo().exists());
    assert!(!run(&["models"]).1.contains("owner/tiny"));
    let (code, _, told) = run(&["models", "rm", "owner/tiny"]);
    assert!(code == Some(2) && told.contains("`owner/tiny` is not in the cache") && told.contains("hint:"), "{told}");
    let (code, _, told) = run(&["pull", "tiny"]);
    assert!(code == Some(2) && told.contains("`tiny` is not the name of a model"), "{told}");
    assert_eq!(hub.log().len(), asked, "the hub is asked when nothing is fetched");
}

#[test]
fn pickles_and_what_is_not_needed_are_never_asked_for() {
    let hub = Hub::of(Model::tiny());
    Desk::new(&hub.endpoint()).fetch("owner/tiny").unwrap();
    assert_eq!(hub.log().len(), NEEDED + 1);
    for end in [".bin", ".ckpt", ".md", "safety_checker/model.safetensors"] {
        assert!(hub.asked(end).is_empty(), "{end}");
    }
}

#[test]
fn a_second_fetch_asks_the_hub_nothing() {
    let hub = Hub::of(Model::tiny());
    let desk = Desk::new(&hub.endpoint());
    desk.fetch("owner/tiny").unwrap();
    let before = hub.log().len();
    let folder = desk.fetch("owner/tiny").unwrap();
    assert_eq!(hub.log().len(), before);
    assert_eq!(read(&folder, UNET), Model::tiny().files[UNET]);
}

#[test]
fn another_revision_brings_only_the_files_that_differ() {
    let hub = Hub::of(Model::tiny());
    let desk = Desk::new(&hub.endpoint());
    desk.fetch("owner/tiny").unwrap();
    let before = hub.log().len();
    desk.fetch("owner/tiny@refs/pr/7").unwrap();
    assert_eq!(hub.log().len(), before + 1, "the listing alone");
    assert_eq!(hub.asked("/revision/refs%2Fpr%2F7").len(), 1);
    assert_eq!(fs::read_to_string(desk.repo().join("refs/refs/pr/7")).unwrap(), COMMIT);
    desk.fetch(&format!("owner/tiny@{COMMIT}")).unwrap();
    assert_eq!(hub.log().len(), before + 1, "a commit in the cache needs no listing");
}

#[test]
fn offline_uses_the_cache_and_says_what_it_lacks() {
    let hub = Hub::of(Model::tiny());
    let mut desk = Desk::with(&hub.endpoint(), &[("HF_HUB_OFFLINE", "1")]);
    check_says(&desk.fails("owner/tiny"), "`owner/tiny` is not in the cache at ", "unset HF_HUB_OFFLINE");
    assert!(hub.log().is_empty());
    desk.settings.offline = false;
    desk.fetch("owner/tiny").unwrap();
    drop(hub);
    desk.settings.offline = true;
    assert_eq!(read(&desk.fetch("owner/tiny").unwrap(), UNET), Model::tiny().files[UNET]);
    fs::remove_file(desk.snapshot("vae/config.json")).unwrap();
    check_says(&desk.fails("owner/tiny"), "is not complete in the cache", "unset HF_HUB_OFFLINE");
    check_says(&desk.fails("owner/tiny"), "it has no vae/config.json", "");
}

#[test]
fn a_link_to_a_blob_that_is_gone_is_not_in_the_cache() {
    let model = Model::tiny();
    let hub = Hub::of(model.clone());
    let desk = Desk::new(&hub.endpoint());
    desk.fetch("owner/tiny").unwrap();
    fs::remove_file(desk.blob(&sha256(&model.files[UNET]))).unwrap();
    assert_eq!(read(&desk.fetch("owner/tiny").unwrap(), UNET), model.files[UNET]);
    assert_eq!(hub.asked(UNET).len(), 2);
    assert_eq!(hub.asked("vae/config.json").len(), 1);
}

#[test]
fn progress_counts_every_byte_once_and_ends_at_the_total() {
    let model = Model::tiny();
    let hub = Hub::of(model);
    let desk = Desk::new(&hub.endpoint());
    let mut steps = Vec::new();
    let mut progress = |step: FetchStep<'_>| {
        if let FetchStep::Bytes { done, total, received, .. } = step {
            steps.push((done, total, received));
        }
        ControlFlow::Continue(())
    };
    fetch_with(&desk.settings, "owner/tiny", &mut progress).unwrap();
    let needed: u64 = files(&desk.snapshot("")).iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert_eq!(steps.last().unwrap(), &(needed, Some(needed), needed));
    assert!(steps.is_sorted_by_key(|(done, _, _)| *done));
    assert!(steps.len() > NEEDED, "a long file has more than one step");
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let hub = Hub::of(Model::tiny());
    let desk = Desk::new(&hub.endpoint());
    fs::write(desk.home.path().join("hf"), "a file where a folder should be").unwrap();
    check_says(&desk.fails("owner/tiny"), "cannot write model_index.json to ", "set HF_HOME");
}

#[test]
fn two_fetches_at_once_bring_each_file_once() {
    let model = Model::tiny();
    let hub = faulty(model.clone(), UNET, |_, _, usual| {
        std::thread::sleep(Duration::from_millis(300));
        usual
    });
    let desk = Desk::new(&hub.endpoint());
    std::thread::scope(|scope| {
        let fetches: Vec<_> = (0..2).map(|_| scope.spawn(|| desk.fetch("owner/tiny").unwrap())).collect();
        for folder in fetches.into_iter().map(|fetch| fetch.join().unwrap()) {
            assert_eq!(read(&folder, UNET), model.files[UNET]);
        }
    });
    assert_eq!(hub.asked(UNET).len(), 1);
}

#[test]
fn a_network_that_makes_masks_comes_with_the_files_beside_its_configuration_and_no_other() {
    let mut model = Model::default();
    model.put("config.json", br#"{"model_type": "clipseg", "vision_config": {"patch_size": 16}}"#);
    model.put("preprocessor_config.json", br#"{"size": 352}"#);
    model.put("vocab.json", b"{\"a\":0}");
    model.put("merges.txt", b"#version: 0.2\n");
    model.put("model.safetensors", &weights(1, 1_000));
    let needed = model.files.len();
    model.put("pytorch_model.bin", b"pickle");
    model.put("README.md", b"not needed");
    let hub = Hub::of(model.clone());
    let desk = Desk::new(&hub.endpoint());
    for _ in 0..2 {
        let folder = fetch_segmenter_with(&desk.settings, "owner/tiny", &mut quiet()).unwrap();
        assert_eq!(read(&folder, "model.safetensors"), model.files["model.safetensors"]);
        assert_eq!(files(&desk.snapshot("")).len(), needed);
        assert_eq!(hub.log().len(), needed + 1, "a second fetch asks the hub nothing");
    }
    let pictures = desk.fetch("owner/tiny").map(|_| ()).unwrap_err();
    assert!(pictures.to_string().contains("unet"), "{pictures}");

    let other = Hub::of(Model::tiny());
    let desk = Desk::new(&other.endpoint());
    let error = fetch_segmenter_with(&desk.settings, "owner/tiny", &mut quiet()).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("cannot make masks: it has no config.json"), "{error}");
}

#[test]
fn where_nothing_says_which_commit_is_meant_the_only_one_there_is_used_and_named() {
    let hub = Hub::of(Model::tiny());
    let mut desk = Desk::new(&hub.endpoint());
    desk.fetch("owner/tiny").unwrap();
    fs::remove_file(desk.repo().join("refs/main")).unwrap();
    drop(hub);
    desk.settings.tries = 1;
    for offline in [true, false] {
        desk.settings.offline = offline;
        let mut named = String::new();
        let mut progress = |step: FetchStep<'_>| {
            if let FetchStep::Found { commit } = step {
                commit.clone_into(&mut named);
            }
            ControlFlow::Continue(())
        };
        let folder = fetch_with(&desk.settings, "owner/tiny", &mut progress).unwrap();
        assert_eq!(read(&folder, UNET), Model::tiny().files[UNET], "offline {offline}");
        assert_eq!(named, COMMIT);
    }
    // Of two, none is chosen; one that is not whole is none.
    let other = desk.repo().join("snapshots").join("f".repeat(40));
    fs::create_dir_all(other.join("unet")).unwrap();
    fs::write(other.join("unet/config.json"), "{}").unwrap();
    desk.fetch("owner/tiny").unwrap();
    fs::remove_dir_all(&other).unwrap();
    let copied = std::process::Command::new("cp").arg("-r").arg(desk.snapshot("")).arg(&other).status();
    assert!(copied.unwrap().success());
    desk.settings.offline = true;
    check_says(&desk.fails("owner/tiny"), "nothing in the cache says which commit", "owner/tiny@0123456789abcdef");
}

#[test]
fn a_blob_that_was_cut_short_is_fetched_again_whether_or_not_the_listing_says_how_long_it_is() {
    for with_sizes in [true, false] {
        let model = Model::tiny();
        let listed = model.clone();
        let hub = Hub::start(move |request| {
            if !with_sizes && request.path.starts_with("/api/models/") {
                let names: Vec<_> = listed.files.keys().map(|path| serde_json::json!({ "rfilename": path })).collect();
                let listing = serde_json::json!({ "sha": COMMIT, "siblings": names });
                return Reply::status(200).body(listing.to_string());
            }
            listed.answer(request)
        });
        let mut desk = Desk::new(&hub.endpoint());
        desk.fetch("owner/tiny").unwrap();
        for (path, etag) in
            [(UNET, sha256(&model.files[UNET])), ("vae/config.json", blob_id(&model.files["vae/config.json"]))]
        {
            let before = hub.asked(path).len();
            let whole = model.files[path].len() as u64;
            fs::File::options().write(true).open(desk.blob(&etag)).unwrap().set_len(whole - 5).unwrap();
            desk.settings.offline = true;
            check_says(
                &desk.fails("owner/tiny"),
                &format!("its {path} is cut short or damaged"),
                "unset HF_HUB_OFFLINE",
            );
            desk.settings.offline = false;
            assert_eq!(read(&desk.fetch("owner/tiny").unwrap(), path), model.files[path], "{path}");
            assert_eq!(hub.asked(path).len(), before + 1, "{path}, sizes {with_sizes}");
        }
    }
}

#[test]
fn a_redirect_relative_to_where_it_stands_is_followed() {
    let model = Model::tiny();
    let bytes = model.files[UNET].clone();
    let hub = Hub::start(move |request| {
        if request.path.ends_with(UNET) && !request.path.contains("/elsewhere/") {
            let usual = model.answer(request);
            let etag = usual.headers.iter().find(|(name, _)| *name == "etag").unwrap().1.clone();
            return Reply::status(302).with("location", format!("../elsewhere/./{UNET}")).with("x-linked-etag", etag);
        }
        if request.path.contains("/elsewhere/") { part(&bytes, request.from) } else { model.answer(request) }
    });
    let desk = Desk::new(&hub.endpoint());
    assert_eq!(read(&desk.fetch("owner/tiny").unwrap(), UNET), Model::tiny().files[UNET]);
    assert_eq!(hub.log().iter().filter(|request| request.path.contains("/elsewhere/unet/")).count(), 1);
}

#[test]
fn certificates_that_the_environment_names_are_believed_and_no_others() {
    let hub = Hub::start_tls(Model::tiny());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hub/tls");
    let signer = folder.join("signer.pem");
    let mut stranger = Desk::new(&hub.endpoint());
    stranger.settings.tries = 1;
    check_says(&stranger.fails("owner/tiny"), "UnknownIssuer", "SSL_CERT_FILE");
    for (variable, value) in [("SSL_CERT_FILE", &signer), ("SSL_CERT_DIR", &folder)] {
        let desk = Desk::with(&hub.endpoint(), &[(variable, value.to_str().unwrap())]);
        assert_eq!(read(&desk.fetch("owner/tiny").unwrap(), UNET), Model::tiny().files[UNET], "{variable}");
    }
    let nothing = stranger.home.path().join("empty");
    fs::write(&nothing, "no certificate").unwrap();
    for (path, said) in
        [("/no/such/file", "SSL_CERT_FILE names `/no/such/file`"), (nothing.to_str().unwrap(), "no certificate")]
    {
        let desk = Desk::with(&hub.endpoint(), &[("SSL_CERT_FILE", path)]);
        check_says(&desk.fails("owner/tiny"), said, "SSL_CERT_FILE");
    }
}
