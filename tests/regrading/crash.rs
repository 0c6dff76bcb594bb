//! Whatever is killed, a job goes on where it stood: every call exactly once.

use std::path::Path;
use std::time::Duration;

use callgrade::wire::v1;

use super::{LONG, calls, classified, ended, exported, get, keep, request, start, verdicts};
use crate::records::Program;
use crate::support::block_on;
use crate::support::postgres::PostgresServer;

/// Calls of the job.
const CALLS: usize = 2_400;
/// Slow enough to be killed in the middle.
const SLOWLY: [&str; 2] = ["--max-regrade-rate", "500"];
/// How often the server is killed while it runs.
const KILLS: u64 = 5;

/// A number that is different at each run, for moments of killing.
fn chance() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0)
}

/// Runs two jobs over many calls, killing the server again and again; `strike` may kill what is under it.
fn killed(store: &Path, mut strike: impl FnMut(u64)) {
    let all: Vec<v1::Call> = calls(CALLS).into_iter().map(|call| v1::Call { script_id: "telemarketing".to_owned(), ..call }).collect();
    let expected = classified(&[], &all);
    block_on(async {
        let mut server = Program::serve(store, &SLOWLY);
        keep(&server, &all).await;
        let first = start(&server, request("telemarketing")).await.regrade_id;
        // This one waits for the first, and goes on as a queued job.
        let second =
            start(&server, v1::StartRegradeRequest { against: v1::Against::Nothing.into(), ..request("telemarketing") }).await.regrade_id;
        let mut seen = 0;
        for kill in 1..=KILLS {
            let at = kill * CALLS as u64 / (KILLS + 2) - chance() % 200;
            let waited = std::time::Instant::now();
            loop {
                let regrade = get(&server, &first).await.regrade.expect("the job");
                let done = regrade.progress.expect("progress").done;
                assert!(done >= seen, "what was kept is not lost: {done} after {seen}");
                seen = done;
                if done >= at || regrade.ended_at.is_some() {
                    break;
                }
                assert!(waited.elapsed() < LONG, "{regrade:?}");
                tokio::time::sleep(Duration::from_millis(chance() % 30)).await;
            }
            tokio::task::block_in_place(|| strike(kill));
            drop(server);
            server = Program::serve(store, &SLOWLY);
        }
        assert!(seen < CALLS as u64, "it was killed in the middle");
        for id in [&first, &second] {
            let (regrade, diff) = ended(&server, id).await;
            let progress = regrade.progress.expect("progress");
            assert_eq!(
                (regrade.state(), progress.done, progress.calls, progress.rejected),
                (v1::RegradeState::Done, CALLS as u64, CALLS as u64, 0)
            );
            assert_eq!(verdicts(&exported(&server, id).await), expected);
            let labels: u64 = diff.labels.iter().map(|label| label.after).sum();
            assert_eq!((diff.calls, labels), (CALLS as u64, CALLS as u64), "what they come to is of each call once");
        }
    });
}

#[test]
fn a_job_goes_on_where_the_server_was_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    killed(folder.path(), |_| ());
}

#[test]
fn a_job_goes_on_where_postgresql_was_killed() {
    let Some(mut postgres) = PostgresServer::start() else {
        println!("skipped: a_job_goes_on_where_postgresql_was_killed (PostgreSQL is not installed)");
        return;
    };
    let url = postgres.database("regraded");
    killed(Path::new(&url), |kill| {
        if kill % 2 == 0 {
            postgres.kill();
            postgres.run();
        }
    });
}
