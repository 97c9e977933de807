//! Which files are taken from a listing, and that none can do harm.

use super::*;

#[test]
fn a_mirror_that_lists_only_names_is_understood() {
    let model = Model::tiny();
    let names: Vec<_> = model.files.keys().map(|path| serde_json::json!({ "rfilename": path })).collect();
    let listing = serde_json::json!({ "sha": COMMIT, "siblings": names }).to_string();
    let good = model.clone();
    let hub = Hub::start(move |request| match request.path.starts_with("/api/") {
        true => Reply::status(200).body(listing.clone()),
        false if request.path.ends_with(UNET) && request.from.is_none() => good.answer(request).cut(70_000),
        false => good.answer(request),
    });
    let desk = Desk::new(&hub.endpoint());
    assert_eq!(read(&desk.fetch("owner/tiny").unwrap(), UNET), model.files[UNET]);
    assert_eq!(hub.asked(UNET)[1].from, Some(70_000));
    assert!(desk.blob(&sha256(&model.files[UNET])).exists());
}

#[test]
fn an_etag_of_another_host_is_not_taken_for_a_sum() {
    let model = Model::tiny();
    let bytes = model.files[UNET].clone();
    let other = Hub::start(move |request| part(&bytes, request.from).with("etag", format!("\"{}\"", "5".repeat(64))));
    let link = format!("{}/bytes", other.endpoint());
    let names: Vec<_> = model.files.keys().map(|path| serde_json::json!({ "rfilename": path })).collect();
    let listing = serde_json::json!({ "sha": COMMIT, "siblings": names }).to_string();
    let good = model.clone();
    let hub = Hub::start(move |request| match request.path.starts_with("/api/") {
        true => Reply::status(200).body(listing.clone()),
        false if request.path.ends_with(UNET) => Reply::status(302).with("location", &link),
        false => good.answer(request),
    });
    assert_eq!(read(&Desk::new(&hub.endpoint()).fetch("owner/tiny").unwrap(), UNET), model.files[UNET]);
}

#[test]
fn a_name_that_is_none_asks_nobody() {
    let hub = Hub::of(Model::tiny());
    let desk = Desk::new(&hub.endpoint());
    for name in ["tiny", "../tiny", "owner/../x", "owner/tiny@../x", "owner/tiny?x", "owner/ti\u{1b}ny", ""] {
        check_says(&desk.fails(name), "is not the name of a model", "owner/name@revision");
    }
    assert!(hub.log().is_empty());
}

#[test]
fn a_listing_cannot_lead_out_of_the_cache() {
    let evil = "../../../../evil";
    for edit in [
        |listing: &mut serde_json::Value, evil: &str| listing["sha"] = evil.into(),
        |listing: &mut serde_json::Value, evil: &str| listing["siblings"][0]["rfilename"] = evil.into(),
        |listing: &mut serde_json::Value, evil: &str| {
            for sibling in listing["siblings"].as_array_mut().unwrap() {
                sibling["blobId"] = evil.into();
                sibling["lfs"] = serde_json::json!({ "sha256": evil });
            }
        },
    ] {
        let model = Model::tiny();
        let mut listing = model.listing();
        edit(&mut listing, evil);
        let hub = Hub::start(move |request| match request.path.starts_with("/api/") {
            true => Reply::status(200).body(listing.to_string()),
            false => model.answer(request).with("etag", format!("\"{evil}\"")).with("x-linked-etag", evil),
        });
        let desk = Desk::new(&hub.endpoint());
        drop(desk.fetch("owner/tiny"));
        let outside: Vec<_> =
            files(desk.home.path()).into_iter().filter(|path| path.to_str().unwrap().contains("evil")).collect();
        assert!(outside.is_empty(), "{outside:?}");
        assert!(hub.asked("evil").is_empty());
    }
}

#[test]
fn an_answer_that_is_no_listing_is_said_so() {
    for body in ["<html>please log in</html>", "{}", r#"{"sha":"..","siblings":[]}"#] {
        let hub = Hub::start(move |_| Reply::status(200).body(body));
        check_says(&Desk::new(&hub.endpoint()).fails("owner/tiny"), "is not the listing of a model", "HF_ENDPOINT");
    }
}

/// The tiny model with its UNet in two shards.
fn sharded(second: &str) -> Model {
    let mut model = Model::tiny();
    model.files.remove(UNET);
    let index = serde_json::json!({ "weight_map": { "a": "unet-1.safetensors", "b": second } });
    model.put(&format!("{UNET}.index.json"), index.to_string().as_bytes());
    model.put("unet/unet-1.safetensors", &weights(4, 10));
    model.put("unet/unet-2.safetensors", &weights(5, 10));
    model.put("unet/diffusion_pytorch_model.fp16.safetensors", &weights(6, 10));
    model
}

#[test]
fn all_shards_of_full_precision_come_and_nothing_in_half_precision() {
    let model = sharded("unet-2.safetensors");
    let hub = Hub::of(model.clone());
    let desk = Desk::new(&hub.endpoint());
    let folder = desk.fetch("owner/tiny").unwrap();
    for shard in ["unet/unet-1.safetensors", "unet/unet-2.safetensors"] {
        assert_eq!(read(&folder, shard), model.files[shard]);
    }
    assert!(hub.asked(".fp16.safetensors").is_empty());
    fs::remove_file(desk.snapshot("unet/unet-2.safetensors")).unwrap();
    desk.fetch("owner/tiny").unwrap();
    assert!(desk.snapshot("unet/unet-2.safetensors").exists(), "a lost shard is noticed");
}

#[test]
fn half_precision_comes_if_there_is_no_other() {
    let mut model = sharded("unet-2.safetensors");
    model.files.remove(&format!("{UNET}.index.json"));
    let hub = Hub::of(model);
    Desk::new(&hub.endpoint()).fetch("owner/tiny").unwrap();
    assert_eq!(hub.asked(".fp16.safetensors").len(), 1);
}

#[test]
fn a_shard_that_is_a_path_or_is_not_listed_is_an_error() {
    for (second, message) in
        [("../../../x.safetensors", "index.json is damaged"), ("unet-3.safetensors", "it has no unet/unet-3")]
    {
        let hub = Hub::of(sharded(second));
        check_says(&Desk::new(&hub.endpoint()).fails("owner/tiny"), message, "another model or revision");
        assert!(hub.asked("unet-1.safetensors").is_empty(), "it is noticed before the gigabytes");
    }
}

#[test]
fn a_model_that_cannot_be_drawn_with_costs_no_weights() {
    let mut pickled = Model::tiny();
    pickled.files.remove(UNET);
    let mut transformer = Model::tiny();
    transformer.files.retain(|path, _| !path.starts_with("unet/"));
    let mut strange = Model::tiny();
    let config = String::from_utf8(strange.files["vae/config.json"].clone()).unwrap();
    strange.put("vae/config.json", config.replace("AutoencoderKL", "AutoencoderDC").as_bytes());
    for (model, message, hint) in [
        (pickled, "the weights in unet/ are pickled (.bin) only", "pickles can run code"),
        (transformer, "it has no unet/ with a config.json", "diffusers layout"),
        (strange, "`owner/tiny` cannot be drawn with: vae/config.json", ""),
    ] {
        let hub = Hub::of(model);
        check_says(&Desk::new(&hub.endpoint()).fails("owner/tiny"), message, hint);
        assert!(hub.asked(".safetensors").is_empty() && hub.asked(".bin").is_empty());
    }
}
