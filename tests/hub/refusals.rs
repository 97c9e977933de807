//! What the hub refuses, how long it is waited for, and whom the token reaches.

use super::*;

/// A fetch from a hub that gives every request this answer: its error, hint and number of requests.
fn refused(status: u16, code: &'static str, name: &str, token: Option<&str>) -> ((String, String), usize) {
    let hub = Hub::start(move |_| Reply::status(status).with("x-error-code", code));
    let token: Vec<_> = token.iter().map(|token| ("HF_TOKEN", *token)).collect();
    let desk = Desk::with(&hub.endpoint(), &token);
    let said = desk.fails(name);
    let left = files(desk.home.path());
    assert!(left.is_empty(), "a refusal leaves nothing behind: {left:?}");
    (said, hub.log().len())
}

#[test]
fn refusals_are_told_apart_and_not_repeated() {
    for (status, code, name, token, message, hint) in [
        (401, "", "owner/tiny", None, "private, gated, or no such model (401)", "set HF_TOKEN"),
        (401, "", "owner/tiny", Some("hf_old"), "does not accept the token", "make a new token"),
        (403, "GatedRepo", "owner/tiny", None, "only for accounts that its owner has let in", "accept its terms"),
        (403, "", "owner/tiny", Some("hf_mine"), "only for accounts that its owner has let in", "accept its terms"),
        (404, "", "owner/tiny", None, "there is no model `owner/tiny` on http://127.0.0.1", "check the name"),
        (404, "", "owner/tiny@v9", None, "no model `owner/tiny` with the revision `v9`", "without @"),
        (404, "RepoNotFound", "owner/tiny@v9", None, "there is no model `owner/tiny` on", "check the name"),
        (404, "RevisionNotFound", "owner/tiny@v9", None, "with the revision `v9`", "/owner/tiny/tree/main"),
        (418, "", "owner/tiny", None, "refuses `owner/tiny` (418)", "HF_ENDPOINT"),
    ] {
        let (said, requests) = refused(status, code, name, token);
        check_says(&said, message, hint);
        assert_eq!(requests, 1, "{status} {code}");
    }
}

#[test]
fn a_hub_that_is_busy_is_asked_again_a_few_times() {
    for (status, message) in [(429, "too many requests"), (503, "trouble of its own (503)")] {
        let (said, requests) = refused(status, "", "owner/tiny", None);
        check_says(&said, message, "try again in some minutes");
        assert_eq!(requests, 4, "{status}");
    }
}

#[test]
fn a_short_wait_that_the_hub_asks_for_is_waited() {
    let hub = faulty(Model::tiny(), UNET, |n, _, usual| match n {
        1 => Reply::status(429).with("retry-after", 1),
        2 => Reply::status(503).with("retry-after", 0),
        _ => usual,
    });
    let desk = Desk::new(&hub.endpoint());
    let mut waits = Vec::new();
    let mut progress = |step: FetchStep<'_>| {
        if let FetchStep::Wait { pause, reason } = step {
            waits.push((pause.as_secs(), reason));
        }
        ControlFlow::Continue(())
    };
    fetch_with(&desk.settings, "owner/tiny", &mut progress).unwrap();
    assert_eq!(waits, [(1, "the hub asks to wait"), (0, "the hub asks to wait")]);
}

#[test]
fn a_long_wait_that_the_hub_asks_for_is_an_error_at_once() {
    let hub = Hub::start(|_| Reply::status(429).with("retry-after", 3600));
    check_says(&Desk::new(&hub.endpoint()).fails("owner/tiny"), "too many requests", "try again in 3600 s");
    assert_eq!(hub.log().len(), 1);
}

#[test]
fn a_file_that_is_gated_or_gone_is_named() {
    for (status, message) in
        [(404, format!("lists {UNET} of `owner/tiny` but")), (401, "shows `owner/tiny` only".to_owned())]
    {
        let hub = faulty(Model::tiny(), UNET, move |_, _, _| Reply::status(status));
        check_says(&Desk::new(&hub.endpoint()).fails("owner/tiny"), &message, "");
    }
}

#[test]
fn a_hub_that_is_not_there_is_said_so() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let said = Desk::new(&endpoint).fails("owner/tiny");
    check_says(&said, &format!("cannot fetch `owner/tiny` from {endpoint}: "), "check the network");
}

#[test]
fn a_hub_that_falls_silent_is_a_broken_connection() {
    let hub = Hub::start(|_| {
        std::thread::sleep(Duration::from_secs(3));
        Reply::status(500)
    });
    let mut desk = Desk::new(&hub.endpoint());
    (desk.settings.silence, desk.settings.tries) = (Duration::from_millis(100), 2);
    check_says(&desk.fails("owner/tiny"), "no answer", "check the network");
    assert_eq!(hub.log().len(), 2);
}

#[test]
fn the_token_goes_to_the_hub_and_to_no_other_host() {
    let model = Model::tiny();
    let other = {
        let bytes = model.files[UNET].clone();
        Hub::start(move |request| part(&bytes, request.from).with("etag", "\"of-the-file-server\""))
    };
    let link = format!("{}/bytes?signed", other.endpoint());
    let (size, sha) = (model.files[UNET].len(), sha256(&model.files[UNET]));
    let hub = faulty(model.clone(), UNET, move |_, _, _| {
        let reply = Reply::status(302).with("location", &link).with("x-repo-commit", COMMIT);
        reply.with("x-linked-size", size).with("x-linked-etag", format!("\"{sha}\""))
    });
    let desk = Desk::with(&hub.endpoint(), &[("HF_TOKEN", "hf_mine")]);
    assert_eq!(read(&desk.fetch("owner/tiny").unwrap(), UNET), model.files[UNET]);
    assert!(hub.log().iter().all(|request| request.token.as_deref() == Some("Bearer hf_mine")));
    assert_eq!(other.log().len(), 1);
    assert_eq!(other.log()[0].token, None);
}

#[test]
fn a_model_that_moved_is_followed_on_the_same_hub() {
    let model = Model::tiny();
    let hub = Hub::start(move |request| match request.path.replace("owner/old", "owner/tiny") {
        new if new != request.path => Reply::status(307).with("location", new),
        _ => model.answer(request),
    });
    Desk::new(&hub.endpoint()).fetch("owner/old").unwrap();
}
