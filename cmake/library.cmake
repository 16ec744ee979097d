# libstorychain: floors 0 to 4. Objects are compiled once for the static and the shared library.
file(GLOB_RECURSE SC_LIB_SOURCES CONFIGURE_DEPENDS
     src/base/*.c src/loop/*.c src/redis/*.c src/ops/*.c src/cache/*.c src/queue/*.c src/sched/*.c src/worker/*.c)

add_library(sc_objects OBJECT ${SC_LIB_SOURCES} ${SC_GEN}/scripts.c)
add_dependencies(sc_objects sc_gen)
target_include_directories(sc_objects PUBLIC ${CMAKE_SOURCE_DIR}/include PRIVATE ${CMAKE_SOURCE_DIR}/src ${SC_GEN})
target_link_libraries(sc_objects PUBLIC PkgConfig::LIBDEPS Threads::Threads m)

add_library(sc_static STATIC $<TARGET_OBJECTS:sc_objects>)
add_library(sc_shared SHARED $<TARGET_OBJECTS:sc_objects>)
foreach(lib sc_static sc_shared)
  set_target_properties(${lib} PROPERTIES OUTPUT_NAME storychain)
  target_include_directories(${lib} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
target_link_libraries(sc_static PUBLIC PkgConfig::LIBDEPS Threads::Threads m)
target_link_libraries(sc_shared PRIVATE PkgConfig::LIBDEPS Threads::Threads m)
set_target_properties(sc_shared PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
