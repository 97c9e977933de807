//! Words that were added to a vocabulary after the model.

use wordbrush::prompt::vocabulary::{Files, Vocabulary};

/// Letters and some signs, each also as the end of a word, and the marks: 66 tokens in all.
fn files() -> Files {
    let signs: Vec<char> = ('a'..='z').chain("<>-!,.".chars()).collect();
    let tokens = signs.iter().map(char::to_string).chain(signs.iter().map(|c| format!("{c}</w>")));
    let marks = ["<|startoftext|>", "<|endoftext|>"].map(str::to_owned);
    let vocab: serde_json::Map<String, serde_json::Value> =
        tokens.chain(marks).enumerate().map(|(i, token)| (token, i.into())).collect();
    Files {
        vocab: Some(serde_json::Value::from(vocab).to_string()),
        merges: Some("#version: 0.2\n".to_owned()),
        ..Files::default()
    }
}

const NEXT: u32 = 66;

/// A text's tokens: what is added as a number, the rest as letters.
#[track_caller]
fn check(vocabulary: &Vocabulary, text: &str, expected: &str) {
    let tokens = vocabulary.tokens(text).expect("it is read");
    let shown = tokens.iter().map(|(id, range)| {
        if *id >= NEXT { format!("{id}:{}", &text[range.clone()]) } else { text[range.clone()].to_owned() }
    });
    assert_eq!(shown.collect::<Vec<_>>().join(" "), expected, "{text}");
}

#[test]
fn an_added_word_is_found_anywhere_and_has_as_many_tokens_as_vectors() {
    let mut vocabulary = Vocabulary::read(&files(), 77).expect("a vocabulary");
    assert_eq!(vocabulary.add("<toy>", 3).expect("it is added"), NEXT);
    assert_eq!(vocabulary.add("sks", 1).expect("it is added"), NEXT + 3);
    check(&vocabulary, "a <toy>", "a 66:<toy> 67:<toy> 68:<toy>");
    check(&vocabulary, "<toy>,a", "66:<toy> 67:<toy> 68:<toy> , a");
    check(&vocabulary, "a<TOY>b", "a 66:<TOY> 67:<TOY> 68:<TOY> b");
    check(&vocabulary, "sks<toy>", "69:sks 66:<toy> 67:<toy> 68:<toy>");
    let last = vocabulary.tokens("é<toy>").expect("it is read").pop();
    assert_eq!(last, Some((NEXT + 2, 2..7)));
    check(&vocabulary, "", "");
    check(&vocabulary, "<to y>", "< t o y >");
    let letters: Vec<_> = (NEXT..NEXT + 5).map(|id| vocabulary.letters_added(id)).collect();
    assert_eq!(letters, [Some(""), Some(""), Some("<toy>"), Some("sks"), None]);
}

#[test]
fn the_tokens_of_an_added_word_belong_to_its_letters_and_not_to_the_marks_around_them() {
    let mut vocabulary = Vocabulary::read(&files(), 77).expect("a vocabulary");
    vocabulary.add("<toy>", 3).expect("it is added");
    vocabulary.add("<->", 1).expect("it is added");
    let prompt = vocabulary.prompt("a <toy>, <-> b").expect("it is read");
    assert_eq!(prompt.words, ["a", "<", "toy", ">", ",", "<", "-", ">", "b"]);
    assert_eq!(prompt.word_tokens, [1..2, 0..0, 2..5, 0..0, 5..6, 6..7, 0..0, 0..0, 7..8]);
}

#[test]
fn the_longest_of_several_added_words_counts() {
    let mut vocabulary = Vocabulary::read(&files(), 77).expect("a vocabulary");
    vocabulary.add("toy", 1).expect("it is added");
    vocabulary.add("toys", 1).expect("it is added");
    check(&vocabulary, "toys toy", "67:toys 66:toy");
    vocabulary.add("<My-Cat>", 1).expect("it is added");
    let words = [("cat", 68), ("my", 68), ("toy", 66), ("toys", 67)].map(|(word, id)| (word.to_owned(), id));
    assert_eq!(vocabulary.whole_words(), words);
}

#[test]
fn added_tokens_have_the_ids_that_their_files_say() {
    let written = Files { added: Some(r#"{"<my-cat>": 80, "<|endoftext|>": 65}"#.to_owned()), ..files() };
    let mut vocabulary = Vocabulary::read(&written, 77).expect("a vocabulary");
    check(&vocabulary, "a <My-Cat>, a", "a 80:<My-Cat> , a");
    assert_eq!(vocabulary.add("<toy>", 1).expect("it is added"), 81);
    let config = r#"{"added_tokens_decoder": {"70": {"content": "<hat>", "normalized": false},
        "71": {"content": "cap", "single_word": true}}}"#;
    let vocabulary = Vocabulary::read(&Files { config: Some(config.to_owned()), ..files() }, 77).expect("a vocabulary");
    check(&vocabulary, "<hat> <HAT>", "70:<hat> < H A T >");
    check(&vocabulary, "cap caps", "71:cap c a p s");
}

#[test]
fn a_word_that_cannot_be_added_says_why() {
    let mut vocabulary = Vocabulary::read(&files(), 77).expect("a vocabulary");
    vocabulary.add("<toy>", 1).expect("it is added");
    for word in ["<Toy>", "a", ""] {
        let error = vocabulary.add(word, 1).expect_err("it is there already").to_string();
        assert!(error.contains(&format!("`{word}`")), "{error}");
    }
    for (added, said) in
        [(r#"{"<my-cat>": 5}"#, "`<my-cat>`"), (r#"{"<my-cat>": "x"}"#, "whole number"), ("[", "added_tokens.json")]
    {
        let read = Vocabulary::read(&Files { added: Some(added.to_owned()), ..files() }, 77);
        let error = format!("{:#}", read.map(|_| ()).expect_err(said));
        assert!(error.contains(said) && error.contains("added_tokens.json"), "{error}");
    }
}

/// Left to itself the library panics on a decoder that does not parse and on a compiled normalizer that is none.
#[test]
fn a_tokenizer_that_its_library_cannot_read_is_an_error_and_its_decoder_is_passed_over() {
    let of = |normalizer: &str, decoder: &str| {
        let signs = ["a", "a</w>", "<|startoftext|>", "<|endoftext|>"];
        let vocab: Vec<String> = signs.iter().enumerate().map(|(id, sign)| format!("\"{sign}\": {id}")).collect();
        let model =
            format!(r#""type": "BPE", "end_of_word_suffix": "</w>", "vocab": {{{}}}, "merges": []"#, vocab.join(", "));
        let text =
            format!(r#"{{"version": "1.0", "normalizer": {normalizer}, "decoder": {decoder}, "model": {{{model}}}}}"#);
        Vocabulary::read(&Files { tokenizer: Some(text), ..Files::default() }, 77)
    };
    let refused =
        |normalizer: &str, decoder: &str| format!("{:#}", of(normalizer, decoder).map(|_| ()).expect_err(decoder));
    for decoder in ["{\"type\": }", "[1e999]", "\"\\ud800\"", "{\"type\": \"Fuse\"", "nul"] {
        let error = refused("null", decoder);
        assert!(error.contains("tokenizer.json") && error.contains("line 1"), "{error}");
    }
    let compiled = r#"{"type": "Precompiled", "precompiled_charsmap": "AAAA"}"#;
    let inside = format!(r#"{{"type": "Sequence", "normalizers": [{{"type": "NFC"}}, {compiled}]}}"#);
    for normalizer in [compiled, r#"{"type": "Precompiled"}"#, r#"{"precompiled_charsmap": 7}"#, &inside] {
        let error = refused(normalizer, "null");
        assert!(error.contains("sentencepiece"), "{error}");
    }
    for decoder in ["null", "7", r#"{"type": "no such"}"#, r#"{"type": "ByteLevel", "add_prefix_space": true}"#] {
        check(&of(r#"{"type": "Lowercase"}"#, decoder).expect("the decoder is passed over"), "A", "A");
    }
}
