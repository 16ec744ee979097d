# Lua scripts, web files, mail templates, sample stories and the system's time zones become C at build time.
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

# For machines without tzdata. An update of it here makes them anew.
set(SC_ZONEINFO /usr/share/zoneinfo CACHE PATH "The time zones to build in; none: where there is no such folder")
file(GLOB SC_ZONE_VERSION ${SC_ZONEINFO}/tzdata.zi)
if(NOT EXISTS ${SC_ZONEINFO}/UTC)
  message(WARNING "no time zones in ${SC_ZONEINFO}: none are built in. Install tzdata, or set SC_ZONEINFO")
endif()
add_custom_command(
  OUTPUT ${SC_GEN}/zone_copies.h ${SC_GEN}/zone_copies.c
  COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tools/embed zones ${SC_ZONEINFO} ${SC_GEN}
  DEPENDS ${SC_ZONE_VERSION} ${CMAKE_SOURCE_DIR}/tools/embed
  VERBATIM)
add_custom_target(sc_gen DEPENDS
  ${SC_GEN}/scripts.h ${SC_GEN}/scripts.c ${SC_GEN}/web.h ${SC_GEN}/web.c
  ${SC_GEN}/mail_templates.h ${SC_GEN}/mail_templates.c
  ${SC_GEN}/sample_stories.h ${SC_GEN}/sample_stories.c
  ${SC_GEN}/zone_copies.h ${SC_GEN}/zone_copies.c)
