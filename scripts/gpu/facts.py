"""Part facts: the card, its two ceilings, and what the program runs on."""
from __future__ import annotations

import platform
import shutil
import subprocess

from .check import Check, Failed, Skipped, must
from .processes import end_with_parent
from .results import Section

SMI_FIELDS = ("name", "driver_version", "memory.total", "power.limit", "clocks.max.sm", "clocks.max.mem",
              "mig.mode.current", "temperature.gpu")
LIBRARIES = ("libtorch_cuda", "libcudart", "libcublas.", "libcudnn.", "libnccl", "libcufile", "libcuda.")


class Facts:
    def __init__(self, check: Check, section: Section):
        self.check, self.section, self.rows = check, section, []

    def add(self, name: str, value) -> None:
        self.rows.append((name, value))
        self.section.add_table("Facts", ["what", "value"], self.rows)

    def program(self) -> str:
        info = self.check.info
        self.section.data["info"] = info
        self.add("dis", f"{info['version']}, {info.get('program', self.check.place.program)}")
        self.add("LibTorch", f"{info['torch']['loaded']} in {info['torch'].get('folder', '')}")
        self.add("processor", f"{info['cpu']['model']}, {info['cpu']['cores']} cores")
        cuda = info["cuda"]
        if not cuda["loaded"]:
            self.add("CUDA part", f"not loaded: {cuda['problem']}")
        else:
            self.add("CUDA part", f"compiled for {cuda['architectures']}; cuDNN {cuda['cudnn']}")
        for device in cuda["devices"]:
            self.add("device", f"{device['name']}, sm {device['compute_capability']}, "
                     f"{device['memory_bytes'] / 2**30:.0f} GiB, {device['multiprocessors']} multiprocessors")
        if self.check.device == "cuda" and not cuda["devices"]:
            raise Failed(f"no GPU that dis can use: {cuda['problem'] or 'the driver shows none'}")
        return info["version"]

    def python(self) -> str:
        python = self.check.place.python
        if python is None:
            raise Skipped("no Python with torch")
        self.add("Python", f"{python.path} with torch {python.version}; this is Python {platform.python_version()}")
        packages = python.packages()
        self.section.data["packages"] = packages
        if packages:
            self.add("beside torch", "; ".join(packages))
        return f"torch {python.version}"

    def libraries(self) -> str:
        library = self.check.place.program.parent / "libdis_cuda.so"
        if not library.exists() or shutil.which("ldd") is None:
            raise Skipped("no libdis_cuda.so beside the program, or no ldd")
        outcome = self.check.run(["ldd", library], 10)
        lines = [line.split(" (")[0].strip() for line in outcome.out.splitlines()]
        self.section.data["libraries"] = lines
        for line in lines:
            if any(line.startswith(name) for name in LIBRARIES):
                self.add("library", line)
        missing = sorted({line.split()[0] for line in lines if "not found" in line})
        # Some of them may still be found when the program loads LibTorch first; `program` says whether they were.
        return f"{len(lines)} libraries" + (f", not found by ldd: {', '.join(missing)}" if missing else "")

    def card(self) -> str:
        if shutil.which("nvidia-smi") is None:
            raise Skipped("no nvidia-smi here")
        command = ["nvidia-smi", f"--query-gpu={','.join(SMI_FIELDS)}", "--format=csv,noheader"]
        cards = must(self.check.run(command, 10)).out.strip().splitlines()
        self.section.data["nvidia_smi"] = cards
        for card in cards:
            values = zip(SMI_FIELDS, card.split(","))
            self.add("nvidia-smi", ", ".join(f"{name} {value.strip()}" for name, value in values))
        return cards[0].split(",")[0]

    def ceilings(self) -> str:
        sizes = ["--size", 256, "--mb", 8] if self.check.mini else ["--size", 8192]
        clocks = self.watch_clocks()
        try:
            found = self.check.dis_json("bench", "device", "--device", self.check.device, *sizes, limit=20)
        finally:
            busiest = clocks()
        self.section.data["ceilings"] = found
        self.add("device copy, read plus written", f"{found['copy_gb_s']:.0f} GB/s")
        self.add(f"product of {found['product_size']} in bfloat16", f"{found['product_tflops']:.3g} TFLOP/s")
        if busiest:
            self.section.data["busiest"] = busiest
            self.add("highest clock and power meanwhile", busiest)
        return f"{found['copy_gb_s']:.0f} GB/s, {found['product_tflops']:.3g} TFLOP/s"

    def watch_clocks(self):
        """Watches the card until the function that it returns is called, which tells the highest SM clock and power."""
        if self.check.mini or shutil.which("nvidia-smi") is None:
            return lambda: ""
        watch = subprocess.Popen(["nvidia-smi", "--query-gpu=clocks.sm,power.draw", "--format=csv,noheader,nounits",
                                  "-lms", "100"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                 preexec_fn=end_with_parent)

        def highest() -> str:
            watch.kill()
            lines = [line.split(",") for line in watch.communicate()[0].splitlines()]
            seen = [[float(part) for part in line] for line in lines if len(line) == 2 and "N" not in "".join(line)]
            return f"{max(s[0] for s in seen):.0f} MHz, {max(s[1] for s in seen):.0f} W" if seen else ""
        return highest


def run(check: Check, section: Section) -> None:
    facts = Facts(check, section)
    check.entry(section, "program", 0, facts.program)
    check.entry(section, "card", 1, facts.card)
    check.entry(section, "python", 0, facts.python)
    check.entry(section, "ceilings", 2, facts.ceilings)
    check.entry(section, "libraries", 1, facts.libraries)
