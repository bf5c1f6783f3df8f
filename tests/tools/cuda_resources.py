#!/usr/bin/env python3
"""Registers, spills, shared memory and 16-byte accesses of the CUDA kernels, as nvcc makes them, against pinned numbers.

    cuda_resources.py PINS SOURCE.cu...            compares; status 1 and a line for each difference
    cuda_resources.py --write PINS SOURCE.cu...    writes the pins anew

A kernel may use fewer registers than pinned, never more; it must not spill; its shared memory is exactly as pinned; one
pinned with 16-byte loads or stores must have them: in the PTX, of which the assembler makes one instruction each, and in
the machine code, too, where cuobjdump is installed.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ARCHITECTURES = ("sm_80", "sm_90")
NVCC = shutil.which("nvcc") or os.path.join(os.environ.get("CUDA_HOME", "/usr/local/cuda"), "bin/nvcc")
INCLUDES = os.path.join(os.path.dirname(__file__), "../../include")
WIDE = {"wide_loads": r"\bld\.global\S*\.v(4\.\w?32|2\.\w?64)", "wide_stores": r"\bst\.global\S*\.v(4\.\w?32|2\.\w?64)"}
WIDE_MACHINE = {"wide_loads": r"\bLDG\.E\S*\.128\b", "wide_stores": r"\bSTG\.E\S*\.128\b"}


def output_of(*command: str) -> str:
    """What a command says on both channels."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


def kernels_of(source: str, architecture: str, folder: str) -> dict:
    """{mangled name: {"registers": .., "shared": .., "spills": .., "wide_loads": .., "wide_stores": ..}}"""
    found, name = {}, ""
    options = (NVCC, "-std=c++17", "-O3", "-I", INCLUDES, f"-arch={architecture}", source, "-o")
    cubin, ptx = os.path.join(folder, "cubin"), os.path.join(folder, "ptx")
    for line in output_of(*options, cubin, "-cubin", "-Xptxas", "-v").splitlines():
        if match := re.search(r"Compiling entry function '(\S+)'", line):
            name = match[1]
            found[name] = {"registers": 0, "shared": 0, "spills": 0, "wide_loads": False, "wide_stores": False}
        elif match := re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", line):
            found[name]["spills"] = sum(map(int, match.groups()))
        elif match := re.search(r"Used (\d+) registers", line):
            found[name]["registers"] = int(match[1])
            shared = re.search(r"(\d+) bytes smem", line)
            found[name]["shared"] = int(shared[1]) if shared else 0
    output_of(*options, ptx, "-ptx")
    with open(ptx) as file:
        mark_wide(found, file.read(), r"\.entry (\w+)", WIDE)
    if cuobjdump := shutil.which("cuobjdump"):
        machine = {name: {"wide_loads": False, "wide_stores": False} for name in found}
        mark_wide(machine, output_of(cuobjdump, "-sass", cubin), r"Function : (\S+)", WIDE_MACHINE)
        for name, kinds in machine.items():
            for kind, there in kinds.items():
                found[name][kind] = found[name][kind] and there
    return found


def mark_wide(found: dict, text: str, start: str, patterns: dict) -> None:
    name = ""
    for line in text.splitlines():
        if match := re.search(start, line):
            name = match[1]
        for kind, pattern in patterns.items():
            if name in found and re.search(pattern, line):
                found[name][kind] = True


def readable(names: list) -> dict:
    plain = output_of("c++filt", *names).splitlines()
    return {name: re.sub(r"\(.*$|^void |dis::|cuda::|cpu::", "", text) for name, text in zip(names, plain)}


def main() -> None:
    arguments = sys.argv[1:]
    write = arguments[:1] == ["--write"]
    if len(arguments) < 2 + write:
        sys.exit(__doc__)
    pins_path, *sources = arguments[1:] if write else arguments
    kernels = {}
    with tempfile.TemporaryDirectory() as folder:
        for source in sources:
            for architecture in ARCHITECTURES:
                found = kernels_of(source, architecture, folder)
                names = readable(list(found))
                kernels.update({f"{architecture} {names[name]}": numbers for name, numbers in found.items()})
    if write:
        with open(pins_path, "w") as file:
            json.dump(dict(sorted(kernels.items())), file, indent=1)
            file.write("\n")
        return
    with open(pins_path) as file:
        pins = json.load(file)
    wrong = [f"{name}: pinned, but not compiled" for name in pins.keys() - kernels.keys()]
    for name, got in kernels.items():
        if name not in pins:
            wrong.append(f"{name}: not pinned")
            continue
        pin = pins[name]
        if got["registers"] > pin["registers"]:
            wrong.append(f"{name}: {got['registers']} registers, pinned at {pin['registers']}")
        if got["spills"] > 0:
            wrong.append(f"{name}: spills {got['spills']} bytes")
        if got["shared"] != pin["shared"]:
            wrong.append(f"{name}: {got['shared']} bytes of shared memory, pinned at {pin['shared']}")
        for kind in ("wide_loads", "wide_stores"):
            if pin[kind] and not got[kind]:
                wrong.append(f"{name}: no 16-byte {kind.split('_')[1]} any more")
    print("\n".join(sorted(wrong)) if wrong else f"{len(kernels)} kernels as pinned")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
