# libdis_cuda.so: src/cuda and the kernels of src/ops/cuda (*.cu, without LibTorch's headers, in seconds each). The one
# object that is linked with LibTorch's CUDA libraries; dis loads it where it can (dis/ops/cuda_part.h).
if(NOT DIS_WITH_CUDA)
  return()
endif()
find_package(CUDAToolkit REQUIRED)
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)  # the one that LibTorch uses

file(GLOB _kernels CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/ops/cuda/*.cu)
file(GLOB _sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/cuda/*.cpp)
add_library(dis_cuda MODULE ${_kernels} ${_sources})
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/cuda/nccl.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON
                            COMPILE_DEFINITIONS "USE_DISTRIBUTED;USE_C10D_NCCL")
set_target_properties(dis_cuda PROPERTIES CUDA_STANDARD 17 CUDA_STANDARD_REQUIRED ON CUDA_EXTENSIONS OFF
                                          CXX_VISIBILITY_PRESET hidden CUDA_VISIBILITY_PRESET hidden
                                          LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
target_compile_options(dis_cuda PRIVATE
  $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra,-Wshadow;-Werror=all-warnings>)
target_include_directories(dis_cuda PRIVATE ${CMAKE_SOURCE_DIR}/include)
# Architectures as a list with commas: a semicolon would end the definition.
string(REPLACE ";" ", " _architectures "${CMAKE_CUDA_ARCHITECTURES}")
target_compile_definitions(dis_cuda PRIVATE DIS_VERSION="${PROJECT_VERSION}" DIS_CUDA_ARCHITECTURES="${_architectures}")
target_link_libraries(dis_cuda PRIVATE ${DIS_TORCH_DIR}/lib/libtorch_cuda.so ${DIS_TORCH_DIR}/lib/libc10_cuda.so
                                       CUDA::cudart)
dis_use_torch(dis_cuda)
add_dependencies(dis dis_cuda)
install(TARGETS dis_cuda LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/dis)
