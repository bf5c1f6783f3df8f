"""Packs run folders into files small enough to be carried away, and unpacks them to go on.

Of a run only what `dis train --resume` and the report need is kept: configuration, identifiers, metrics, scores, and
the latest checkpoint. `learn_NAME.1of2.part` and the like are the parts of one .tar.gz.
"""
from __future__ import annotations

import io
import json
import math
import re
import struct
import tarfile
from pathlib import Path, PurePosixPath

PART_MOST = 16 * 10**6  # bytes, below 16 MiB
ALL_MOST = 60 << 20
PARTS_MOST = 5
NAME = re.compile(r"learn_(\w+)\.(\d)of(\d)\.part")
KEPT = ("config.json", "identifiers.json", "seen_tasks.json", "metrics.jsonl", "log.txt")
STATES = ("lanes.y", "lanes.z")  # of trainer.safetensors: the states of samples under way, for runs with halting


class Damaged(Exception):
    """Parts that cannot be unpacked."""


def latest_checkpoint(run: Path) -> Path | None:
    known = [p for p in (run / "checkpoints").glob("*") if p.name.isdigit() and not p.is_symlink()]
    return max(known, key=lambda p: int(p.name), default=None)


def files_of(run: Path) -> list:
    found = [run / name for name in KEPT] + [p for p in sorted((run / "eval").glob("*.json")) if p.stem.isdigit()]
    checkpoint = latest_checkpoint(run)
    return [p for p in found if p.exists()] + (sorted(checkpoint.iterdir()) if checkpoint else [])


def without_states(data: bytes) -> bytes:
    """trainer.safetensors with every lane about to take a new sample: their states, 63 MB of a batch of 768 that hardly
    compress, are then never read, and become zeros."""
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    if "lanes.halted" not in header:
        return data
    changed = bytearray(data)
    for name in (*STATES, "lanes.halted"):
        begin, end = (8 + length + offset for offset in header[name]["data_offsets"])
        changed[begin:end] = bytes(end - begin)
    one = {"I32": struct.pack("<i", 1), "I64": struct.pack("<q", 1)}[header["lanes.halted"]["dtype"]]
    changed[begin:end] = one * ((end - begin) // len(one))
    return bytes(changed)


def archive(run: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as tar:
        for file in files_of(run):
            data = file.read_bytes()
            entry = tarfile.TarInfo(str(file.relative_to(run)))
            data = without_states(data) if file.name == "trainer.safetensors" else data
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def pack(runs: list, out: Path) -> tuple:
    """Writes the parts of `runs` (the most wanted first) to `out`, in place of those that are there. The files written,
    and lines about what did not fit."""
    written, left_out, size = {}, [], 0
    for run in runs:
        data = archive(run)
        count = math.ceil(len(data) / PART_MOST)
        if len(written) + count > PARTS_MOST or size + len(data) > ALL_MOST:
            left_out.append(f"{run.name}: {len(data) / 2**20:.1f} MiB do not fit into what is left of {PARTS_MOST} "
                            f"files, {ALL_MOST >> 20} MiB in all: this run cannot go on from here")
            continue
        size += len(data)
        for i in range(count):
            written[f"learn_{run.name}.{i + 1}of{count}.part"] = data[i * PART_MOST:(i + 1) * PART_MOST]
    for known in out.glob("learn_*.part"):
        if known.name not in written:
            known.unlink()
    for name, data in written.items():
        partial = out / (name + "ial")
        partial.write_bytes(data)
        partial.replace(out / name)
    return {name: len(data) for name, data in written.items()}, left_out


def packed_runs(folder: Path) -> dict:
    """The parts in a folder, in order, by the name of their run."""
    found = {}
    for file in sorted(folder.glob("learn_*.part")):
        match = NAME.fullmatch(file.name)
        if match:
            found.setdefault(match[1], []).append((int(match[3]), file))
    for name, parts in found.items():
        counts = {count for count, _ in parts}
        if counts != {len(parts)}:
            raise Damaged(f"of {name} there are {len(parts)} parts in '{folder}', expected {max(counts)}")
    return {name: [file for _, file in parts] for name, parts in found.items()}


def unpack(parts: list, run: Path) -> None:
    try:
        with tarfile.open(fileobj=io.BytesIO(b"".join(part.read_bytes() for part in parts)), mode="r:gz") as tar:
            for entry in tar:
                path = PurePosixPath(entry.name)
                if not entry.isfile() or path.is_absolute() or ".." in path.parts:
                    raise Damaged(f"'{parts[0]}' holds '{entry.name}', which is no file of a run")
                target = run / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(tar.extractfile(entry).read())
    except (tarfile.TarError, EOFError, OSError) as error:
        raise Damaged(f"'{parts[0]}' cannot be unpacked: {error}") from error
