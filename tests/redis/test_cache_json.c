/* cache/json.c */
#include <storychain/cache_json.h>

#include "base/json.h"
#include "support/cache_fixture.h"
#include "support/test.h"

static sc_err load(sc_cache_load *out, sc_slice key, void *user)
{
    AUTO_JSON *json = json_pack("{s:s,s:[i,b,n]}", "title", "D\xc3\xa4mmerung", "list", 1, 0);

    (void)key, (void)user;
    return sc_cache_load_set_json(out, json);
}

TEST(json_goes_in_and_comes_out)
{
    static const sc_cache_def def = {.ttl_ms = 60000, .plain = true, .load = load};
    struct cache_fixture f;
    sc_cache_value value;
    sc_reason reason;
    json_t *json;

    cache_fixture_start(&f);
    assert_ok(sc_cache_fetch(f.cache, &def, SC_S("k"), NULL, &value));
    assert_ok(sc_cache_value_json(&value, &json, NULL));
    assert_slice(sc__json_text(json, "title"), "D\xc3\xa4mmerung");
    sc_cache_value_release(&value);
    json_object_set_new(json, "title", json_string("Dusk"));
    assert_ok(sc_cache_store_json(f.other, &def, SC_S("k"), json));
    json_decref(json);
    assert_string_equal(test_redis(&f.server, "GET k"),
                        "{\"title\":\"Dusk\",\"list\":[1,false,null]}");

    test_redis(&f.server, "SET k {");
    assert_ok(sc_cache_get(f.cache, SC_S("k"), &value));
    assert_err(sc_cache_value_json(&value, &json, &reason), SC_ESYNTAX);
    sc_cache_value_release(&value);
    assert_ok(sc_cache_get(f.cache, SC_S("none"), &value));
    assert_err(sc_cache_value_json(&value, &json, &reason), SC_ENOTFOUND);
    cache_fixture_stop(&f);
}
