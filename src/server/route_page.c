/* The dashboard's files, from the program itself. */
#include "handlers.h"
#include "request.h"
#include "web.h"

#include "base/error.h"

static bool takes_gzip(const struct request *request)
{
    const char *takes = request_header(request, "Accept-Encoding");

    return takes && strstr(takes, "gzip");
}

static sc_err answer_file(struct request *request, const struct web_file *file)
{
    bool packed = takes_gzip(request) && file->packed_len < file->plain_len;

    request->answer.status = 200;
    request->answer.type = file->type;
    request->answer.static_body = packed ? file->packed : file->plain;
    request->answer.len = packed ? file->packed_len : file->plain_len;
    request->answer.caching = ANSWER_REVALIDATE;
    request->answer.etag = file->etag;
    answer_header(request, "Vary", "Accept-Encoding");
    if (packed)
        answer_header(request, "Content-Encoding", "gzip");
    return SC_OK;
}

/* Only names in the table are served: there is no folder to climb out of. */
static sc_err find_file(struct request *request, sc_slice name, sc_reason *ret_reason)
{
    for (const struct web_file *file = web_files; file->path; file++)
        if (sc_slice_eq(name, sc_slice_of(file->path + 1)))
            return answer_file(request, file);
    return sc__because(ret_reason, SC_ENOTFOUND, "the dashboard has no file of this name");
}

sc_err route_page(struct request *request, sc_reason *ret_reason)
{
    return find_file(request, SC_S("index.html"), ret_reason);
}

sc_err route_asset(struct request *request, sc_reason *ret_reason)
{
    return find_file(request, request_param(request, "file"), ret_reason);
}
