#!/usr/bin/env python3
"""Makes tests/data/golden/arc_small.json: numpy's legacy draws, and an ARC build of the few tasks in tests/data/arc.

An independent restatement of the build with numpy (python3 -m pip install numpy), grid by grid, without any of the
program's shortcuts. Usage: tests/tools/arc_reference.py > tests/data/golden/arc_small.json
"""
import hashlib
import json
import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "data" / "arc"
AUGMENTATIONS, SEED, SIDE, SUBSETS, TEST_SET = 30, 42, 30, ["small", "other"], "small"
DIHEDRAL = [
    lambda g: g,
    lambda g: np.rot90(g, 1),
    lambda g: np.rot90(g, 2),
    lambda g: np.rot90(g, 3),
    np.fliplr,
    np.flipud,
    np.transpose,
    lambda g: np.fliplr(np.rot90(g, 1)),
]


def read(name):
    challenges = json.loads((FOLDER / f"arc-agi_{name}_challenges.json").read_text())
    solutions = json.loads((FOLDER / f"arc-agi_{name}_solutions.json").read_text())
    tasks = []
    for task, content in challenges.items():
        pairs = []
        for key, entries in content.items():
            for i, pair in enumerate(entries):
                output = solutions[task][i] if key == "test" else pair["output"]
                pairs.append((np.array(pair["input"], np.uint8), np.array(output, np.uint8), key == "test"))
        tasks.append((task, pairs))
    return tasks


def digest(pairs):
    def of(grid):
        return hashlib.sha256(bytes(grid.shape) + np.ascontiguousarray(grid).tobytes()).hexdigest()

    return hashlib.sha256("||".join(sorted(f"{of(a)}|{of(b)}" for a, b, _ in pairs)).encode()).hexdigest()


def field(grid, row, column):
    padded = np.zeros((SIDE, SIDE), np.uint8)
    rows, columns = grid.shape
    padded[row : row + rows, column : column + columns] = grid + 2
    if row + rows < SIDE:
        padded[row + rows, column : column + columns] = 1
    if column + columns < SIDE:
        padded[row : row + rows, column + columns] = 1
    return padded.tobytes()


def main():
    np.random.seed(7)
    draws = {
        "seed": 7,
        "randint_8": [int(np.random.randint(0, 8)) for _ in range(12)],
        "randint_1": int(np.random.randint(0, 1)),
        "randint_1000": [int(np.random.randint(0, 1000)) for _ in range(12)],
        "permutation_9": [np.random.permutation(np.arange(1, 10)).tolist() for _ in range(4)],
    }
    shuffled = list(range(20))
    np.random.shuffle(shuffled)
    draws["shuffle_20"] = shuffled

    np.random.seed(SEED)
    identifiers, groups = ["<blank>"], []
    for subset in SUBSETS:
        tasks = read(subset)
        np.random.shuffle(tasks)
        for task, pairs in tasks:
            group, seen = [(task, 0, pairs)], {digest(pairs)}
            for _ in range(5 * AUGMENTATIONS):
                tid = int(np.random.randint(0, 8))
                colours = np.concatenate([[0], np.random.permutation(np.arange(1, 10))]).astype(np.uint8)
                made = [(DIHEDRAL[tid](colours[a]), DIHEDRAL[tid](colours[b]), test) for a, b, test in pairs]
                if digest(made) in seen:
                    continue
                seen.add(digest(made))
                group.append((f"{task}|||t{tid}|||{''.join(map(str, colours))}", tid, made))
                if len(group) == AUGMENTATIONS + 1:
                    break
            identifiers += [name for name, _, _ in group]
            groups.append((subset, task, group))
    inputs, labels, offsets = hashlib.sha256(), hashlib.sha256(), []
    for subset, _, group in groups:
        for _, _, pairs in group:
            kept = [p for p in pairs if not (p[2] and subset == TEST_SET)]
            stays = int(np.random.randint(0, len(kept)))
            for i, (a, b, _) in enumerate(kept):
                row = column = 0
                if i != stays:
                    row = int(np.random.randint(0, SIDE - max(a.shape[0], b.shape[0]) + 1))
                    column = int(np.random.randint(0, SIDE - max(a.shape[1], b.shape[1]) + 1))
                inputs.update(field(a, row, column))
                labels.update(field(b, row, column))
                offsets.append([row, column])
    print(
        json.dumps(
            {
                "what": "Made by tests/tools/arc_reference.py.",
                "draws": draws,
                "build": {
                    "augmentations": AUGMENTATIONS,
                    "seed": SEED,
                    "side": SIDE,
                    "subsets": SUBSETS,
                    "test_set": TEST_SET,
                    "groups": [[subset, task, len(group)] for subset, task, group in groups],
                    "identifiers": identifiers,
                    "identifiers_sha256": hashlib.sha256(json.dumps(identifiers).encode()).hexdigest(),
                    "train_inputs_sha256": inputs.hexdigest(),
                    "train_labels_sha256": labels.hexdigest(),
                    "first_offsets": offsets[:40],
                },
            },
            indent=1,
        )
    )


main()
