# Our side of the benchmarks; bench/README.md says what they measure.
add_executable(bench-peer bench/queue_peer.c bench/peer.c)
target_link_libraries(bench-peer PRIVATE sc_static)
add_executable(bench-pattern bench/cache_pattern.c)
target_link_libraries(bench-pattern PRIVATE sc_static Threads::Threads)

add_executable(bench-near bench/near.c bench/near_trace.c)
target_include_directories(bench-near PRIVATE src) # moves its clock
target_link_libraries(bench-near PRIVATE sc_static Threads::Threads m)
add_executable(bench-cron-peer bench/cron_peer.c)
target_link_libraries(bench-cron-peer PRIVATE sc_static)
add_executable(bench-life bench/cache_life.c)
target_link_libraries(bench-life PRIVATE sc_static)
add_executable(bench-fleet bench/cache_fleet.c)
target_link_libraries(bench-fleet PRIVATE sc_static Threads::Threads)
add_executable(bench-schedule-peer bench/schedule_peer.c bench/peer.c)
target_link_libraries(bench-schedule-peer PRIVATE sc_static)
