//! Where a run puts its files: a folder, or one file of verdicts with the rest beside it.
//!
//! In the folder: `verdicts/part-00001.parquet` …, `changes.jsonl`, `rejects.jsonl`, `diff.json`, `report.html` and `state.json`. Beside
//! a file `F`: `F.changes.jsonl` and so on; while it is being made, all of it is in the folder `F.unfinished`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::beside;
use crate::config::Lang;
use crate::regrade::run::Places;
use crate::regrade::sink::{Output, Sink};
use crate::regrade::state::State;
use crate::wire::v1;

/// What is told beside the verdicts.
const TOLD: [&str; 4] = ["changes.jsonl", "rejects.jsonl", "diff.json", "report.html"];

/// Where the result goes.
#[derive(Debug)]
pub(super) struct Out {
    path: PathBuf,
    pub(super) output: Output,
    /// One file.
    single: bool,
}

/// How a run begins.
#[derive(Debug)]
pub(super) enum Begun {
    /// From the start.
    Anew(State),
    /// Where it stopped.
    Again(State),
    /// It had been done: what it came to, and how much was rejected.
    Done(v1::RegradeDiff, u64),
}

fn output_of(path: &Path) -> Option<Output> {
    let extension = path.extension()?.to_str()?;
    [Output::Parquet, Output::Jsonl, Output::Csv].into_iter().find(|output| output.extension() == extension)
}

/// Whether a path is to be one file.
fn single(path: &Path) -> bool {
    !path.is_dir() && output_of(path).is_some()
}

/// The rejects of a run that is done.
pub(super) fn rejects(out: &Path) -> PathBuf {
    if single(out) { beside(out, ".rejects.jsonl") } else { out.join("rejects.jsonl") }
}

impl Out {
    pub(super) fn of(path: &Path, output: Option<Output>) -> anyhow::Result<Self> {
        let (named, single) = (output_of(path), single(path));
        if let (true, Some(named), Some(asked)) = (single, named, output)
            && named != asked
        {
            anyhow::bail!("--output {} does not fit the file {}", asked.extension(), path.display());
        }
        let output = output.or(named.filter(|_| single)).unwrap_or(Output::Parquet);
        Ok(Self { path: path.to_owned(), output, single })
    }

    /// The folder that the run works in.
    fn folder(&self) -> PathBuf {
        if self.single { beside(&self.path, ".unfinished") } else { self.path.clone() }
    }

    pub(super) fn places(&self) -> Places {
        let folder = self.folder();
        Places {
            parts: folder.join("verdicts"),
            changes: folder.join("changes.jsonl"),
            rejects: folder.join("rejects.jsonl"),
            state: folder.join("state.json"),
        }
    }

    /// What is beside a single file, or in the folder, when the run is done.
    fn told(&self, name: &str) -> PathBuf {
        if self.single { beside(&self.path, &format!(".{name}")) } else { self.path.join(name) }
    }

    /// Full paths of all that is written, as far as it is there.
    pub(super) fn full(&self) -> Vec<PathBuf> {
        let mut paths = vec![self.path.clone()];
        if self.single {
            paths.push(self.folder());
            paths.push(beside(&self.path, ".new"));
            paths.extend(TOLD.map(|name| self.told(name)));
        }
        paths.iter().filter_map(|path| path.canonicalize().ok()).collect()
    }

    /// Refuses inputs that would be removed to make room, or written to while they are read.
    pub(super) fn spares(&self, inputs: &[PathBuf], lang: Lang) -> anyhow::Result<()> {
        let output = self.full();
        let lies_in = |path: PathBuf| output.iter().any(|output| path.starts_with(output));
        for input in inputs {
            // A file among those to be read is replaced only where a run has left it.
            let within = |output: &PathBuf| input.canonicalize().is_ok_and(|input| input.is_dir() && output.starts_with(input));
            if self.single && self.path.is_file() && !self.told("diff.json").exists() && output.iter().any(within) {
                let (input, out) = (input.display(), self.path.display());
                anyhow::bail!(lang.pick(
                    format!("输出 {out} 在输入 {input} 里，又不是重新评级的结果，会被换掉；换一个 --out"),
                    format!("the output {out} lies in the input {input}, is no result of a re-grading, and would be replaced; give another --out")
                ));
            }
            // A link, and what it leads to.
            let folder = input.parent().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
            let itself = folder.and_then(|folder| Some(folder.canonicalize().ok()?.join(input.file_name()?)));
            if input.canonicalize().ok().into_iter().chain(itself).any(lies_in) {
                let (input, out) = (input.display(), self.path.display());
                anyhow::bail!(lang.pick(
                    format!("输入 {input} 就是输出 {out}，或在它里面，会被换掉；换一个 --out"),
                    format!("the input {input} is the output {out}, or lies in it, and would be replaced; give another --out")
                ));
            }
        }
        Ok(())
    }

    /// Makes the folder, and finds out what is there.
    pub(super) fn begin(&self, fingerprint: &str, resume: bool, overwrite: bool, lang: Lang) -> anyhow::Result<Begun> {
        let places = self.places();
        let shown = self.path.display();
        if overwrite {
            self.clear()?;
        }
        let found = State::read(&places.state).with_context(|| places.state.display().to_string())?;
        match found {
            Some(state) if resume => {
                anyhow::ensure!(
                    state.fingerprint == fingerprint,
                    lang.pick(
                        format!("{shown}：停下的那次用的是别的输入、话术或选项；照原样再运行，或加 --overwrite 从头来"),
                        format!("{shown}: the run that stopped had other input, scripts or options; run it as it was, or begin anew with --overwrite")
                    )
                );
                if state.done && !self.single {
                    return Ok(Begun::Done(state.diff, state.rejected));
                }
                Ok(Begun::Again(state))
            }
            Some(state) => {
                let done = state.done && !self.single;
                let what = match done {
                    true => lang.pick("里已有一次评完的结果；加 --overwrite 换掉它", "holds the result of a run; --overwrite replaces it"),
                    false => lang.pick(
                        "里有一次没评完的；加 --resume 接着评，或加 --overwrite 从头来",
                        "holds a run that is not done; --resume goes on, --overwrite begins anew",
                    ),
                };
                anyhow::bail!("{shown} {what}")
            }
            None => {
                let taken = if self.single { self.path.exists() } else { !is_empty(&self.path)? };
                anyhow::ensure!(
                    !taken || overwrite,
                    lang.pick(
                        format!("{shown} 已经有了；加 --overwrite 换掉它"),
                        format!("{shown} is there already; --overwrite replaces it")
                    )
                );
                fs::create_dir_all(&places.parts).with_context(|| places.parts.display().to_string())?;
                Ok(Begun::Anew(State { fingerprint: fingerprint.to_owned(), ..State::default() }))
            }
        }
    }

    /// Removes what a run has left, and nothing else.
    fn clear(&self) -> io::Result<()> {
        let places = self.places();
        let gone = |outcome: io::Result<()>| match outcome {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        if let Ok(entries) = fs::read_dir(&places.parts) {
            for entry in entries {
                let path = entry?.path();
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                if name.trim_start_matches('.').starts_with("part-") {
                    gone(fs::remove_file(path))?;
                }
            }
        }
        for path in [&places.state, &places.changes, &places.rejects] {
            gone(fs::remove_file(path))?;
        }
        for name in TOLD {
            gone(fs::remove_file(self.told(name)))?;
        }
        if self.single {
            gone(fs::remove_file(&self.path))?;
        }
        Ok(())
    }

    /// Writes what a run came to, and of a single file puts it together.
    pub(super) fn finish(&self, sink: &Sink, state: &State, compared: bool, page: &str) -> anyhow::Result<()> {
        let places = self.places();
        if self.single {
            let joined = beside(&self.path, ".new");
            match state.parts.as_slice() {
                [part] => fs::rename(part, &joined)?,
                parts => sink.join(parts, &joined)?,
            }
            fs::rename(&joined, &self.path)?;
        }
        let mut diff = serde_json::to_vec(&state.diff)?;
        diff.push(b'\n');
        fs::write(self.told("diff.json"), diff)?;
        fs::write(self.told("report.html"), page)?;
        for (path, name, wanted) in [(&places.changes, "changes.jsonl", compared), (&places.rejects, "rejects.jsonl", state.rejected > 0)] {
            if !wanted {
                fs::remove_file(path)?;
            } else if self.single {
                fs::rename(path, self.told(name))?;
            }
        }
        if self.single {
            fs::remove_dir_all(self.folder())?;
        }
        Ok(())
    }
}

fn is_empty(folder: &Path) -> io::Result<bool> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}
