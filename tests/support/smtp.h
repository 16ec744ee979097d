/* A real mail server of a test's own (aiosmtpd), which writes what it takes into a folder. */
#ifndef TEST_SUPPORT_SMTP_H
#define TEST_SUPPORT_SMTP_H

struct test_smtp {
    int pid, port;
    char folder[96]; /* 1.eml, 2.eml, … in the order they came; X-From and X-To in front */
    char url[64];    /* smtp://127.0.0.1:… */
};

/* Starts it and waits until it listens; fails the test if it doesn't. It ends with the test.
 * `more_args`: NULL, or a NULL-terminated list for smtp_server.py. */
void test_smtp_start(struct test_smtp *smtp, const char *const *more_args);
void test_smtp_stop(struct test_smtp *smtp);

/* The n-th mail as text, from 1; NULL while it isn't there. Free with free(). */
char *test_smtp_mail(const struct test_smtp *smtp, int n);

#endif
