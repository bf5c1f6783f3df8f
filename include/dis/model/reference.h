// The network and its training steps in plain LibTorch under autograd, in the order of the paper: to read, to compare
// with, and what runs under compute.fused = false. Section numbers are those of docs/method.md.
//
// A new half or loss is written here first, and trains at once. Any floating type: in float64 it is the exact network;
// in float32 and bfloat16 the float32 weights are cast at every use, and norms and the rotary embedding are float32.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "dis/model/halves.h"
#include "dis/model/supervision_step.h"
#include "dis/ops/losses.h"

namespace dis::reference {

/// A network: its sizes, its weights as leaves for autograd, and the type of its activations.
struct Network {
  const ModelShape& shape;
  const WeightViews& weights;
  const RotaryTables& rotary;
  at::ScalarType type;
};

/// x [B, S, D] (section 1).
at::Tensor input(const Network& net, const StepInput& in);

// The halves (halves.h), h [B, S, D] -> [B, S, D].
at::Tensor attention_half(const HalfCall& call);
at::Tensor position_swiglu_half(const HalfCall& call);
at::Tensor swiglu_half(const HalfCall& call);
at::Tensor conv_swiglu_half(const HalfCall& call);
at::Tensor conv_swiglu(const at::Tensor& h, const HalfWeights& weights);  ///< its f(h)

/// A stack of blocks: h [B, S, D] -> [B, S, D].
at::Tensor stack(const Network& net, at::Tensor h, const std::vector<BlockWeights>& blocks);

/// T cycles of n latent passes and an answer pass; only the last one carries gradient (section 2). A pass moves its
/// state h to (1 - a) h + a net(h), and then adds noise(h, number of the pass, which state), if there is any
/// (section 9).
using PassNoiseOf = std::function<at::Tensor(const at::Tensor& h, std::int64_t pass, WhichState which)>;
States latent_reasoning(const Network& net, const at::Tensor& x, States s, const PassNoiseOf& noise = {});

/// lm_head: logits [B, S, V] of y [B, S, D]; q_head of its first position: [B, 2].
at::Tensor readout(const Network& net, const at::Tensor& y);
at::Tensor halting(const Network& net, const at::Tensor& y);

/// As dis::supervision_step, with the halting logits always.
StepOutput supervision_step(const Network& net, const StepInput& in, const States& before);

/// A step of training before its backward pass.
struct TaughtStep {
  StepOutput out;
  at::Tensor losses;          ///< float64 [B]
  at::Tensor halting_losses;  ///< float64 [B], of TRM and HRM
};
/// DIS: CE(post, target), and with `target_before` + CE(pre, target_before) (section 3, eq. 19). Targets int32 [B, L].
TaughtStep dis_step(const Network& net, const StepInput& in, const States& before, const at::Tensor& target,
                    const at::Tensor& target_before, const Loss& loss);
/// TRM and HRM: CE(post, labels), and BCE of the halting head, and of HRM's continue head (sections 6 and 7); the whole
/// loss of a lane is losses + halting_losses / 2. Labels int32 [B, L].
TaughtStep halting_step(const Network& net, const StepInput& in, const States& before, const at::Tensor& labels,
                        const Loss& loss);

}  // namespace dis::reference
