"""Part scale: the same batch shared by 1, 2 and 4 ranks, a GPU each."""
from __future__ import annotations

import os
from pathlib import Path

from . import processes
from .check import LAST_LINES, Check, Failed, settings
from .correct import records_of
from .results import Section

COLUMNS = ["ranks", "samples/s", "ms an update", "times one rank", "efficiency", "last loss"]


class Scale:
    def __init__(self, check: Check, section: Section):
        self.check, self.section, self.rows = check, section, []
        self.batches, self.batch = (4, 8) if check.mini else (40, 768)

    def command(self, run: Path) -> list:
        """DIS-compact on ARC-1 where its sets are, else the network of the same width on boards."""
        arc = None if self.check.mini else self.check.place.arc()
        config = "arc/dis_compact_arc1.json" if arc else "nqueens/paper.json"
        changes = [f"data.path={arc}", "data.subsets=training,evaluation", "data.augmentations=30"] if arc else []
        if self.check.mini:
            changes += ["model.hidden_size=32", "model.num_heads=2", "compute.threads=1"]
        return [self.check.place.program, "train", "--config", self.check.place.configs / config, "--run-dir", run,
                *settings(*changes, f"compute.device={self.check.device}", f"train.global_batch={self.batch}",
                          f"train.steps={6 * self.batches}", "train.log_every=1", "train.checkpoint_every=0",
                          "dist.check_every=10", f"dist.backend={'gloo' if self.check.mini else 'nccl'}")]

    def ranks(self, count: int) -> str:
        run = self.check.work / f"ranks_{count}"
        size, port = str(count), str(20000 + (os.getpid() + count) % 20000)
        commands = [(self.command(run), dict(self.check.place.environment, RANK=str(rank), LOCAL_RANK=str(rank),
                                             WORLD_SIZE=size, LOCAL_WORLD_SIZE=size, MASTER_ADDR="127.0.0.1",
                                             MASTER_PORT=port)) for rank in range(count)]
        outcomes = processes.run_together(commands, min(90, self.check.left()), self.check.work, self.check.log)
        for rank, outcome in enumerate(outcomes):
            if not outcome.ok:
                raise Failed(f"rank {rank}: {outcome.problem()}", outcome.last_lines(LAST_LINES))
        return self.add(count, records_of(run))

    def add(self, count: int, records: list) -> str:
        """The rate of the second half: the first holds the start."""
        half, last = records[len(records) // 2 - 1], records[-1]
        seconds = last["seconds"] - half["seconds"]
        rate = (last["samples"] - half["samples"]) / seconds
        times = rate / self.rows[0][1] if self.rows else 1.0
        milliseconds = 1e3 * seconds / (last["step"] - half["step"])
        self.rows.append((count, rate, milliseconds, times, times / count, last["loss"]))
        self.section.data.setdefault("ranks", []).append(dict(zip(COLUMNS, self.rows[-1])))
        self.section.add_table(f"A batch of {self.batch} shared by the ranks", COLUMNS, self.rows)
        return f"{rate:.4g} samples/s, {times:.2f} times one rank"


def run(check: Check, section: Section) -> None:
    devices = 2 if check.mini else len(check.info["cuda"]["devices"])
    if devices < 2:
        section.add("ranks", "skipped", 0.0, "one GPU here")
        return
    scale = Scale(check, section)
    for count in (1, 2, 4):
        if count <= devices:
            name = f"{count} rank{'s' if count > 1 else ''}"
            check.entry(section, name, 2 if check.mini else 25, lambda ranks=count: scale.ranks(ranks))
