# src/ops/cpu/{kernels,gemm,attention}.cpp, compiled once per instruction set; dispatch.cpp picks one when the program
# runs, so that one binary serves every processor.
function(dis_cpu_kernels variant)
  add_library(dis_cpu_${variant} OBJECT src/ops/cpu/kernels.cpp src/ops/cpu/gemm.cpp src/ops/cpu/attention.cpp)
  target_compile_definitions(dis_cpu_${variant} PRIVATE DIS_CPU_VARIANT=${variant})
  target_include_directories(dis_cpu_${variant} PRIVATE ${CMAKE_SOURCE_DIR}/include)
  target_compile_options(dis_cpu_${variant} PRIVATE -O3 -fopenmp-simd -fno-math-errno -fno-trapping-math ${ARGN}
                         $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wno-pass-failed>)  # sanitizers keep loops scalar
  target_sources(dis_ops PRIVATE $<TARGET_OBJECTS:dis_cpu_${variant}>)
endfunction()

dis_cpu_kernels(baseline)
add_library(dis_cpu_dispatch OBJECT src/ops/cpu/dispatch.cpp)
target_include_directories(dis_cpu_dispatch PRIVATE ${CMAKE_SOURCE_DIR}/include)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  dis_cpu_kernels(avx2 -march=x86-64-v3)
  dis_cpu_kernels(avx512 -march=x86-64-v4 -mprefer-vector-width=512)
  dis_cpu_kernels(avx512_bf16 -march=x86-64-v4 -mavx512bf16 -mprefer-vector-width=512)
  target_compile_definitions(dis_cpu_dispatch PRIVATE DIS_CPU_X86=1)
endif()
target_sources(dis_ops PRIVATE $<TARGET_OBJECTS:dis_cpu_dispatch>)
