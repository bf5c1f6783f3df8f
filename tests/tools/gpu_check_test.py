#!/usr/bin/env python3
"""Tries scripts/gpu_check on the CPU, in miniature: every part, a killed run, a failing program, going on.

usage: gpu_check_test.py DIS

Takes a minute and a half on two cores. PyTorch's parts are left out where no Python with torch is found.
"""
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from gpu import pieces  # noqa: E402

PARTS = ["facts", "correct", "attention", "speed", "scale", "learn"]


def command(dis, out, *options):
    return [str(ROOT / "scripts/gpu_check"), "--device", "cpu", "--dis", str(dis), "--out", str(out), *options]


def check(dis, folder, name, *options):
    """A run of the script: its status, its results, its report, and what it printed."""
    out = folder / name
    environment = dict(os.environ, TMPDIR=str(folder))
    done = subprocess.run(command(dis, out, *options), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=environment, timeout=170)
    results = json.loads((out / "results.json").read_text()) if (out / "results.json").exists() else None
    report = (out / "report.md").read_text() if results else ""
    return done.returncode, results, report, done.stdout


def entries(results, part):
    return {entry["name"]: entry for entry in results["parts"][part]["entries"]}


def test_every_part(dis, folder):
    begin = time.monotonic()
    status, results, report, printed = check(dis, folder, "all", "--minutes", "0.9")
    assert time.monotonic() - begin < 0.9 * 60 + 5, "it took longer than --minutes"
    assert status == 0, printed
    assert list(results["parts"]) == PARTS, results["parts"]
    for part in PARTS:
        assert f"\n## {part}: " in report, report
        assert results["parts"][part]["result"] in ("passed", "skipped"), printed
    assert results["parts"]["facts"]["data"]["ceilings"]["product_tflops"] > 0, results
    assert entries(results, "correct")["losses of CPU and device"]["result"] == "passed", printed
    assert results["parts"]["attention"]["data"]["shapes"][0]["rows"], results
    assert len(results["parts"]["speed"]["data"]["steps"]) >= 2, results
    assert results["parts"]["speed"]["data"]["traces"][0]["operations"], results
    assert len(results["parts"]["scale"]["data"]["ranks"]) == 2, results
    files = sorted(path.name for path in (folder / "all").iterdir())
    assert len(files) <= 8 and "log.txt" in files, files
    assert not list(folder.glob("gpu_check_*")), "it left its work folder behind"


def test_going_on(dis, folder):
    """Two calls of learn train on: the second from the checkpoint of the first."""
    options = ["--part", "learn", "--learn", "arc", "--minutes", "0.25"]
    status, first, _, printed = check(dis, folder, "first", *options)
    assert status == 0 and entries(first, "learn")["arc: train"]["result"] == "passed", printed
    status, second, report, printed = check(dis, folder, "second", *options, "--from", str(folder / "first"))
    assert status == 0, printed
    restored = second["parts"]["learn"]["data"]["restored"]["arc"]["update"]
    assert restored > 0 and f"update {restored} to " in entries(second, "learn")["arc: train"]["detail"], printed
    curve = [row[1] for row in second["parts"]["learn"]["tables"][0]["rows"]]
    assert curve == sorted(curve) and restored in curve and curve[-1] > restored, curve
    assert "pass@2" in report and list((folder / "second").glob("learn_arc.*.part")), report

    damaged = folder / "damaged"
    damaged.mkdir()
    (damaged / "learn_arc.1of2.part").write_bytes(b"half of it")
    status, _, report, _ = check(dis, folder, "third", *options, "--from", str(damaged))
    assert status == 1 and "of arc there are 1 parts" in report and "expected 2" in report, report


def test_a_killed_run(dis, folder):
    """What was done is in the files, and nothing runs on."""
    out = folder / "killed"
    options = command(dis, out, "--part", "facts", "learn", "--learn", "arc", "--minutes", "1")
    for number in (signal.SIGKILL, signal.SIGTERM):
        process = subprocess.Popen(options, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=dict(os.environ, TMPDIR=str(folder)))
        wait_for(lambda: running(folder, "train"))
        process.send_signal(number)
        status = process.wait(timeout=20)
        results, report = json.loads((out / "results.json").read_text()), (out / "report.md").read_text()
        assert results["parts"]["facts"]["result"] == "passed" and "## facts: passed" in report, report
        if number == signal.SIGTERM:
            assert status == 1 and entries(results, "learn")["stopped"]["result"] == "failed", report
        else:
            assert results["parts"]["learn"]["result"] == "running", report
        wait_for(lambda: not running(folder, "train"))


def running(folder, word):
    """Whether a process has `folder` and `word` in its command line."""
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = line.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if f"{folder}/gpu_check_" in text and f" {word} " in text:
            return True
    return False


def wait_for(condition):
    for _ in range(300):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("it did not happen within 30 s")


def test_a_failing_program(dis, folder):
    broken = folder / "broken"
    broken.write_text(f'#!/bin/sh\nif [ "$1" = info ]; then exec "{dis}" "$@"; fi\n'
                      'echo "error: it is broken" >&2\nexit 1\n')
    broken.chmod(0o755)
    status, results, report, printed = check(broken, folder, "failing", "--part", "facts", "attention")
    assert status == 1 and results["failed"], printed
    assert results["parts"]["facts"]["result"] == results["parts"]["attention"]["result"] == "failed", printed
    assert "exit status 1: error: it is broken" in report and "Failed: facts (ceilings)" in report, report

    status, results, report, printed = check("/bin/false", folder, "no_program", "--part", "facts")
    assert status == 1 and "does not start: exit status 1" in report, printed
    for wrong in (["--minutes", "0"], ["--part", "nothing"], ["--from", str(folder)],
                  ["--dis", str(folder / "nowhere")]):
        status, _, _, printed = check(dis, folder, "usage", *wrong)
        assert status == 2 and "gpu_check: error: " in printed, printed


def test_packing(dis, folder):
    """A run with halting, whose lanes are under way, goes on after it was packed without their states."""
    run, out = folder / "trm", folder / "packed"
    out.mkdir()
    fields = ["compute.device=cpu", "compute.dtype=float32", "compute.threads=1", "model.hidden_size=16",
              "model.num_heads=2", "model.H_cycles=1", "model.L_cycles=1", "method.num_supervision=4",
              "train.global_batch=4", "train.steps=6"]
    subprocess.run([str(dis), "train", "--config", str(ROOT / "configs/nqueens/trm.json"), "--run-dir", str(run),
                    *[part for field in fields for part in ("--set", field)]], check=True, stderr=subprocess.DEVNULL)
    pieces.PART_MOST = 60000
    files, left_out = pieces.pack([run], out)
    assert not left_out and 1 < len(files) <= pieces.PARTS_MOST and set(files) == {p.name for p in out.iterdir()}, files
    assert max(files.values()) <= pieces.PART_MOST, files
    back = folder / "unpacked"
    pieces.unpack(pieces.packed_runs(out)["trm"], back)
    stored = (back / "checkpoints/8/trainer.safetensors").read_bytes()
    header = json.loads(stored[8:8 + struct.unpack("<Q", stored[:8])[0]])
    assert len(stored) == (run / "checkpoints/8/trainer.safetensors").stat().st_size, len(stored)
    assert "lanes.halted" in header, header
    subprocess.run([str(dis), "train", "--run-dir", str(back), "--resume", "--set", "train.steps=16"], check=True,
                   stderr=subprocess.DEVNULL)
    assert json.loads((back / "metrics.jsonl").read_text().splitlines()[-1])["step"] == 16

    pieces.PART_MOST = 20000
    files, left_out = pieces.pack([run], out)
    assert not files and "do not fit" in left_out[0] and not list(out.iterdir()), (files, left_out)


def test_the_bundle_spares_other_folders(_, folder):
    (folder / "mine").mkdir()
    (folder / "mine/file").write_text("")
    done = subprocess.run([str(ROOT / "scripts/gpu_bundle"), str(folder / "mine")], stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "is no bundle" in done.stderr and (folder / "mine/file").exists(), done.stderr


def main():
    dis = Path(sys.argv[1]).resolve()
    for test in (test_packing, test_the_bundle_spares_other_folders, test_a_failing_program, test_a_killed_run,
                 test_going_on, test_every_part):
        begin = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            test(dis, Path(folder))
        print(f"{test.__name__}: {time.monotonic() - begin:.1f} s", flush=True)


if __name__ == "__main__":
    main()
