// One golden case: a JSON file that states configuration, tolerances and meaning, and a safetensors file of the same
// name with the numbers.
#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <string>

#include "dis/core/json.h"
#include "dis/data/dataset.h"
#include "dis/model/backbone.h"

namespace dis::golden {

struct Tolerance {
  double absolute = 0.0;
  double relative = 0.0;
};

/// $DIS_GOLDEN_DEVICE (cpu, cuda): where the cases of whole networks run; without it the CPU.
at::Device device();

class Case {
 public:
  explicit Case(const std::filesystem::path& json_file);

  const std::filesystem::path& file() const { return file_; }
  const Json& json() const { return json_; }
  bool has(const std::string& tensor) const { return tensors_.contains(tensor); }
  const at::Tensor& at(const std::string& tensor) const;
  const std::map<std::string, at::Tensor>& tensors() const { return tensors_; }

  /// json()["tolerance"] or one of its objects.
  Tolerance tolerance(const std::string& part = "") const;
  /// The network of json()["config"], with the case's weights, float32 on device().
  Backbone network() const;
  /// A tensor of the case as int32 on device().
  at::Tensor tokens(const std::string& tensor) const { return at(tensor).to(device(), at::kInt); }
  ModelShape shape() const;

 private:
  std::filesystem::path file_;
  Json json_;
  std::map<std::string, at::Tensor> tensors_;
};

/// The case's batches as a training stream: example p is lane p mod B of batch p div B.
class RecordedStream : public TrainingStream {
 public:
  explicit RecordedStream(const Case& golden);
  DataShape shape() const override { return shape_; }
  Origin example(std::uint64_t seed, std::uint64_t position, std::span<std::int32_t> input,
                 std::span<std::int32_t> label, std::int32_t& puzzle_id) const override;
  void augment(const Origin&, std::span<std::int32_t>) const override {}
  std::string identifier(std::int64_t) const override { return {}; }

 private:
  DataShape shape_;
  at::Tensor inputs_, labels_, ids_;
};

/// The sizes that every network's "config" states.
void read_sizes(const Json& config, ModelConfig& sizes);
OptimConfig optimiser_of(const Json& hyper, const std::string& name);

/// Fails the running test unless |got - want| <= absolute + relative |want| everywhere; a NaN fails.
void expect_close(const std::string& what, const at::Tensor& got, const at::Tensor& want, const Tolerance& tolerance);

void check_forward(const Case& golden);
void check_eqr(const Case& golden);
void check_training(const Case& golden);
void check_halting(const Case& golden);
void check_optimisers(const Case& golden);
void check_muon(const Case& golden);
void check_conv_swiglu(const Case& golden);
void check_path_targets(const Case& golden);

}  // namespace dis::golden
