# The storychain program: floors 5 to 7, on the library's public headers.
pkg_check_modules(PROGDEPS REQUIRED IMPORTED_TARGET libcurl libmicrohttpd sqlite3)
# cmark-gfm's Debian package brings no usable .pc for the extensions.
find_library(CMARK_GFM cmark-gfm REQUIRED)
find_library(CMARK_GFM_EXT cmark-gfm-extensions REQUIRED)

file(GLOB_RECURSE SC_PROGRAM_SOURCES CONFIGURE_DEPENDS src/app/*.c src/server/*.c src/cli/*.c)
list(FILTER SC_PROGRAM_SOURCES EXCLUDE REGEX "src/cli/main\\.c$")

# Everything but main(), so that tests can link it.
add_library(sc_program STATIC ${SC_PROGRAM_SOURCES} ${SC_GEN}/web.c ${SC_GEN}/mail_templates.c
            ${SC_GEN}/sample_stories.c)
add_dependencies(sc_program sc_gen)
target_include_directories(sc_program PUBLIC ${CMAKE_SOURCE_DIR}/src PRIVATE ${SC_GEN})
target_link_libraries(sc_program PUBLIC sc_static PkgConfig::PROGDEPS ${CMARK_GFM_EXT} ${CMARK_GFM})

add_executable(storychain src/cli/main.c)
target_link_libraries(storychain PRIVATE sc_program)

# The manual and bash's completion come from the program's own tables.
add_custom_command(TARGET storychain POST_BUILD
  COMMAND $<TARGET_FILE:storychain> help man > ${CMAKE_BINARY_DIR}/storychain.1
  COMMAND $<TARGET_FILE:storychain> help completion > ${CMAKE_BINARY_DIR}/storychain.bash VERBATIM)
