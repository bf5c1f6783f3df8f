# With DIS_UNITY ten sources are compiled as one: names in unnamed namespaces must differ within a module.
#
# dis_module(<name> [TORCH] [PUBLIC libs...] [PRIVATE libs...]): library dis_<name> from src/<name>/*.cpp, with its
# headers in include/dis/<name>. TORCH: the module sees LibTorch, through the precompiled header that all share.
#
# dis_test(<target> [TORCH] SOURCES files... [LIBS libs...] [LABELS labels...]): a GoogleTest program.

function(dis_unity target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${DIS_UNITY} UNITY_BUILD_BATCH_SIZE 10)
  if(DIS_UNITY)  # a class of a .cpp file with members of an unnamed namespace: GCC takes the file for a header
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

function(dis_use_torch target)
  target_link_libraries(${target} PRIVATE dis::torch)
  target_precompile_headers(${target} REUSE_FROM dis_torch_pch)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "EXECUTABLE")  # -fpic like the precompiled header, instead of -fpie
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${target} PRIVATE -fPIC)
  endif()
endfunction()

# The one precompiled header: LibTorch's big umbrella costs 25 s a file without it.
file(WRITE ${CMAKE_BINARY_DIR}/generated/torch_pch.cpp "// holds the precompiled header of LibTorch\n")
add_library(dis_torch_pch STATIC ${CMAKE_BINARY_DIR}/generated/torch_pch.cpp)
target_link_libraries(dis_torch_pch PRIVATE dis::torch)
target_precompile_headers(dis_torch_pch PRIVATE <torch/torch.h>)
# GCC writes a precompiled header differently each time; ccache compares this instead (CCACHE_PCH_EXTSUM): what the
# header is made of. Build types are told apart by the compile options, which ccache compares anyway.
file(WRITE ${CMAKE_BINARY_DIR}/CMakeFiles/dis_torch_pch.dir/cmake_pch.hxx.gch.sum
     "${DIS_TORCH_DIR} ${DIS_TORCH_VERSION} ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}")

function(dis_module name)
  cmake_parse_arguments(arg "TORCH" "" "PUBLIC;PRIVATE;FOLDERS" ${ARGN})
  set(patterns ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  foreach(folder ${arg_FOLDERS})
    list(APPEND patterns ${CMAKE_SOURCE_DIR}/src/${name}/${folder}/*.cpp)
  endforeach()
  file(GLOB sources CONFIGURE_DEPENDS ${patterns})
  add_library(dis_${name} STATIC ${sources})
  dis_unity(dis_${name})
  target_include_directories(dis_${name} PUBLIC ${CMAKE_SOURCE_DIR}/include)
  target_link_libraries(dis_${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
  # GCC 12 sees overlapping copies in std::string's operator+ that are not there (GCC bug 105651).
  target_compile_options(dis_${name} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>)
  if(arg_TORCH)
    target_link_libraries(dis_${name} PUBLIC dis::torch)
    dis_use_torch(dis_${name})
  endif()
endfunction()

function(dis_test target)
  cmake_parse_arguments(arg "TORCH" "" "SOURCES;LIBS;LABELS" ${ARGN})
  add_executable(${target} ${arg_SOURCES})
  dis_unity(${target})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(${target} PRIVATE DIS_SOURCE_DIR="${CMAKE_SOURCE_DIR}" DIS_EXECUTABLE="$<TARGET_FILE:dis>")
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>)
  target_link_libraries(${target} PRIVATE ${arg_LIBS} GTest::gtest GTest::gtest_main)
  if(arg_TORCH)
    dis_use_torch(${target})
  endif()
  add_test(NAME ${target} COMMAND ${target})
  set_tests_properties(${target} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT 600 ENVIRONMENT "${DIS_NO_NAMES}")
endfunction()
