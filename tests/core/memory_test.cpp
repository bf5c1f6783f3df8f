#include "dis/core/memory.h"

#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

#include "core/user_error.h"

namespace dis {
namespace {

TEST(Memory, EveryAllocatorsWordsAreKnown) {
  EXPECT_TRUE(is_out_of_memory(std::bad_alloc()));
  EXPECT_TRUE(is_out_of_memory(std::bad_array_new_length()));
  for (const char* text :
       {"CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has ...", "CUDA error: out of memory",
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to ...",
        "DefaultCPUAllocator: not enough memory: you tried to allocate 4 bytes.",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", "mmap: Cannot allocate memory"}) {
    EXPECT_TRUE(is_out_of_memory(std::runtime_error(text))) << text;
  }
  EXPECT_FALSE(is_out_of_memory(std::runtime_error("index 7 is out of bounds")));
}

TEST(Memory, AdviceNamesTheSettingOnce) {
  const auto fail = [] { throw std::bad_alloc(); };
  EXPECT_EQ(user_error_of([&] { with_memory_advice("evaluating", try_half("eval.batch", 7), fail); }),
            "out of memory while evaluating; try --set eval.batch=4");
  EXPECT_EQ(user_error_of(
                [&] { with_memory_advice("training", "", [&] { with_memory_advice("evaluating", "sleep", fail); }); }),
            "out of memory while evaluating; sleep");
  EXPECT_THROW(with_memory_advice("evaluating", "", [] { throw std::logic_error("a bug"); }), std::logic_error);
  EXPECT_EQ(with_memory_advice("evaluating", "", [] { return 3; }), 3);
  EXPECT_EQ(try_half("eval.batch", 1).find("eval.batch"), std::string::npos);
}

}  // namespace
}  // namespace dis
