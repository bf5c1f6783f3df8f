#!/usr/bin/env python3
"""Networks of every method, exported by the program, read by PyTorch, and imported again.

usage: export_run.py DIS [REFERENCE.py]
With REFERENCE.py the state dicts also go, strictly, into the class RecursiveModel of that program.
Exit status 77 without PyTorch.
"""
import os
import subprocess
import sys
import tempfile

try:
    import torch
except ImportError:
    print("no PyTorch: skipped")
    sys.exit(77)

import torch_state_dict

BASELINE = ["method.targets=label", "method.time=none"]
METHODS = {"dis": [], "trm": BASELINE + ["method.algorithm=trm"], "hrm": BASELINE + ["method.algorithm=hrm"],
           "mlp": ["model.mlp_t=true"]}
SMALL = ["data.board_size=5", "data.train_boards=20", "data.test_boards=2", "model.hidden_size=16", "model.num_heads=1",
         "model.puzzle_emb_len=1", "train.global_batch=4", "train.steps=12", "compute.dtype=float32",
         "compute.threads=1"]


def main():
    dis = os.path.abspath(sys.argv[1])
    reference = sys.argv[2] if len(sys.argv) > 2 else None
    for method, changes in METHODS.items():
        with tempfile.TemporaryDirectory() as folder:
            def call(*arguments):
                done = subprocess.run([dis, *arguments], cwd=folder, capture_output=True, text=True)
                assert done.returncode == 0, (arguments, done.stderr)
                return done.stderr

            fields = [part for change in SMALL + changes for part in ("--set", change)]
            call("train", "--run-dir", "run", *fields)
            call("export", "--run", "run", "--output", "step_12")
            weights = os.path.join(folder, "run/checkpoints/latest/model.safetensors")
            state_dict = os.path.join(folder, "step_12")
            print(method, end=": ", flush=True)
            torch_state_dict.check(state_dict, weights)
            if reference and method != "mlp":
                torch_state_dict.load(state_dict, reference)
            call("import", "--input", "step_12", "--identifiers", "run/identifiers.json", "--config",
                 "run/config.json", "--output", "back.safetensors")
            ours = torch_state_dict.read_safetensors(weights)
            back = torch_state_dict.read_safetensors(os.path.join(folder, "back.safetensors"))
            assert set(ours) == set(back), (sorted(ours), sorted(back))
            for name in ours:
                assert torch.equal(ours[name], back[name]), name
            print(f"{len(back)} tensors imported again")


if __name__ == "__main__":
    main()
