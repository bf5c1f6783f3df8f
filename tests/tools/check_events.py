#!/usr/bin/env python3
"""Reads the TensorBoard event files of a folder with the real tensorboard package and prints every scalar.

usage: check_events.py FOLDER        ends with 1 when there is no scalar
"""
import sys

from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    accumulator = EventAccumulator(sys.argv[1], size_guidance={SCALARS: 0})
    accumulator.Reload()
    tags = accumulator.Tags()["scalars"]
    for tag in tags:
        for event in accumulator.Scalars(tag):
            print(f"{tag}\t{event.step}\t{event.value:.6g}")
    return 0 if tags else 1


if __name__ == "__main__":
    sys.exit(main())
