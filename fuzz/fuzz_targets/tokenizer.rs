#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let target = wordbrush_fuzz_targets::target("tokenizer").expect("a target of that name");
    (target.run)(bytes);
});
