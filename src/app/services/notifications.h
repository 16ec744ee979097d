/* Notifications: what a user is told about the stories they follow or write.
 *
 * Created ones are stored first and then delivered by a job of the `notification` queue, so that a
 * request is fast and a mail server that is away loses nothing. */
#ifndef APP_SERVICES_NOTIFICATIONS_H
#define APP_SERVICES_NOTIFICATIONS_H

#include <storychain/cache.h>

#include "app/store/store.h"

struct notifier;
struct queues;

/* Uses all three until notifier_free. */
SC_MUST_USE sc_err notifier_new(struct store *store, sc_cache *cache, struct queues *queues,
                                struct notifier **ret_notifier, sc_reason *ret_reason);
void notifier_free(struct notifier *notifier); /* NULL is fine */

/* Stores the notification (user_id, type, title, message; optional: action_url, metadata, key) and
 * queues its delivery. `notification` gets id, key and created_ms, allocated in the arena. One with a
 * key that is there already is not stored again, and not delivered again unless the queue has
 * forgotten that it was.
 *
 * SC_EPAYLOAD: a field is missing or not valid, the reason names it. SC_ENOTFOUND: no such user.
 * Any other error but the store's: stored, but its delivery could not be queued; calling again
 * with the same key queues it. */
SC_MUST_USE sc_err notification_create(struct notifier *notifier, struct notification *notification,
                                       sc__arena *arena, sc_reason *ret_reason);

/* Queues the welcome mail of a new user, once however often it is called. Nothing for one without an
 * address. The queue's errors. */
SC_MUST_USE sc_err notification_welcome(struct notifier *notifier, const struct user *user,
                                        sc_reason *ret_reason);

/* Tells all who write or follow a story, except `but_user_id` (who caused it; may be absent).
 * `model` has everything but user_id; its `key` is required: each user gets the notification
 * "<key>:<user id>" once, however often this is called. Stops at the first error: `*ret_told` (may be
 * NULL) counts those told by then. */
SC_MUST_USE sc_err notification_tell_audience(struct notifier *notifier, sc_slice story_id,
                                              sc_slice but_user_id,
                                              const struct notification *model, int64_t *ret_told,
                                              sc_reason *ret_reason);

/* Newest first, straight from the store. `limit`: 1 to 1,000. */
SC_MUST_USE sc_err notification_list(struct notifier *notifier, sc_slice user_id, bool unread_only,
                                     int64_t limit, int64_t offset, sc__arena *arena,
                                     struct notifications *ret_notifications,
                                     sc_reason *ret_reason);

/* Through the cache, for 120 s at most; every write here removes it. `*ret_source` and `*ret_age_ms`
 * may be NULL. */
SC_MUST_USE sc_err notification_count_unread(struct notifier *notifier, sc_slice user_id,
                                             int64_t *ret_count, enum sc_cache_source *ret_source,
                                             int64_t *ret_age_ms, sc_reason *ret_reason);

/* `id` absent: all of the user. `*ret_count` (may be NULL): how many were unread until now.
 * SC_ENOTFOUND: the user has no notification with that id. */
SC_MUST_USE sc_err notification_mark_read(struct notifier *notifier, sc_slice user_id, sc_slice id,
                                          int64_t *ret_count, sc_reason *ret_reason);

#endif
