// Settings of the whole process while a test observes what a step does; they are put back.
#pragma once

#include <ATen/Parallel.h>

#include "dis/ops/kernel_choice.h"

namespace dis {

class OneThread {
 public:
  OneThread() : before_(at::get_num_threads()) { at::set_num_threads(1); }
  ~OneThread() { at::set_num_threads(before_); }

 private:
  int before_;
};

/// Operations composed of LibTorch's.
class ComposedOperations {
 public:
  ComposedOperations() { use_own_kernels(false); }
  ~ComposedOperations() { use_own_kernels(true); }
};

}  // namespace dis
