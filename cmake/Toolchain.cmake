# Language level, warnings, build accelerators, sanitizers and the CUDA switch: all that holds for every target.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wall> $<$<COMPILE_LANGUAGE:CXX>:-Wextra>
                    $<$<COMPILE_LANGUAGE:CXX>:-Wshadow> $<$<COMPILE_LANGUAGE:CXX>:-Werror>)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # A precompiled header is only cached when its defines and time macros are left out of the comparison. Paths below the
  # clone are compared as relative ones, so that a fresh clone finds what another one compiled.
  set(DIS_CCACHE ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
                 CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1 ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${DIS_CCACHE})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${DIS_CCACHE})
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
endif()

find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

if(DIS_SANITIZE)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${DIS_SANITIZE}> -fno-omit-frame-pointer)
  add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,Clang>:-fsanitize=fuzzer-no-link>)  # for tests/fuzz
  add_link_options(-fsanitize=${DIS_SANITIZE})
endif()

# DIS_WITH_CUDA: the decision behind AUTO / ON / OFF.
set(DIS_WITH_CUDA OFF)
if(NOT DIS_CUDA STREQUAL "OFF")
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    set(DIS_WITH_CUDA ON)
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
      set(CMAKE_CUDA_ARCHITECTURES 80-real 86-real 89-real 90-real 100-real 120)
    endif()
    set(CMAKE_CUDA_STANDARD 17)
    enable_language(CUDA)
  elseif(DIS_CUDA STREQUAL "ON")
    message(FATAL_ERROR "DIS_CUDA=ON, but no CUDA compiler was found: put nvcc on PATH, or use DIS_CUDA=AUTO or OFF")
  endif()
endif()
