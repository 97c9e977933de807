//! Do we compute what was published?
//!
//! A case asks a question in the published terms; it is answered by the same engine, plans and controls that the
//! conversation uses, with every setting of the column "published", and the answer is compared with golden numbers.

mod case;
mod files;
mod masks;
mod methods;
mod photo;
mod probe;
mod results;
mod run;
mod tables;
mod tuned;
mod tuned_case;
mod words;

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::engine::Engine;
use crate::engine::layers::Backend;
use crate::engine::segment::ClipSeg;
use crate::model::ModelSource;
use crate::model::folder::Folder;
use crate::plan::device::DeviceName;
use crate::plan::settings::Precision;

pub use case::{Case, CaseKind};
pub use results::{Array, Compared, Numbers, Results, compare, read, write};

/// What became of one case.
#[derive(Debug)]
pub struct Outcome {
    /// Its name.
    pub name: String,
    /// How its results compare; empty if there are no golden ones.
    pub compared: Vec<Compared>,
    /// Why it was not answered.
    pub failure: Option<String>,
    /// Of a case that must be refused: whether it was, and with the words that it must say.
    pub refused_rightly: Option<bool>,
}

impl Outcome {
    /// Whether the case was answered and all that was compared passes.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.refused_rightly.unwrap_or(self.failure.is_none()) && self.compared.iter().all(Compared::passes)
    }
}

/// Models that cases share, loaded once, on one device.
#[derive(Default)]
pub struct ModelFolders {
    folders: Vec<PathBuf>,
    device: DeviceName,
    loaded: HashMap<(PathBuf, String, bool), Engine>,
    segmenters: HashMap<PathBuf, ClipSeg>,
}

impl ModelFolders {
    /// Looks for models in these folders before a case's own `model_path`.
    #[must_use]
    pub fn new(folders: Vec<PathBuf>) -> Self {
        Self { folders, ..Self::default() }
    }

    /// The same, computing elsewhere than on the processor.
    #[must_use]
    pub fn on(self, device: DeviceName) -> Self {
        Self { device, ..self }
    }

    fn path(&self, case: &Case) -> PathBuf {
        self.place(&case.model, &case.folder.join(&case.model_path))
    }

    fn place(&self, name: &str, otherwise: &Path) -> PathBuf {
        let named = self.folders.iter().map(|f| f.join(name)).find(|f| f.is_dir());
        named.unwrap_or_else(|| otherwise.to_owned())
    }

    /// The folder of a case's network that makes masks from texts.
    fn segmenter_path(&self, case: &Case) -> Result<PathBuf> {
        let asked = case.segmentation.as_ref().context("case.json lacks `segmentation`")?;
        Ok(self.place(&asked.model, &case.folder.join(&asked.model_path)))
    }

    /// Loads a case's network that makes masks from texts.
    fn load_segmenter(&mut self, case: &Case) -> Result<()> {
        let path = self.segmenter_path(case)?;
        if !self.segmenters.contains_key(&path) {
            let backend = Backend::on(self.device, Precision::F32)?;
            let loaded = ClipSeg::load(&Folder::of_one_network(&path)?, &backend)?;
            self.segmenters.insert(path, loaded);
        }
        Ok(())
    }

    /// That network, loaded.
    fn segmenter(&self, case: &Case) -> Result<&ClipSeg> {
        self.segmenters.get(&self.segmenter_path(case)?).context("BUG: a network was not loaded")
    }

    /// The files of a case's model.
    fn source(&self, case: &Case) -> Result<Box<dyn ModelSource>> {
        files::source(case, self.path(case))
    }

    fn key(&self, case: &Case, plain: bool) -> (PathBuf, String, bool) {
        (self.path(case), files::laid_over(case), plain)
    }

    /// Loads the engine of a case; `plain` for gradients, which are taken on the processor.
    fn load(&mut self, case: &Case, plain: bool) -> Result<()> {
        let key = self.key(case, plain);
        if self.loaded.contains_key(&key) {
            return Ok(());
        }
        let backend = if plain {
            Backend::Plain(candle_core::Device::Cpu, candle_core::DType::F64)
        } else {
            Backend::on(self.device, Precision::F32)?
        };
        let source = self.source(case)?;
        let engine = Engine::load(&*source, &backend).with_context(|| format!("cannot load {}", source.name()))?;
        self.loaded.insert(key, engine);
        Ok(())
    }

    /// A loaded engine.
    fn engine(&self, case: &Case, plain: bool) -> Result<&Engine> {
        self.loaded.get(&self.key(case, plain)).context("BUG: a model was not loaded")
    }
}

/// The folders of cases that `path` means: itself, or the folders in it that hold a case.
///
/// # Errors
/// Fails if there is no case at all.
pub fn find_cases(path: &Path) -> Result<Vec<PathBuf>> {
    if path.join("case.json").is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut cases: Vec<PathBuf> =
        entries.filter_map(|e| e.ok().map(|e| e.path())).filter(|p| p.join("case.json").is_file()).collect();
    cases.sort();
    if cases.is_empty() {
        bail!("there is no case in {}: a case is a folder with a case.json", path.display());
    }
    Ok(cases)
}

/// Runs one case, writes `<out>/<name>.safetensors`, and compares with `golden.safetensors` where that is there. A case that
/// cannot be answered leaves `<out>/<name>.error.txt` instead.
#[must_use]
pub fn run_case(folder: &Path, out: &Path, models: &mut ModelFolders) -> Outcome {
    let fallback = folder.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let mut name = fallback;
    let mut expected = None;
    let result = (|| -> Result<Vec<Compared>> {
        let case = Case::read(folder)?;
        if case.name.contains(['/', '\\']) || case.name.starts_with('.') {
            bail!("`{}` is no name for a case", case.name);
        }
        name.clone_from(&case.name);
        expected = case.expect_error.as_ref().map(|refusal| refusal.mentions.clone());
        let mut results = run::answer(&case, models)?;
        results.retain(|name, _| case.asks(name));
        let missing: Vec<&str> =
            case.outputs.required.iter().filter(|n| !results.contains_key(*n)).map(String::as_str).collect();
        if !missing.is_empty() {
            bail!("no {} was made", missing.join(", "));
        }
        write(&out.join(format!("{name}.safetensors")), &results)?;
        let golden = folder.join("golden.safetensors");
        if golden.is_file() {
            Ok(compare(&results, &read(&golden)?, &case.outputs.required, &case.tolerance))
        } else {
            Ok(Vec::new())
        }
    })();
    let [answer, refusal] = ["safetensors", "error.txt"].map(|end| out.join(format!("{name}.{end}")));
    match result {
        Ok(compared) => {
            let _ = std::fs::remove_file(refusal); // of an earlier run
            Outcome { name, compared, failure: None, refused_rightly: expected.map(|_| false) }
        }
        Err(error) => {
            let _ = std::fs::remove_file(answer);
            let mut failure = format!("{error:#}");
            if let Err(e) = std::fs::write(&refusal, format!("{failure}\n")) {
                failure.push_str(&format!("; and {} cannot be written: {e}", refusal.display()));
            }
            let says = |words: &Vec<String>| words.iter().all(|word| failure.contains(word));
            let refused_rightly = expected.as_ref().map(|words| says(words) && !failure.contains("BUG"));
            Outcome { name, compared: Vec::new(), failure: Some(failure), refused_rightly }
        }
    }
}

/// Writes a case's line: its name, the largest error of each result, and pass or fail; or that there is no answer, and why.
///
/// # Errors
/// Fails if `to` cannot be written.
pub fn report(outcome: &Outcome, to: &mut dyn Write) -> std::io::Result<()> {
    let verdict = match (&outcome.failure, outcome.passes(), outcome.compared.is_empty()) {
        _ if outcome.refused_rightly == Some(true) => "pass",
        _ if outcome.refused_rightly == Some(false) => "FAIL",
        (Some(_), _, _) => "no answer",
        (None, _, true) => "written",
        (None, true, _) => "pass",
        (None, false, _) => "FAIL",
    };
    write!(to, "{verdict:7} {}", outcome.name)?;
    if let Some(failure) = &outcome.failure {
        write!(to, ": {}", crate::safe::printable(failure).replace('\n', " "))?;
    }
    for c in &outcome.compared {
        let mark = if c.passes() { "" } else { " !" };
        write!(to, "  {} {:.2e}/{:.1e}{mark}", c.name, c.error, c.tolerance)?;
    }
    writeln!(to)
}
