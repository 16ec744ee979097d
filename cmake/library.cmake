# libstorychain: floors 0 to 4.
file(GLOB_RECURSE SC_LIB_SOURCES CONFIGURE_DEPENDS
     src/base/*.c src/loop/*.c src/redis/*.c src/ops/*.c src/cache/*.c src/queue/*.c src/sched/*.c src/worker/*.c)

function(sc_add_objects name)
  add_library(${name} OBJECT ${SC_LIB_SOURCES} ${SC_GEN}/scripts.c ${SC_GEN}/zone_copies.c)
  add_dependencies(${name} sc_gen)
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/include PRIVATE ${CMAKE_SOURCE_DIR}/src ${SC_GEN})
  target_link_libraries(${name} PUBLIC PkgConfig::LIBDEPS Threads::Threads m)
endfunction()

sc_add_objects(sc_objects)
set(SC_SHARED_OBJECTS sc_objects)
if(SC_HAS_LTO)
  sc_add_objects(sc_lto_objects)
  set_target_properties(sc_lto_objects PROPERTIES INTERPROCEDURAL_OPTIMIZATION ON)
  set(SC_SHARED_OBJECTS sc_lto_objects)
endif()

add_library(sc_static STATIC $<TARGET_OBJECTS:sc_objects>)
add_library(sc_shared SHARED $<TARGET_OBJECTS:${SC_SHARED_OBJECTS}>)
set_target_properties(sc_shared PROPERTIES INTERPROCEDURAL_OPTIMIZATION "${SC_HAS_LTO}")
foreach(lib sc_static sc_shared)
  set_target_properties(${lib} PROPERTIES OUTPUT_NAME storychain)
  target_include_directories(${lib} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
target_link_libraries(sc_static PUBLIC PkgConfig::LIBDEPS Threads::Threads m)
target_link_libraries(sc_shared PRIVATE PkgConfig::LIBDEPS Threads::Threads m)
set_target_properties(sc_shared PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
