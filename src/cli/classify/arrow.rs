//! `callgrade classify --output arrow`: verdicts as an Arrow IPC stream, for engines that grade in a child process.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use arrow_ipc::writer::StreamWriter;

use crate::cli::input::{self, Given, Reading};
use crate::cli::{Outcome, REJECTED};
use crate::config::Lang;
use crate::ingest::CallRecord;
use crate::regrade::grading::{Against, Grading};
use crate::script::ScriptChoice;
use crate::wire::CallHead;
use crate::wire::columns::{Extent, VerdictColumns, schema};

/// Rows of a batch.
const BATCH: usize = 2_048;

/// Grades what the files hold. Unlike for readers of lines, a file that cannot be read to its end fails the command: an engine must not
/// take half an answer for the whole.
pub(super) fn run(files: &[PathBuf], reading: &Reading, scripts: ScriptChoice, lang: Lang) -> Outcome {
    anyhow::ensure!(
        !io::stdout().is_terminal(),
        lang.pick("--output arrow 输出二进制数据：请重定向到文件或管道", "--output arrow writes binary data: send it to a file or a pipe")
    );
    let mut out = StreamWriter::try_new(BufWriter::new(io::stdout().lock()), &schema(Extent::Whole))?;
    // Whoever reads may open the stream before the first row comes.
    out.get_mut().flush()?;
    let mut answer =
        Answer { grading: Grading { scripts, against: Against::Nothing }, rows: VerdictColumns::new(Extent::Whole), out, rejected: false };
    for path in files {
        let name = path.display().to_string();
        answer.file(path, reading).with_context(|| name)?;
    }
    answer.write()?;
    answer.out.finish()?;
    answer.out.get_mut().flush()?;
    Ok(if answer.rejected { ExitCode::from(REJECTED) } else { ExitCode::SUCCESS })
}

struct Answer<W: Write> {
    grading: Grading,
    rows: VerdictColumns,
    out: StreamWriter<W>,
    rejected: bool,
}

impl<W: Write> Answer<W> {
    fn file(&mut self, path: &Path, reading: &Reading) -> anyhow::Result<()> {
        let source = input::open(path)?;
        input::read(
            source,
            reading,
            |_| {},
            |given| {
                match given {
                    Given::Call(item) => self.call(item.record),
                    Given::Fault(fault) => self.reject(&fault.rejection.call_id, &fault.rejection.reason),
                }
                if self.rows.len() >= BATCH {
                    self.write()?;
                }
                Ok(true)
            },
        )
    }

    fn call(&mut self, record: CallRecord) {
        match self.grading.grade(record) {
            Ok(graded) => {
                let head = CallHead { call_id: &graded.call_id, revision: 1, notices: &graded.notices };
                self.rejected |= !graded.rejections.is_empty();
                let rejections = graded.rejections.iter().map(|rejection| (rejection.seq, rejection.reason.as_str()));
                self.rows.push(head, &graded.after.script, &graded.after.verdict, rejections);
            }
            Err(rejection) => self.reject(&rejection.call_id, &rejection.reason),
        }
    }

    fn reject(&mut self, call_id: &str, reason: &str) {
        self.rejected = true;
        self.rows.push_error(call_id, reason);
    }

    fn write(&mut self) -> anyhow::Result<()> {
        if !self.rows.is_empty() {
            self.out.write(&self.rows.finish()?)?;
            self.out.get_mut().flush()?;
        }
        Ok(())
    }
}
