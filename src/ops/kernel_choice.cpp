#include "dis/ops/kernel_choice.h"

#include <atomic>

namespace dis {
namespace {

std::atomic<bool> own{true};

}  // namespace

void use_own_kernels(bool wanted) { own.store(wanted, std::memory_order_relaxed); }
bool own_kernels() { return own.load(std::memory_order_relaxed); }

}  // namespace dis
