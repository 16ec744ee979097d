/* base/rand.c */
#include "base/rand.h"
#include "support/test.h"

TEST(a_uuid_is_of_version_4_and_like_no_other)
{
    char one[SC__UUID_LEN + 1], two[SC__UUID_LEN + 1];

    for (int round = 0; round < 200; round++) {
        sc__rand_uuid(one);
        sc__rand_uuid(two);

        assert_int_equal(strlen(one), SC__UUID_LEN);
        assert_int_equal(strspn(one, "0123456789abcdef-"), SC__UUID_LEN);
        assert_true(one[8] == '-' && one[13] == '-' && one[18] == '-' && one[23] == '-');
        assert_int_equal(one[14], '4');
        assert_non_null(strchr("89ab", one[19]));
        assert_string_not_equal(one, two);
    }
}

TEST(a_unit_is_at_least_0_and_below_1)
{
    for (int round = 0; round < 1000; round++) {
        double unit = sc__rand_unit();

        assert_true(unit >= 0 && unit < 1);
    }
}
