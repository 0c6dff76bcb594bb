//! `callgrade script train`: learns the model of a script's examples and writes it into the script's folder.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::super::table::Table;
use super::super::{Outcome, REJECTED};
use super::say;
use crate::config::Lang;
use crate::script::Bundle;
use crate::script::train::{self, MODEL, Trained, model};

#[derive(Debug, Args)]
pub(super) struct TrainArgs {
    /// Folder of scripts, or of one script, whose examples to learn from
    #[arg(long, value_name = "DIR")]
    scripts: PathBuf,
    /// Write nothing; fail if the model there is not what the examples give
    #[arg(long)]
    check: bool,
    /// Ids of scripts; all that have examples if none is given
    #[arg(value_name = "ID")]
    which: Vec<String>,
}

pub(super) fn run(args: &TrainArgs, lang: Lang) -> Outcome {
    let bundles = Bundle::read_all(&args.scripts)?;
    if let Some(unknown) = args.which.iter().find(|id| bundles.iter().all(|bundle| bundle.name != **id)) {
        let known: Vec<&str> = bundles.iter().map(|bundle| bundle.name.as_str()).collect();
        anyhow::bail!("no script {unknown:?} in {}; there are {}", args.scripts.display(), known.join(", "));
    }
    let mut stale = false;
    let mut learned = 0;
    for bundle in bundles.iter().filter(|bundle| args.which.is_empty() || args.which.contains(&bundle.name)) {
        if !bundle.files.keys().any(|path| train::is_examples(path)) {
            continue;
        }
        let trained = train::train(bundle)?;
        let text = model::write(&trained);
        let same = bundle.files.get(MODEL) == Some(&text);
        say(format_args!("{}", table(&bundle.name, &trained, lang)))?;
        learned += 1;
        if args.check {
            stale |= !same;
            if !same {
                let en = format!("{}: {MODEL} is not what the examples give; run `callgrade script train`", bundle.name);
                say(lang.pick(format!("{}：{MODEL} 和例句对不上，请运行 callgrade script train", bundle.name), en))?;
            }
        } else if !same {
            let folder = folder(&args.scripts, bundle);
            std::fs::write(folder.join(MODEL), text).map_err(|error| anyhow::anyhow!("{}: {error}", folder.join(MODEL).display()))?;
        }
    }
    if learned == 0 {
        anyhow::bail!(lang.pick(
            "没有例句可学：examples/<分类>.txt，一行一句",
            "no examples to learn from: examples/<category>.txt, one utterance a line"
        ));
    }
    Ok(if stale { ExitCode::from(REJECTED) } else { ExitCode::SUCCESS })
}

/// The folder of one script, given that of all or its own.
fn folder(scripts: &Path, bundle: &Bundle) -> PathBuf {
    if scripts.join("script.yaml").is_file() { scripts.to_owned() } else { scripts.join(&bundle.name) }
}

/// What was learned, category by category.
fn table(name: &str, trained: &Trained, lang: Lang) -> String {
    let mut table = Table::new(&lang.pick(
        ["分类", "例句", "反例", "词表没认出", "模型认出", "其中对的", "起算概率"],
        ["category", "examples", "counterexamples", "missed by lists", "found", "precision", "from probability"],
    ));
    for class in &trained.classes {
        let off = class.calibration.least.is_infinite();
        table.row(vec![
            class.id.clone(),
            class.examples.0.to_string(),
            class.examples.1.to_string(),
            class.missed.0.to_string(),
            if off { lang.pick("达不到，停用", "out of reach: off").to_owned() } else { class.missed.1.to_string() },
            if off { "-".to_owned() } else { format!("{:.3}", class.precision) },
            if off { "-".to_owned() } else { format!("{:.3}", crate::core::learned::logistic(class.calibration.least)) },
        ]);
    }
    format!("{name}\n{}\n", table.lines().join("\n"))
}
