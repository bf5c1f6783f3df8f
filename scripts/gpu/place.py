"""Finds what the check needs, in a clone or in the folder that scripts/gpu_bundle makes."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

TORCH_PROBE = ("import importlib.metadata as m, importlib.util as u; "
               "print(u.find_spec('torch').submodule_search_locations[0], m.version('torch'))")
PROBE_MOST, INSTALL_MOST = 30, 60  # seconds
RANK_VARIABLES = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


class Missing(Exception):
    """The check cannot begin: one line that says what is missing and what to do."""


class Python:
    """A Python that has torch, which is found without importing it."""

    def __init__(self, path: str, folder: Path, version: str):
        self.path, self.folder, self.version = path, folder, version

    def library_folders(self) -> list:
        return [self.folder / "lib", *sorted((self.folder.parent / "nvidia").glob("*/lib"))]

    def packages(self) -> list:
        """Names and versions of NVIDIA's libraries beside torch."""
        found = [folder.name[:-len(".dist-info")] for folder in self.folder.parent.glob("nvidia_*.dist-info")]
        return sorted(name.replace("nvidia_", "", 1).replace("-", " ") for name in found)


def find_python(wanted: str) -> Python | None:
    cache = os.environ.get("DIS_CACHE_DIR") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "dis")
    environments = [os.environ.get(name) for name in ("VIRTUAL_ENV", "CONDA_PREFIX")]
    candidates = [f"{folder}/bin/python3" for folder in environments if folder]
    candidates += [sys.executable, "python3", f"{cache}/launcher/bin/python3"]
    for candidate in [wanted] if wanted else candidates:
        path = shutil.which(candidate)
        if path is None:
            continue
        try:
            found = subprocess.run([path, "-c", TORCH_PROBE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   text=True, check=True, timeout=PROBE_MOST).stdout
        except (subprocess.SubprocessError, OSError):
            continue
        folder, version = found.rsplit(maxsplit=1)
        return Python(path, Path(folder), version)
    return None


class Place:
    """Paths of a clone (`home` is its scripts/) or of a bundle."""

    def __init__(self, home: Path):
        self.bundle = (home / "bundle.json").exists()
        self.home, self.root = home, home if self.bundle else home.parent
        self.configs = self.root / "configs"
        self.small_arc = self.root / "tests/data/arc"
        self.golden = self.root / "tests/data/golden"
        self.reference = self.root / ("pytorch_reference.py" if self.bundle else "bench/pytorch_reference.py")
        self.python, self.program, self.launcher = None, None, []
        self.environment, self.plain_environment = {}, {}  # of dis, and of everything else

    def commit(self) -> str:
        if self.bundle:
            return json.loads((self.home / "bundle.json").read_text()).get("commit", "")
        try:
            return subprocess.run(["git", "describe", "--always", "--dirty"], cwd=self.root, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True).stdout.strip()
        except FileNotFoundError:
            return ""

    def arc(self) -> Path | None:
        """The folder of the ARC-1 sets."""
        named = os.environ.get("DIS_DATA_DIR")
        for folder in ([Path(named)] if named else []) + [self.root / "data/arc"]:
            if all((folder / f"arc-agi_{name}_challenges.json").exists() for name in ("training", "evaluation")):
                return folder
        return None

    def find_dis(self, named: str) -> Path:
        if named:
            return Path(named).resolve()
        wheels = sorted(self.home.glob("*.whl")) if self.bundle else []
        for found in wheels + [self.root / "build" / preset / "dis" for preset in ("cuda", "release")]:
            if found.exists():
                return found
        raise Missing("no program found in build/: run scripts/build cuda, or name one with --dis")

    def install(self, dis: Path, device: str, folder: Path) -> None:
        """Makes `program` and the environment that it runs in; a wheel is installed into `folder`."""
        self.environment = {key: value for key, value in os.environ.items() if key not in RANK_VARIABLES}
        if device == "cpu":
            self.environment["CUDA_VISIBLE_DEVICES"] = ""
        self.plain_environment = dict(self.environment)
        self.program = dis
        if dis.suffix == ".whl":
            if self.python is None:
                raise Missing(f"{dis.name} runs with the LibTorch of a Python that has torch 2.11, and none was found: "
                              "activate its environment, or name one with --python")
            self.install_wheel(dis, folder)
        elif not os.access(dis, os.X_OK):
            raise Missing(f"--dis: '{dis}' cannot be executed; expected the executable dis or a wheel (.whl)")

    def install_wheel(self, wheel: Path, folder: Path) -> None:
        pip = [self.python.path, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
               "--disable-pip-version-check", "--target", str(folder), str(wheel)]
        done = subprocess.run(pip, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=INSTALL_MOST)
        self.program = folder / "dis_toolkit/bin/dis"
        if "No module named pip" in done.stdout:  # a wheel is a ZIP file
            zipfile.ZipFile(wheel).extractall(folder)
            for program in self.program.parent.iterdir():
                program.chmod(0o755)
        if not self.program.exists():
            raise Missing(f"{wheel.name} cannot be installed: {' '.join(done.stdout.split())[-200:]}")
        self.launcher = [self.python.path, "-m", "dis_toolkit"]
        self.use_python_libraries()

    def use_python_libraries(self) -> None:
        """Runs dis with the LibTorch of the Python that was found, and the CUDA libraries beside it."""
        folders = self.python.library_folders()
        known = self.environment.get("LD_LIBRARY_PATH")
        self.environment["LD_LIBRARY_PATH"] = ":".join([*map(str, folders), *([known] if known else [])])

    def test_program(self, name: str) -> Path | None:
        for folder in (self.home / "tests", self.program.parent / "tests", self.program.parent,
                       self.root / "build/cuda/tests"):
            if (folder / name).is_file():
                return folder / name
        return None

    def test_environment(self, device: str) -> dict:
        environment = dict(self.environment, DIS_GOLDEN_DIR=str(self.golden), DIS_GOLDEN_DEVICE=device)
        library = self.program.parent / "libdis_cuda.so"
        if library.exists():
            environment["DIS_CUDA_LIBRARY"] = str(library)
        if self.bundle:  # libraries of the machine that built them, after torch's
            folders = [self.environment.get("LD_LIBRARY_PATH"), str(self.home / "libs")]
            environment["LD_LIBRARY_PATH"] = ":".join(folder for folder in folders if folder)
        return environment
