"""Part speed: supervision steps of dis and of PyTorch in the same minutes, and where the time of a step goes."""
from __future__ import annotations

from .check import Check, Failed, Skipped, read_json
from .results import Section

# Floors of docs/performance.md: ms per supervision step on one H200, ARC, batch 768, with FlashAttention.
FLOORS = {("compact", 768): 77.5, ("medium", 768): 277.4}
STEP_COLUMNS = ["program", "size", "batch", "ms a step", "fastest", "samples/s", "memory, MB", "first batch, s",
                "floor (H200), ms"]
RATIO_COLUMNS = ["size", "batch", "dis, ms", "compiled PyTorch / dis", "eager PyTorch / dis"]
TRACE_COLUMNS = ["operation", "calls", "ms", "GB/s", "TFLOP/s", "floor, ms", "times the floor"]
# With a graph, and with cuDNN's attention, which does not repeat bit for bit, as PyTorch's default need not.
OURS = {"dis": [], "dis, graph": ["--cuda-graph"], "dis, cudnn": ["--attention", "cudnn"]}
# What is measured, in this order: kind, size, batch, seconds that it may take.
PLAN = [
    ("dis", "compact", 768, 8), ("dis, graph", "compact", 768, 8), ("PyTorch, compiled", "compact", 768, 45),
    ("dis, cudnn", "compact", 768, 8), ("trace", "compact", 768, 8), ("dis", "medium", 768, 18),
    ("dis, cudnn", "medium", 768, 18), ("dis, graph", "medium", 768, 18),
    ("PyTorch, eager", "compact", 768, 15), ("dis", "compact", 64, 7), ("dis, graph", "compact", 64, 7),
    ("dis", "compact", 256, 7), ("dis, graph", "compact", 256, 7), ("trace", "medium", 768, 10),
    ("PyTorch, compiled", "medium", 768, 60), ("PyTorch, eager", "medium", 768, 25), ("dis", "medium", 256, 9),
    ("dis, graph", "medium", 256, 9), ("dis", "medium", 64, 8), ("dis, graph", "medium", 64, 8),
    ("PyTorch, compiled", "compact", 256, 45), ("PyTorch, compiled", "compact", 64, 45),
    ("PyTorch, compiled", "medium", 256, 60), ("PyTorch, compiled", "medium", 64, 60),
]
MINI_PLAN = [("dis", "compact", 2, 2), ("dis, graph", "compact", 2, 2), ("trace", "compact", 2, 2),
             ("PyTorch, eager", "compact", 2, 5), ("PyTorch, compiled", "compact", 2, 80)]


class Speed:
    def __init__(self, check: Check, section: Section):
        self.check, self.section = check, section
        self.task = "queens" if check.mini else "arc"
        self.steps, self.found = [], {}  # rows of the table, and ms a step by (kind, size, batch)

    def options(self, size: str, batch: int) -> list:
        return ["--task", self.task, "--size", size, "--batch", batch, "--dtype", "bfloat16"]

    def add_step(self, kind: str, size: str, batch: int, found: dict) -> str:
        milliseconds = found["ms_per_supervision_step"]
        self.found[kind, size, batch] = milliseconds
        self.steps.append((kind, size, batch, milliseconds, found["fastest_ms"], found["samples_per_s"],
                           found["peak_mb"], found.get("first_batch_s"), FLOORS.get((size, batch))))
        self.section.data.setdefault("steps", []).append({"program": kind, **found})
        self.section.add_table("Supervision steps, bfloat16: three passes, forward and backward, and the update",
                               STEP_COLUMNS, self.steps)
        self.add_ratios()
        return f"{milliseconds:.4g} ms a step, {found['peak_mb']:.0f} MB"

    def add_ratios(self) -> None:
        rows = []
        for size, batch in sorted({key[1:] for key in self.found}):
            ours = [self.found[key] for key in ((kind, size, batch) for kind in OURS) if key in self.found]
            theirs = [self.found.get((f"PyTorch, {kind}", size, batch)) for kind in ("compiled", "eager")]
            if ours and any(theirs):
                rows.append((size, batch, min(ours), *[other and f"{other / min(ours):.2f}" for other in theirs]))
        if rows:
            self.section.add_table("PyTorch's time divided by that of dis, the fastest of its ways (goals for compiled: 1.25 compact, 1.15 medium)", RATIO_COLUMNS,
                                   rows)

    def dis(self, kind: str, size: str, batch: int) -> str:
        mini = ["--batches", 1, "--warmup", 1, "--threads", 1]
        trials = mini if self.check.mini else ["--batches", 4, "--warmup", 2]
        found = self.check.dis_json("bench", "step", *self.options(size, batch), *trials, *OURS[kind], limit=60)
        if not found["device"].startswith(self.check.device):
            raise Failed(f"it ran on {found['device']}")
        return self.add_step(kind, size, batch, found)

    def pytorch(self, kind: str, size: str, batch: int) -> str:
        place, compiled = self.check.place, kind.endswith("compiled")
        if place.python is None:
            raise Skipped("no Python with torch: activate its environment, or name one with --python")
        if not place.reference.exists():
            raise Skipped(f"no {place.reference.name} here")
        trials = ["--steps", 1, "--warmup", 1] if self.check.mini else ["--steps", 3, "--warmup", 2]
        command = [place.python.path, place.reference, "bench", *self.options(size, batch), *trials, "--device",
                   self.check.device, "--json", *(["--compile"] if compiled else [])]
        caches = {f"{name}_CACHE_DIR": str(self.check.work / name.lower()) for name in ("TORCHINDUCTOR", "TRITON")}
        environment = dict(place.plain_environment, PYTHONDONTWRITEBYTECODE="1", **caches)
        outcome = self.check.run(command, 150, environment)
        if not outcome.ok:  # of PyTorch, not of dis
            too_large = "out of memory" in outcome.err.lower()
            raise Skipped("the card's memory does not hold it" if too_large else outcome.problem())
        return self.add_step(kind, size, batch, read_json(outcome))

    def trace(self, _: str, size: str, batch: int) -> str:
        repeat = ["--repeat", 1] if self.check.mini else []
        found = self.check.dis_json("bench", "kernels", "--measure", *self.options(size, batch), *repeat, limit=60)
        self.section.data.setdefault("traces", []).append({"size": size, "batch": batch, **found})
        card = "h200" if any("H200" in device["name"] for device in self.check.info["cuda"]["devices"]) else "h100"
        rows, floors, measured = [], 0.0, 0.0
        for operation in found["operations"]:
            milliseconds, floor = operation.get("measured_ms"), operation[f"{card}_ms"]
            times = milliseconds / floor if milliseconds else None
            rows.append((operation["name"], operation["calls"], milliseconds, operation.get("gb_s"),
                         operation.get("tflops") if operation.get("product") else None, floor, times))
            floors += floor
            measured += milliseconds or 0.0
        rows.append(("all", found.get("calls"), measured, None, None, floors, measured / floors if floors else None))
        self.section.add_table(f"A supervision step by operation, {size}, batch {batch}; floors of an {card.upper()}",
                               TRACE_COLUMNS, rows)
        return f"operations one by one {measured:.4g} ms, their floors on an {card.upper()} {floors:.4g} ms"


def run(check: Check, section: Section) -> None:
    speed = Speed(check, section)
    left_out = []
    for kind, size, batch, least in MINI_PLAN if check.mini else PLAN:
        if check.left() < least:
            left_out.append(f"{kind} {size} {batch}")
            continue
        work = speed.trace if kind == "trace" else speed.dis if kind.startswith("dis") else speed.pytorch
        check.entry(section, f"{kind}, {size}, batch {batch}", 0, lambda: work(kind, size, batch))
    if left_out:
        section.add("time ran out", "skipped", 0.0, "left out: " + "; ".join(left_out))
