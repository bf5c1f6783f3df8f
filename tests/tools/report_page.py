#!/usr/bin/env python3
"""Opens a report in headless Chromium: no console messages, its tables equal the run's JSON, nothing sticks out.

usage: report_page.py DIS [FOLDER]      DIS: the program; FOLDER: keeps run, page and screenshots there

Trains a blink, evaluates, analyses and reports, then looks at the page light and dark, wide and narrow. Exit 77 where
there is no Chromium.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from html.parser import HTMLParser

SIZES = {"wide": "1280,2000", "narrow": "390,2000"}


class Tables(HTMLParser):
    """Tables by id: rows of data-value where there is one, else of text."""

    def __init__(self):
        super().__init__()
        self.tables, self.rows, self.cell = {}, None, None

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "table":
            self.rows = self.tables.setdefault(attrs["id"], [])
        elif tag == "tr" and self.rows is not None:
            self.rows.append([])
        elif tag in ("td", "th") and self.rows is not None:
            self.cell = [attrs.get("data-value"), ""]

    def handle_data(self, data):
        if self.cell is not None:
            self.cell[1] += data

    def handle_endtag(self, tag):
        if tag in ("td", "th") and self.cell is not None:
            value, text = self.cell
            self.rows[-1].append(float(value) if value is not None else text)
            self.cell = None
        elif tag == "table":
            self.rows = None


def chromium(browser, profile, page, *options):
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr",
               f"--user-data-dir={profile}", *options, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    messages = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not messages, messages
    return done.stdout


def check(dis, folder):
    browser = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    if browser is None:
        print("no Chromium here: skipped")
        return 77
    run = folder / "run"
    settings = ["data.board_size=5", "data.train_boards=40", "data.test_boards=20", "model.hidden_size=16",
                "model.num_heads=2", "model.expansion=0.5", "model.puzzle_emb_len=1", "method.num_supervision=3",
                "train.steps=60", "train.global_batch=8", "optim.warmup_steps=0", "compute.threads=1",
                "compute.dtype=float32", "data.split=authors"]
    shutil.rmtree(run, ignore_errors=True)
    program = lambda *arguments: subprocess.run([dis, *arguments], check=True, capture_output=True, text=True)
    program("train", "--run-dir", str(run), *[word for field in settings for word in ("--set", field)])
    program("eval", "--run", str(run))
    program("analyze", "--run", str(run))
    program("report", "--run", str(run))
    page = run / "report.html"
    profile = folder / "profile"

    # A page that asks a script in it to measure: what is wider than the window?
    probe = folder / "probe.html"
    probe.write_text(page.read_text().replace(
        "</body>", "<script>document.title='width '+(document.documentElement.scrollWidth-innerWidth)</script></body>"))
    for name, size in SIZES.items():
        for scheme, option in {"light": "--blink-settings=preferredColorScheme=1",
                               "dark": "--blink-settings=preferredColorScheme=0"}.items():
            picture = folder / f"{name}_{scheme}.png"
            chromium(browser, profile, page, f"--window-size={size}", option, f"--screenshot={picture}")
            assert picture.stat().st_size > 20_000, picture
        dom = chromium(browser, profile, probe, f"--window-size={size}", "--dump-dom")
        beyond = int(re.search(r"<title>width (-?\d+)</title>", dom).group(1))
        assert beyond <= 0, f"{name}: {beyond} pixels wider than the window"

    parser = Tables()
    parser.feed(chromium(browser, profile, page, "--dump-dom"))
    tables = parser.tables
    score = json.loads((run / "eval/60.json").read_text())["test_sets"]["authors"]["argmax"]
    assert tables["boards-0-0"][1][2] == score["valid"]["value"]
    for row, rates in zip(tables["boards-0-0-steps"][1:], score["per_supervision_step"], strict=True):
        assert row[1:] == [rates["valid"]["value"], rates["exact"]["value"]]
    inside = json.loads((run / "analysis/60.json").read_text())
    plain = inside["guidance"].index(1)
    for row, step in zip(tables["steps-0"][1:], inside["steps"], strict=True):
        assert row[1] == step["all"]["margin"][plain] and row[12] == step["exact"]["value"]
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert tables["overview"][1][2] == records[-1]["step"] == tables["curve-loss"][-1][0]
    print(f"{len(tables)} tables, {page.stat().st_size // 1024} KB, no console messages")
    return 0


def main():
    dis = os.path.abspath(sys.argv[1])
    if len(sys.argv) > 2:
        folder = pathlib.Path(sys.argv[2]).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        return check(dis, folder)
    with tempfile.TemporaryDirectory() as folder:
        return check(dis, pathlib.Path(folder))


if __name__ == "__main__":
    sys.exit(main())
