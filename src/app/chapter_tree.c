#include "chapter_tree.h"

#include "base/json.h"
#include "base/mem.h"

/* Appends to its siblings. */
static void link_node(struct chapter_tree *tree, size_t at, size_t parent)
{
    struct chapter_node *node = &tree->nodes[at];
    size_t *first = &tree->first, *last = &tree->last;

    *node = (struct chapter_node){parent, NO_CHAPTER, NO_CHAPTER, NO_CHAPTER, 1};
    if (parent != NO_CHAPTER) {
        node->depth = tree->nodes[parent].depth + 1;
        first = &tree->nodes[parent].first_child;
        last = &tree->nodes[parent].last_child;
    }
    if (*last == NO_CHAPTER)
        *first = at;
    else
        tree->nodes[*last].next_sibling = at;
    *last = at;
}

/* A parent stands before its children, so its place is known by then. */
static size_t place_of(const json_t *places, sc_slice slug)
{
    const json_t *place = slug.ptr ? json_object_getn(places, slug.ptr, slug.len) : NULL;

    return place ? (size_t)json_integer_value(place) : NO_CHAPTER;
}

sc_err chapter_tree_init(struct chapter_tree *tree, const struct chapters *chapters)
{
    AUTO_JSON *places = json_object();
    struct chapter_node *nodes = sc__calloc(chapters->count, sizeof(*nodes));

    *tree = (struct chapter_tree){chapters, nodes, NO_CHAPTER, NO_CHAPTER};
    if (!places || !nodes) {
        chapter_tree_release(tree);
        return SC_ENOMEM;
    }
    for (size_t i = 0; i < chapters->count; i++) {
        const struct chapter *chapter = &chapters->items[i];

        link_node(tree, i, place_of(places, chapter->parent_slug));
        if (json_object_setn_new(places, chapter->slug.ptr, chapter->slug.len,
                                 json_integer((json_int_t)i))) {
            chapter_tree_release(tree);
            return SC_ENOMEM;
        }
    }
    return SC_OK;
}

void chapter_tree_release(struct chapter_tree *tree)
{
    sc_free(tree->nodes);
    tree->nodes = NULL;
}

size_t chapter_tree_next(const struct chapter_tree *tree, size_t at)
{
    if (tree->nodes[at].first_child != NO_CHAPTER)
        return tree->nodes[at].first_child;
    while (at != NO_CHAPTER && tree->nodes[at].next_sibling == NO_CHAPTER)
        at = tree->nodes[at].parent;
    return at == NO_CHAPTER ? NO_CHAPTER : tree->nodes[at].next_sibling;
}
