//! Models by name, for the command line.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;

use super::command_line::Args;
#[cfg(feature = "hub")]
use super::look::size;
#[cfg(feature = "hub")]
use super::report::counted;
#[cfg(feature = "hub")]
use crate::engine::Guidance;
#[cfg(feature = "hub")]
use crate::engine::layers::Backend;
#[cfg(feature = "hub")]
use crate::model::folder::Folder;
#[cfg(feature = "hub")]
use crate::model::spec::{ModelSpec, Usual};
#[cfg(feature = "hub")]
use crate::plan::device::DeviceName;
use crate::safe::{cells, padded, printable_line};
#[cfg(not(feature = "hub"))]
use crate::session::file::Hinted;
#[cfg(feature = "hub")]
use crate::session::memory::Needs;
#[cfg(feature = "hub")]
use crate::session::model::default_precision;

/// `wordbrush models [rm NAME...]`.
///
/// # Errors
/// Fails if the cache cannot be read, or there is no such model in it.
#[cfg(feature = "hub")]
pub fn models(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    use crate::model::hub::{HubSettings, cached, remove};
    let settings = HubSettings::from_env(|variable| std::env::var(variable).ok())?;
    if args.value("rm").is_some() {
        for name in args.all::<String>("NAME") {
            let bytes = remove(&settings, name)?;
            writeln!(out, "removed {}, {}", printable_line(name), size(bytes))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let models = cached(&settings)?;
    let width = models.iter().map(|m| cells(&m.name)).max().unwrap_or(0).clamp(8, 48);
    writeln!(out, "{:<width$}  {:>8}  what a picture takes", "name", "size")?;
    if cfg!(feature = "embedded") {
        let takes = takes(&Usual::EMBEDDED, false);
        writeln!(out, "{:<width$}  {:>8}  in the program: {takes}", "embedded", "")?;
    }
    for model in &models {
        let takes = match &model.model {
            Ok((folder, spec)) => {
                let takes = takes(&spec.usual(), spec.unet.guidance_embedding.is_some());
                format!("{}: {takes}{}", spec.family(), memory(folder, spec))
            }
            Err(why) => format!("cannot be drawn with: {why}"),
        };
        writeln!(
            out,
            "{}",
            printable_line(&format!("{}  {:>8}  {takes}", padded(&model.name, width), size(model.bytes)))
        )?;
    }
    let place = settings.cache.display().to_string();
    writeln!(out, "fetched models are in {}", printable_line(&place))?;
    Ok(ExitCode::SUCCESS)
}

/// `30 steps, 60 evaluations`.
#[cfg(feature = "hub")]
fn takes(usual: &Usual, embeds_guidance: bool) -> String {
    let evaluations = Guidance::of(usual.guidance, embeds_guidance).evaluations() * usual.steps as u64;
    format!("{}, {}", counted(usual.steps as u64, "step"), counted(evaluations, "evaluation"))
}

/// `, 2.2 GB of memory` of an edit on the processor under the settings that a new tree has; nothing if its weights are damaged, which is
/// said when it is opened.
#[cfg(feature = "hub")]
fn memory(source: &Folder, spec: &ModelSpec) -> String {
    let backend = Backend::on(DeviceName::Cpu, default_precision(DeviceName::Cpu)).ok();
    let needs = backend.and_then(|backend| Needs::of(source, spec, &backend, spec.usual_size()).ok().flatten());
    needs.map_or_else(String::new, |needs| format!(", {} of memory", size(needs.peak())))
}

/// `wordbrush models`, in a build that fetches nothing.
///
/// # Errors
/// Fails if something is to be removed.
#[cfg(not(feature = "hub"))]
pub fn models(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    if args.value("rm").is_some() {
        return Err(no_hub());
    }
    writeln!(out, "embedded  in the program")?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(not(feature = "hub"))]
fn no_hub() -> anyhow::Error {
    let message = "this program was built without the part that fetches models";
    Hinted::new(message, "build it with `--features hub`, or name a folder with --model").into()
}

/// `wordbrush pull NAME`.
///
/// # Errors
/// Fails if NAME is not the name of a model, or it cannot be fetched.
pub fn pull(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let name = args.needed::<String>("NAME")?.trim().to_owned();
    let shown = printable_line(&name);
    #[cfg(not(feature = "hub"))]
    return Err(no_hub().context(format!("`{shown}` cannot be fetched")));
    #[cfg(feature = "hub")]
    {
        crate::model::hub::check_name(&name)?;
        super::ahead::fetch_told(&name, &mut std::io::stderr())?;
        writeln!(out, "{shown} is there: wordbrush --model {shown}")?;
        Ok(ExitCode::SUCCESS)
    }
}
