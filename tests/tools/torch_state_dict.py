#!/usr/bin/env python3
"""Files of torch.save: makes those of the tests, and checks those of `dis export` with PyTorch itself.

usage: torch_state_dict.py write FOLDER
           the files of tests/data/torch_files
       torch_state_dict.py check STATE_DICT SAFETENSORS [PREFIX]
           torch.load(weights_only=True) gives the tensors of the safetensors file (names "model.inner....") bit for
           bit, named PREFIX (default _orig_mod.model.inner.) + the rest; initial states may be bfloat16
       torch_state_dict.py load STATE_DICT REFERENCE.py
           the same file goes, strictly and bit for bit, into the class RecursiveModel of that program
"""
import importlib.util
import io
import json
import os
import struct
import sys
import zipfile
from collections import OrderedDict

import torch

COMPILED = "_orig_mod.model.inner."
OURS = "model.inner."
STATES = ("H_init", "L_init")

# The network of the tests: width 4, 1 layer, SwiGLU width 256, 3 tokens, N_sup 2, 3 identifiers.
SHAPES = OrderedDict([
    ("embed_tokens.embedding_weight", (3, 4)), ("lm_head.weight", (3, 4)), ("timestep_embed.embedding_weight", (4, 4)),
    ("L_level.layers.0.self_attn.qkv_proj.weight", (12, 4)), ("L_level.layers.0.self_attn.o_proj.weight", (4, 4)),
    ("L_level.layers.0.mlp.gate_up_proj.weight", (512, 4)), ("L_level.layers.0.mlp.down_proj.weight", (4, 256)),
    ("q_head.weight", (2, 4)), ("q_head.bias", (2,)), ("puzzle_emb.weights", (3, 4)), ("H_init", (4,)), ("L_init", (4,))])


def network(prefix, states=torch.float32):
    """Element i of tensor k is k + i / 1024; of the initial states k + i / 2. The order of the file is backwards."""
    tensors = []
    for k, (name, shape) in enumerate(SHAPES.items()):
        numbers = torch.arange(torch.Size(shape).numel(), dtype=torch.float32).view(shape)
        state = name in STATES
        tensors.append((prefix + name, (k + numbers / (2 if state else 1024)).to(states if state else torch.float32)))
    out = OrderedDict(reversed(tensors))
    out._metadata = OrderedDict([("", {"version": 1})])  # as Module.state_dict() has it
    return out


class Shell:
    def __reduce__(self):
        return os.system, ("touch dis_torch_file_was_run",)


def write(folder):
    os.makedirs(folder, exist_ok=True)

    def save(name, content, **options):
        torch.save(content, os.path.join(folder, name), **options)

    plain = network(OURS)
    save("plain.pt", plain)
    save("compiled.pt", network(COMPILED, torch.bfloat16))
    save("malicious.pt", {OURS + "H_init": torch.ones(4), OURS + "L_init": Shell()})

    wrong_shape = network(OURS)
    wrong_shape[OURS + "lm_head.weight"] = torch.zeros(4, 3)
    wrong_shape[OURS + "puzzle_emb.weights"] = torch.zeros(5, 4)
    save("wrong_shape.pt", wrong_shape)
    missing = network(OURS)
    del missing[OURS + "q_head.bias"], missing[OURS + "timestep_embed.embedding_weight"]
    save("missing.pt", missing)
    unexpected = network(OURS)
    unexpected[OURS + "L_level.layers.1.self_attn.o_proj.weight"] = torch.zeros(4, 4)
    save("unexpected.pt", unexpected)

    # What state dicts can hold besides.
    base = torch.arange(12, dtype=torch.float32)
    layouts = {"transposed": base.view(3, 4).t(), "tail": base[8:], "every_third": base[1::3], "all": base,
               "repeated": torch.full((1,), 2.5).expand(2, 3), "scalar": torch.tensor(-0.5), "empty": torch.zeros(0, 4),
               "parameter": torch.nn.Parameter(torch.tensor([1.0, 2.0])),
               "half": torch.tensor([1.5, -2.0], dtype=torch.float16),
               "double": torch.tensor([0.1], dtype=torch.float64), "long": torch.tensor([1 << 40])}
    save("layouts.pt", layouts)
    save("layouts_protocol_4.pt", layouts, pickle_protocol=4)
    save("nested.pt", {"model": {"a": base}, "epoch": 3})
    save("list.pt", [base])
    save("legacy.pt", {"a": base}, _use_new_zipfile_serialization=False)

    buffer = io.BytesIO()
    torch.save({"a": torch.zeros(1 << 18)}, buffer)
    with open(os.path.join(folder, "truncated.pt"), "wb") as file:
        file.write(open(os.path.join(folder, "plain.pt"), "rb").read()[:9000])
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(os.path.join(folder, "compressed.pt"), "w") as new:
        for name in old.namelist():  # 1 MiB of zeros in a kilobyte
            new.writestr(zipfile.ZipInfo(name), old.read(name), zipfile.ZIP_DEFLATED)


def bits(tensor):
    return tensor.detach().contiguous().flatten().view(torch.uint8).tolist() if tensor.numel() else []


def read_safetensors(path):
    data = open(path, "rb").read()
    (length,) = struct.unpack("<Q", data[:8])
    types = {"F32": torch.float32, "BF16": torch.bfloat16}
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        numbers = torch.frombuffer(bytearray(data[8 + length + begin:8 + length + end]), dtype=types[entry["dtype"]])
        tensors[name] = numbers.view(entry["shape"])
    return tensors


def check(state_dict, safetensors, prefix=COMPILED):
    state, ours = torch.load(state_dict, weights_only=True), read_safetensors(safetensors)
    assert isinstance(state, dict), type(state)
    assert set(state) == {prefix + name.removeprefix(OURS) for name in ours}, sorted(state)
    for name, tensor in ours.items():
        found = state[prefix + name.removeprefix(OURS)]
        expected = tensor.to(found.dtype) if name.removeprefix(OURS) in STATES else tensor
        assert found.dtype == expected.dtype and found.shape == expected.shape, (name, found.dtype, found.shape)
        assert bits(found) == bits(expected), name
    print(f"{len(state)} tensors, bit for bit")


def load(state_dict, reference):
    spec = importlib.util.spec_from_file_location("reference", reference)
    module = importlib.util.module_from_spec(spec)
    sys.modules["reference"] = module
    spec.loader.exec_module(module)
    state = {name.removeprefix("_orig_mod.").removeprefix(OURS): tensor
             for name, tensor in torch.load(state_dict, weights_only=True).items()}
    vocabulary, width = state["embed_tokens.embedding_weight"].shape
    puzzles, row = state["puzzle_emb.weights"].shape
    steps = state.get("timestep_embed.embedding_weight")
    layers = [int(name.split(".")[2]) for name in state if name.startswith("L_level.layers.")]
    inner = state["L_level.layers.0.mlp.down_proj.weight"].shape[1]
    model = module.RecursiveModel(module.Config(
        vocab_size=vocabulary, seq_len=4, hidden_size=width, num_layers=max(layers) + 1, num_heads=1,
        expansion=(inner - 1) * 1.5 / width, puzzle_emb_len=-(-row // width), puzzle_emb_ndim=row, num_puzzles=puzzles,
        num_supervision=6 if steps is None else len(steps) - 2, time="none" if steps is None else "integer",
        hierarchical=any(name.startswith("H_level.") for name in state), dtype=state["H_init"].dtype))
    print(model.load_state_dict(state, strict=True))
    for name, tensor in model.state_dict().items():
        assert tensor.dtype == state[name].dtype and bits(tensor) == bits(state[name]), name
    print(f"{len(state)} tensors in {type(model).__name__}, bit for bit")


def main():
    commands = {"write": (write, 1, 1), "check": (check, 2, 3), "load": (load, 2, 2)}
    call, least, most = commands.get(sys.argv[1] if len(sys.argv) > 1 else "", (None, 0, 0))
    if call is None or not least <= len(sys.argv) - 2 <= most:
        sys.exit(__doc__)
    call(*sys.argv[2:])


if __name__ == "__main__":
    main()
