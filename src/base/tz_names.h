/* The names of time zones: files below the system's zoneinfo folder, or, where there is none, copies that are built in. */
#ifndef SC_BASE_TZ_NAMES_H
#define SC_BASE_TZ_NAMES_H

#include "tz.h"

/* $TZDIR, or /usr/share/zoneinfo. */
const char *sc__tz_folder(void);
bool sc__tz_has_folder(void);

/* The name as the folder spells it, whatever the case of `name`. SC_ENOTFOUND for names that are no zone's, or that
 * would leave the folder; SC_EIO when there is neither a folder nor a copy. */
SC_MUST_USE sc_err sc__tz_name_find(sc_slice name, char ret_name[SC__ZONE_NAME_MAX + 1]);

/* The copy of a zone, whatever the case of `name`; NULL: there is none. */
const struct sc__zone_copy *sc__tz_copy_find(sc_slice name);

/* Writes up to three names that are spelled nearly so: "Europe/Berlin, Europe/Dublin". An empty text if none
 * is near. Reads the whole folder. */
void sc__tz_name_suggest(sc_slice name, char *out, size_t size);

#endif
