# Our side of the benchmarks; bench/README.md says what they measure. They use the shared library, as programs do.
add_executable(bench-peer bench/queue_peer.c bench/peer.c)
add_executable(bench-pattern bench/cache_pattern.c)
add_executable(bench-cron-peer bench/cron_peer.c)
add_executable(bench-life bench/cache_life.c)
add_executable(bench-fleet bench/cache_fleet.c)
add_executable(bench-schedule-peer bench/schedule_peer.c bench/peer.c)
foreach(program bench-peer bench-pattern bench-cron-peer bench-life bench-fleet bench-schedule-peer)
  target_link_libraries(${program} PRIVATE sc_shared Threads::Threads m)
endforeach()

# This one moves the library's clock, which the shared one does not show.
add_executable(bench-near bench/near.c bench/near_trace.c $<TARGET_OBJECTS:${SC_SHARED_OBJECTS}>)
target_include_directories(bench-near PRIVATE src)
target_link_libraries(bench-near PRIVATE ${SC_SHARED_OBJECTS})
set_target_properties(bench-near PROPERTIES INTERPROCEDURAL_OPTIMIZATION "${SC_HAS_LTO}")
