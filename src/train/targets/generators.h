// The target generators, each in a file of its own, and the table through which method.targets finds them.
#pragma once

#include <memory>
#include <utility>

#include "dis/train/targets.h"

namespace dis {

/// What a generator is made from.
struct TargetSetting {
  MethodConfig method;
  DataShape shape;
  std::shared_ptr<const Trajectories> trajectories;  ///< null unless targets = trajectory
};
using MadeGenerator = std::unique_ptr<const TargetGenerator>;

MadeGenerator path_targets(const TargetSetting& setting);
MadeGenerator corrupted_targets(const TargetSetting& setting);  ///< `mask` and `replace`
MadeGenerator programmatic_targets(const TargetSetting& setting);
MadeGenerator trajectory_targets(const TargetSetting& setting);
MadeGenerator label_targets(const TargetSetting& setting);
MadeGenerator confident_targets(const TargetSetting& setting);
MadeGenerator reverse_targets(const TargetSetting& setting);

inline constexpr std::pair<TargetKind, MadeGenerator (*)(const TargetSetting&)> kTargetGenerators[] = {
    {TargetKind::path, path_targets},
    {TargetKind::mask, corrupted_targets},
    {TargetKind::replace, corrupted_targets},
    {TargetKind::programmatic, programmatic_targets},
    {TargetKind::trajectory, trajectory_targets},
    {TargetKind::label, label_targets},
    {TargetKind::confident, confident_targets},
    {TargetKind::reverse, reverse_targets},
};

}  // namespace dis
