#include "read_data.h"

#include <errno.h>

int cli_read_data(struct cli *cli, const char *word, sc__str *out)
{
    char buffer[16 * 1024];
    size_t n;

    if (strcmp(word, "-") != 0) {
        sc__str_text(out, word);
    } else {
        while (!out->err && (n = fread(buffer, 1, sizeof(buffer), stdin)))
            sc__str_append(out, (sc_slice){buffer, n});
        if (ferror(stdin))
            return cli_fail(cli, EXIT_FAILED, "stdin can't be read: %s", strerror(errno));
    }
    return out->err ? cli_fail_err(cli, out->err, NULL, "the data") : EXIT_OK;
}
