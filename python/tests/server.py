"""The real server as a process, to be stopped, killed and started again at the same address."""

import os
import signal
import subprocess

BINARY = os.environ.get("CALLGRADE_BINARY", "callgrade")


class Server:
    """``callgrade serve`` over a store of its own."""

    def __init__(self, store, *flags):
        self.store = str(store)
        self.flags = flags
        self.address = "127.0.0.1:0"
        self.process = None
        self.start()

    def start(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CALLGRADE_")}
        command = [BINARY, "serve", "--listen", self.address, "--store", self.store, *self.flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.address = line.split()[-1]

    def signal(self, name):
        os.kill(self.process.pid, getattr(signal, name))

    def kill(self):
        """Ends it as a crash does."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def run(*arguments, **options):
    """Runs the program; what it prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CALLGRADE_")}
    done = subprocess.run([BINARY, *arguments], capture_output=True, env=environment | {"LC_ALL": "C"}, check=False, **options)
    assert done.returncode in (0, 1), done.stderr.decode()
    return done.stdout
