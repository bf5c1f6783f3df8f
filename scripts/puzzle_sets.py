"""Brings the CSV files of a hub's puzzle set: scripts/fetch_sudoku and scripts/fetch_maze."""
import argparse
import http.client
import pathlib
import shutil
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

HEADER = b"source,question,answer,rating"


@dataclass
class PuzzleSet:
    command: str  # of the script
    name: str
    url: str  # of the folder that holds train.csv and test.csv
    folder: str  # where the configurations look for it
    rows: dict[str, int]
    size: str
    licence: str


def fail(puzzles: PuzzleSet, message: str) -> None:
    sys.exit(f"{puzzles.command}: {message}")


class Count:
    """Rows of a file whose bytes pass by; the first line is its columns."""

    def __init__(self):
        self.lines, self.last, self.head = 0, b"\n", b""

    def add(self, piece: bytes) -> None:
        if len(self.head) < len(HEADER):
            self.head += piece[: len(HEADER) - len(self.head)]
        self.lines += piece.count(b"\n")
        self.last = piece[-1:] or self.last

    def rows(self) -> int:
        return self.lines + (self.last != b"\n") - 1


def copy_file(puzzles: PuzzleSet, source: str, partial: pathlib.Path) -> Count:
    """From a URL into `partial`, with the share done; whole or not at all."""
    count, told = Count(), time.monotonic()
    try:
        with urllib.request.urlopen(source, timeout=60) as answer, open(partial, "wb") as out:
            total, done = int(answer.headers.get("Content-Length") or 0), 0
            while piece := answer.read(1 << 20):
                out.write(piece)
                count.add(piece)
                done += len(piece)
                if time.monotonic() - told > 5:
                    told = time.monotonic()
                    print(f"{partial.stem}: {done / 1e6:.0f} MB" + (f" of {total / 1e6:.0f}" if total else ""), flush=True)
        if total and done != total:
            raise OSError(f"{total} bytes were promised, {done} came")
    except (OSError, urllib.error.URLError, http.client.HTTPException, ValueError) as error:
        partial.unlink(missing_ok=True)
        fail(puzzles, f"cannot fetch {source}: {error}; check the network, name another place with --url, or fetch "
             f"train.csv and test.csv by hand and name their folder with --from")
    except KeyboardInterrupt:
        partial.unlink(missing_ok=True)
        fail(puzzles, "interrupted; nothing of this file is kept")
    return count


def main(puzzles: PuzzleSet) -> None:
    parser = argparse.ArgumentParser(
        prog=puzzles.command, formatter_class=argparse.RawDescriptionHelpFormatter,
        description=f"Brings {puzzles.name} ({puzzles.size}) into {puzzles.folder}, and counts its rows. {puzzles.licence}")
    parser.add_argument("--output", metavar="DIR", default=puzzles.folder, help=f"folder of the files ({puzzles.folder})")
    parser.add_argument("--url", default=puzzles.url, help=f"folder that has train.csv and test.csv ({puzzles.url})")
    parser.add_argument("--from", dest="source", metavar="DIR", help="files that are here already")
    parser.add_argument("--any-rows", action="store_true", help="take files with other numbers of rows, too")
    options = parser.parse_args()
    base = pathlib.Path(options.source).resolve().as_uri() if options.source else options.url.rstrip("/")
    output = pathlib.Path(options.output)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(puzzles, f"cannot make {output}: {error.strerror}")
    if not options.source and puzzles.size.endswith("MB") and shutil.disk_usage(output).free < 1.1e6 * int(puzzles.size.split()[0]):
        fail(puzzles, f"expected {puzzles.size} of free space in {output}, found {shutil.disk_usage(output).free / 1e6:.0f} MB")
    for split, expected in puzzles.rows.items():
        target, partial = output / f"{split}.csv", output / f"{split}.csv.partial"
        count = copy_file(puzzles, f"{base}/{split}.csv", partial)
        good = count.head == HEADER and (options.any_rows or count.rows() == expected)
        if not good:
            partial.rename(target.with_name(target.name + ".refused"))
            found = f"{count.rows():,} rows" if count.head == HEADER else f"a file that begins with {count.head!r}"
            fail(puzzles, f"{base}/{split}.csv: expected {expected:,} rows with the columns {HEADER.decode()}, found {found}; "
                 f"it lies in {target}.refused (--any-rows takes another number of rows)")
        partial.rename(target)
        print(f"{target}: {count.rows():,} puzzles")
