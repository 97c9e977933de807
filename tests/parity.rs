//! Numbers that agree with the published method, case by case.
//!
//! The golden numbers in `tests/parity/` were computed by the published code on tiny models; `docs/PARITY.md` says what is
//! in a case. `WORDBRUSH_PARITY=DIR` runs a larger set of the same form, a folder with `cases/`.

#![allow(clippy::print_stderr, reason = "a test may say what it measured")]

use std::path::{Path, PathBuf};

use wordbrush::study::parity::{ModelFolders, find_cases, report, run_case};

fn run_all(cases: &Path) -> (usize, Vec<String>) {
    run_all_with(cases, Vec::new())
}

fn run_all_with(cases: &Path, models: Vec<PathBuf>) -> (usize, Vec<String>) {
    let out = tempfile::tempdir().expect("a folder for results");
    let mut models = ModelFolders::new(models);
    let folders = find_cases(cases).expect("there are cases");
    let mut failed = Vec::new();
    for folder in &folders {
        let outcome = run_case(folder, out.path(), &mut models);
        if !outcome.passes() {
            let mut line = Vec::new();
            report(&outcome, &mut line).expect("memory can be written");
            failed.push(String::from_utf8_lossy(&line).into_owned());
        }
    }
    (folders.len(), failed)
}

#[test]
fn every_golden_case_of_the_published_code_is_within_its_tolerance() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/cases");
    let (count, failed) = run_all(&cases);
    assert_eq!(count, 25, "cases are missing");
    assert!(failed.is_empty(), "{}", failed.concat());
}

#[test]
fn the_larger_set_is_within_its_tolerance_where_it_is_given() {
    let Some(folder) = std::env::var_os("WORDBRUSH_PARITY").map(PathBuf::from) else {
        eprintln!("not run: WORDBRUSH_PARITY names no folder of further cases");
        return;
    };
    let (count, failed) = run_all(&folder.join("cases"));
    eprintln!("{count} further cases run");
    assert!(failed.is_empty(), "{}", failed.concat());
}

#[test]
fn every_case_on_further_models_is_within_its_tolerance_where_they_are_given() {
    let Some(folder) = std::env::var_os("WORDBRUSH_PARITY_MODELS").map(PathBuf::from) else {
        eprintln!("not run: WORDBRUSH_PARITY_MODELS names no folder of cases on further models");
        return;
    };
    let (count, failed) = run_all(&folder.join("cases"));
    eprintln!("{count} cases on further models run");
    assert!(failed.is_empty(), "{}", failed.concat());
}

#[test]
fn every_case_of_other_methods_is_within_its_tolerance_where_they_are_given() {
    let Some(folder) = std::env::var_os("WORDBRUSH_PARITY_METHODS").map(PathBuf::from) else {
        eprintln!("not run: WORDBRUSH_PARITY_METHODS names no folder of cases of other methods");
        return;
    };
    let (count, failed) = run_all_with(&folder.join("cases"), vec![folder.join("models")]);
    eprintln!("{count} cases of other methods run");
    assert!(failed.is_empty(), "{}", failed.concat());
}

#[test]
fn a_case_that_asks_for_what_is_not_built_leaves_the_reason_and_no_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let case = r#"{"name": "x", "kind": "schedule", "schedules": [SCHEDULE], "outputs": {"required": []}}"#;
    let check = |schedule: &str, named: Option<&str>| {
        std::fs::write(folder.path().join("case.json"), case.replace("SCHEDULE", schedule)).expect("written");
        let outcome = run_case(folder.path(), folder.path(), &mut ModelFolders::new(Vec::new()));
        let [answer, refusal] = ["x.safetensors", "x.error.txt"].map(|name| folder.path().join(name));
        assert_eq!((answer.exists(), refusal.exists()), (named.is_none(), named.is_some()), "{schedule}");
        assert_eq!(outcome.passes(), named.is_none(), "{schedule}");
        if let Some(named) = named {
            let said = std::fs::read_to_string(refusal).expect("a reason");
            assert!(said.contains(named), "{said}");
        }
    };
    check(r#"{"_class_name": "DDIMScheduler"}"#, None);
    check(r#"{"_class_name": "HeunDiscreteScheduler"}"#, Some("HeunDiscreteScheduler"));
    check(r#"{"_class_name": "EDMEulerScheduler"}"#, Some("EDMEulerScheduler"));
    check(r#"{"_class_name": "DPMSolverMultistepScheduler", "solver_order": 3}"#, Some("solver_order"));
    check(r#"{"_class_name": "DDIMScheduler", "trained_betas": [0.1]}"#, Some("trained_betas"));
    check(r#"{"_class_name": "DPMSolverMultistepScheduler", "num_inference_steps": 20}"#, None);
    check(r#"{"_class_name": "DPMSolverMultistepScheduler", "num_inference_steps": 1000}"#, Some("1000 steps"));
}

#[test]
fn a_result_that_is_off_fails_its_case() {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/cases/text-n-to-m");
    let folder = tempfile::tempdir().expect("a folder");
    let case = folder.path().join("text-n-to-m");
    std::fs::create_dir(&case).expect("a folder");
    let text = std::fs::read_to_string(from.join("case.json")).expect("a case");
    // Another prompt with the same golden numbers.
    std::fs::write(case.join("case.json"), text.replace("pomegranate", "potato")).expect("written");
    std::fs::copy(from.join("golden.safetensors"), case.join("golden.safetensors")).expect("copied");
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity/models");
    let outcome = run_case(&case, folder.path(), &mut ModelFolders::new(vec![models]));
    assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
    assert!(!outcome.passes(), "another prompt has the same tokens");
}
