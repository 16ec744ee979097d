#include "near_promotion.h"

enum { TRY_EVERY = 32, JUDGE_AFTER = 256 };

bool sc__near_promotion_grants(sc__near_promotion *p, unsigned uses, uint8_t *ret_trial)
{
    *ret_trial = uses > 1 ? SC__NEAR_CAME_WITH_MORE : SC__NEAR_CAME_WITH_ONE;
    if (uses != 1)
        return uses > 1;
    return p->one_is_enough || ++p->turned_away % TRY_EVERY == 0;
}

/* One use is enough when it promises clearly more than two do: by half. */
static void judge(sc__near_promotion *p)
{
    const uint64_t one =
        (p->used[SC__NEAR_CAME_WITH_ONE] + 1) * (p->seen[SC__NEAR_CAME_WITH_MORE] + 2);
    const uint64_t more =
        (p->used[SC__NEAR_CAME_WITH_MORE] + 1) * (p->seen[SC__NEAR_CAME_WITH_ONE] + 2);

    p->one_is_enough = one * 2 > more * 3;
}

void sc__near_promotion_result(sc__near_promotion *p, uint8_t trial, bool was_used, size_t entries)
{
    p->seen[trial]++;
    p->used[trial] += was_used;
    if (p->seen[SC__NEAR_CAME_WITH_ONE] + p->seen[SC__NEAR_CAME_WITH_MORE] <=
        (entries > JUDGE_AFTER ? entries : JUDGE_AFTER))
        return;
    judge(p);
    for (int i = 0; i < SC__NEAR_TRIALS; i++) {
        p->seen[i] /= 2;
        p->used[i] /= 2;
    }
}
