"""Starts the program dis, which lies beside this file, with the LibTorch of this Python's PyTorch."""
import importlib.util
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
TORCH = "2.11"


def find_torch() -> pathlib.Path:
    """The folder of torch, found without importing it, which would take seconds."""
    beside = HERE.parent / "torch"  # where the program's own search path leads
    spec = None if (beside / "lib/libtorch_cpu.so").exists() else importlib.util.find_spec("torch")
    folder = pathlib.Path(spec.origin).parent if spec and spec.origin else beside
    if not (folder / "lib/libtorch_cpu.so").exists():
        sys.exit(f"error: dis needs PyTorch {TORCH}, and this Python ({sys.executable}) has none: pip install 'torch=={TORCH}.*'")
    found = re.search(r"__version__\s*=\s*['\"]([\d.]+)", (folder / "version.py").read_text())
    if found and not f"{found[1]}.".startswith(f"{TORCH}."):
        sys.exit(f"error: dis needs PyTorch {TORCH}, found {found[1]} in {folder}: pip install 'torch=={TORCH}.*'")
    return folder


def main() -> None:
    torch = find_torch()
    if torch.parent != HERE.parent:
        folders = [torch / "lib", *sorted((torch.parent / "nvidia").glob("*/lib"))]
        known = os.environ.get("LD_LIBRARY_PATH")
        os.environ["LD_LIBRARY_PATH"] = ":".join([*map(str, folders), *([known] if known else [])])
    program = HERE / "bin/dis"
    os.execv(program, [str(program), *sys.argv[1:]])
