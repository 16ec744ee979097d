# Each tests/**/test_<name>.c is a program of its own; tools/run_tests finds and runs them.
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)

file(GLOB SC_TEST_SUPPORT CONFIGURE_DEPENDS tests/support/*.c)
add_library(sc_test_support STATIC ${SC_TEST_SUPPORT})
target_include_directories(sc_test_support PUBLIC ${CMAKE_SOURCE_DIR}/tests ${CMAKE_SOURCE_DIR}/src ${SC_GEN})
target_compile_definitions(sc_test_support PUBLIC
  SC_SOURCE_DIR="${CMAKE_SOURCE_DIR}" SC_BUILD_DIR="${CMAKE_BINARY_DIR}")
target_link_libraries(sc_test_support PUBLIC sc_static PkgConfig::CMOCKA)

file(GLOB_RECURSE SC_TEST_SOURCES CONFIGURE_DEPENDS tests/*/test_*.c)
foreach(source ${SC_TEST_SOURCES})
  file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR}/tests ${source})
  string(REGEX REPLACE "\\.c$" "" name ${name})
  string(REPLACE "/" "__" target ${name})
  if(name MATCHES "^(app|server)/" AND NOT SC_PROGRAM)
    continue()
  endif()
  add_executable(${target} ${source})
  target_link_libraries(${target} PRIVATE sc_test_support)
  if(name MATCHES "^(app|server)/")
    target_link_libraries(${target} PRIVATE sc_program)
  endif()
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
endforeach()

# Our side of tests/interop: reads commands as JSON lines. Each part of the library has its peer_<part>.c.
file(GLOB SC_PEER_SOURCES CONFIGURE_DEPENDS tests/interop/peer*.c)
add_executable(tests_peer ${SC_PEER_SOURCES})
target_include_directories(tests_peer PRIVATE ${CMAKE_SOURCE_DIR}/tests ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(tests_peer PRIVATE sc_static)

# Loaded into a server by tests/interop: moves its clock.
add_library(tests_shift_clock MODULE tests/interop/shift_clock.c)
set_target_properties(tests_shift_clock PROPERTIES PREFIX "" C_VISIBILITY_PRESET default)
target_compile_options(tests_shift_clock PRIVATE -fno-sanitize=all)
target_link_options(tests_shift_clock PRIVATE -fno-sanitize=all)

# Fuzzers: tests/fuzz/fuzz_<name>.c has LLVMFuzzerTestOneInput. With clang they fuzz; in every other build they
# run over their corpus, as a test.
file(GLOB SC_FUZZ_SOURCES CONFIGURE_DEPENDS tests/fuzz/fuzz_*.c)
foreach(source ${SC_FUZZ_SOURCES})
  get_filename_component(name ${source} NAME_WE)
  if(SC_FUZZ)
    add_executable(${name} ${source})
    target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(${name} ${source} tests/fuzz/replay.c)
  endif()
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src ${SC_GEN})
  target_link_libraries(${name} PRIVATE sc_static $<TARGET_NAME_IF_EXISTS:sc_program>)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
endforeach()

# Each example is a program that a reader copies: it must build.
file(GLOB SC_EXAMPLES CONFIGURE_DEPENDS examples/*.c)
foreach(source ${SC_EXAMPLES})
  get_filename_component(name ${source} NAME_WE)
  add_executable(example_${name} ${source})
  target_link_libraries(example_${name} PRIVATE sc_static)
  set_target_properties(example_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/examples)
endforeach()
