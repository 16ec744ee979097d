# Optimization across files, for the shared library: a hit in memory takes a quarter less. The static one stays as it is: what a
# compiler leaves for that in an object no other version reads.
option(SC_LTO "Optimize the shared library across files" ON)
if(SC_LTO AND NOT SC_SANITIZE AND CMAKE_BUILD_TYPE MATCHES "^(RelWithDebInfo|Release|MinSizeRel)$")
  include(CheckIPOSupported)
  check_ipo_supported(RESULT SC_HAS_LTO LANGUAGES C)
endif()
if(CMAKE_C_COMPILER_ID STREQUAL GNU)
  set(CMAKE_C_COMPILE_OPTIONS_IPO -flto=auto -fno-fat-lto-objects)
endif()
