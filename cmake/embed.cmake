# Lua scripts, web files, mail templates and sample stories become C at build time.
set(SC_GEN ${CMAKE_BINARY_DIR}/gen)
file(MAKE_DIRECTORY ${SC_GEN})

file(GLOB_RECURSE SC_LUA CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/lua/*.lua)
add_custom_command(
  OUTPUT ${SC_GEN}/scripts.h ${SC_GEN}/scripts.c
  COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tools/embed lua ${CMAKE_SOURCE_DIR}/lua ${SC_GEN}
  DEPENDS ${SC_LUA} ${CMAKE_SOURCE_DIR}/tools/embed
  VERBATIM)

file(GLOB_RECURSE SC_WEB CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/*)
add_custom_command(
  OUTPUT ${SC_GEN}/web.h ${SC_GEN}/web.c
  COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tools/embed web ${CMAKE_SOURCE_DIR}/web ${SC_GEN}
  DEPENDS ${SC_WEB} ${CMAKE_SOURCE_DIR}/tools/embed
  VERBATIM)

file(GLOB SC_MAIL_TEMPLATES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/app/mail/templates/*)
add_custom_command(
  OUTPUT ${SC_GEN}/mail_templates.h ${SC_GEN}/mail_templates.c
  COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tools/embed mail ${CMAKE_SOURCE_DIR}/src/app/mail/templates ${SC_GEN}
  DEPENDS ${SC_MAIL_TEMPLATES} ${CMAKE_SOURCE_DIR}/tools/embed
  VERBATIM)

file(GLOB SC_SAMPLE_STORIES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/examples/stories/*.md)
add_custom_command(
  OUTPUT ${SC_GEN}/sample_stories.h ${SC_GEN}/sample_stories.c
  COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tools/embed stories ${CMAKE_SOURCE_DIR}/examples/stories ${SC_GEN}
  DEPENDS ${SC_SAMPLE_STORIES} ${CMAKE_SOURCE_DIR}/tools/embed
  VERBATIM)
add_custom_target(sc_gen DEPENDS
  ${SC_GEN}/scripts.h ${SC_GEN}/scripts.c ${SC_GEN}/web.h ${SC_GEN}/web.c
  ${SC_GEN}/mail_templates.h ${SC_GEN}/mail_templates.c
  ${SC_GEN}/sample_stories.h ${SC_GEN}/sample_stories.c)
