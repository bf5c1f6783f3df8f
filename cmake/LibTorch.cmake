# dis::torch: LibTorch as a plain imported target, from the PyPI wheel or any other Torch tree.
#
# find_package(Torch) is not used: with the CUDA wheel it insists on a CUDA toolkit even for a CPU build and adds
# architectures that current nvcc refuses. Where it is looked for: Torch_ROOT (variable or environment), then the
# active Python environment, then the cache folder that scripts/setup fills.
set(DIS_TORCH_VERSIONS "2.9 to 2.11" CACHE INTERNAL "")

set(_candidates ${Torch_ROOT} $ENV{Torch_ROOT})
foreach(_environment $ENV{VIRTUAL_ENV} $ENV{CONDA_PREFIX})
  file(GLOB _found ${_environment}/lib/python3*/site-packages/torch)
  list(APPEND _candidates ${_found})
endforeach()
if(DEFINED ENV{DIS_CACHE_DIR})
  set(_cache $ENV{DIS_CACHE_DIR})
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(_cache $ENV{XDG_CACHE_HOME}/dis)
else()
  set(_cache $ENV{HOME}/.cache/dis)
endif()
list(APPEND _candidates ${_cache}/libtorch-2.11.0/torch)

set(DIS_TORCH_DIR "")
foreach(_candidate ${_candidates})
  set(_header ${_candidate}/include/torch/headeronly/version.h)
  if(NOT EXISTS ${_header})  # up to 2.9
    set(_header ${_candidate}/include/torch/csrc/api/include/torch/version.h)
  endif()
  if(EXISTS ${_candidate}/lib/libtorch_cpu.so AND EXISTS ${_header})
    set(_version "")
    foreach(_part MAJOR MINOR PATCH)
      file(STRINGS ${_header} _line REGEX "#define TORCH_VERSION_${_part} ")
      string(REGEX MATCH "[0-9]+$" _number "${_line}")
      list(APPEND _version ${_number})
    endforeach()
    list(JOIN _version "." _version)
    if(_version VERSION_GREATER_EQUAL 2.9 AND _version VERSION_LESS 2.12)
      set(DIS_TORCH_DIR ${_candidate})
      set(DIS_TORCH_VERSION ${_version})
      break()
    endif()
    message(STATUS "LibTorch ${_version} in ${_candidate} is outside ${DIS_TORCH_VERSIONS}: not used")
  endif()
endforeach()
if(NOT DIS_TORCH_DIR)
  message(FATAL_ERROR "no LibTorch ${DIS_TORCH_VERSIONS} found: run scripts/setup, or set Torch_ROOT to the folder that "
                      "holds lib/libtorch_cpu.so (looked in: ${_candidates})")
endif()
message(STATUS "LibTorch ${DIS_TORCH_VERSION}: ${DIS_TORCH_DIR}")

add_library(dis_torch INTERFACE)
add_library(dis::torch ALIAS dis_torch)
target_include_directories(dis_torch SYSTEM INTERFACE ${DIS_TORCH_DIR}/include
                                                      ${DIS_TORCH_DIR}/include/torch/csrc/api/include)
target_link_directories(dis_torch INTERFACE ${DIS_TORCH_DIR}/lib)
# The wheel's libraries name further libraries that a CPU program never loads.
target_link_options(dis_torch INTERFACE -Wl,--allow-shlib-undefined -Wl,--as-needed)
if(NOT CMAKE_INSTALL_RPATH)
  set(CMAKE_INSTALL_RPATH ${DIS_TORCH_DIR}/lib)
endif()
target_link_libraries(dis_torch INTERFACE ${DIS_TORCH_DIR}/lib/libtorch_cpu.so ${DIS_TORCH_DIR}/lib/libc10.so)

# at::parallel_for is OpenMP code in headers: compile with -fopenmp, and share LibTorch's own OpenMP runtime, because
# two runtimes would fight over the cores. (Clang has no code for this one: loops stay serial, enough for tests/fuzz.)
target_compile_options(dis_torch INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fopenmp>
                                           $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-fopenmp=libgomp>)
if(EXISTS ${DIS_TORCH_DIR}/lib/libgomp.so.1)
  target_link_libraries(dis_torch INTERFACE ${DIS_TORCH_DIR}/lib/libgomp.so.1)
else()
  target_link_libraries(dis_torch INTERFACE gomp)
endif()
