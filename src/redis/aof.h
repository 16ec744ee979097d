/* The append-only log of a server that was killed, mended before the next one reads it.
 *
 * A server cuts off the command in the midst of which its log ends, but Redis 7.0 and Valkey 8.0 not the transaction (of a script) that this
 * was part of: what is written behind it belongs to that at the next start but one, and half of a script has then been done. The
 * server's own checker (redis-check-aof) cuts off the whole transaction. */
#ifndef SC_REDIS_AOF_H
#define SC_REDIS_AOF_H

/* Runs the checker that `program`, a redis-server or valkey-server, has in it on the log in `folder`; its output goes to `log_path`. Waits for its
 * end, up to a minute. Does nothing where there is no log, or the program is another one. What can't be mended the server tells. */
void sc__aof_mend(const char *program, const char *folder, const char *log_path);

#endif
