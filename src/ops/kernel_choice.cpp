#include "dis/ops/kernel_choice.h"

#include <atomic>

namespace dis {
namespace {

std::atomic<bool> own{true};
std::atomic<AttentionKernel> of_attention{AttentionKernel::automatic};

}  // namespace

void use_own_kernels(bool wanted) { own.store(wanted, std::memory_order_relaxed); }
bool own_kernels() { return own.load(std::memory_order_relaxed); }

void use_attention(AttentionKernel wanted) { of_attention.store(wanted, std::memory_order_relaxed); }
AttentionKernel attention_kernel() { return of_attention.load(std::memory_order_relaxed); }

}  // namespace dis
