"""What the check found: results.json and report.md, written anew after every entry, so that a killed run keeps them."""
from __future__ import annotations

import json
import os
import time
from pathlib import Path

CELL_MOST = 300  # characters of a cell of a table
MARKS = {"passed": "passed", "failed": "**failed**", "skipped": "skipped"}


def write_atomically(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text)
    os.replace(partial, path)


def cell(value) -> str:
    """Of a Markdown table."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    text = " ".join(str(value).split()).replace("|", "\\|")
    return text if len(text) <= CELL_MOST else text[:CELL_MOST] + "..."


def table(columns: list, rows: list) -> str:
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


class Section:
    """Entries (what passed, failed or was left out), tables and notes of a part; `data` goes into the JSON as it is."""

    def __init__(self, results: Results, name: str):
        self.results, self.name = results, name
        self.state, self.seconds, self.limit, self.begin = "not reached", 0.0, 0.0, 0.0
        self.entries, self.tables, self.notes, self.data = [], [], [], {}

    def start(self, limit: float) -> None:
        self.state, self.limit, self.begin = "running", limit, time.monotonic()
        self.results.write()

    def end(self) -> None:
        self.seconds = time.monotonic() - self.begin
        self.state = "failed" if self.failed() else "passed" if self.of("passed") else "skipped"
        self.results.write()

    def of(self, result: str) -> list:
        return [entry["name"] for entry in self.entries if entry["result"] == result]

    def failed(self) -> list:
        return self.of("failed")

    def add(self, name: str, result: str, seconds: float, detail: str, tail: list = ()) -> None:
        """An entry; `tail`: the last lines that a failed program printed."""
        entry = {"name": name, "result": result, "seconds": round(seconds, 2), "detail": detail}
        if tail and result == "failed":
            entry["last_lines"] = list(tail)
        self.entries.append(entry)
        print(f"{self.name}: {name}: {result} ({seconds:.1f} s)" + (f": {detail}" if detail else ""), flush=True)
        self.results.write()

    def add_table(self, title: str, columns: list, rows: list) -> None:
        """The table called `title`, or a new version of it."""
        self.tables = [known for known in self.tables if known["title"] != title]
        self.tables.append({"title": title, "columns": columns, "rows": rows})
        self.results.write()

    def note(self, text: str) -> None:
        self.notes.append(text)
        print(f"{self.name}: {text}", flush=True)
        self.results.write()

    def json(self) -> dict:
        seconds = time.monotonic() - self.begin if self.state == "running" else self.seconds
        return {"result": self.state, "seconds": round(seconds, 2), "limit_s": round(self.limit, 1),
                "entries": self.entries, "tables": self.tables, "notes": self.notes, "data": self.data}

    def markdown(self) -> str:
        lines = [f"## {self.name}: {MARKS.get(self.state, self.state)}\n"]
        lines += [note + "\n" for note in self.notes]
        if self.entries:
            rows = [(e["name"], MARKS[e["result"]], f"{e['seconds']:.1f}", e["detail"]) for e in self.entries]
            lines.append(table(["what", "result", "seconds", "detail"], rows))
        for known in self.tables:
            lines.append(f"{known['title']}:\n\n" + table(known["columns"], known["rows"]))
        for entry in self.entries:
            if entry.get("last_lines"):
                text = "\n".join(entry["last_lines"])
                lines.append(f"The last lines of {entry['name']}:\n\n```\n{text}\n```\n")
        return "\n".join(lines)


class Results:
    def __init__(self, out: Path, parts: list):
        self.out, self.facts, self.problem = out, {}, ""
        self.sections = {name: Section(self, name) for name in parts}

    def failed(self) -> list:
        failed = {name: section.failed() for name, section in self.sections.items()}
        found = [f"{name} ({', '.join(entries)})" for name, entries in failed.items() if entries]
        return ([self.problem] if self.problem else []) + found

    def verdict(self) -> str:
        if self.failed():
            return "Failed: " + "; ".join(self.failed())
        if any(section.state in ("running", "not reached") for section in self.sections.values()):
            return "Not finished: what follows is what was done until then"
        left_out = sum(len(section.of("skipped")) for section in self.sections.values())
        return "Nothing failed" + (f"; {left_out} left out, see below" if left_out else "")

    def write(self) -> None:
        parts = {name: section.json() for name, section in self.sections.items()}
        document = {"format": 1, **self.facts, "verdict": self.verdict(), "failed": self.failed(), "parts": parts}
        write_atomically(self.out / "results.json", json.dumps(document, indent=1) + "\n")
        rows = [(name, part["result"], f"{part['seconds']:.0f}", f"{part['limit_s']:.0f}")
                for name, part in parts.items()]
        head = ["# GPU check\n", ", ".join(str(value) for value in self.facts.values() if value) + "\n",
                f"**{self.verdict()}.**\n", table(["part", "result", "seconds", "limit"], rows)]
        sections = [section.markdown() for section in self.sections.values()]
        write_atomically(self.out / "report.md", "\n".join(head + sections))
