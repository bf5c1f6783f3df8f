"""Runs programs within time limits that hold for everything they start, and keeps what they print."""
from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

LOG_MOST = 3 << 20  # bytes of log.txt
OUTPUT_MOST = 64 << 10  # of one program's output in it
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class Stopped(BaseException):
    """A signal asks gpu_check to end."""


class Outcome:
    """How a program ended and what it printed."""

    def __init__(self, job: Job, status: int, seconds: float):
        self.status, self.seconds = status, seconds
        self.cut = job.cut  # killed at its limit
        self.limit, self.reason = job.limit, ""
        self.out, self.err = job.read("out"), job.read("err")

    @property
    def ok(self) -> bool:
        return self.status == 0 and not self.cut

    def last_lines(self, count: int) -> list:
        lines = [line.rstrip() for line in (self.err.strip() or self.out.strip()).splitlines() if line.strip()]
        return lines[-count:]

    def problem(self) -> str:
        """Why it is not ok, in one line."""
        if self.cut:
            how = f"killed after {self.limit:.0f} s, {self.reason or 'its limit'}"
        elif self.status < 0:
            how = f"ended by {signal.Signals(-self.status).name}"
        else:
            how = f"exit status {self.status}"
        return ": ".join([how, *self.last_lines(1)])


def end_with_parent() -> None:
    """In the child: a killed gpu_check leaves nothing behind that keeps the GPU busy."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Job:
    """A started program, in a process group of its own."""

    def __init__(self, command: list, limit: float, env: dict, folder: Path):
        self.limit, self.cut, self.asked = limit, False, False
        self.files = {name: tempfile.TemporaryFile(dir=folder) for name in ("out", "err")}
        self.start = time.monotonic()
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=self.files["out"],
            stderr=self.files["err"], env=env, cwd=folder, start_new_session=True, preexec_fn=end_with_parent)

    def read(self, name: str) -> str:
        self.files[name].seek(0)
        return self.files[name].read().decode(errors="replace")

    def signal(self, number: int) -> None:
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def wait(self, until=None, grace: float = 0.0) -> Outcome:
        """Waits for the end. SIGTERM comes `grace` seconds before the limit, or when until() is true; SIGKILL at it."""
        try:
            while self.process.poll() is None:
                left = self.start + self.limit - time.monotonic()
                if left <= 0:
                    self.cut = True
                    break
                if grace and not self.asked and (left <= grace or (until is not None and until())):
                    self.asked = True
                    self.signal(signal.SIGTERM)
                time.sleep(min(0.05 if until is None else 0.2, max(left, 0.001)))
        finally:
            self.signal(signal.SIGKILL)  # also what it left behind
            status = self.process.wait()
        return Outcome(self, status, time.monotonic() - self.start)


class Log:
    """log.txt: every command with what it printed."""

    def __init__(self, path: Path):
        self.path, self.left = path, LOG_MOST
        path.write_text("")

    def add(self, text: str) -> None:
        if self.left <= 0:
            return
        self.left -= len(text)
        if self.left <= 0:
            text = "log.txt has reached its limit; what follows is left out\n"
        with self.path.open("a") as file:
            file.write(text)

    def add_outcome(self, command: list, outcome: Outcome) -> None:
        self.add(f"==== {' '.join(map(str, command))}\n")
        for text in (outcome.out, outcome.err):
            if len(text) > OUTPUT_MOST:
                text = f"({len(text) - OUTPUT_MOST} characters left out)\n{text[-OUTPUT_MOST:]}"
            self.add(text if not text or text.endswith("\n") else text + "\n")
        self.add(f"---- {outcome.seconds:.1f} s, " + ("ok\n" if outcome.ok else outcome.problem() + "\n"))


def run(command: list, limit: float, env: dict, folder: Path, log: Log, **how) -> Outcome:
    """Runs a program in `folder` for at most `limit` seconds; `how` as for Job.wait."""
    return run_together([(command, env)], limit, folder, log, **how)[0]


def run_together(commands: list, limit: float, folder: Path, log: Log, **how) -> list:
    """Runs programs, pairs of command and environment, at the same time."""
    jobs = []
    try:
        for command, env in commands:
            jobs.append(Job(command, max(limit, 0.1), env, folder))
        outcomes = [job.wait(**how) for job in jobs]
    except FileNotFoundError as error:
        raise FileNotFoundError(f"no program {error.filename}") from error
    finally:
        for job in jobs:
            if job.process.returncode is None:
                job.signal(signal.SIGKILL)
                job.process.wait()
    for (command, _), outcome in zip(commands, outcomes):
        log.add_outcome(command, outcome)
    return outcomes
