# src/ops/cuda, compiled only with CUDA: the kernels (*.cu) without LibTorch's headers, in about a second each, and
# ops.cpp, which hands them tensors.
if(NOT DIS_WITH_CUDA)
  return()
endif()
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)  # the one that LibTorch uses; here and in every program linked below

file(GLOB DIS_CUDA_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/ops/cuda/*.cu)
add_library(dis_cuda_kernels OBJECT ${DIS_CUDA_SOURCES})
set_target_properties(dis_cuda_kernels PROPERTIES CUDA_STANDARD 17 CUDA_STANDARD_REQUIRED ON CUDA_EXTENSIONS OFF)
target_compile_options(dis_cuda_kernels PRIVATE "SHELL:-Xcompiler=-Wall,-Wextra,-Wshadow -Werror=all-warnings")
target_sources(dis_ops PRIVATE $<TARGET_OBJECTS:dis_cuda_kernels> ${CMAKE_SOURCE_DIR}/src/ops/cuda/ops.cpp)
