//! The folder of a sweep: what is done stays done.
//!
//! `runs.jsonl` has one row for each picture that is there, `pictures/` the pictures. A picture is written before its row,
//! each row is on the disk before the next run begins, and rows go by the id that the picture's node would have: a file
//! that asks for more, less or the same in another order finds what it wants.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::history::NodeId;
use crate::preview::file::write_atomically;
use crate::preview::png::{self, Notes};
use crate::session::file::Hinted;
use crate::study::sweep::Figures;
use image::RgbImage;

/// A picture that is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Row {
    /// 64 hexadecimal digits.
    id: String,
    /// The kernels that drew it.
    kernels: String,
    /// `None` for a picture that runs start from.
    figures: Option<Figures>,
}

/// What a sweep writes when it is done, in place of what it wrote there before.
const FILES: [&str; 3] = ["sheet.png", "sweep.gif", "sweep.csv"];

/// A sweep's folder, held by this process.
#[derive(Debug)]
pub(in crate::repl) struct Folder {
    path: PathBuf,
    /// By id: the kernels, and the figures.
    rows: HashMap<String, (String, Option<Figures>)>,
    file: File,
}

impl Folder {
    /// Opens the folder, which is made if it is not there, and reads what is done. A row that was cut off, or whose
    /// picture is gone or damaged, counts as not done.
    ///
    /// # Errors
    /// Fails if the folder cannot be made or written, another process is at it, or it holds files of others that have the
    /// names of a sweep's.
    pub(in crate::repl) fn open(path: &Path) -> Result<Self> {
        let shown = path.display();
        // Where no sweep was drawn yet, what is called like its files is somebody's.
        if !path.join("runs.jsonl").exists()
            && let Some(other) = FILES.iter().find(|name| path.join(name).exists())
        {
            let message = format!("`{shown}/{other}` is there already, and no sweep was drawn into that folder");
            return Err(Hinted::new(message, "give another folder with --out").into());
        }
        fs::create_dir_all(path.join("pictures")).with_context(|| format!("cannot make the folder {shown}"))?;
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(path.join("runs.jsonl"));
        let mut file = file.with_context(|| format!("cannot write into the folder {shown}"))?;
        if matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)) {
            let message = format!("another process is drawing into `{shown}`");
            return Err(Hinted::new(message, "wait for it, or give another folder with --out").into());
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).with_context(|| format!("cannot read {shown}/runs.jsonl"))?;
        if bytes.last().is_some_and(|last| *last != b'\n') {
            file.write_all(b"\n").with_context(|| format!("cannot write into the folder {shown}"))?;
        }
        let mut folder = Self { path: path.to_owned(), rows: HashMap::new(), file };
        for row in bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Row>(line).ok()) {
            if NodeId::from_hex(&row.id).is_some_and(|id| png::open(&folder.picture_path(&id)).is_ok()) {
                folder.rows.insert(row.id, (row.kernels, row.figures));
            }
        }
        Ok(folder)
    }

    /// Where the picture of a node is or would be.
    pub(in crate::repl) fn picture_path(&self, id: &NodeId) -> PathBuf {
        self.path.join("pictures").join(format!("{}.png", &id.hex()[..12]))
    }

    /// Where a file of the whole sweep is.
    pub(in crate::repl) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The figures of a run that is done.
    pub(in crate::repl) fn figures(&self, id: &NodeId) -> Option<&Figures> {
        self.rows.get(&id.hex())?.1.as_ref()
    }

    /// Whether a picture is there.
    pub(in crate::repl) fn has(&self, id: &NodeId) -> bool {
        self.rows.contains_key(&id.hex())
    }

    /// Keeps a picture with its figures: both are on the disk when this returns.
    ///
    /// # Errors
    /// Fails if they cannot be written; what was kept before is still there.
    pub(in crate::repl) fn keep(
        &mut self,
        id: &NodeId,
        (picture, notes): (&RgbImage, &Notes),
        kernels: &str,
        figures: Option<Figures>,
    ) -> Result<()> {
        png::save(&self.picture_path(id), picture, notes)?;
        self.write(&Row { id: id.hex(), kernels: kernels.to_owned(), figures })
    }

    fn write(&mut self, row: &Row) -> Result<()> {
        let line = serde_json::to_string(row)? + "\n";
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        written.with_context(|| format!("cannot write {}/runs.jsonl", self.path.display()))?;
        self.rows.insert(row.id.clone(), (row.kernels.clone(), row.figures.clone()));
        Ok(())
    }

    /// Takes over what another folder has and this one lacks, picture by picture, byte for byte.
    ///
    /// # Errors
    /// Fails if a picture cannot be read or written.
    pub(in crate::repl) fn take_over(&mut self, other: &Self) -> Result<usize> {
        let mut rows: Vec<_> = other.rows.iter().filter(|(id, _)| !self.rows.contains_key(*id)).collect();
        rows.sort_by_key(|(id, _)| id.as_str());
        for (id, (kernels, figures)) in &rows {
            let id = NodeId::from_hex(id).with_context(|| format!("BUG: `{id}` is no id"))?;
            let from = other.picture_path(&id);
            let bytes = fs::read(&from).with_context(|| format!("cannot read {}", from.display()))?;
            write_atomically(&self.picture_path(&id), &bytes)?;
            self.write(&Row { id: id.hex(), kernels: kernels.clone(), figures: figures.clone() })?;
        }
        Ok(rows.len())
    }

    /// A picture that is there.
    ///
    /// # Errors
    /// Fails if it cannot be read any more.
    pub(in crate::repl) fn picture(&self, id: &NodeId) -> Result<RgbImage> {
        Ok(png::open(&self.picture_path(id))?.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Figures {
        Figures {
            psnr: Some(f64::INFINITY),
            ssim: Some(1.0),
            inside: None,
            outside: Some(31.25),
            change_inside: Some(4.5),
            change_outside: None,
            seconds: 0.5,
            evaluations: 60,
            shared_steps: 3,
            shown: Some(2.5),
            change_home: None,
        }
    }

    fn keep(folder: &mut Folder, n: u8) -> NodeId {
        let id = NodeId([n; 32]);
        let picture = RgbImage::from_pixel(4, 4, image::Rgb([n; 3]));
        folder.keep(&id, (&picture, &Notes::default()), "plain", Some(figures())).unwrap();
        id
    }

    #[test]
    fn what_was_kept_is_there_after_a_restart_infinite_figures_included() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("deep/sweep");
        let mut folder = Folder::open(&path).unwrap();
        let id = keep(&mut folder, 7);
        drop(folder);
        let folder = Folder::open(&path).unwrap();
        assert_eq!(folder.figures(&id), Some(&figures()));
        assert_eq!(folder.picture(&id).unwrap().get_pixel(0, 0).0, [7; 3]);
        assert!(!folder.has(&NodeId([8; 32])));
    }

    #[test]
    fn a_row_cut_off_anywhere_is_not_done_and_spoils_none_after_it() {
        let temporary = tempfile::tempdir().unwrap();
        let mut folder = Folder::open(temporary.path()).unwrap();
        let (first, second) = (keep(&mut folder, 1), keep(&mut folder, 2));
        drop(folder);
        let file = temporary.path().join("runs.jsonl");
        let whole = fs::read(&file).unwrap();
        let end = whole.len() / 2;
        for cut in [end + 1, end + 40, whole.len() - 2] {
            fs::write(&file, &whole[..cut]).unwrap();
            let mut folder = Folder::open(temporary.path()).unwrap();
            assert!(folder.has(&first) && !folder.has(&second), "cut at {cut}");
            let third = keep(&mut folder, 3);
            drop(folder);
            let folder = Folder::open(temporary.path()).unwrap();
            assert!(folder.has(&first) && folder.has(&third) && !folder.has(&second), "cut at {cut}");
        }
    }

    #[test]
    fn a_run_whose_picture_is_gone_is_not_done() {
        let temporary = tempfile::tempdir().unwrap();
        let mut folder = Folder::open(temporary.path()).unwrap();
        let (gone, damaged) = (keep(&mut folder, 1), keep(&mut folder, 2));
        fs::remove_file(folder.picture_path(&gone)).unwrap();
        fs::write(folder.picture_path(&damaged), b"no picture").unwrap();
        drop(folder);
        let folder = Folder::open(temporary.path()).unwrap();
        assert!(!folder.has(&gone) && !folder.has(&damaged));
    }

    #[test]
    fn two_processes_cannot_draw_into_one_folder() {
        let temporary = tempfile::tempdir().unwrap();
        let _held = Folder::open(temporary.path()).unwrap();
        let error = Folder::open(temporary.path()).unwrap_err();
        assert!(error.to_string().contains("another process"), "{error}");
    }

    #[test]
    fn a_folder_with_files_of_others_that_are_called_like_a_sweep_s_is_left_alone() {
        for name in FILES {
            let temporary = tempfile::tempdir().unwrap();
            std::fs::write(temporary.path().join(name), "mine").unwrap();
            let error = Folder::open(temporary.path()).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
            assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 1, "nothing was made there");
            std::fs::write(temporary.path().join("runs.jsonl"), "").unwrap();
            Folder::open(temporary.path()).unwrap();
        }
    }
}
