//! `callgrade backup`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::Outcome;
use super::store::StoreOptions;
use crate::config::Lang;

#[derive(Debug, Args)]
pub(super) struct BackupArgs {
    #[command(flatten)]
    store: StoreOptions,
    /// The file to write; it must not be there yet
    file: PathBuf,
}

pub(super) fn run(args: &BackupArgs, lang: Lang) -> Outcome {
    let store = args.store.open()?;
    store.backup(&args.file)?;
    let (file, bytes) = (args.file.display(), args.file.metadata()?.len());
    let en = format!("{}: backed up to {file}, {bytes} bytes; as callgrade.db in a directory of its own it is a store", store.place());
    let zh = format!("{}：已备份到 {file}，{bytes} 字节；以 callgrade.db 为名单独放进一个目录即可使用", store.place());
    println!("{}", lang.pick(zh, en));
    Ok(ExitCode::SUCCESS)
}
