/* The tree of a story's chapters, by place in their list. */
#ifndef APP_CHAPTER_TREE_H
#define APP_CHAPTER_TREE_H

#include "app/store/store.h"

#define NO_CHAPTER SIZE_MAX

struct chapter_node {
    size_t parent, first_child, last_child, next_sibling; /* or NO_CHAPTER */
    size_t depth;                                         /* of those that begin the story: 1 */
};

struct chapter_tree {
    const struct chapters *chapters;
    struct chapter_node *nodes; /* one per chapter */
    size_t first, last;         /* of those that begin the story, linked as siblings */
};

/* `chapters` as store_chapter_list() gives them, parents before children; kept until release.
 * SC_ENOMEM. */
SC_MUST_USE sc_err chapter_tree_init(struct chapter_tree *tree, const struct chapters *chapters);
void chapter_tree_release(struct chapter_tree *tree);

/* The next in the order of reading: the first child, else the next sibling, of it or of the
 * nearest parent that has one. */
size_t chapter_tree_next(const struct chapter_tree *tree, size_t at);

#endif
