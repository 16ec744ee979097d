/* A maildir: a folder with tmp/, new/ and cur/, one file a mail, read by mutt, mail clients and tests.
 *
 * A mail is written to tmp/, flushed to the disk and renamed into new/: readers never see half of
 * one, and what was delivered survives a crash. */
#ifndef APP_MAIL_MAILDIR_H
#define APP_MAIL_MAILDIR_H

#include <storychain/base.h>

/* Makes the folder and its three parts (mode 0700) where they are missing. SC_EIO with a reason. */
SC_MUST_USE sc_err maildir_prepare(const char *folder, sc_reason *ret_reason);

/* Delivers under the file name `name`, which must be one for this mail alone ([A-Za-z0-9._-]).
 * Delivering again under that name keeps one mail, also when a reader has moved it to cur/.
 * SC_EINVAL, SC_EIO with a reason (disk full, folder gone). */
SC_MUST_USE sc_err maildir_deliver(const char *folder, const char *name, sc_slice mail,
                                   sc_reason *ret_reason);

#endif
