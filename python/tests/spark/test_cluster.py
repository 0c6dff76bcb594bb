"""Hundreds of thousands of calls graded on a real cluster, a worker of which is killed in the middle.

``CALLS`` is how many (200,000). Needs Java.
"""

import json
import os
import shutil
import subprocess
import time
import zipfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from calls import ROOT, dialogues, essence, flat, jsonl, nested
from cluster import Cluster
from server import BINARY, run

CALLS = int(os.environ.get("CALLS", "200000"))
# Files of the input, and so tasks.
FILES = 20
# The whole takes no longer.
PATIENCE_S = 1_800


def distinct():
    """Calls of the dialogues, each whole and broken off at several places, by both scripts."""
    source, name = dialogues()
    print(f"calls of {name}")
    calls = []
    for number, call in enumerate(source):
        events = call["events"]
        for variant, length in enumerate(
            sorted({len(events), *(place for place in (len(events) * 2 // 3, len(events) // 3, 2) if 0 < place < len(events))})
        ):
            cut = events[:length]
            if length < len(events):
                cut = [*cut, {"atMs": cut[-1]["atMs"] + 1_500, "hangup": {"by": ["CUSTOMER", "ROBOT"][variant % 2]}}]
            script = ["telemarketing", "broadband"][(number + variant) % 2]
            calls.append({"callId": f"{call['callId']}-{variant}", "scriptId": script, "events": cut})
    return calls


def write(make, calls, folder):
    """The calls as Parquet files; whose calls go into which file is the same every time."""
    folder.mkdir()
    each = -(-len(calls) // FILES)
    for number in range(FILES):
        pq.write_table(make(calls[number * each : (number + 1) * each]), folder / f"part-{number:02}.parquet", compression="zstd")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("spark")


@pytest.fixture(scope="module")
def calls():
    base = distinct()
    return [base[number % len(base)] | {"callId": f"{base[number % len(base)]['callId']}-{number}"} for number in range(CALLS)]


@pytest.fixture(scope="module")
def expected(calls):
    """The verdicts of the command, which reads the same calls from JSON lines."""
    with pa.ipc.open_stream(run("classify", "--output", "arrow", "-", input=jsonl(calls))) as reader:
        return essence(reader.read_all())


@pytest.fixture(scope="module")
def cluster(folder):
    if shutil.which("java") is None:
        pytest.skip("there is no Java (Debian: default-jre-headless)")
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    cluster = Cluster(folder)
    yield cluster
    cluster.stop()


@pytest.fixture(scope="module")
def package(folder):
    """What tasks need of the package, and the program, as the README says to ship them."""
    shipped = folder / "callgrade"
    shutil.copy2(BINARY, shipped)
    package = folder / "callgrade.zip"
    zipfile.main(["-c", str(package), str(ROOT / "python/src/callgrade")])
    return ["--py-files", str(package), "--files", str(shipped)]


class Application:
    """The example, submitted: what becomes of its tasks is in its event log."""

    def __init__(self, cluster, package, name, *arguments, cores=2):
        self.log = cluster.folder / f"{name}.log"
        self.events = cluster.folder / f"{name}-events"
        self.events.mkdir()
        settings = {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.memory": "512m",
            "spark.eventLog.dir": self.events.as_uri(),
            "spark.eventLog.enabled": "true",
            "spark.eventLog.compress": "false",
            "spark.eventLog.rolling.enabled": "false",
            "spark.executor.memory": "512m",
            "spark.scheduler.maxRegisteredResourcesWaitingTime": "120s",
            "spark.scheduler.minRegisteredResourcesRatio": "1.0",
            "spark.sql.adaptive.coalescePartitions.enabled": "false",
            "spark.sql.files.minPartitionNum": str(FILES),
            "spark.sql.shuffle.partitions": str(FILES),
            "spark.cores.max": str(cores),
            "spark.ui.enabled": "false",
        }
        options = [part for key, value in settings.items() for part in ("--conf", f"{key}={value}")]
        self.process = cluster.submit(self.log, *options, *package, str(ROOT / "examples/spark_grade.py"), *map(str, arguments))

    def told(self):
        """What its event log tells so far."""
        lines = [line for file in self.events.rglob("*") if file.is_file() for line in file.read_text().splitlines(keepends=True)]
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def wait(self):
        end = time.monotonic() + PATIENCE_S
        while self.process.poll() is None:
            if time.monotonic() > end:
                self.process.kill()
            time.sleep(0.1)
        assert self.process.returncode == 0, self.log.read_text()[-8_000:]

    def wait_for_tasks(self, count, folder):
        """Waits until so many tasks have written what they have to write."""
        while len(list(folder.glob("_temporary/0/task_*"))) < count:
            assert self.process.poll() is None, self.log.read_text()[-8_000:]
            time.sleep(0.05)


def tasks(told):
    """How the tasks of an application ended."""
    return Counter(event["Task End Reason"]["Reason"] for event in told if event["Event"] == "SparkListenerTaskEnd")


def verdicts(folder, expected):
    """Verdicts that were written, by call, as the columns that they should be of."""
    return essence(pq.read_table(folder)).cast(expected.schema)


def equal(found, expected):
    """Every call once, and every verdict the same, whole."""
    assert found.num_rows == expected.num_rows == pc.count_distinct(found["call_id"]).as_py()
    for name in expected.column_names:
        if found[name] != expected[name]:
            rows = zip(found["call_id"].to_pylist(), found[name].to_pylist(), expected[name].to_pylist(), strict=True)
            raise AssertionError((name, next(row for row in rows if row[1] != row[2])))


@pytest.mark.parametrize("form", [nested, flat], ids=["nested", "flat"])
def test_a_worker_is_killed_in_the_middle(cluster, package, folder, calls, expected, form):
    given, answer = folder / f"{form.__name__}-calls", folder / f"{form.__name__}-verdicts"
    write(form, calls if form is nested else shuffled(calls), given)
    while sum(worker.process.poll() is None for worker in cluster.workers) < 2:
        victim = cluster.add_worker()
    application = Application(cluster, package, form.__name__, given, answer)
    application.wait_for_tasks(FILES // 4, answer)
    assert victim.kill(), "it had an executor"
    application.wait()
    ended = tasks(application.told())
    print(f"{form.__name__}: {len(calls)} calls, tasks {dict(ended)}")
    lost = [event for event in application.told() if event["Event"] == "SparkListenerExecutorRemoved"]
    assert lost and ended["ExecutorLostFailure"] + ended["Resubmitted"] > 0, ended
    assert ended["Success"] >= FILES
    assert not victim.disk.exists()
    assert (answer / "_SUCCESS").exists()
    equal(verdicts(answer, expected), expected)
    assert not left_over(folder)


def shuffled(calls):
    """Of a flat frame the rows of a call need not stand together: here they are in two files, the end before the beginning."""
    halves = [(call, len(call["events"]) // 2) for call in calls]
    ends = [{**call, "events": call["events"][half:], "from": half} for call, half in halves]
    return [*ends, *({**call, "events": call["events"][:half], "from": 0} for call, half in halves)]


def program_of(exe):
    """Where a process has its program from; empty if it has ended, or is not ours to see."""
    try:
        return os.readlink(exe)
    except OSError:
        return ""


def left_over(folder):
    """Programs that were shipped to workers and still run, once they have had time to end."""
    for _ in range(100):
        running = [exe for exe in Path("/proc").glob("[0-9]*/exe") if program_of(exe).startswith(str(folder))]
        if not running:
            return []
        time.sleep(0.1)
    return running


def test_a_program_that_fails_fails_the_job(cluster, folder, package):
    """With what the program said, and without output that could be taken for the whole."""
    broken = folder / "broken"
    broken.mkdir()
    calls = [{"callId": "1", "events": [{"atMs": 1, "answered": {}}]}]
    pq.write_table(nested(calls), folder / "one.parquet")
    # The driver's copy answers for the schema; those of the tasks break.
    script = f'case "$0" in */worker-*) cat >/dev/null; echo it broke >&2; exit 7;; esac; exec "{BINARY}" "$@"'
    (broken / "callgrade").write_text(f"#!/bin/sh\n{script}\n")
    (broken / "callgrade").chmod(0o755)
    while sum(worker.process.poll() is None for worker in cluster.workers) < 1:
        cluster.add_worker()
    application = Application(
        cluster, [*package[:3], str(broken / "callgrade")], "broken", folder / "one.parquet", folder / "no-verdicts", cores=1
    )
    assert application.process.wait(PATIENCE_S) != 0
    log = application.log.read_text()
    assert "callgrade exited with 7 before it had graded all calls: it broke" in log, log[-8_000:]
    assert not (folder / "no-verdicts/_SUCCESS").exists()


def test_frames_of_neither_form():
    from callgrade.spark import grade

    class Frame:
        columns = ("call_id", "words")

    with pytest.raises(ValueError, match="the frame needs call_id, and events"):
        grade(Frame())


def test_the_command_that_the_readme_shows(folder):
    """Its options are those of the example."""
    done = subprocess.run(
        [os.sys.executable, str(ROOT / "examples/spark_grade.py"), "--help"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT / "python/src")},
    )
    assert done.returncode == 0 and "--against" in done.stdout, done.stderr
