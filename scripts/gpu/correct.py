"""Part correct: does the device compute what the CPU computes, and the same thing twice?

Every check is on its own, the most telling first; what there is no time for is left out.
"""
from __future__ import annotations

import hashlib
import json
import math
import os
import random
import shutil
from pathlib import Path

from . import processes
from .check import LAST_LINES, Check, Failed, Skipped, failure, must, read_json, settings
from .results import Section

# Losses of 16 batches, a warm-up of ten updates: what begins as rounding stays below 2e-4 (float32, two ways, one CPU).
UPDATES, BATCH, WIDTH = 96, 64, 64
FIRST_MOST, HALF_MOST, BFLOAT16_MOST = 1e-4, 1e-2, 3e-2  # relative differences of losses
ANALYSIS_MOST = 1e-2  # differences of losses and margins; rounding moves them by far less
# Tests that read files of the source tree, which a bundle does not hold.
NEEDS_SOURCES = {"dis_train_test": "Path.EqualsTheAuthorsCode:GridTrajectories.TheShippedExampleIsOfRealPairs"}
# A few quick tests for a trial on the CPU.
MINI_TESTS = {"dis_ops_test": "*Add3*:*Swiglu*", "dis_train_test": "Path.*:Schedule*",
              "dis_golden_test": "*optimizers*"}


def records_of(run: Path) -> list:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def losses_of(run: Path) -> list:
    return [loss for record in records_of(run) for loss in record["loss_per_step"]]


def weights_of(run: Path) -> str:
    return hashlib.sha256((run / "checkpoints/latest/model.safetensors").read_bytes()).hexdigest()


def difference(ours: list, theirs: list) -> list:
    """Relative differences of two lists of losses."""
    if len(ours) != len(theirs) or not all(map(math.isfinite, ours + theirs)):
        raise Failed(f"{len(ours)} and {len(theirs)} losses, all of which should be numbers")
    return [abs(a - b) / max(abs(b), 1e-12) for a, b in zip(ours, theirs)]


class Correct:
    def __init__(self, check: Check, section: Section):
        self.check, self.section = check, section
        self.updates, self.batch, self.width = (48, 16, 32) if check.mini else (UPDATES, BATCH, WIDTH)

    # ------------------------------------------------------------------ runs

    def on(self, device: str) -> list:
        threads = ["compute.threads=1"] if self.check.mini else []  # two on busy cores wait for each other
        return settings(f"compute.device={device}", "compute.dtype=float32", *threads)

    def training(self, name: str, *changes: str, device: str = "", config: str = "nqueens/dis.json") -> list:
        """The command that makes the run `name`, of a small network on small data."""
        small = settings("seed=0", f"train.steps={self.updates}", f"train.global_batch={self.batch}",
                         "train.log_every=1", "train.checkpoint_every=0", f"model.hidden_size={self.width}",
                         "model.num_heads=2", "optim.lr=0.001", "optim.warmup_steps=10")
        return [self.check.place.program, "train", "--config", self.check.place.configs / config, "--run-dir",
                self.check.work / name, *self.on(device or self.check.device), *small, *settings(*changes)]

    def train(self, name: str, *changes: str, config: str = "nqueens/dis.json",
              environment: dict | None = None) -> Path:
        must(self.check.run(self.training(name, *changes, config=config), 60, environment))
        return self.check.work / name

    def on_both(self, *arguments, changes: tuple = ()) -> list:
        """What dis says, as JSON, on the CPU and on the device, both at the same time."""
        commands = [[self.check.place.program, *arguments, *self.on(device), *settings(*changes), "--json"]
                    for device in ("cpu", self.check.device)]
        return [read_json(must(outcome)) for outcome in self.check.run_together(commands, 60)]

    def run_called(self, name: str) -> Path:
        """A run of an earlier check."""
        run = self.check.work / name
        if not (run / "checkpoints").is_dir():
            raise Skipped(f"it compares with the run `{name}`, which there is none of")
        return run

    def compare(self, run: Path, other: Path, what: str) -> str:
        if weights_of(run) != weights_of(other):
            worst = max(difference(losses_of(run), losses_of(other)))
            raise Failed(f"the weights differ from those of {what}; losses by up to {worst:.1e}")
        return f"the weights are those of {what}, bit for bit"

    # ------------------------------------------------------------------ training

    def trains(self) -> str:
        run = self.train("first")
        log = (run / "log.txt").read_text()
        if f"on {self.check.device}" not in log:
            raise Failed(f"the run was not on {self.check.device}: {log.splitlines()[0]}")
        losses = losses_of(run)
        if not all(map(math.isfinite, losses)) or not losses[-1] < losses[0]:
            raise Failed(f"the loss went from {losses[0]:.4f} to {losses[-1]:.4f}")
        seconds = records_of(run)[-1]["seconds"]
        return f"{self.updates} updates in {seconds:.1f} s, loss {losses[0]:.3f} to {losses[-1]:.3f}"

    def against_cpu(self, name: str, *changes: str, config: str = "nqueens/dis.json", first: float = FIRST_MOST,
                    half: float = HALF_MOST) -> str:
        runs = {name: self.check.device, f"{name}_cpu": "cpu"}
        commands = [self.training(run, *changes, device=device, config=config) for run, device in runs.items()
                    if not (self.check.work / run).exists()]
        for outcome in self.check.run_together(commands, 60):
            must(outcome)
        found = difference(*[losses_of(self.check.work / run) for run in runs])
        middle = max(found[:len(found) // 2])
        detail = (f"{len(found)} losses; relative difference before the first update {found[0]:.1e}, "
                  f"in the first half {middle:.1e}, at most {max(found):.1e}")
        if not (found[0] <= first and middle <= half):
            raise Failed(f"{detail}; allowed {first:.0e} and {half:.0e}")
        return detail

    def halting_against_cpu(self, name: str) -> str:
        """The later losses depend on which lanes halt, which rounding may decide: only the first are compared."""
        small = ("model.H_cycles=1", "model.L_cycles=2", "method.num_supervision=4")
        return self.against_cpu(name, *small, config=f"nqueens/{name}.json", half=math.inf)

    def equal_runs(self) -> str:
        return self.compare(self.train("second"), self.run_called("first"), "the first run")

    def narrow_equal_runs(self) -> str:
        """In bfloat16 attention is another kernel, whose backward pass has to be told to repeat."""
        narrow = "compute.dtype=bfloat16"
        details = [self.compare(self.train(name, narrow, *changes), self.run_called("bfloat16"), what)
                   for name, changes, what in (("bfloat16_again", (), "the first in bfloat16"),
                                               ("bfloat16_graph", ("compute.cuda_graph=true",), "that without a graph"))]
        return "; ".join(details)

    def graph(self) -> str:
        run = self.train("graph", "compute.cuda_graph=true")
        return self.compare(run, self.run_called("first"), "the run without a graph")

    def halting_graph(self) -> str:
        small = ("model.H_cycles=1", "model.L_cycles=2", "method.num_supervision=4", "compute.cuda_graph=true")
        return self.compare(self.train("trm_graph", *small, config="nqueens/trm.json"), self.run_called("trm"),
                            "TRM without a graph")

    def attention(self, kernel: str) -> str:
        """Training in bfloat16 with this kernel against training with flash."""
        runs = []
        for name, deterministic in (("flash", "true"), (kernel, "false" if kernel == "cudnn" else "true")):
            run = self.check.work / f"bfloat16_{name}"
            if not run.exists():
                self.train(run.name, "compute.dtype=bfloat16", f"compute.attention={name}",
                           f"compute.deterministic={deterministic}")
            runs.append(losses_of(run))
        found = difference(runs[1], runs[0])
        middle = max(found[:len(found) // 2])
        detail = f"losses differ from those of flash by {found[0]:.1e} at first, {middle:.1e} in the first half"
        if not found[0] <= BFLOAT16_MOST:
            raise Failed(f"{detail}; allowed {BFLOAT16_MOST:.0e} at first")
        return detail

    def one_rank(self) -> str:
        backend = "gloo" if self.check.mini else "nccl"
        environment = dict(self.check.place.environment, RANK="0", LOCAL_RANK="0", WORLD_SIZE="1", LOCAL_WORLD_SIZE="1",
                           MASTER_ADDR="127.0.0.1", MASTER_PORT=str(20000 + os.getpid() % 20000))
        run = self.train("rank", f"dist.backend={backend}", "dist.check_every=2", environment=environment)
        return f"{backend}: " + self.compare(run, self.run_called("first"), "the run without ranks")

    def resume(self) -> str:
        """A copy of a run, set back to the checkpoint in its middle, must end as the run itself."""
        whole = self.train("whole", f"train.checkpoint_every={self.updates // 2}", "train.keep_last=9")
        back = self.check.work / "resumed"
        shutil.copytree(whole, back, symlinks=True)
        numbers = [path.name for path in (back / "checkpoints").iterdir() if path.name.isdigit()]
        checkpoints = [back / "checkpoints" / name for name in sorted(numbers, key=int)]
        if len(checkpoints) < 2:
            raise Failed(f"expected two checkpoints, found {len(checkpoints)}")
        shutil.rmtree(checkpoints[-1])
        (back / "checkpoints/latest").unlink()
        must(self.check.dis("train", "--run-dir", back, "--resume", limit=60))
        return self.compare(back, whole, f"the run that was not interrupted (from update {checkpoints[-2].name})")

    # ------------------------------------------------------------------ test programs

    def tests(self, program: str, *options: str, expect: str = "", **variables: str) -> str:
        """Runs a GoogleTest program; `expect`: a test with this in its name must be among those that ran."""
        path = self.check.place.test_program(program)
        if path is None:
            raise Skipped(f"no {program} here")
        report = self.check.work / f"{program}.json"
        chosen = [*options, f"--gtest_output=json:{report}", "--gtest_brief=1"]
        if not any(option.startswith("--gtest_filter") for option in options):
            chosen.append("--gtest_filter=" + self.test_filter(program))
        environment = dict(self.check.place.test_environment(self.check.device), **variables)
        outcome = self.check.run([path, *chosen], 110, environment)
        return self.test_results(outcome, report, expect)

    def test_filter(self, program: str) -> str:
        chosen = MINI_TESTS[program] if self.check.mini else "*"
        return f"{chosen}-{NEEDS_SOURCES.get(program, '')}" if self.check.place.bundle else chosen

    def test_results(self, outcome: processes.Outcome, report: Path, expect: str) -> str:
        if not report.exists():
            raise failure(outcome) if not outcome.ok else Failed("no report of the tests")
        ran, failed, left_out = [], [], 0
        for suite in json.loads(report.read_text())["testsuites"]:
            for test in suite["testsuite"]:
                name = f"{suite['name']}.{test['name']}"
                left_out += test.get("result") != "COMPLETED"
                if test.get("result") == "COMPLETED":
                    ran.append(name)
                if test.get("failures"):
                    failed.append(name)
        if failed or not outcome.ok:
            names = ", ".join(failed[:8])
            raise Failed(f"{len(failed)} of {len(ran)} failed: {names}" if failed else outcome.problem(),
                         failure_lines(outcome))
        fitting = [name for name in ran if expect in name]
        if not ran:
            raise Failed("no test ran")
        if not fitting:
            raise Failed(f"none of the {len(ran)} tests that ran has `{expect}` in its name: nothing met the device")
        about_device = f", {len(fitting)} of them on {expect}" if expect else ""
        return f"{len(ran)} passed{about_device}" + (f", {left_out} left out" if left_out else "")

    def ops_tests(self) -> str:
        return self.tests("dis_ops_test", expect="" if self.check.mini else "cuda")

    def fresh_inputs(self) -> str:
        seed = str(random.SystemRandom().randrange(1, 2**31))
        chosen = "--gtest_filter=" + (MINI_TESTS["dis_ops_test"] if self.check.mini else "*cuda*")
        return f"seed {seed}: " + self.tests("dis_ops_test", chosen, DIS_TEST_SEED=seed)

    # ------------------------------------------------------------------ the other subcommands

    def analysis(self) -> str:
        """Losses and margins of the same weights on both devices."""
        found = self.on_both("analyze", "--run", self.run_called("first"), changes=("analyze.removals=0",))
        pairs = [(a, b) for ours, theirs in zip(found[1]["steps"], found[0]["steps"]) for name in ("loss", "margin")
                 for a, b in zip(ours["all"][name], theirs["all"][name])]
        worst = max(abs(a - b) for a, b in pairs)
        if not worst <= ANALYSIS_MOST:
            raise Failed(f"the largest difference of {len(pairs)} losses and margins is {worst:.1e}; "
                         f"allowed {ANALYSIS_MOST}")
        return f"{len(pairs)} losses and margins, CPU and device, differ by at most {worst:.1e}"

    def boards(self) -> str:
        found = self.on_both("eval", "--run", self.run_called("first"), changes=("eval.boards=100",))
        scores = [[one["test_sets"]["boards"][decoder][score]["hits"] for decoder in ("argmax", "commit")
                   for score in ("valid", "exact")] for one in found]
        if any(abs(a - b) > 2 for a, b in zip(*scores)):  # rounding may decide between two near answers
            raise Failed(f"of 100 boards solved on the CPU {scores[0]}, on the device {scores[1]}")
        return f"boards solved on the CPU {scores[0]}, on the device {scores[1]}"

    def vote(self) -> str:
        """Trains on small ARC tasks and lets their puzzles vote, on both devices."""
        place = self.check.place
        run = self.train("arc", f"data.path={place.small_arc}", "data.subsets=small,other", "data.test_set=small",
                         "data.augmentations=7", "model.puzzle_emb_ndim=0", "train.global_batch=16",
                         config="arc/mini.json")
        found = self.on_both("eval", "--run", run)
        right = [[step["token_accuracy"] for step in one["per_supervision_step"]] for one in found]
        worst = max(abs(a - b) for a, b in zip(*right))
        if not worst <= 0.03:
            raise Failed(f"right tokens on the CPU {right[0]}, on the device {right[1]}")
        return f"{found[1]['arc']['predictions']} votes; shares of right tokens differ by at most {worst:.1e}"

    def predict(self) -> str:
        tasks = self.check.place.small_arc / "arc-agi_small_challenges.json"
        fields = settings("predict.steps=6", "predict.augmentations=3", "predict.batch=16",
                          f"compute.device={self.check.device}")
        answers = self.check.work / "submission.json"
        found = self.check.dis_json("predict", "--run", self.run_called("arc"), "--input", tasks, "--output", answers,
                                    *fields, limit=60)
        asked, answered = json.loads(tasks.read_text()), json.loads(answers.read_text())
        if sorted(asked) != sorted(answered):
            raise Failed(f"{len(asked)} tasks asked, {len(answered)} answered")
        return f"{len(answered)} tasks, fitted in {found['fitting_seconds']:.2f} s"

    def launcher(self) -> str:
        place = self.check.place
        if not place.launcher:
            raise Skipped("dis is no wheel")
        environment = dict(place.plain_environment, PYTHONPATH=str(place.program.parents[2]))
        version = json.loads(must(self.check.run([*place.launcher, "info", "--json"], 30, environment)).out)["version"]
        return f"python3 -m dis_toolkit starts dis {version}"


def failure_lines(outcome: processes.Outcome) -> list:
    """Where tests failed, else the last lines."""
    lines = outcome.out.splitlines()
    places = [i for i, line in enumerate(lines) if ": Failure" in line]
    found = [line for i in places[:4] for line in lines[i:i + 5]]
    return found or outcome.last_lines(LAST_LINES)


def checks(correct: Correct) -> list:
    """Name, seconds that it may take, and the check, by what it tells."""
    kernels = [] if correct.check.mini else ["cudnn", "composed"]  # the CPU has one
    return [
        ("trains", 2, correct.trains),
        ("losses of CPU and device", 4, lambda: correct.against_cpu("first")),
        ("ops tests", 10, correct.ops_tests),
        ("golden cases", 5, lambda: correct.tests("dis_golden_test")),
        ("two equal runs", 5, correct.equal_runs),
        ("graph against no graph", 5, correct.graph),
        ("kernels on fresh inputs", 8, correct.fresh_inputs),
        ("one rank", 8, correct.one_rank),
        ("resume", 8, correct.resume),
        ("ARC vote", 10, correct.vote),
        ("analyze", 6, correct.analysis),
        ("bfloat16 losses of CPU and device", 6, lambda: correct.against_cpu(
            "bfloat16", "compute.dtype=bfloat16", first=BFLOAT16_MOST, half=math.inf)),
        ("bfloat16: two equal runs, graph", 8, correct.narrow_equal_runs),
        ("eval", 6, correct.boards),
        ("predict", 5, correct.predict),
        ("TRM: losses of CPU and device", 10, lambda: correct.halting_against_cpu("trm")),
        ("TRM: graph against no graph", 5, correct.halting_graph),
        ("HRM: losses of CPU and device", 10, lambda: correct.halting_against_cpu("hrm")),
        *[(f"{kernel} attention against flash", 8, lambda name=kernel: correct.attention(name)) for kernel in kernels],
        ("the wheel's launcher", 5, correct.launcher),
    ] + ([("train tests", 45, lambda: correct.tests("dis_train_test"))] if correct.check.mini else [])


def run(check: Check, section: Section) -> None:
    correct = Correct(check, section)
    for name, least, work in checks(correct):
        check.entry(section, name, 1 if check.mini else least, work)
