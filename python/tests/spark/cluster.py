"""A standalone Spark cluster of processes on this machine: a master and workers from PyPI's pyspark, on 127.0.0.1 and free ports."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyspark

HOME = Path(pyspark.__file__).parent
# Nothing takes longer to start.
PATIENCE_S = 120


def environment(folder):
    return os.environ | {
        "SPARK_HOME": str(HOME),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder / "local"),
        "SPARK_DAEMON_MEMORY": "256m",
        "PYSPARK_PYTHON": sys.executable,
    }


def children(pid):
    """The processes that a process has started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


class Daemon:
    """A master or worker; its log tells what it does."""

    def __init__(self, cluster, name, *arguments):
        self.log = cluster.folder / f"{name}.log"
        # What its executors hand to each other, on disks of its own.
        self.disk = cluster.folder / f"{name}-disk"
        command = [str(HOME / "bin/spark-class"), *arguments]
        with self.log.open("w") as log:
            # A group of its own: what it starts ends with it.
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env=cluster.environment | {"SPARK_LOCAL_DIRS": str(self.disk)},
                cwd=cluster.folder,
                start_new_session=True,
            )

    def says(self, pattern):
        """Waits until its log has a line of a pattern."""
        end = time.monotonic() + PATIENCE_S
        while True:
            text = self.log.read_text()
            if found := re.search(pattern, text):
                return found
            assert self.process.poll() is None and time.monotonic() < end, text
            time.sleep(0.1)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def kill(self):
        """Ends it with the executors it has started and what they have written, as a machine does that loses power."""
        executors = children(self.process.pid)
        self.process.kill()
        for executor in executors:
            os.kill(executor, signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.disk, ignore_errors=True)
        return executors


class Cluster:
    def __init__(self, folder):
        self.folder = folder
        self.environment = environment(folder)
        self.daemons = []
        self.workers = []
        master = self._start("master", "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
        self.url = master.says(r"Starting Spark master at (spark://127\.0\.0\.1:\d+)")[1]

    def _start(self, name, *arguments):
        self.daemons.append(Daemon(self, name, *arguments))
        return self.daemons[-1]

    def add_worker(self):
        """Starts a worker with a core."""
        name = f"worker-{len(self.workers)}"
        options = ["--host", "127.0.0.1", "--webui-port", "0", "--cores", "1", "--memory", "1g", "--work-dir", str(self.folder / name)]
        worker = self._start(name, "org.apache.spark.deploy.worker.Worker", *options, self.url)
        worker.says("Successfully registered with master")
        self.workers.append(worker)
        return worker

    def submit(self, log, *arguments):
        """spark-submit, under way."""
        with log.open("w") as out:
            command = [str(HOME / "bin/spark-submit"), "--master", self.url, *arguments]
            return subprocess.Popen(command, stdout=out, stderr=out, env=self.environment, cwd=self.folder)

    def stop(self):
        for daemon in reversed(self.daemons):
            daemon.stop()
