/* Which queues there are under a prefix. */
#include "id_list.h"
#include "id_set.h"
#include "ops/op_get.h"

enum { QUEUES_MAX = 100 * 1000 };

static sc_err add_name(void *user, sc_slice name)
{
    return sc__id_set_add(user, name);
}

sc_err sc_queue_discover(sc_client *client, sc_slice prefix, sc_id_list **ret_names)
{
    sc__id_set names;
    sc_err err;

    sc__id_set_init(&names, QUEUES_MAX);
    err = sc__op_discover(client, prefix.len ? prefix : SC_S("bull"), add_name, &names, NULL);
    if (!err) {
        sc__id_set_sort(&names); /* SCAN may give a key twice */
        *ret_names = sc__id_list_new(names.items, names.count);
        err = *ret_names ? SC_OK : SC_ENOMEM;
    }
    sc__id_set_release(&names);
    return err;
}
