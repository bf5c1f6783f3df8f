"""Deep Improvement Supervision on the Tiny Recursive Model, in plain PyTorch.

An executable reading of the method: the TRM-Att backbone, DIS training, TRM with adaptive halting (ACT), HRM, the
optimisers.  It favours clarity over speed and is what the C++ code is compared with, in numbers and in time.

Shapes: B batch, L tokens of the puzzle, P puzzle-embedding positions, S = P + L, D width, H heads, h = D / H,
V vocabulary, E numbers per puzzle-embedding row, N supervision steps.  `y` is the answer state (z_H in the official
code), `z` the latent state (z_L).  Parameter names equal those of the official checkpoints behind "model.inner.".

Bench: python bench/pytorch_reference.py bench --task queens --batch 64 --dtype float32 [--compile] [--size medium] [--steps 5]
"""
from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import time
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

IGNORE = -100  # label of a cell that carries no loss


@dataclass
class Config:
    vocab_size: int
    seq_len: int                       # L
    hidden_size: int = 256             # D
    num_layers: int = 1                # blocks of the stack (HRM: of each of the two stacks)
    num_heads: int = 8                 # H
    expansion: float = 4.0
    puzzle_emb_len: int = 16           # P (the official HRM has ceil(E / D) instead of 16)
    puzzle_emb_ndim: int = 0           # E; 0 means D.  Must not exceed P * D; the rest is zero padding
    num_puzzles: int = 1               # identifiers, the blank one (0) included
    H_cycles: int = 1                  # T
    L_cycles: int = 2                  # n
    num_supervision: int = 6           # N
    time: str = "integer"              # integer | continuous | none
    loss: str = "stablemax"            # stablemax | softmax
    hierarchical: bool = False         # True: HRM, two stacks and a one-step gradient
    rope_theta: float = 10000.0
    rms_eps: float = 1e-5
    dtype: torch.dtype = torch.float32  # compute type; parameters are always float32


# ---------------------------------------------------------------- layers

def truncated_normal_(t: Tensor, std: float) -> Tensor:
    """Normal cut at +-2 scales; the scale is widened (by 1 / 0.87963) so that the result has exactly `std`."""
    density = math.exp(-2.0) / math.sqrt(2.0 * math.pi)
    scale = std / math.sqrt(1.0 - 4.0 * density / math.erf(math.sqrt(2.0)))
    return nn.init.trunc_normal_(t, std=scale, a=-2.0 * scale, b=2.0 * scale)


def swiglu_width(hidden_size: int, expansion: float) -> int:
    return 256 * math.ceil(round(expansion * hidden_size * 2 / 3) / 256)


def rms_norm(x: Tensor, eps: float) -> Tensor:
    """[..., D] -> [..., D]; the arithmetic is float32 whatever the type of x, and there is no weight."""
    wide = x.float()
    return (wide * (wide.pow(2).mean(-1, keepdim=True) + eps).rsqrt()).to(x.dtype)


def rotary_tables(positions: int, head_dim: int, theta: float) -> tuple[Tensor, Tensor]:
    """cos, sin [S, h], float32; the h/2 frequencies are repeated in the second half."""
    frequency = theta ** (-torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
    angle = torch.arange(positions, dtype=torch.float32)[:, None] * frequency
    angle = angle.repeat(1, 2)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding of x [B, H, S, h], rotate-half form, in float32."""
    first, second = x.float().chunk(2, dim=-1)
    return (x.float() * cos + torch.cat([-second, first], dim=-1) * sin).to(x.dtype)


class Linear(nn.Module):
    """Float32 master weight [out, in], cast to the type of the input at every use."""

    def __init__(self, fan_in: int, fan_out: int, bias: bool = False):
        super().__init__()
        self.weight = nn.Parameter(truncated_normal_(torch.empty(fan_out, fan_in), fan_in ** -0.5))
        self.bias = nn.Parameter(torch.zeros(fan_out)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.to(x.dtype), self.bias if self.bias is None else self.bias.to(x.dtype))


class Table(nn.Module):
    """Learned rows [rows, D], std 1/sqrt(D)."""

    def __init__(self, rows: int, width: int):
        super().__init__()
        self.embedding_weight = nn.Parameter(truncated_normal_(torch.empty(rows, width), width ** -0.5))

    def forward(self, index: Tensor, dtype: torch.dtype) -> Tensor:
        return F.embedding(index, self.embedding_weight.to(dtype))


class PuzzleTable(nn.Module):
    """One row of E numbers per puzzle identifier, zero at the start.  Not a parameter: see SparseSignSGD."""

    def __init__(self, rows: int, width: int):
        super().__init__()
        self.register_buffer("weights", torch.zeros(rows, width))

    def gather(self, ids: Tensor) -> Tensor:
        """Rows [B, E] as a fresh leaf that collects this batch's gradient."""
        return self.weights[ids.long()].detach().requires_grad_(torch.is_grad_enabled())


class Attention(nn.Module):
    def __init__(self, cfg: Config):
        super().__init__()
        self.heads = cfg.num_heads
        self.qkv_proj = Linear(cfg.hidden_size, 3 * cfg.hidden_size)  # rows: q heads, k heads, v heads
        self.o_proj = Linear(cfg.hidden_size, cfg.hidden_size)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        q, k, v = self.qkv_proj(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)  # each [B, H, S, h]
        mixed = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v)
        return self.o_proj(mixed.transpose(1, 2).flatten(2))


class SwiGLU(nn.Module):
    def __init__(self, cfg: Config):
        super().__init__()
        inner = swiglu_width(cfg.hidden_size, cfg.expansion)
        self.gate_up_proj = Linear(cfg.hidden_size, 2 * inner)
        self.down_proj = Linear(inner, cfg.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up_proj(x).tensor_split(2, dim=-1)
        return self.down_proj(F.silu(gate) * up)


class Block(nn.Module):
    """Post-norm: attention, then SwiGLU, each followed by residual addition and RMS norm."""

    def __init__(self, cfg: Config):
        super().__init__()
        self.self_attn, self.mlp, self.eps = Attention(cfg), SwiGLU(cfg), cfg.rms_eps

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        x = rms_norm(x + self.self_attn(x, cos, sin), self.eps)
        return rms_norm(x + self.mlp(x), self.eps)


class Stack(nn.Module):
    """net(state, inject) = blocks(state + inject)."""

    def __init__(self, cfg: Config):
        super().__init__()
        self.layers = nn.ModuleList(Block(cfg) for _ in range(cfg.num_layers))

    def forward(self, state: Tensor, inject: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        state = state + inject
        for block in self.layers:
            state = block(state, cos, sin)
        return state


# ---------------------------------------------------------------- model

class RecursiveModel(nn.Module):
    """TRM-Att: one stack in both roles.  With cfg.hierarchical: HRM, with a stack of its own for the answer."""

    def __init__(self, cfg: Config):
        super().__init__()
        cfg = self.cfg = replace(cfg, puzzle_emb_ndim=cfg.puzzle_emb_ndim or cfg.hidden_size)
        assert cfg.puzzle_emb_ndim <= cfg.puzzle_emb_len * cfg.hidden_size
        width = cfg.hidden_size
        self.embed_tokens = Table(cfg.vocab_size, width)
        self.lm_head = Linear(width, cfg.vocab_size)
        self.q_head = Linear(width, 2, bias=True)
        nn.init.zeros_(self.q_head.weight)
        nn.init.constant_(self.q_head.bias, -5.0)
        self.puzzle_emb = PuzzleTable(cfg.num_puzzles, cfg.puzzle_emb_ndim)
        if cfg.time == "integer":
            self.timestep_embed = Table(cfg.num_supervision + 2, width)  # rows 1..N are used, 0 and N+1 never
        self.L_level = Stack(cfg)
        if cfg.hierarchical:
            self.H_level = Stack(cfg)
        self.register_buffer("H_init", truncated_normal_(torch.empty(width), 1.0).to(cfg.dtype))
        self.register_buffer("L_init", truncated_normal_(torch.empty(width), 1.0).to(cfg.dtype))
        cos, sin = rotary_tables(cfg.puzzle_emb_len + cfg.seq_len, width // cfg.num_heads, cfg.rope_theta)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def initial_state(self, batch: int) -> tuple[Tensor, Tensor]:
        """y, z, each [B, S, D]."""
        shape = (batch, self.cfg.puzzle_emb_len + self.cfg.seq_len, -1)
        # Contiguous as what a step returns: torch.compile would compile once more for other strides.
        return self.H_init.expand(shape).contiguous(), self.L_init.expand(shape).contiguous()

    def time_embedding(self, step: Tensor) -> Tensor:
        """step [B], 1-based -> [B, D]."""
        if self.cfg.time == "integer":
            return self.timestep_embed(step, self.cfg.dtype)
        half = self.cfg.hidden_size // 2  # continuous: sinusoid of t = s/N, std brought near that of the table
        frequency = 10000.0 ** (-torch.arange(half, device=step.device) / half)
        angle = 1000.0 * (step / self.cfg.num_supervision)[:, None] * frequency
        wave = torch.cat([angle.sin(), angle.cos()], dim=-1)
        return (wave * math.sqrt(2.0 / self.cfg.hidden_size)).to(self.cfg.dtype)

    def embed(self, tokens: Tensor, puzzle_rows: Tensor, step: Tensor | None) -> Tensor:
        """tokens [B, L], puzzle_rows [B, E], step [B] or None -> x [B, S, D]."""
        cfg = self.cfg
        padding = cfg.puzzle_emb_len * cfg.hidden_size - cfg.puzzle_emb_ndim
        puzzle = F.pad(puzzle_rows.to(cfg.dtype), (0, padding)).unflatten(-1, (cfg.puzzle_emb_len, cfg.hidden_size))
        x = torch.cat([puzzle, self.embed_tokens(tokens, cfg.dtype)], dim=1)
        if step is not None and cfg.time != "none":
            x = x + self.time_embedding(step)[:, None]  # added at the puzzle positions too
        return math.sqrt(cfg.hidden_size) * x

    def latent_reasoning(self, x: Tensor, y: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """T cycles of n latent passes and one answer pass; only the tail carries gradient (TRM: the last cycle;
        HRM: its last latent and last answer pass)."""
        period = self.cfg.L_cycles + 1
        passes = self.cfg.H_cycles * period
        first_tracked = passes - (2 if self.cfg.hierarchical else period)
        answer = self.H_level if self.cfg.hierarchical else self.L_level
        grad = torch.is_grad_enabled()
        for index in range(passes):
            with torch.set_grad_enabled(grad and index >= first_tracked):
                if index % period < self.cfg.L_cycles:
                    z = self.L_level(z, y + x, self.cos, self.sin)
                else:
                    y = answer(y, z, self.cos, self.sin)
        return y, z

    def forward(self, tokens: Tensor, puzzle_rows: Tensor, y: Tensor, z: Tensor, step: Tensor | None = None):
        """One supervision step -> logits [B, L, V], q [B, 2] (halt, continue; float32), new y and z, detached."""
        y, z = self.latent_reasoning(self.embed(tokens, puzzle_rows, step), y, z)
        q = self.q_head(y[:, 0]).float()
        return self.lm_head(y)[:, self.cfg.puzzle_emb_len:], q, y.detach(), z.detach()


# ---------------------------------------------------------------- losses and targets

def token_losses(logits: Tensor, labels: Tensor, kind: str) -> Tensor:
    """Cross-entropy per cell [B, L], 0 where ignored.  stablemax in float64, softmax in float32."""
    valid = labels != IGNORE
    if kind == "stablemax":
        v = logits.double()
        s = torch.where(v < 0, 1.0 / (1.0 - v.clamp(max=0.0)), v + 1.0)  # the clamp keeps the unused branch finite
        log_p = s.log() - s.sum(-1, keepdim=True).log()
    else:
        log_p = logits.float().log_softmax(-1)
    picked = log_p.gather(-1, labels.long().where(valid, 0)[..., None])[..., 0]
    return -picked.where(valid, 0.0)


def sample_losses(logits: Tensor, labels: Tensor, kind: str) -> Tensor:
    """Mean over each sample's valid cells [B]; a sample without valid cells gives 0."""
    return token_losses(logits, labels, kind).sum(-1) / (labels != IGNORE).sum(-1).clamp_min(1)


def path_targets(inputs: Tensor, labels: Tensor, steps: int, order: Tensor) -> Tensor:
    """Frames 1..N [B, N, L] from inputs to labels [B, L].  `order` [B, L] gives each cell a distinct sort key; frame s
    shows the label at the floor(s d / N) first of the d differing cells.  Where the label is IGNORE the cell differs
    from every token, pads included, so early frames supervise the input's token there and later ones nothing."""
    differs = inputs != labels
    rank = order.where(differs, torch.iinfo(torch.int64).max).argsort(-1).argsort(-1)
    shown = torch.arange(1, steps + 1)[None] * differs.sum(-1, keepdim=True) // steps  # [B, N]
    return torch.where(rank[:, None] < shown[..., None], labels[:, None], inputs[:, None])


# ---------------------------------------------------------------- optimisers

class AdamAtan2(torch.optim.Optimizer):
    """Per element: m, v updated; p <- p (1 - lr wd); p <- p - lr a atan2(m_hat, b sqrt(v_hat)).  The decay comes first
    and does not enter the update; bias corrections are those of Adam; there is no epsilon, atan2(0, 0) = 0.
    `outer_correction` is the form of the CUDA package of the official TRM and HRM: a = b = 1 and the correction of m
    outside the arc: p - lr / (1 - beta1^t) atan2(m, sqrt(v_hat))."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1, a=1.27, b=1.0, outer_correction=False):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay, a=a, b=b, outer=outer_correction))

    @torch.no_grad()
    def step(self, closure=None):
        for g in self.param_groups:
            for p in (p for p in g["params"] if p.grad is not None):  # no gradient: no update and no decay
                s = self.state[p]
                if not s:
                    s.update(t=0, m=torch.zeros_like(p), v=torch.zeros_like(p))
                s["t"] += 1
                s["m"].lerp_(p.grad, 1.0 - g["betas"][0])
                s["v"].lerp_(p.grad.square(), 1.0 - g["betas"][1])
                c1, c2 = (1.0 - beta ** s["t"] for beta in g["betas"])
                p.mul_(1.0 - g["lr"] * g["weight_decay"])
                if g["outer"]:
                    p.sub_(torch.atan2(s["m"], (s["v"] / c2).sqrt()), alpha=g["lr"] / c1)
                else:
                    p.sub_(torch.atan2(s["m"] / c1, g["b"] * (s["v"] / c2).sqrt()), alpha=g["lr"] * g["a"])


class SparseSignSGD:
    """Puzzle embeddings: gradients of equal ids are summed, row <- row (1 - lr wd) - lr sign(sum).  A row whose
    summed gradient is zero still decays; rows that are not in the batch stay as they are."""

    def __init__(self, table: PuzzleTable, lr=1e-2, weight_decay=0.1):
        self.table, self.lr, self.weight_decay = table, lr, weight_decay

    @torch.no_grad()
    def step(self, ids: Tensor, grad: Tensor) -> None:
        """ids [B], grad [B, E]; under data parallelism both are gathered over all ranks first."""
        rows, slot = ids.long().unique(return_inverse=True)
        total = torch.zeros(len(rows), grad.shape[1], dtype=grad.dtype, device=grad.device).index_add_(0, slot, grad)
        self.table.weights[rows] = (1.0 - self.lr * self.weight_decay) * self.table.weights[rows] - self.lr * total.sign()


class EMA:
    """Averages of the parameters (buffers, so the puzzle table and the initial states, are not averaged)."""

    def __init__(self, model: nn.Module, rate: float = 0.999):
        self.rate, self.shadow = rate, {name: p.detach().clone() for name, p in model.named_parameters()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        for name, p in model.named_parameters():
            self.shadow[name].mul_(self.rate).add_(p, alpha=1.0 - self.rate)


def learning_rate(step: int, base: float, warmup: int = 2000, total: int = 0, min_ratio: float = 1.0) -> float:
    """step counts optimiser steps from 1; it scales the puzzle-embedding rate as well."""
    if step < warmup:
        return base * step / max(1, warmup)
    progress = (step - warmup) / max(1, total - warmup)
    return base * (min_ratio + max(0.0, (1.0 - min_ratio) * 0.5 * (1.0 + math.cos(math.pi * progress))))


# ---------------------------------------------------------------- training

def step_weights(kind: str, steps: int) -> list[float]:
    return [1.0] * steps if kind == "uniform" else [2.0 * s / (steps + 1) for s in range(1, steps + 1)]


def dis_train_batch(model, batch: dict, optimizer, sparse: SparseSignSGD, *, feedback="prediction", update="per_step",
                    weights: list[float] | None = None, global_batch: int | None = None, before_update=None, run=None):
    """N supervision steps.  batch: inputs [B, L], targets [B, N, L], puzzle_ids [B].  Returns the N losses (sum over
    samples / global batch, before weighting).  `before_update(count)` may set learning rates; `run` replaces
    `dis_step`, e.g. by its compiled form."""
    cfg, run = model.cfg, run or dis_step
    count = len(batch["inputs"])
    weights = weights or step_weights("uniform", cfg.num_supervision)
    y, z = model.initial_state(count)
    tokens, rows, losses = batch["inputs"], None, []
    for s in range(1, cfg.num_supervision + 1):
        if rows is None or update == "per_step":
            rows = model.puzzle_emb.gather(batch["puzzle_ids"])
        step = torch.full((count,), s, device=tokens.device)
        loss, answer, y, z = run(model, tokens, rows, y, z, step, batch["targets"][:, s - 1])
        loss = loss / (global_batch or count)
        (weights[s - 1] * loss).backward()
        losses.append(loss.detach())
        if update == "per_step" or s == cfg.num_supervision:
            if before_update:
                before_update()
            sparse.step(batch["puzzle_ids"], rows.grad)
            optimizer.step()
            optimizer.zero_grad()
        if feedback == "prediction":
            tokens = answer
    return torch.stack(losses)


@torch.inference_mode()
def dis_forward_batch(model, batch: dict, *, feedback="prediction", run=None):
    """The same N supervision steps as at evaluation: no gradient, no update."""
    count = len(batch["inputs"])
    rows = model.puzzle_emb.gather(batch["puzzle_ids"])
    y, z = model.initial_state(count)
    tokens, losses = batch["inputs"], []
    for s in range(1, model.cfg.num_supervision + 1):
        step = torch.full((count,), s, device=tokens.device)
        loss, answer, y, z = (run or dis_step)(model, tokens, rows, y, z, step, batch["targets"][:, s - 1])
        losses.append(loss / count)
        if feedback == "prediction":
            tokens = answer
    return torch.stack(losses)


def dis_step(model, tokens, rows, y, z, step, target):
    """Summed loss, argmax tokens [B, L], new y, new z."""
    logits, _, y, z = model(tokens, rows, y, z, step)
    return sample_losses(logits, target, model.cfg.loss).sum(), logits.detach().argmax(-1), y, z


@dataclass
class ActState:
    """What TRM and HRM carry from one training step to the next."""
    y: Tensor
    z: Tensor
    data: dict                 # inputs [B, L], labels [B, L], puzzle_ids [B] of the lanes' current samples
    steps: Tensor              # [B] supervision steps done on them
    halted: Tensor             # [B] these lanes take a new sample next


def act_initial(model, batch: dict) -> ActState:
    count = len(batch["inputs"])
    zero = torch.zeros(count, dtype=torch.int32, device=batch["inputs"].device)
    return ActState(*model.initial_state(count), dict(batch), zero, zero == 0)


def act_train_step(model, state: ActState, batch: dict, optimizer=None, sparse=None, *, explore=0.1, global_batch=None,
                   training=True):
    """One supervision step of every lane and one optimiser step (if given).  HRM halts on q_halt > q_continue and
    also trains the continue head; TRM halts on q_halt > 0.  Returns the new state and a dict of results."""
    cfg, fresh = model.cfg, state.halted
    count = len(fresh)
    data = {k: torch.where(fresh.view(-1, *[1] * (v.ndim - 1)), batch[k], v) for k, v in state.data.items()}
    y0, z0 = model.initial_state(count)
    y, z = (torch.where(fresh[:, None, None], new, old) for new, old in ((y0, state.y), (z0, state.z)))
    steps = state.steps.where(~fresh, 0) + 1
    rows = model.puzzle_emb.gather(data["puzzle_ids"])
    logits, q, y, z = model(data["inputs"], rows, y, z)
    q_halt, q_continue = q.unbind(-1)

    valid = data["labels"] != IGNORE
    solved = (~valid | (logits.argmax(-1) == data["labels"])).all(-1)  # true as well for a sample without labels
    out = dict(logits=logits.detach(), q_halt=q_halt.detach(), q_continue=q_continue.detach(), solved=solved)
    out["lm_loss"] = sample_losses(logits, data["labels"], cfg.loss).sum()
    out["q_halt_loss"] = F.binary_cross_entropy_with_logits(q_halt, solved.float(), reduction="sum")
    last = steps >= cfg.num_supervision
    halted = last
    if training and cfg.num_supervision > 1:
        halted = halted | (q_halt > (q_continue if cfg.hierarchical else 0.0))
        floor = torch.randint_like(steps, 2, cfg.num_supervision + 1)  # a new draw in every step
        halted = halted & (steps >= floor.where(torch.rand(count, device=steps.device) < explore, 0))
        if cfg.hierarchical:
            with torch.no_grad():
                next_q = model(data["inputs"], rows, y, z)[1]
            best = torch.where(last, next_q[:, 0], next_q.amax(-1))
            out["target_q_continue"] = best.sigmoid()
            out["q_continue_loss"] = F.binary_cross_entropy_with_logits(q_continue, best.sigmoid(), reduction="sum")
    if training:
        total = out["lm_loss"] + 0.5 * (out["q_halt_loss"] + out.get("q_continue_loss", 0.0))
        (total / (global_batch or count)).backward()
        out["puzzle_grad"] = rows.grad
        if optimizer is not None:
            sparse.step(data["puzzle_ids"], rows.grad)
            optimizer.step()
            optimizer.zero_grad()
    out = {k: v.detach() for k, v in out.items()}
    return ActState(y, z, data, steps, halted), out


# ---------------------------------------------------------------- bench

def bench(args) -> None:
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    length, vocab = (64, 3) if args.task == "queens" else (900, 12)
    width, layers = (256, 1) if args.size == "compact" else (512, 2)
    cfg = Config(vocab, length, hidden_size=width, num_layers=layers, num_puzzles=1024, dtype=getattr(torch, args.dtype))
    with torch.device(args.device):
        model = RecursiveModel(cfg)
        inputs = torch.randint(1, vocab, (args.batch, length))
        batch = dict(inputs=inputs, puzzle_ids=torch.randint(1, 1024, (args.batch,)),
                     targets=torch.randint(1, vocab, (args.batch, cfg.num_supervision, length)))
    optimizer = AdamAtan2(model.parameters()) if args.optimizer == "adam_atan2" else torch.optim.AdamW(
        model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1)
    sparse = SparseSignSGD(model.puzzle_emb)
    run = torch.compile(dis_step, dynamic=False) if args.compile else dis_step
    seconds, cpu_seconds, first = [], [], 0.0
    memory_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for trial in range(args.warmup + args.steps):
        start, busy = time.perf_counter(), time.process_time()
        if args.forward_only:
            losses = dis_forward_batch(model, batch, feedback=args.feedback, run=run)
        else:
            losses = dis_train_batch(model, batch, optimizer, sparse, feedback=args.feedback, run=run)
        if args.device != "cpu":
            torch.cuda.synchronize()
        taken = time.perf_counter() - start
        if trial == 0:
            first = taken  # with --compile: compiling, too
        if trial >= args.warmup:
            seconds.append(taken)
            cpu_seconds.append(time.process_time() - busy)
    middle = statistics.median(seconds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 if args.device == "cpu" else \
        torch.cuda.max_memory_allocated()
    if args.json:
        print(json.dumps({"ms_per_supervision_step": 1e3 * middle / cfg.num_supervision,
                          "fastest_ms": 1e3 * min(seconds) / cfg.num_supervision, "samples_per_s": args.batch / middle,
                          "first_batch_s": first, "peak_mb": peak / 2**20, "last_loss": losses[-1].item(),
                          "torch": torch.__version__, "device": args.device, "batch": args.batch, "size": args.size}))
        return
    print(f"{args.task} {args.size} batch {args.batch} {args.dtype} {'compiled' if args.compile else 'eager'} "
          f"{args.optimizer} {args.device}, {torch.get_num_threads()} threads, torch {torch.__version__}: "
          f"{1e3 * middle / cfg.num_supervision:.1f} ms per supervision step (fastest {1e3 * min(seconds) / cfg.num_supervision:.1f}, "
          f"processor time {1e3 * statistics.median(cpu_seconds) / cfg.num_supervision:.1f}), "
          f"{args.batch / middle:.2f} samples/s, last loss {losses[-1].item():.4f}, "
          f"memory of the steps {(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory_before) / 1024:.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sub = parser.add_subparsers(required=True)
    p = sub.add_parser("bench", help="time full DIS batches: N supervision steps, forward, backward, optimiser")
    p.add_argument("--task", choices=["queens", "arc"], default="queens")
    p.add_argument("--size", choices=["compact", "medium"], default="compact")
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    p.add_argument("--optimizer", choices=["adam_atan2", "adamw"], default="adamw")
    p.add_argument("--feedback", choices=["input", "prediction"], default="prediction")
    p.add_argument("--compile", action="store_true")
    p.add_argument("--forward-only", action="store_true", help="evaluation: no gradient, no update")
    p.add_argument("--steps", type=int, default=5, help="timed batches")
    p.add_argument("--warmup", type=int, default=2)
    p.add_argument("--threads", type=int, default=0, help="0: PyTorch's own choice")
    p.add_argument("--device", default="cpu")
    p.add_argument("--json", action="store_true", help="also the first batch, which compiles, and the peak of memory")
    p.set_defaults(call=bench)
    args = parser.parse_args()
    args.call(args)


if __name__ == "__main__":
    main()
