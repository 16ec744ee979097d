/* What stories, chapters, users and notifications look like in JSON, for the HTTP API and for
 * --json alike.
 *
 * Each function appends one JSON object, or array, to `out`. Dates are ISO 8601 in UTC; what
 * is absent is null. */
#ifndef APP_SHAPES_H
#define APP_SHAPES_H

#include "base/str.h"

#include "app/store/store.h"

/* {"id", "slug", "title", "summary", "tags": […], "author": {"id", "name"}, "status", "featured",
 *  "chapters": 12, "followers": 3, "createdAt", "publishedAt", "updatedAt"} */
void story_shape(sc__str *out, const struct story *story);

/* {"stories": […]} */
void stories_shape(sc__str *out, const struct stories *stories);

/* The story's shape and "collaborators": [{"id", "name", "role", "since"}] */
void overview_shape(sc__str *out, const struct story *story, const struct members *collaborators);

/* {"slug", "title", "chapters": [{"slug", "title", "parent", "depth": 1, "author": {"id", "name"},
 *  "words", "createdAt", "children": ["slug", …]}]}
 * The tree in the order of reading, each chapter before those that continue it. It is not nested,
 * for a story of a thousand chapters would be a thousand deep. SC_ENOMEM is kept in `out`. */
void tree_shape(sc__str *out, const struct story *story, const struct chapters *chapters);

/* {"id", "slug", "story", "title", "content", "parent", "children": [{"slug", "title"}],
 *  "author": {"id", "name"}, "position", "words", "createdAt", "updatedAt"}
 * `all`: the story's chapters. */
void chapter_shape(sc__str *out, const struct story *story, const struct chapter *chapter,
                   const struct chapters *all);

/* Without the mail address, which is nobody else's business: {"id", "clerkId", "name",
 * "createdAt"} */
void user_shape(sc__str *out, const struct user *user);

/* {"id", "userId", "type", "title", "message", "actionUrl", "metadata": {…}, "createdAt",
 * "readAt"} */
void notification_shape(sc__str *out, const struct notification *notification);

/* {"notifications": […]} */
void notifications_shape(sc__str *out, const struct notifications *notifications);

/* {"story", "chapters": [{"slug", "title", "readAt"}]} */
void readings_shape(sc__str *out, sc_slice story_slug, const struct readings *readings);

/* {"chapter", "title", "content", "savedAt"} */
void autosave_shape(sc__str *out, const struct autosave *autosave);

#endif
