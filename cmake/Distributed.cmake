# src/dist: c10d wants to be told what LibTorch was built with, and its sources do without the precompiled header, which
# was not. Gloo's headers come with no wheel: Debian's libgloo-dev has them; its symbols are in libtorch_cpu.so.
find_path(DIS_GLOO_INCLUDE gloo/context.h REQUIRED)
file(GLOB _sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/dist/*.cpp)
list(FILTER _sources EXCLUDE REGEX "/place\\.cpp$")
set_source_files_properties(${_sources} PROPERTIES SKIP_PRECOMPILE_HEADERS ON
                            COMPILE_DEFINITIONS "USE_DISTRIBUTED;USE_C10D_GLOO")
target_include_directories(dis_dist SYSTEM PRIVATE ${DIS_GLOO_INCLUDE})
