"""Part learn: trains for as long as there is time, evaluates, and packs the runs so that a later call can go on."""
from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

from . import pieces
from .check import LAST_LINES, Check, Failed, Skipped, failure, must, settings
from .results import Section

QUEENS_UPDATES = 18000  # of DIS, six a batch: 3,000 batches, 320 times the 7,200 training boards
STOPPED = 128 + 15  # exit status of dis after SIGTERM, once the checkpoint is written
AUTHORS = ("data.split=authors", "data.train_boards=800", "data.test_boards=200", "data.min_givens=0",
           "data.augment=true")
GRAPH = "compute.cuda_graph=true"
GPU = ("compute.device=cuda", GRAPH, "train.log_every=5", "train.keep_last=1")
MINI = ("compute.device=cpu", "compute.dtype=float32", "compute.threads=1", "model.hidden_size=32", "model.num_heads=2",
        "train.global_batch=8", "train.keep_last=1", "optim.warmup_steps=10", "optim.lr=0.001",
        "train.checkpoint_every=0")

# configuration, changes on a GPU, changes in miniature
RUNS = {
    "queens_dis": ("nqueens/paper.json",
                   (*GPU, f"train.steps={QUEENS_UPDATES}", "train.checkpoint_every=3000", "train.eval_every=1800"),
                   (*MINI, "train.steps=96", "train.eval_every=48", "data.test_boards=20")),
    "queens_trm": ("nqueens/trm.json",
                   (*AUTHORS, *GPU, f"train.steps={QUEENS_UPDATES // 6 * 16}", "train.checkpoint_every=4800",
                    "train.eval_every=4800"),
                   (*AUTHORS, *MINI, "train.steps=64", "train.eval_every=32", "data.test_boards=20",
                    "method.num_supervision=4", "model.H_cycles=1", "model.L_cycles=2")),
    "arc": ("arc/dis_compact_arc1.json",
            (*GPU, "data.subsets=training,evaluation", "data.augmentations=30", "train.checkpoint_every=1200",
             "train.eval_every=1200"),
            (*MINI, "data.subsets=small,other", "data.test_set=small", "data.augmentations=3", "data.max_grid=6",
             "train.eval_every=1500")),
}
TITLES = {"queens_dis": "DIS on 8 x 8 boards, the paper's setting (200 test boards of the authors)",
          "queens_trm": "TRM on the same boards, until it has seen as many samples",
          "arc": "DIS-compact on ARC-1, 30 augmentations a task"}
QUEENS_COLUMNS = ["minutes", "update", "samples", "exact, argmax", "valid, argmax", "exact, commit", "valid, commit"]
ARC_COLUMNS = ["minutes", "update", "samples", "pass@1", "pass@2", "test inputs in 2", "base puzzles exact"]


def records_of(run: Path) -> list:
    file = run / "metrics.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def interval(score: dict) -> str:
    return f"{score['value']:.3f} [{score['lower']:.3f}, {score['upper']:.3f}]"


def scores(found: dict) -> list:
    """Cells of a row of the curve."""
    if "arc" in found:
        at = found["arc"]["pass_at"]
        return [interval(at["1"]["arc_prize"]), interval(at["2"]["arc_prize"]), interval(at["2"]["test_inputs"]),
                interval(found["per_supervision_step"][-1]["exact"])]
    boards = found["test_sets"]["authors"]  # while training by argmax alone
    return [interval(boards[decoder][score]) if decoder in boards else None
            for decoder in ("argmax", "commit") for score in ("exact", "valid")]


class Learn:
    def __init__(self, check: Check, section: Section):
        self.check, self.section = check, section
        self.folder = check.work / "learn"
        # Seconds for an evaluation with its start, for the last batch and checkpoint, and for packing everything.
        self.evaluating, self.grace, self.packing = (3, 3, 1) if check.mini else (25, 12, 8)
        self.least = 8 if check.mini else 50  # for a run to begin

    def path(self, name: str) -> Path:
        return self.folder / name

    def environment(self) -> dict:
        """ARC by its folder here: a run that goes on elsewhere finds it there."""
        arc = self.check.place.small_arc if self.check.mini else self.check.place.arc()
        return dict(self.check.place.environment, **({"DIS_DATA_DIR": str(arc)} if arc else {}))

    def restore(self) -> str:
        """Unpacks the runs of --from."""
        try:
            found = pieces.packed_runs(self.check.source)
            for name, parts in found.items():
                pieces.unpack(parts, self.path(name))
        except pieces.Damaged as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise Failed(str(error)) from error
        self.section.data["restored"] = {name: self.done(name) for name in found}
        return "; ".join(f"{name} at update {self.done(name)['update']}" for name in found)

    def done(self, name: str) -> dict:
        """How far a run is: by its checkpoint, from which it goes on."""
        checkpoint = pieces.latest_checkpoint(self.path(name))
        if checkpoint is None:
            return {"update": 0, "samples": 0, "seconds": 0.0}
        state = json.loads((checkpoint / "state.json").read_text())
        return {"update": state["step"], "samples": state["samples"], "seconds": state["seconds"]}

    # ------------------------------------------------------------------ how long

    def updates(self, name: str) -> int:
        changes = RUNS[name][2 if self.check.mini else 1]
        return next((int(c.split("=")[1]) for c in changes if c.startswith("train.steps=")), 518226)

    def enough_samples(self) -> int:
        """Of TRM, whose lanes take a new sample when they halt: those that DIS sees."""
        batch = 8 if self.check.mini else 768
        return self.updates("queens_dis") // 6 * batch

    def finished(self, name: str) -> bool:
        done = self.done(name)
        enough = name == "queens_trm" and done["samples"] >= self.enough_samples()
        return enough or done["update"] >= self.updates(name)

    def evaluated(self, name: str) -> bool:
        """With every decoder; an evaluation while training takes one."""
        file = self.path(name) / f"eval/{self.done(name)['update']}.json"
        return file.exists() and None not in scores(json.loads(file.read_text()))

    def has_enough(self, name: str):
        """For Job.wait: whether a run under way may stop."""
        if name != "queens_trm":
            return None

        def reached() -> bool:
            records = records_of(self.path(name))
            return bool(records) and records[-1]["samples"] >= self.enough_samples()
        return reached

    # ------------------------------------------------------------------ what a run does

    def command(self, name: str, graph: bool) -> list:
        run = self.path(name)
        if self.done(name)["update"]:
            return ["train", "--run-dir", run, "--resume"]
        shutil.rmtree(run, ignore_errors=True)
        self.folder.mkdir(exist_ok=True)
        config, gpu, mini = RUNS[name]
        changes = [c for c in (mini if self.check.mini else gpu) if graph or c != GRAPH]
        return ["train", "--config", self.check.place.configs / config, "--run-dir", run, *settings(*changes)]

    def train(self, name: str, seconds: float) -> str:
        before, end = self.done(name), time.monotonic() + seconds
        for graph in (True, False):
            outcome = self.check.dis(*self.command(name, graph), limit=end - time.monotonic(), grace=self.grace,
                                     environment=self.environment(), until=self.has_enough(name))
            if not outcome.cut and outcome.status in (0, STOPPED):
                break
            begun = self.check.mini or self.done(name)["update"] > 0
            if begun or not graph or end - time.monotonic() < self.least:
                raise failure(outcome)
            # A graph that cannot be captured must not cost the time of the whole part.
            self.section.add(f"{name}: train with a graph", "failed", outcome.seconds, outcome.problem(),
                             outcome.last_lines(LAST_LINES))
        after = self.done(name)
        return (f"update {before['update']} to {after['update']}, {after['samples']} samples, "
                f"{after['seconds'] / 60:.2f} minutes of training in all")

    def evaluate(self, name: str) -> str:
        must(self.check.dis("eval", "--run", self.path(name), limit=self.evaluating, environment=self.environment()))
        last = self.add_curve(name)[-1]
        columns = ARC_COLUMNS if name == "arc" else QUEENS_COLUMNS
        return ", ".join(f"{column} {value}" for column, value in zip(columns[3:], last[3:]))

    def add_curve(self, name: str) -> list:
        """The scores of all evaluations against the minutes of training."""
        run, rows = self.path(name), []
        at = {record["step"]: record for record in records_of(run)}
        for file in sorted((p for p in (run / "eval").glob("*.json") if p.stem.isdigit()), key=lambda p: int(p.stem)):
            update = int(file.stem)
            known = [record for step, record in at.items() if step <= update]
            when = max(known, key=lambda record: record["step"]) if known else {"seconds": 0.0, "samples": 0}
            rows.append((f"{when['seconds'] / 60:.2f}", update, when["samples"], *scores(json.loads(file.read_text()))))
        if rows:
            self.section.add_table(TITLES[name], ARC_COLUMNS if name == "arc" else QUEENS_COLUMNS, rows)
        return rows

    def pack(self) -> str:
        runs = [name for name in RUNS if self.done(name)["update"]]
        runs.sort(key=self.finished)  # a finished run has nothing to go on with
        if not runs:
            raise Skipped("no run has a checkpoint")
        files, left_out = pieces.pack([self.path(name) for name in runs], self.check.results.out)
        for line in left_out:
            self.section.note(line)
        self.section.data["files"] = files
        return f"{len(files)} files, {sum(files.values()) / 2**20:.1f} MiB: " + ", ".join(files)

    def possible(self, name: str) -> bool:
        if self.finished(name):
            self.section.add(f"{name}: train", "skipped", 0.0, "it is finished")
            if not self.evaluated(name):
                self.check.entry(self.section, f"{name}: evaluate", self.evaluating, lambda: self.evaluate(name))
            self.add_curve(name)
            return False
        if name == "arc" and not self.check.mini and self.check.place.arc() is None:
            self.section.add(f"{name}: train", "skipped", 0.0, "no ARC-1 sets here: scripts/fetch_arc brings them")
            return False
        return True


def run(check: Check, section: Section) -> None:
    learn = Learn(check, section)
    if check.source is not None and not check.entry(section, "go on from", 0, learn.restore):
        return  # to begin anew would lose what was to go on
    waiting = [name for name in check.wanted_runs if learn.possible(name)]
    while waiting:
        left = check.left() - learn.packing
        if left < learn.least:
            section.add("time ran out", "skipped", 0.0,
                        f"{', '.join(waiting)}: {left:.0f} s are left, a run needs {learn.least}")
            break
        name = waiting.pop(0)
        share = left / min(len(waiting) + 1, int(left // learn.least))
        trained = check.entry(section, f"{name}: train", 0, lambda: learn.train(name, share - learn.evaluating))
        if trained:
            check.entry(section, f"{name}: evaluate", 0, lambda: learn.evaluate(name))
        if learn.folder.exists():
            check.entry(section, f"{name}: pack", 0, learn.pack)
    if check.source is not None and not list(check.results.out.glob("learn_*.part")):
        check.entry(section, "pack", 0, learn.pack)  # nothing was trained: keep what came
