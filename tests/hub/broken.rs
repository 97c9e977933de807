//! Connections that break, bodies that are short or wrong, and going on afterwards.

use super::*;

#[test]
fn a_connection_that_breaks_goes_on_where_it_broke() {
    let model = Model::tiny();
    let hub = faulty(model.clone(), UNET, |n, _, usual| if n <= 2 { usual.cut(200_000) } else { usual });
    let desk = Desk::new(&hub.endpoint());
    let folder = desk.fetch("owner/tiny").unwrap();
    assert_eq!(read(&folder, UNET), model.files[UNET]);
    let from: Vec<_> = hub.asked(UNET).iter().map(|request| request.from).collect();
    assert_eq!(from, [None, Some(200_000), Some(400_000)]);
}

#[test]
fn a_fetch_that_failed_goes_on_next_time_and_leaves_no_file_in_the_cache() {
    let model = Model::tiny();
    let hub = faulty(model.clone(), UNET, |n, _, usual| if n == 1 { usual.cut(300_000) } else { usual });
    let mut desk = Desk::new(&hub.endpoint());
    desk.settings.tries = 1;
    let said = desk.fails("owner/tiny");
    check_says(&said, "the connection broke again and again: unet/", "what has come is kept");
    check_says(&said, "as far as 300.0 kB of 800.1 kB", "");
    assert!(!desk.snapshot(UNET).exists() && !desk.blob(&sha256(&model.files[UNET])).exists());
    assert_eq!(read(&desk.fetch("owner/tiny").unwrap(), UNET), model.files[UNET]);
    assert_eq!(hub.asked(UNET)[1].from, Some(300_000));
}

#[test]
fn a_hub_that_always_cuts_short_is_an_error_after_some_tries() {
    let hub = faulty(Model::tiny(), UNET, |_, _, usual| usual.cut(0));
    let desk = Desk::new(&hub.endpoint());
    check_says(&desk.fails("owner/tiny"), "the connection broke again and again", "try again");
    assert_eq!(hub.asked(UNET).len(), desk.settings.tries as usize);
    assert!(!desk.snapshot(UNET).exists());
}

#[test]
fn a_body_shorter_or_longer_than_announced_never_becomes_a_file() {
    for length in [100, 900_000] {
        let hub = faulty(Model::tiny(), UNET, move |_, _, usual| {
            let mut body = usual.body.clone();
            body.resize(length, 0);
            usual.body(body)
        });
        let desk = Desk::new(&hub.endpoint());
        check_says(&desk.fails("owner/tiny"), "but not as the hub announces it", "try again later");
        let blob = desk.blob(&sha256(&Model::tiny().files[UNET]));
        assert!(!desk.snapshot(UNET).exists() && !blob.exists(), "{length}");
        assert!(!desk.repo().join("refs/main").exists());
    }
}

#[test]
fn a_body_with_one_wrong_bit_never_becomes_a_file() {
    let hub = faulty(Model::tiny(), UNET, |_, _, mut usual| {
        usual.body[123_456] ^= 1;
        usual
    });
    let desk = Desk::new(&hub.endpoint());
    check_says(&desk.fails("owner/tiny"), "came twice, but not as the hub announces it (by length and SHA-256)", "");
    assert_eq!(hub.asked(UNET).len(), 2);
    let begun = desk.blob(&format!("{}.incomplete", sha256(&Model::tiny().files[UNET])));
    assert!(!desk.snapshot(UNET).exists() && !begun.exists());
    let left = files(&desk.repo().join("blobs"));
    assert!(left.iter().all(|path| fs::metadata(path).unwrap().len() < 100_000), "{left:?}");
}

/// The answer with these bytes in one chunk, whose length no header says.
fn chunked(reply: Reply, bytes: &[u8]) -> Reply {
    let body = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n0\r\n\r\n"].concat();
    reply.with("transfer-encoding", "chunked").body(body)
}

#[test]
fn a_chunked_body_that_goes_on_too_long_is_left_at_once() {
    let hub = faulty(Model::tiny(), UNET, |_, _, usual| {
        let longer = [usual.body.as_slice(), &[0; 500_000]].concat();
        chunked(usual, &longer)
    });
    let desk = Desk::new(&hub.endpoint());
    check_says(&desk.fails("owner/tiny"), "came twice, but not as the hub announces it", "");
    assert_eq!(hub.asked(UNET).iter().map(|r| r.from).collect::<Vec<_>>(), [None, None]);
}

#[test]
fn a_chunked_body_that_ends_early_is_short() {
    let model = Model::tiny();
    let hub = faulty(model.clone(), UNET, |n, _, usual| {
        let sent = if n == 1 { usual.body[..50_000].to_vec() } else { usual.body.clone() };
        chunked(usual, &sent)
    });
    let desk = Desk::new(&hub.endpoint());
    assert_eq!(read(&desk.fetch("owner/tiny").unwrap(), UNET), model.files[UNET]);
    assert_eq!(hub.asked(UNET)[1].from, Some(50_000));
}

#[test]
fn a_login_page_in_place_of_a_file_never_becomes_a_file() {
    // Same length as the file, no SHA-256 to tell: the form gives it away.
    let hub = faulty(Model::tiny(), "unet/config.json", |_, _, usual| {
        let page = "<html>".bytes().cycle().take(usual.body.len()).collect::<Vec<_>>();
        usual.body(page)
    });
    let desk = Desk::new(&hub.endpoint());
    check_says(&desk.fails("owner/tiny"), "unet/config.json came twice", "");
    assert!(!desk.snapshot("unet/config.json").exists());
}

#[test]
fn a_part_that_is_wrong_or_too_long_is_begun_again() {
    let model = Model::tiny();
    for part in [vec![7; 1_000], vec![7; 900_000], vec![7; model.files[UNET].len()]] {
        let hub = Hub::of(model.clone());
        let desk = Desk::new(&hub.endpoint());
        let begun = desk.blob(&format!("{}.incomplete", sha256(&model.files[UNET])));
        fs::create_dir_all(begun.parent().unwrap()).unwrap();
        fs::write(&begun, part).unwrap();
        assert_eq!(read(&desk.fetch("owner/tiny").unwrap(), UNET), model.files[UNET]);
        assert!(!begun.exists());
        assert_eq!(hub.asked(UNET).last().unwrap().from, None);
    }
}

#[test]
fn a_hub_that_sends_the_whole_file_when_asked_for_a_part_is_understood() {
    let model = Model::tiny();
    let whole = model.files[UNET].clone();
    let hub =
        faulty(model.clone(), UNET, move |n, _, usual| if n == 1 { usual.cut(99_999) } else { part(&whole, None) });
    let desk = Desk::new(&hub.endpoint());
    assert_eq!(read(&desk.fetch("owner/tiny").unwrap(), UNET), model.files[UNET]);
    assert_eq!(hub.asked(UNET).iter().map(|r| r.from).collect::<Vec<_>>(), [None, Some(99_999)]);
}

#[test]
fn a_part_of_another_place_in_the_file_is_not_appended() {
    let model = Model::tiny();
    let whole = model.files[UNET].clone();
    let hub = faulty(model.clone(), UNET, move |n, _, usual| match n {
        1 => usual.cut(99_999),
        2 => part(&whole, Some(100_999)),
        _ => usual,
    });
    let desk = Desk::new(&hub.endpoint());
    assert_eq!(read(&desk.fetch("owner/tiny").unwrap(), UNET), model.files[UNET]);
    assert_eq!(hub.asked(UNET).iter().map(|r| r.from).collect::<Vec<_>>(), [None, Some(99_999), None]);
}

#[test]
fn a_model_that_changes_while_it_comes_is_not_mixed() {
    let hub = faulty(Model::tiny(), UNET, |_, _, usual| usual.with("x-repo-commit", "f".repeat(40)));
    let desk = Desk::new(&hub.endpoint());
    check_says(&desk.fails("owner/tiny"), "the model was changed on the hub", "try again");
    assert!(!desk.repo().join("refs/main").exists());
}

#[test]
fn a_fetch_that_is_stopped_keeps_what_has_come() {
    let hub = Hub::of(Model::tiny());
    let desk = Desk::new(&hub.endpoint());
    let mut stop = |step: FetchStep<'_>| match step {
        FetchStep::Bytes { file: UNET, .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let error = fetch_with(&desk.settings, "owner/tiny", &mut stop).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("stopped"), "{error}");
    desk.fetch("owner/tiny").unwrap();
    assert!(hub.asked(UNET)[1].from.is_some_and(|from| from > 0));
}
