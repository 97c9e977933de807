//! Files that are laid over a model: LoRAs, embeddings, autoencoders, whole parts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wordbrush::engine::Reader;
use wordbrush::engine::layers::Backend;
use wordbrush::engine::text::TextEncoder;
use wordbrush::model::ModelSource;
use wordbrush::model::embedded::Embedded;
use wordbrush::model::embedding::Embedding;
use wordbrush::model::lora::Lora;
use wordbrush::model::overlay::Overlay;
use wordbrush::model::spec::ModelSpec;
use wordbrush::model::weights::Weights;
use wordbrush::plan::settings::DecoderName;

use super::{Files, files, numbers, tensors};

const UNET: &str = "unet/diffusion_pytorch_model.safetensors";
const QUERY: &str = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q";
const OUT: &str = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0";
const CONV: &str = "down_blocks.0.resnets.0.conv1";

/// A model of a few tensors.
fn model() -> Files {
    let list: Vec<(String, Vec<usize>)> = vec![
        ("conv_in.weight".to_owned(), vec![2, 4, 3, 3]),
        (format!("{QUERY}.weight"), vec![4, 3]),
        (format!("{OUT}.weight"), vec![4, 3]),
        (format!("{CONV}.weight"), vec![2, 3, 3, 3]),
    ];
    let list: Vec<(&str, &[usize], Vec<f32>)> =
        list.iter().map(|(n, s)| (n.as_str(), s.as_slice(), numbers(s.iter().product(), n.len()))).collect();
    let text: [(&str, &[usize], Vec<f32>); 1] =
        [("text_model.encoder.layers.0.self_attn.q_proj.weight", &[4, 3], numbers(12, 5))];
    let nothing = || b"{}".to_vec();
    files(&[
        (UNET, tensors(&list, &[])),
        ("text_encoder/model.safetensors", tensors(&text, &[])),
        ("unet/config.json", nothing()),
        ("text_encoder/config.json", nothing()),
    ])
}

struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path
    }
}

fn overlay() -> Overlay {
    Overlay::new(Box::new(model()))
}

/// The product of two matrices, `[rows, inner]` and `[inner, columns]`, in doubles.
fn product(a: &[f32], b: &[f32], inner: usize) -> Vec<f64> {
    let (rows, columns) = (a.len() / inner, b.len() / inner);
    let cell =
        |r: usize, c: usize| (0..inner).map(|i| f64::from(a[r * inner + i]) * f64::from(b[i * columns + c])).sum();
    (0..rows * columns).map(|at| cell(at / columns, at % columns)).collect()
}

#[track_caller]
fn check_changed(source: &dyn ModelSource, (part, name): (&str, &str), shape: &[usize], by: &[f64]) {
    let before = Weights::open(&model(), part).expect("the model").values(name, shape).expect("a tensor");
    let after = Weights::open(source, part).expect("the changed model").values(name, shape).expect("a tensor");
    for ((before, after), by) in before.iter().zip(&after).zip(by) {
        let expected = (f64::from(*before) + by) as f32;
        assert!((after - expected).abs() <= 1e-5, "{name}: {before} became {after}, expected {expected}");
    }
}

/// A LoRA of rank 2 of one module, its tensors ending so.
fn lora(down: &str, up: &str, extra: &[(&str, &[usize], Vec<f32>)], metadata: &[(&str, &str)]) -> (Vec<u8>, Vec<f64>) {
    let (a, b) = (numbers(6, 1), numbers(8, 2));
    let mut list: Vec<(&str, &[usize], Vec<f32>)> = vec![(down, &[2, 3], a.clone()), (up, &[4, 2], b.clone())];
    list.extend(extra.iter().cloned());
    (tensors(&list, metadata), product(&b, &a, 2))
}

#[test]
fn every_spelling_of_a_lora_changes_the_same_weight_by_the_same_product() {
    let desk = Desk::new();
    let check = |part: &str, weight: &str, stem: &str, (down, up): (&str, &str)| {
        let (bytes, by) = lora(&format!("{stem}{down}"), &format!("{stem}{up}"), &[], &[]);
        let path = desk.put("lora.safetensors", &bytes);
        let source = overlay().lora(&path, -0.5).expect(stem);
        let by: Vec<f64> = by.iter().map(|v| -0.5 * v).collect();
        check_changed(&source, (part, &format!("{weight}.weight")), &[4, 3], &by);
    };
    let kohya = (".lora_down.weight", ".lora_up.weight");
    let peft = (".lora_A.weight", ".lora_B.weight");
    let old = ("_lora.down.weight", "_lora.up.weight");
    let under = |name: &str| name.replace('.', "_");
    check("unet", QUERY, &format!("lora_unet_{}", under(QUERY)), kohya);
    check("unet", OUT, &format!("lora_unet_{}", under(OUT)), kohya);
    check("unet", QUERY, "lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q", kohya);
    check("unet", QUERY, &format!("unet.{QUERY}"), peft);
    check("unet", QUERY, QUERY, peft);
    check("unet", QUERY, &format!("unet.{}.processor.to_q", QUERY.trim_end_matches(".to_q")), old);
    check("unet", OUT, &format!("unet.{}.processor.to_out", OUT.trim_end_matches(".to_out.0")), old);
    check("unet", QUERY, &format!("unet.{QUERY}"), (".lora.down.weight", ".lora.up.weight"));
    let text = "text_model.encoder.layers.0.self_attn.q_proj";
    check("text_encoder", text, &format!("lora_te_{}", under(text)), kohya);
    check("text_encoder", text, &format!("lora_te1_{}", under(text)), kohya);
    let old_text = format!("text_encoder.{}.to_q", text.trim_end_matches(".q_proj"));
    check("text_encoder", text, &old_text, old);
    check(
        "text_encoder",
        text,
        &format!("text_encoder.{text}"),
        (".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight"),
    );
}

#[test]
fn alpha_over_rank_scales_a_change_wherever_alpha_stands() {
    let desk = Desk::new();
    let check = |extra: &[(&str, &[usize], Vec<f32>)], metadata: &str, factor: f64| {
        let metadata: &[(&str, &str)] = if metadata.is_empty() { &[] } else { &[("lora_adapter_metadata", metadata)] };
        let stem = format!("unet.{QUERY}");
        let (bytes, by) = lora(&format!("{stem}.lora_A.weight"), &format!("{stem}.lora_B.weight"), extra, metadata);
        let source = overlay().lora(&desk.put("lora.safetensors", &bytes), 0.8).expect("a LoRA");
        let by: Vec<f64> = by.iter().map(|v| 0.8 * factor * v).collect();
        check_changed(&source, ("unet", &format!("{QUERY}.weight")), &[4, 3], &by);
    };
    check(&[], "", 1.0);
    check(&[(&format!("unet.{QUERY}.alpha"), &[], vec![1.0])], "", 0.5);
    check(&[], r#"{"unet.lora_alpha": 3.0, "unet.r": 2, "text_encoder.lora_alpha": 64}"#, 1.5);
    check(&[], r#"{"unet.lora_alpha": 3.0, "unet.alpha_pattern": {"attn1.to_q": 8}}"#, 4.0);
    check(&[], r#"{"unet.lora_alpha": 3.0, "unet.alpha_pattern": {"attn1.to_k": 8}}"#, 1.5);
}

#[test]
fn convolutions_are_changed_with_and_without_a_matrix_in_the_middle() {
    let desk = Desk::new();
    let key = |end: &str| format!("lora_unet_{}.{end}", CONV.replace('.', "_"));
    let (down, mid, up) = (key("lora_down.weight"), key("lora_mid.weight"), key("lora_up.weight"));
    let weight = format!("{CONV}.weight");
    let (a, b) = (numbers(2 * 27, 3), numbers(4, 4));
    let plain = tensors(&[(&down, &[2, 3, 3, 3], a.clone()), (&up, &[2, 2, 1, 1], b.clone())], &[]);
    let source = overlay().lora(&desk.put("plain.safetensors", &plain), 1.0).expect("a LoRA");
    check_changed(&source, ("unet", &weight), &[2, 3, 3, 3], &product(&b, &a, 2));

    let (a, m) = (numbers(6, 5), numbers(36, 6));
    let three = [
        (down.as_str(), &[2, 3, 1, 1][..], a.clone()),
        (&mid, &[2, 2, 3, 3], m.clone()),
        (&up, &[2, 2, 1, 1], b.clone()),
    ];
    let source = overlay().lora(&desk.put("three.safetensors", &tensors(&three, &[])), 1.0).expect("a LoRA");
    let mut by = vec![0.0; 2 * 27];
    for (at, cell) in by.iter_mut().enumerate() {
        let (o, i, k) = (at / 27, at / 9 % 3, at % 9);
        for (r, s) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            *cell += f64::from(b[o * 2 + r]) * f64::from(m[(r * 2 + s) * 9 + k]) * f64::from(a[s * 3 + i]);
        }
    }
    check_changed(&source, ("unet", &weight), &[2, 3, 3, 3], &by);
}

#[test]
fn several_loras_add_up_and_opposite_ones_cancel() {
    let desk = Desk::new();
    let stem = format!("unet.{QUERY}");
    let (bytes, by) = lora(&format!("{stem}.lora_A.weight"), &format!("{stem}.lora_B.weight"), &[], &[]);
    let path = desk.put("lora.safetensors", &bytes);
    let twice = overlay().lora(&path, 0.5).and_then(|o| o.lora(&path, 0.25)).expect("two LoRAs");
    let by: Vec<f64> = by.iter().map(|v| 0.75 * v).collect();
    check_changed(&twice, ("unet", &format!("{QUERY}.weight")), &[4, 3], &by);
    let none = overlay().lora(&path, 1.0).and_then(|o| o.lora(&path, -1.0)).expect("two LoRAs");
    check_changed(&none, ("unet", &format!("{QUERY}.weight")), &[4, 3], &[0.0; 12]);
}

#[test]
fn a_lora_that_does_not_fit_is_refused_by_file_and_key() {
    let desk = Desk::new();
    let check = |keys: (&str, &str), named: &str| {
        let (bytes, _) = lora(keys.0, keys.1, &[], &[]);
        let path = desk.put("odd.safetensors", &bytes);
        let opened = overlay().lora(&path, 1.0).and_then(|source| Weights::open(&source, "unet").map(|_| ()));
        let error = format!("{:#}", opened.expect_err(named));
        assert!(error.contains("odd.safetensors") && error.contains(named), "{error}");
        assert!(!error.contains("BUG"), "{error}");
    };
    let peft = |stem: &str| (format!("{stem}.lora_A.weight"), format!("{stem}.lora_B.weight"));
    let both = |stem: &str, named: &str| {
        let (a, b) = peft(stem);
        check((&a, &b), named);
    };
    both("unet.down_blocks.7.attentions.0.proj_in", "down_blocks.7");
    both("unet.conv_in", "unet.conv_in.lora");
    both("text_encoder_2.text_model.encoder.layers.0.self_attn.q_proj", "text_encoder_2");
    both("transformer.single_blocks.0.linear1", "transformer.single_blocks.0");
    check(("unet.conv_in.hada_w1_a", "unet.conv_in.hada_w1_b"), "LoHa");
    check(("conv_in.weight", "conv_in.bias"), "conv_in");
    check(("unet.conv_in.lora_A.weight", "unet.conv_out.lora_B.weight"), "unet.conv_in");
}

#[test]
fn a_part_that_is_laid_over_a_model_takes_the_place_of_all_of_it() {
    let desk = Desk::new();
    std::fs::create_dir(desk.folder.path().join("other")).expect("a folder");
    desk.put("other/model.safetensors", &tensors(&[("a", &[2], vec![1.0, 2.0])], &[]));
    let source = overlay().part("unet", desk.folder.path().join("other")).expect("a folder");
    let weights = Weights::open(&source, "unet").expect("its weights");
    assert_eq!(weights.values("a", &[2]).expect("a"), [1.0, 2.0]);
    assert!(!weights.has("conv_in.weight"), "the weights below are still seen");
    assert!(
        source.open("unet/config.json").expect("it is looked for").is_none(),
        "the configuration below is still seen"
    );
    assert!(Weights::open(&source, "text_encoder").is_ok(), "other parts are gone");
    for (part, folder) in [("unet", "nowhere"), ("../unet", "other"), ("", "other"), ("a/b", "other")] {
        assert!(overlay().part(part, desk.folder.path().join(folder)).is_err(), "{part} {folder}");
    }
}

#[test]
fn an_autoencoder_of_its_own_file_is_read_in_either_layout() {
    let desk = Desk::new();
    let values = numbers(2, 9);
    for (name, prefix) in [
        ("decoder.conv_norm_out.bias", ""),
        ("decoder.norm_out.bias", ""),
        ("decoder.norm_out.bias", "first_stage_model."),
    ] {
        let (name, level) = (format!("{prefix}{name}"), format!("{prefix}decoder.up.0.block.0.norm1.weight"));
        let mut list: Vec<(&str, &[usize], Vec<f32>)> = vec![(&name, &[2], values.clone())];
        if name.ends_with(".norm_out.bias") {
            list.push((&level, &[2], vec![0.0; 2]));
        }
        let source = overlay().vae_file(desk.put("vae.safetensors", &tensors(&list, &[]))).expect("a file");
        let weights = Weights::open(&source, "vae").expect("an autoencoder");
        assert_eq!(weights.values("decoder.conv_norm_out.bias", &[2]).expect(&name), values, "{name}");
    }
}

#[test]
fn an_embedding_is_named_by_its_key_or_by_the_person() {
    let desk = Desk::new();
    let check = |list: &[(&str, &[usize], Vec<f32>)], token: Option<&str>| -> Result<(String, usize), String> {
        let path = desk.put("word.safetensors", &tensors(list, &[]));
        let embedding = Embedding::open(&path, token).map_err(|e| format!("{e:#}"))?;
        Ok((embedding.trigger().to_owned(), embedding.vectors()))
    };
    let one = |name| vec![(name, &[4][..], numbers(4, 1))];
    let three = |name| vec![(name, &[3, 4][..], numbers(12, 1))];
    assert_eq!(check(&one("<toy>"), None), Ok(("<toy>".to_owned(), 1)));
    assert_eq!(check(&three("<toy>"), Some("sks")), Ok(("sks".to_owned(), 3)));
    assert_eq!(check(&three("emb_params"), Some("<toy>")), Ok(("<toy>".to_owned(), 3)));
    assert_eq!(check(&three("emb_params"), None), Ok(("word".to_owned(), 3)));
    let two = |n: usize| {
        [
            ("clip_l", &[2, 4][..], numbers(8, 1)),
            ("clip_g", if n == 2 { &[2, 6][..] } else { &[3, 6] }, numbers(6 * n, 2)),
        ]
    };
    assert_eq!(check(&two(2), Some("<toy>")), Ok(("<toy>".to_owned(), 2)));
    for (list, token) in [
        (three("emb_params"), Some("")),
        (one("<toy>"), Some("a toy")),
        (two(3).to_vec(), Some("<toy>")),
        (vec![("x", &[2, 2, 2][..], numbers(8, 1))], None),
        (vec![("x", &[0, 4][..], Vec::new())], None),
        (vec![("a", &[2][..], numbers(2, 1)), ("b", &[2][..], numbers(2, 1))], None),
    ] {
        let error = check(&list, token).expect_err("it is no embedding");
        assert!(error.contains("word.safetensors"), "{error}");
    }
}

#[test]
fn an_embedding_gives_each_text_encoder_vectors_of_its_width_alone() {
    let desk = Desk::new();
    let (l, g) = (numbers(8, 1), numbers(12, 2));
    let path =
        desk.put("xl.safetensors", &tensors(&[("clip_l", &[2, 4], l.clone()), ("clip_g", &[2, 6], g.clone())], &[]));
    let embedding = Embedding::open(&path, Some("<toy>")).expect("an embedding");
    assert_eq!(embedding.rows(false, 4).expect("for the first"), l);
    assert_eq!(embedding.rows(true, 6).expect("for the second"), g);
    assert!(embedding.rows(true, 4).is_err(), "vectors of another width are read");
    let path = desk.put("one.safetensors", &tensors(&[("<toy>", &[2, 4], l)], &[]));
    let embedding = Embedding::open(&path, None).expect("an embedding");
    assert!(embedding.rows(true, 4).is_err(), "a model with two text encoders takes an embedding for one");
}

/// The text side of the embedded model with something over it.
fn reader(source: &Overlay) -> Reader {
    let spec = ModelSpec::read(source).expect("configurations");
    Reader::load(source, &spec, &Backend::Kernels(wordbrush_kernels::Precision::F32)).expect("a text encoder")
}

/// The embedding of a token, if the vocabulary has it.
fn row(reader: &Reader, id: u32) -> Option<Vec<f32>> {
    reader.token_embedding(id).expect("it can be read").map(|row| row.to_vec())
}

fn encoder(reader: &Reader) -> Arc<TextEncoder> {
    reader.encoder().expect("an encoder")
}

#[test]
fn a_learned_word_reads_the_vectors_of_its_file() {
    let desk = Desk::new();
    let width = row(&reader(&Overlay::new(Box::new(Embedded))), 0).expect("a row").len();
    let rows = numbers(2 * width, 3);
    let path = desk.put("toy.safetensors", &tensors(&[("<toy>", &[2, width], rows.clone())], &[]));
    let source = Overlay::new(Box::new(Embedded)).embedding(&path, None).expect("an embedding");
    let reader = reader(&source);
    let prompt = reader.prompt("a <toy>").expect("a prompt");
    let ids = &prompt.ids[2..4];
    assert_eq!(ids[1], ids[0] + 1);
    let read: Vec<f32> = ids.iter().flat_map(|id| row(&reader, *id).expect("a row")).collect();
    assert_eq!(read, rows);
    assert!(source.embedding(&path, Some("<TOY>")).is_err(), "the same word twice");

    // Ids that files say are not believed to be small.
    let tokens = desk.folder.path().join("tokenizer");
    std::fs::create_dir(&tokens).expect("a folder");
    for name in ["tokenizer.json", "tokenizer_config.json"] {
        let file = Embedded.open(&format!("tokenizer/{name}")).expect("it opens").expect("it is there");
        std::fs::write(tokens.join(name), file.read(0, file.len() as usize).expect("bytes")).expect("written");
    }
    std::fs::write(tokens.join("added_tokens.json"), r#"{"<far>": 4294967000}"#).expect("written");
    let far = Overlay::new(Box::new(Embedded)).part("tokenizer", &tokens).and_then(|o| o.embedding(&path, None));
    let far = self::reader(&far.expect("a vocabulary"));
    let id = far.prompt("<toy>").expect("a prompt").ids[1];
    assert_eq!((id, row(&far, id)), (4_294_967_001, Some(rows[..width].to_vec())));
    assert!(encoder(&far).encode(&far.prompt("<far>").expect("a prompt").ids).is_err(), "a token without a row");
}

#[test]
fn a_layer_that_is_skipped_leaves_the_state_before_it_under_the_last_norm() {
    let plain = reader(&Overlay::new(Box::new(Embedded)));
    let skipped = reader(&Overlay::new(Box::new(Embedded)).layers_skipped(1));
    let ids = plain.prompt("a cat on a beach").expect("a prompt").ids;
    let (plain_, skipped) =
        (encoder(&plain).encode(&ids).expect("text"), encoder(&skipped).encode(&ids).expect("text"));
    let weights = Weights::open(&Embedded, "text_encoder").expect("weights");
    let width = row(&plain, 0).expect("a row").len();
    let values = |end: &str| {
        let names = [format!("text_model.final_layer_norm.{end}"), format!("final_layer_norm.{end}")];
        let name = weights.first_of(&[&names[0], &names[1]]).expect("a norm");
        weights.values(name, &[width]).expect("its values")
    };
    let (gamma, beta) = (values("weight"), values("bias"));
    let before: Vec<Vec<f32>> = plain_.penultimate.to_vec2().expect("states");
    let found: Vec<Vec<f32>> = skipped.last.to_vec2().expect("states");
    for (before, found) in before.iter().zip(&found) {
        let mean = before.iter().sum::<f32>() / width as f32;
        let variance = before.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / width as f32;
        for (i, found) in found.iter().enumerate() {
            let expected = (before[i] - mean) / (variance + 1e-5).sqrt() * gamma[i] + beta[i];
            assert!((expected - found).abs() <= 1e-4, "{expected} and {found}");
        }
    }
    let spec = ModelSpec::read(&Embedded).expect("configurations");
    let all = Overlay::new(Box::new(Embedded)).layers_skipped(spec.text.layers);
    let refused = Reader::load(&all, &spec, &Backend::Kernels(wordbrush_kernels::Precision::F32)).map(|_| ());
    assert!(refused.is_err(), "a text encoder without layers");
}

#[test]
fn files_that_are_cut_or_lie_are_errors_and_never_panics() {
    let desk = Desk::new();
    let stem = format!("unet.{QUERY}");
    let alpha = format!("{stem}.alpha");
    let extra: [(&str, &[usize], Vec<f32>); 1] = [(&alpha, &[], vec![1.0])];
    let (lora, _) = lora(&format!("{stem}.lora_A.weight"), &format!("{stem}.lora_B.weight"), &extra, &[]);
    let embedding = tensors(&[("<toy>", &[3, 4], numbers(12, 1))], &[]);
    let open = |path: &Path| (Lora::open(path, 1.0).is_ok(), Embedding::open(path, None).is_ok());
    for whole in [&lora, &embedding] {
        for cut in 0..whole.len() {
            assert_eq!(open(&desk.put("cut.safetensors", &whole[..cut])), (false, false), "cut at {cut}");
        }
    }
    let mut opened = BTreeMap::new();
    for at in 0..lora.len() {
        for byte in [b'9', 0xff] {
            let mut bytes = lora.clone();
            bytes[at] = byte;
            let path = desk.put("odd.safetensors", &bytes);
            let read = overlay().lora(&path, 1.0).and_then(|source| {
                let weights = Weights::open(&source, "unet")?;
                weights.values(&format!("{QUERY}.weight"), &[4, 3])
            });
            *opened.entry(read.is_ok()).or_insert(0) += 1;
        }
    }
    assert!(opened[&false] > 0 && opened[&true] > 0, "{opened:?}");
    assert!(Lora::open(&desk.put("x.safetensors", &lora), f64::NAN).is_err(), "a scale that is no number");
    assert!(Lora::open(desk.folder.path(), 1.0).is_err(), "a folder is no LoRA");
}

#[test]
fn pictures_come_from_the_decoder_of_the_kind_that_is_asked_for() {
    let full = br#"{"_class_name": "AutoencoderKL", "block_out_channels": [32], "latent_channels": 4,
        "down_block_types": ["DownEncoderBlock2D"], "up_block_types": ["UpDecoderBlock2D"]}"#;
    let tiny =
        br#"{"_class_name": "AutoencoderTiny", "encoder_block_out_channels": [8, 8], "num_encoder_blocks": [1, 1],
        "decoder_block_out_channels": [8, 8], "num_decoder_blocks": [1, 1]}"#;
    let weights = |value: f32| tensors(&[("x.weight", &[1], vec![value])], &[]);
    let (config, file) = ("config.json", "diffusion_pytorch_model.safetensors");
    let with = |folders: [&str; 2]| {
        let entries: Vec<(String, Vec<u8>)> = folders
            .iter()
            .zip([full.to_vec(), tiny.to_vec()])
            .zip([1.0, 2.0])
            .flat_map(|((folder, text), value)| {
                [(format!("{folder}/{config}"), text), (format!("{folder}/{file}"), weights(value))]
            })
            .collect();
        let entries: Vec<(&str, Vec<u8>)> =
            entries.iter().map(|(path, bytes)| (path.as_str(), bytes.clone())).collect();
        Overlay::new(Box::new(files(&entries)))
    };
    let drawn_by =
        |source: Overlay| Weights::open(&source, "vae").and_then(|w| w.values("x.weight", &[1])).expect("x")[0];
    for (folders, kind, expected) in [
        (["vae", "vae_tiny"], DecoderName::Auto, 1.0),
        (["vae", "vae_tiny"], DecoderName::Full, 1.0),
        (["vae", "vae_tiny"], DecoderName::Tiny, 2.0),
        (["vae_large", "vae"], DecoderName::Auto, 2.0),
        (["vae_large", "vae"], DecoderName::Tiny, 2.0),
        (["vae_large", "vae"], DecoderName::Full, 1.0),
    ] {
        let found = drawn_by(with(folders).decoder(kind).expect("a decoder"));
        assert_eq!(found, expected, "{folders:?} {kind:?}");
    }
    let none = Overlay::new(Box::new(Embedded)).decoder(DecoderName::Tiny).map(|_| ()).expect_err("there is none");
    assert!(none.to_string().contains("has no tiny decoder"), "{none}");
}
