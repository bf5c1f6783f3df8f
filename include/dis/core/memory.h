// Memory that runs out, on the machine or on a GPU: told from other failures, and turned into advice.
#pragma once

#include <cstdint>
#include <exception>
#include <string>

#include "dis/core/error.h"

namespace dis {

/// Whatever allocator says so: operator new, LibTorch's for CPUs and GPUs, a CUDA library.
bool is_out_of_memory(const std::exception& error);

/// "out of memory while <doing>; <advice>".
UserError out_of_memory(const std::string& doing, const std::string& advice);

/// "try --set <field>=<half of now>", or, where that is 1 already, what else there is.
std::string try_half(const std::string& field, std::int64_t now);

/// f(). Where memory runs out in it: the error above; what has become a UserError further in stays as it is.
template <class F>
decltype(auto) with_memory_advice(const std::string& doing, const std::string& advice, F f) {
  try {
    return f();
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    if (is_out_of_memory(error)) throw out_of_memory(doing, advice);
    throw;
  }
}

}  // namespace dis
