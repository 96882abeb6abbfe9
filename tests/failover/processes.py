"""Child processes with their logs. They are ended by their process id."""

import os
import signal
import subprocess
import time
from pathlib import Path


def wait_until(condition, seconds, what):
    """Repeats a condition until it returns something that is true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def run(*command, check=True, **options):
    """Runs a command to its end and returns its output."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **options)
    if check and result.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {result.stderr.strip()}")
    return result.stdout.strip() if result.returncode == 0 else None


def as_postgres(*command):
    """Returns the command as the user that PostgreSQL demands."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *map(str, command)]


class Process:
    """A running program whose output goes to a file."""

    running: list["Process"] = []

    def __init__(self, name, command, directory: Path, environment=None):
        self.name = name
        self.log = directory / f"{name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory, env=environment
            )
        self.pid = self.process.pid
        Process.running.append(self)

    def is_running(self):
        return self.process.poll() is None

    def kill(self):
        """Ends the process and its descendants at once."""
        kill_tree(self.pid)
        self.process.wait()
        Process.running.remove(self)

    def stop(self, seconds=20):
        """Asks the process to end, and kills it after some time."""
        if self.is_running():
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        Process.running.remove(self)

    def last_lines(self, count=15):
        lines = self.log.read_text(errors="replace").splitlines()[-count:]
        return "\n".join(f"  {self.name}: {line[:400]}" for line in lines)

    @staticmethod
    def kill_all():
        for process in reversed(list(Process.running)):
            process.kill()


def kill_tree(pid):
    """Sends SIGKILL to a process and its descendants."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    pending = [pid]
    while pending:
        next_pid = pending.pop()
        pending.extend(children.get(next_pid, []))
        try:
            os.kill(next_pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
