//! What `--script` and `--against` name: a version there is, or a draft.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::cli::{KeptVersions, ScriptOptions};
use crate::script::draft::unread;
use crate::script::train::MODEL;
use crate::script::{Bundle, Library, ScriptChoice};

/// The scripts that a name chooses: `ID`, `ID@VERSION`, or `ID@DRAFT`, a folder or file.
pub(super) fn choice(name: Option<&str>, scripts: &Option<PathBuf>, kept: &KeptVersions) -> anyhow::Result<ScriptChoice> {
    if let Some((id, draft)) = name.and_then(|name| name.split_once('@')) {
        anyhow::ensure!(!draft.is_empty(), "{id}@: behind the @ stands a version, or the path of a draft");
        if is_path(draft) {
            let path = Path::new(draft);
            if !path.exists() {
                let store = if kept.place().is_none() { "; versions that a server keeps are found with --store" } else { "" };
                anyhow::bail!("{id}@{draft}: neither a version of that name (hexadecimal) nor a draft at that path was found{store}");
            }
            return drafted(id, path, scripts).with_context(|| format!("{id}@{draft}"));
        }
    }
    kept.choice(&ScriptOptions { script: name.map(str::to_owned), scripts: scripts.clone() })
}

/// Whether a name fixes a version, and not a draft.
pub(super) fn names_version(name: &str) -> bool {
    name.split_once('@').is_some_and(|(_, version)| !is_path(version))
}

/// Versions are hexadecimal; whatever else is there is a draft.
fn is_path(text: &str) -> bool {
    !text.bytes().all(|byte| byte.is_ascii_hexdigit()) || Path::new(text).exists()
}

fn drafted(id: &str, draft: &Path, scripts: &Option<PathBuf>) -> anyhow::Result<ScriptChoice> {
    let bundles = match scripts {
        None => Bundle::bundled(),
        Some(folder) => Bundle::read_all(folder)?,
    };
    let base = bundles.iter().find(|bundle| bundle.name == id);
    let bundle = whole(id, draft, base)?;
    if let Some(reason) = unread(&base.map(|base| base.files.clone()).unwrap_or_default(), &bundle) {
        anyhow::bail!(reason);
    }
    let library = Library::compile(&[bundle])?;
    let Some(script) = library.iter().find(|script| *script.id == *id).cloned() else {
        let found: Vec<&str> = library.iter().map(|script| &*script.id).collect();
        anyhow::bail!("this is script {}, not {id}", found.join(", "));
    };
    let name = format!("{id}@{}", script.version);
    Ok(ScriptChoice::new(Library::compile(&bundles)?.with(script), Some(name))?)
}

/// The draft as a whole script: what it does not bring is as it is now.
fn whole(id: &str, draft: &Path, base: Option<&Bundle>) -> anyhow::Result<Bundle> {
    let files = files(draft, base)?;
    if files.contains_key("script.yaml") && draft.is_dir() {
        return Ok(Bundle::from_files(id, files));
    }
    let Some(base) = base else {
        anyhow::bail!("there is no script {id} to change; a draft of a new one is a folder with a script.yaml");
    };
    let examples = |path: &str| path.starts_with("examples/");
    let untrained = files.iter().any(|(path, text)| examples(path) && base.files.get(path) != Some(text)) && !files.contains_key(MODEL);
    anyhow::ensure!(
        !untrained,
        "examples were changed and the model was not: copy the script's folder, run `callgrade script train --scripts FOLDER`, and give the folder"
    );
    let mut all = base.files.clone();
    all.extend(files);
    Ok(Bundle::from_files(id, all))
}

/// The files that a draft brings, by their path in the bundle.
fn files(draft: &Path, base: Option<&Bundle>) -> anyhow::Result<BTreeMap<String, String>> {
    if draft.is_dir() {
        let files = Bundle::read(draft)?.files;
        anyhow::ensure!(!files.is_empty(), "a folder without files of a script");
        return Ok(files);
    }
    let text = std::fs::read_to_string(draft)?;
    if draft.extension().is_some_and(|extension| extension == "json") {
        return bundle_json(&text);
    }
    let name = draft.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if name == "script.yaml" || name == MODEL {
        return Ok([(name, text)].into());
    }
    let folder = draft.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let places: Vec<String> = match folder.as_str() {
        "keywords" | "examples" => vec![format!("{folder}/{name}")],
        _ => ["keywords", "examples"].map(|folder| format!("{folder}/{name}")).into(),
    };
    let there = |place: &&String| base.is_some_and(|base| base.files.contains_key(*place));
    match places.iter().find(there) {
        Some(place) => Ok([(place.clone(), text)].into()),
        None => anyhow::bail!(
            "the script has no {}; a draft is a folder of a script, one of its files, or JSON of path and text",
            places.join(" or ")
        ),
    }
}

/// A bundle as `GetScript` gives it: path and text, or these under `files`.
fn bundle_json(text: &str) -> anyhow::Result<BTreeMap<String, String>> {
    #[derive(serde::Deserialize)]
    struct Answer {
        files: BTreeMap<String, String>,
    }
    match serde_json::from_str::<Answer>(text) {
        Ok(answer) => Ok(answer.files),
        Err(_) => Ok(serde_json::from_str(text).context("neither path and text, nor these under \"files\"")?),
    }
}
