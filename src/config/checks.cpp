// Settings that are fine one by one but not together.
//
// Not here, because they are allowed: method.lanes = staggered with method.update = accumulated; the split `authors` on
// any board; method.masked_cells with targets that do not mask (it has no effect). The sinusoid of method.time =
// continuous needs an even width, which the rule about attention heads already gives.
#include "dis/config/config.h"
#include "mistakes.h"

namespace dis {
namespace {

std::string number(std::int64_t value) { return std::to_string(value); }

void check_solutions(const DataConfig& data, Mistakes& mistakes) {
  if (data.board_size > 10) {
    mistakes.add("data.split = solutions lists all boards, which takes data.board_size up to 10, found " +
                 number(data.board_size));
  }
  if (data.max_givens < data.min_givens || data.max_givens >= data.board_size) {
    mistakes.add("data.max_givens = " + number(data.max_givens) + " must be from data.min_givens = " +
                 number(data.min_givens) + " to data.board_size - 1 = " + number(data.board_size - 1));
  }
  if (data.train_max_givens != 0 &&
      (data.train_max_givens < data.max_givens || data.train_max_givens >= data.board_size)) {
    mistakes.add("data.train_max_givens = " + number(data.train_max_givens) + " must be 0, or from data.max_givens = " +
                 number(data.max_givens) + " to data.board_size - 1 = " + number(data.board_size - 1));
  }
}

void check(const DataConfig& data, Mistakes& mistakes) {
  if (data.min_givens > data.board_size - 1) {
    mistakes.add("data.min_givens = " + number(data.min_givens) +
                 " must be at most data.board_size - 1 = " + number(data.board_size - 1));
  }
  const bool from_files = data.kind == DataKind::folder || data.kind == DataKind::grids ||
                          data.kind == DataKind::sudoku || data.kind == DataKind::maze;
  if (from_files && data.path.empty()) {
    mistakes.add("data.kind = " + to_string(data.kind) + " needs data.path, found none");
  }
  if (data.split == Split::orbits && (data.board_size == 4 || data.board_size == 6)) {
    mistakes.add("data.split = orbits needs a board with several symmetry orbits of solutions, but data.board_size = " +
                 number(data.board_size) + " has one: use the split boards, or board_size 5 or 7 to 16");
  }
  if (data.split == Split::solutions) check_solutions(data, mistakes);
}

void check(const ModelConfig& model, Mistakes& mistakes) {
  const std::int64_t unit = 2 * model.num_heads;
  if (model.hidden_size % unit != 0) {
    const std::int64_t below = model.hidden_size / unit * unit;
    const std::string usable = (below > 0 ? number(below) + " or " : "") + number(below + unit);
    mistakes.add("model.hidden_size = " + number(model.hidden_size) +
                 " must be a multiple of 2 x model.num_heads = " + number(unit) + ", such as " + usable);
  }
  if (const auto passes = passes_of_step(model); model.gradient_passes > passes) {
    mistakes.add("model.gradient_passes = " + number(model.gradient_passes) + " must be at most the " + number(passes) +
                 " passes of a supervision step");
  }
  if (model.gradient_passes == 1 && model.states == StateCount::two) {
    mistakes.add(
        "model.gradient_passes = 1 must be 0 or at least 2: the last pass does not see the input, which reaches it "
        "through a latent one");
  }
  if (!model.puzzle_embedding) return;
  if (model.puzzle_emb_len == 0) {
    mistakes.add("model.puzzle_embedding = true needs model.puzzle_emb_len of at least 1, found 0");
  } else if (model.puzzle_emb_ndim > model.puzzle_emb_len * model.hidden_size) {
    mistakes.add("model.puzzle_emb_ndim = " + number(model.puzzle_emb_ndim) +
                 " must be at most model.puzzle_emb_len x model.hidden_size = " +
                 number(model.puzzle_emb_len * model.hidden_size));
  }
}

void check(const MethodConfig& method, Mistakes& mistakes) {
  const bool reads_file = method.targets == TargetKind::trajectory;
  if (reads_file && method.trajectory_file.empty()) {
    mistakes.add("method.targets = trajectory needs method.trajectory_file, found none");
  }
  if (!reads_file && !method.trajectory_file.empty()) {
    mistakes.add(
        "method.trajectory_file = \"" + method.trajectory_file +
        "\" is read only with method.targets = trajectory, found method.targets = " + to_string(method.targets));
  }
}

/// The baselines have one way to train: a setting that would say otherwise is a mistake, not ignored.
void check_baseline(const MethodConfig& method, Mistakes& mistakes) {
  const auto must_be = [&](const std::string& field, const std::string& wanted, const std::string& found) {
    if (found == wanted) return;
    mistakes.add("method.algorithm = " + to_string(method.algorithm) + " needs method." + field + " = " + wanted +
                 ", found " + found);
  };
  must_be("targets", "label", to_string(method.targets));
  must_be("time", "none", to_string(method.time));
  must_be("feedback", "input", to_string(method.feedback));
  must_be("step_weights", "uniform", to_string(method.step_weights));
  must_be("update", "per_step", to_string(method.update));
  must_be("objective", "single", to_string(method.objective));
  must_be("lanes", "lockstep", to_string(method.lanes));
}

void check(const TrainConfig& train, Mistakes& mistakes) {
  if (train.micro_batch > train.global_batch) {
    mistakes.add("train.micro_batch = " + number(train.micro_batch) +
                 " must be at most train.global_batch = " + number(train.global_batch));
  }
  if (train.keep_best && train.eval_every == 0) {
    mistakes.add("train.keep_best = true needs train.eval_every of at least 1, found 0");
  }
}

/// Asking more of a trained network than it can give.
void check_rollouts(const RunConfig& config, Mistakes& mistakes) {
  const auto& eval = config.eval;
  const auto& method = config.method;
  const bool dis = method.algorithm == Algorithm::dis;
  if (eval.steps > method.num_supervision && dis && method.time == TimeEmbedding::integer) {
    mistakes.add(
        "eval.steps = " + number(eval.steps) +
        " is more than method.num_supervision = " + number(method.num_supervision) +
        ", and the learned step table (method.time = integer) has no row for later steps: lower eval.steps, or "
        "train with method.time = continuous or none");
  }
  const bool start =
      eval.start == EvalStart::random || (eval.start == EvalStart::trained && method.start == Start::random);
  const bool draws = start || eval.noise > 0.0 || method.path_noise > 0.0;
  const bool commits = config.data.kind == DataKind::nqueens && eval.commit_temperature > 0.0;
  if (eval.rollouts > 1 && !draws && !commits) {
    mistakes.add("eval.rollouts = " + number(eval.rollouts) +
                 " are all the same without draws: set eval.noise, eval.start = random or, for boards, "
                 "eval.commit_temperature");
  }
  if (eval.rollouts > 1 && eval.select == Select::halting && dis) {
    mistakes.add(
        "eval.select = halting needs a halting head that was trained, method.algorithm = trm or hrm, found dis: "
        "take vote, residual or margin");
  }
  const bool no_rules = (config.data.kind == DataKind::folder || config.data.kind == DataKind::grids) &&
                        config.data.rules == Rules::unknown;
  if (eval.rollouts > 1 && eval.select == Select::rules && (no_rules || config.data.kind == DataKind::arc)) {
    mistakes.add(
        "eval.select = rules needs data whose rules are known: set data.rules, or take vote, residual or margin");
  }
}

void check_one_state(const RunConfig& config, Mistakes& mistakes) {
  if (config.model.states == StateCount::two) return;
  if (config.method.algorithm == Algorithm::hrm) {
    mistakes.add("model.states = one needs method.algorithm = dis or trm, found hrm, which has a stack for each state");
  }
  if (config.eval.noise > 0.0 && config.eval.noise_state == NoiseState::latent) {
    mistakes.add(
        "eval.noise_state = latent adds noise to a state that a network with model.states = one does not have; set "
        "eval.noise_state = answer");
  }
}

void check_rows_first(const RunConfig& config, Mistakes& mistakes) {
  if (config.optim.rows_first < 1.0 || config.model.puzzle_embedding) return;
  mistakes.add(
      "optim.rows_first = 1 (predict.rows_first of dis predict) lets the puzzle embedding alone learn, and "
      "model.puzzle_embedding = false has none: nothing would learn");
}

}  // namespace

std::int64_t passes_of_cycle(const ModelConfig& model) {
  return model.L_cycles + (model.states == StateCount::two ? 1 : 0);
}

std::int64_t passes_of_step(const ModelConfig& model) { return model.H_cycles * passes_of_cycle(model); }

void check_config(const RunConfig& config, const std::string& source) {
  Mistakes mistakes(source);
  check(config.data, mistakes);
  check(config.model, mistakes);
  check(config.method, mistakes);
  if (config.method.algorithm != Algorithm::dis) check_baseline(config.method, mistakes);
  check(config.train, mistakes);
  if (config.compute.attention == AttentionChoice::cudnn && config.compute.deterministic) {
    mistakes.add(
        "compute.attention = cudnn does not repeat bit for bit: it needs compute.deterministic = false, found true");
  }
  if (config.eval.halting && config.method.algorithm == Algorithm::dis) {
    mistakes.add(
        "eval.halting = true needs a network that is trained with halting, method.algorithm = trm or hrm, "
        "found dis");
  }
  check_rollouts(config, mistakes);
  check_rows_first(config, mistakes);
  check_one_state(config, mistakes);
  mistakes.throw_if_any();
}

}  // namespace dis
