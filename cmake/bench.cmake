# Each bench/<name>.c is a program; bench/README.md says what they measure.
file(GLOB SC_BENCH_SOURCES CONFIGURE_DEPENDS bench/*.c)
foreach(source ${SC_BENCH_SOURCES})
  get_filename_component(name ${source} NAME_WE)
  add_executable(bench_${name} ${source})
  target_include_directories(bench_${name} PRIVATE ${CMAKE_SOURCE_DIR}/src ${SC_GEN})
  target_link_libraries(bench_${name} PRIVATE sc_static)
  set_target_properties(bench_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endforeach()
