//! A model that is too large for the machine.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The embedded model with one tensor more in its UNet, of four terabytes that are nowhere: the file is sparse.
fn large(folder: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/atelier");
    assert!(Command::new("cp").arg("-r").arg(from).arg(folder).status().expect("files of the test").success());
    let path = folder.join("unet/diffusion_pytorch_model.safetensors");
    let bytes = fs::read(&path).expect("files of the test");
    let (length, rest) = bytes.split_at(8);
    let (header, data) = rest.split_at(
        usize::try_from(u64::from_le_bytes(length.try_into().expect("files of the test"))).expect("files of the test"),
    );
    let mut header: serde_json::Value = serde_json::from_slice(header).expect("files of the test");
    let (begins, size) = (data.len() as u64, 4u64 << 40);
    header["more.weight"] =
        serde_json::json!({ "dtype": "F32", "shape": [1 << 20, 1 << 20], "data_offsets": [begins, begins + size] });
    let header = serde_json::to_vec(&header).expect("files of the test");
    let mut file = fs::File::create(&path).expect("files of the test");
    file.write_all(&(header.len() as u64).to_le_bytes()).expect("files of the test");
    file.write_all(&header).expect("files of the test");
    file.write_all(data).expect("files of the test");
    file.set_len(8 + header.len() as u64 + begins + size).expect("files of the test");
}

#[test]
#[cfg(target_os = "linux")]
fn a_model_that_is_larger_than_the_machine_is_refused_with_both_numbers_before_it_is_read() {
    let place = tempfile::tempdir().expect("files of the test");
    let model = place.path().join("large");
    large(&model);
    let mut command = Command::new(env!("CARGO_BIN_EXE_wordbrush"));
    command.args(["run", "-", "--set", "precision=f32", "--model"]).arg(&model);
    command.env("XDG_DATA_HOME", place.path()).env("XDG_CACHE_HOME", place.path());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("files of the test");
    child.stdin.take().expect("files of the test").write_all(b"a cat on a table\n").expect("files of the test");
    let output = child.wait_with_output().expect("files of the test");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("takes about 4398.") && said.contains("GB of memory, and"), "{said}");
    assert!(said.contains("a smaller model"), "{said}");
}
