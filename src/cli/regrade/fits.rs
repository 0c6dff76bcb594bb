//! What of a command line does not go together.

use super::{RegradeArgs, drafts};
use crate::config::Lang;
use crate::regrade::sink::Output;

/// Refuses options that would change nothing, or not what they seem to.
pub(super) fn check(args: &RegradeArgs, output: Output, lang: Lang) -> anyhow::Result<()> {
    if let (Some(script), Some(against)) = (args.script.as_deref(), args.against.as_deref().filter(|against| *against != "stored")) {
        anyhow::ensure!(
            id(script) == id(against),
            lang.pick(
                format!("--against {against} 和 --script {script} 不是同一个话术；只能和同一个话术的另一个版本比"),
                format!(
                    "--against {against} is of another script than --script {script}; compare with a version of the same script, or with stored"
                )
            )
        );
    }
    anyhow::ensure!(
        !args.whole || output != Output::Csv,
        lang.pick("--whole 的依据和节点放不进 CSV；用 Parquet 或 JSON 行", "--whole does not fit into CSV; use Parquet or JSON lines")
    );
    if args.inputs.is_empty() {
        return Ok(());
    }
    let filters = args.which.given();
    anyhow::ensure!(
        filters.is_empty(),
        lang.pick(
            format!("{} 选的是 --store 里的通话，不选文件里的；去掉它，或去掉文件", filters.join("、")),
            format!("{} chooses among the calls of --store, not of files; leave it out, or the files", filters.join(", "))
        )
    );
    let versions = [&args.script, &args.against].into_iter().flatten().any(|name| drafts::names_version(name));
    anyhow::ensure!(
        versions || args.kept.place().is_none(),
        lang.pick(
            "给了文件，--store 就只用来找 编号@版本，这里没有要找的；去掉它，或去掉文件",
            "with files --store is only where versions (ID@VERSION) are found, and none is named; leave it out, or the files"
        )
    );
    Ok(())
}

fn id(name: &str) -> &str {
    name.split('@').next().unwrap_or_default()
}
