"""What every part works with: the program, the time that is left, and how entries come about."""
from __future__ import annotations

import json
import time
from pathlib import Path

from . import processes
from .place import Place
from .results import Results, Section

LAST_LINES = 12  # of a failed program, in the report
ENDING = 1.5  # seconds kept for the end


class Failed(Exception):
    def __init__(self, detail: str, tail: list = ()):
        super().__init__(detail)
        self.tail = list(tail)


class Skipped(Exception):
    pass


class Check:
    def __init__(self, place: Place, results: Results, device: str, minutes: float, work: Path):
        self.place, self.results, self.device, self.work = place, results, device, work
        self.mini = device == "cpu"  # everything in miniature: it tries the script, it measures nothing
        self.end = time.monotonic() + 60.0 * minutes - ENDING
        self.part_end = self.end
        self.log = processes.Log(results.out / "log.txt")
        self.info, self.source, self.wanted_runs = {}, None, []

    def begin_part(self, section: Section, limit: float | None) -> None:
        now = time.monotonic()
        self.part_end = self.end if limit is None else min(self.end, now + limit)
        section.start(max(self.part_end - now, 0.0))

    def left(self) -> float:
        return self.part_end - time.monotonic()

    def run(self, command: list, limit: float, environment: dict | None = None, **how) -> processes.Outcome:
        environment = self.place.environment if environment is None else environment
        outcome = processes.run(command, min(limit, self.left()), environment, self.work, self.log, **how)
        if outcome.limit < limit:
            outcome.reason = "the end of the part"
        return outcome

    def run_together(self, commands: list, limit: float) -> list:
        pairs = [(command, self.place.environment) for command in commands]
        return processes.run_together(pairs, min(limit, self.left()), self.work, self.log)

    def dis(self, *arguments, limit: float, **how) -> processes.Outcome:
        return self.run([self.place.program, *arguments], limit, **how)

    def dis_json(self, *arguments, limit: float) -> dict:
        return read_json(must(self.dis(*arguments, "--json", limit=limit)))

    def entry(self, section: Section, name: str, least: float, work) -> bool:
        """Calls work(), which returns the detail of what passed; not begun with less than `least` seconds left."""
        if self.left() < least:
            section.add(name, "skipped", 0.0, f"no time: {max(self.left(), 0):.0f} s left, it may take {least:.0f}")
            return False
        begin = time.monotonic()
        result, detail, tail = "passed", "", []
        try:
            detail = work() or ""
        except Skipped as reason:
            result, detail = "skipped", str(reason)
        except Failed as reason:
            result, detail, tail = "failed", str(reason), reason.tail
        except (OSError, ValueError, LookupError, TypeError) as error:  # files or JSON that are not as expected
            result, detail = "failed", f"{type(error).__name__}: {error}"
        section.add(name, result, time.monotonic() - begin, detail, tail)
        return result == "passed"


def failure(outcome: processes.Outcome) -> Failed:
    return Failed(outcome.problem(), outcome.last_lines(LAST_LINES))


def must(outcome: processes.Outcome) -> processes.Outcome:
    if not outcome.ok:
        raise failure(outcome)
    return outcome


def read_json(outcome: processes.Outcome) -> dict:
    """The JSON that a program printed."""
    try:
        return json.loads(outcome.out)
    except ValueError:
        found = outcome.out.strip()[:100] or "nothing"
        raise Failed(f"expected JSON, found: {found}", outcome.last_lines(LAST_LINES)) from None


def settings(*changes: str) -> list:
    return [part for change in changes for part in ("--set", change)]
