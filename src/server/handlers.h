/* The handlers that routes[] names; each is described by its row there. */
#ifndef SERVER_HANDLERS_H
#define SERVER_HANDLERS_H

#include <storychain/queue.h>

struct request;

/* route_autosave.c */
sc_err route_autosave(struct request *request, sc_reason *ret_reason);
sc_err route_autosave_put(struct request *request, sc_reason *ret_reason);
sc_err route_autosave_remove(struct request *request, sc_reason *ret_reason);

/* route_chapter.c */
sc_err route_chapter(struct request *request, sc_reason *ret_reason);
sc_err route_chapter_publish(struct request *request, sc_reason *ret_reason);

/* route_event.c */
sc_err route_event(struct request *request, sc_reason *ret_reason);

/* route_page.c */
sc_err route_page(struct request *request, sc_reason *ret_reason);
sc_err route_asset(struct request *request, sc_reason *ret_reason);

/* route_health.c */
sc_err route_healthz(struct request *request, sc_reason *ret_reason);
sc_err route_readyz(struct request *request, sc_reason *ret_reason);
sc_err route_server(struct request *request, sc_reason *ret_reason);

/* route_metrics.c */
sc_err route_metrics(struct request *request, sc_reason *ret_reason);

/* route_notification.c */
sc_err route_notifications(struct request *request, sc_reason *ret_reason);
sc_err route_notification_create(struct request *request, sc_reason *ret_reason);
sc_err route_notification_count(struct request *request, sc_reason *ret_reason);
sc_err route_notification_read(struct request *request, sc_reason *ret_reason);
sc_err route_notifications_read(struct request *request, sc_reason *ret_reason);

/* route_queue.c */
sc_err route_queues(struct request *request, sc_reason *ret_reason);
sc_err route_queue(struct request *request, sc_reason *ret_reason);
sc_err route_queue_pause(struct request *request, sc_reason *ret_reason);
sc_err route_queue_resume(struct request *request, sc_reason *ret_reason);

/* route_job.c */
sc_err route_queue_jobs(struct request *request, sc_reason *ret_reason);
sc_err route_jobs(struct request *request, sc_reason *ret_reason);
sc_err route_job(struct request *request, sc_reason *ret_reason);
sc_err route_job_retry(struct request *request, sc_reason *ret_reason);
sc_err route_job_promote(struct request *request, sc_reason *ret_reason);
sc_err route_job_remove(struct request *request, sc_reason *ret_reason);
sc_err route_job_cancel(struct request *request, sc_reason *ret_reason);

/* route_schedule.c */
sc_err route_schedules(struct request *request, sc_reason *ret_reason);

/* route_story.c */
sc_err route_stories(struct request *request, sc_reason *ret_reason);
sc_err route_story(struct request *request, sc_reason *ret_reason);
sc_err route_story_overview(struct request *request, sc_reason *ret_reason);
sc_err route_story_tree(struct request *request, sc_reason *ret_reason);
sc_err route_story_create(struct request *request, sc_reason *ret_reason);
sc_err route_story_publish(struct request *request, sc_reason *ret_reason);
sc_err route_story_follow(struct request *request, sc_reason *ret_reason);
sc_err route_story_unfollow(struct request *request, sc_reason *ret_reason);
sc_err route_collaborator_put(struct request *request, sc_reason *ret_reason);
sc_err route_collaborator_remove(struct request *request, sc_reason *ret_reason);

/* route_user.c */
sc_err route_user(struct request *request, sc_reason *ret_reason);
sc_err route_user_put(struct request *request, sc_reason *ret_reason);
sc_err route_user_stories(struct request *request, sc_reason *ret_reason);
sc_err route_history(struct request *request, sc_reason *ret_reason);
sc_err route_history_read(struct request *request, sc_reason *ret_reason);

/* The queue that the path names as ":queue"; lives as long as the server. SC_ENOTFOUND, SC_ECONNECT. */
sc_err request_queue(struct request *request, sc_queue **ret_queue, sc_reason *ret_reason);

/* SC_ECONNECT with a sentence while there is no connection to Redis. */
sc_err redis_needed(const struct request *request, sc_reason *ret_reason);

#endif
