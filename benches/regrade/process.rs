//! `callgrade regrade` as a user runs it: a process of the release build, from its start to its end.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use parquet::file::reader::{FileReader, SerializedFileReader};

/// How often the memory of a run is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A run to be made.
pub struct Run<'a> {
    pub input: &'a Path,
    /// Where the result goes; removed afterwards.
    pub out: PathBuf,
    /// Calls of the input.
    pub calls: usize,
    /// `None`: as many as it takes if it is not told.
    pub threads: Option<usize>,
    /// The one core it may use.
    pub core: Option<usize>,
}

/// A run under way.
pub struct Running {
    process: Child,
    begun: Instant,
    out: PathBuf,
    calls: usize,
}

impl Run<'_> {
    pub fn start(self) -> Running {
        let mut words: Vec<OsString> = Vec::new();
        if let Some(core) = self.core {
            words.extend(["taskset".into(), "-c".into(), core.to_string().into()]);
        }
        words.extend([env!("CARGO_BIN_EXE_callgrade").into(), "regrade".into(), self.input.into()]);
        words.extend(["--script".into(), "telemarketing".into(), "--out".into(), self.out.clone().into()]);
        if let Some(threads) = self.threads {
            words.extend(["--threads".into(), threads.to_string().into()]);
        }
        let mut command = Command::new(&words[0]);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CALLGRADE_")) {
            command.env_remove(name);
        }
        let begun = Instant::now();
        let process = command.args(&words[1..]).stdout(Stdio::null()).spawn().expect("callgrade starts");
        Running { process, begun, out: self.out, calls: self.calls }
    }

    /// Runs it; seconds.
    pub fn time(self) -> f64 {
        self.start().seconds()
    }
}

impl Running {
    /// Waits for the end; seconds since the start.
    pub fn seconds(mut self) -> f64 {
        let status = self.process.wait().expect("it ends");
        let took = self.begun.elapsed().as_secs_f64();
        assert!(status.success(), "it ends with {status}");
        self.check();
        took
    }

    /// Waits for the end of several; seconds since the start of each.
    pub fn seconds_of<const N: usize>(runs: [Self; N]) -> [f64; N] {
        std::thread::scope(|scope| runs.map(|run| scope.spawn(|| run.seconds())).map(|run| run.join().expect("it ends well")))
    }

    /// Waits for the end; seconds, and the most memory that was resident, in bytes.
    pub fn seconds_and_memory(mut self) -> (f64, usize) {
        let mut most = 0;
        loop {
            // The kernel keeps the maximum: only what the last look misses is lost.
            let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
            let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().trim_end_matches(" kB").parse::<usize>().ok());
            most = most.max(kib.unwrap_or_default() * 1024);
            if let Some(status) = self.process.try_wait().expect("it runs") {
                let took = self.begun.elapsed().as_secs_f64();
                assert!(status.success(), "it ends with {status}");
                self.check();
                return (took, most);
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Every call has its verdict; removes these.
    fn check(&self) {
        let parts = fs::read_dir(self.out.join("verdicts")).expect("verdicts");
        let rows = parts.map(|part| {
            let file = File::open(part.expect("a part").path()).expect("a file");
            SerializedFileReader::new(file).expect("Parquet").metadata().file_metadata().num_rows()
        });
        assert_eq!(rows.sum::<i64>(), self.calls as i64, "every call has its verdict");
        fs::remove_dir_all(&self.out).expect("its folder");
    }
}

/// The cores that this process may use, where processes can be kept to one.
pub fn cores() -> Option<Vec<usize>> {
    Command::new("taskset").arg("--version").stdout(Stdio::null()).status().ok().filter(std::process::ExitStatus::success)?;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let mut cores = Vec::new();
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        cores.extend(first.parse::<usize>().ok()?..=last.parse::<usize>().ok()?);
    }
    Some(cores)
}
