"""Part attention: every way to do attention's forward and backward pass, at the compact network's size and others."""
from __future__ import annotations

from .check import Check, Failed
from .results import Section

# batch, positions, heads, head: compact, medium, compact with 4 heads.
SHAPES = [(768, 916, 8, 32), (768, 916, 8, 64), (768, 916, 4, 64)]
MINI_SHAPES = [(2, 40, 2, 8), (2, 40, 2, 16)]
# Relative, in the norm. bfloat16 rounds by up to 0.004; above this it is another function, not rounding.
ERROR_MOST = 0.05
COLUMNS = ["kernel", "deterministic", "forward ms", "TFLOP/s", "backward ms", "TFLOP/s", "error", "of gradients"]


def cells(row: dict) -> tuple:
    if "failed" in row:
        return (row["kernel"], row["deterministic"], row["failed"], *[None] * 5)
    return tuple(row[name] for name in ("kernel", "deterministic", "forward_ms", "forward_tflops", "backward_ms",
                                        "backward_tflops", "error_out", "error_gradient"))


def measure(check: Check, section: Section, shape: tuple) -> str:
    batch, positions, heads, head = shape
    sizes = ["--batch", batch, "--positions", positions, "--heads", heads, "--head", head]
    options = ["--device", check.device, "--repeat", 2 if check.mini else 10]
    found = check.dis_json("bench", "attention", *sizes, *options, limit=40)
    section.data.setdefault("shapes", []).append(found)
    section.add_table(f"[{batch}, {heads}, {positions}, {head}], bfloat16", COLUMNS, list(map(cells, found["rows"])))
    measured = [row for row in found["rows"] if "failed" not in row]
    if not measured:
        raise Failed("no kernel works at this size")
    errors = {row["kernel"]: [row["error_out"], row["error_gradient"]] for row in measured}
    wrong = [name for name, found in errors.items() if None in found or not max(found) <= ERROR_MOST]  # None: a NaN
    if wrong:
        raise Failed(f"an error above {ERROR_MOST}: {', '.join(wrong)}")
    best = min(measured, key=lambda row: row["forward_ms"] + row["backward_ms"])
    return (f"fastest: {best['kernel']}{', deterministic' if best['deterministic'] else ''}, "
            f"{best['forward_ms']:.3g} + {best['backward_ms']:.3g} ms")


def run(check: Check, section: Section) -> None:
    for shape in MINI_SHAPES if check.mini else SHAPES:
        name = "batch {}, positions {}, {} heads of {}".format(*shape)
        check.entry(section, name, 2 if check.mini else 12, lambda size=shape: measure(check, section, size))
