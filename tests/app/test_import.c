/* app/import: stories from files */
#include "app/import/import.h"

#include <unistd.h>

#include "app/import/source.h"
#include "app/slug.h"
#include "support/test.h"

enum { ARENA_MAX = 256 * 1024 * 1024 };

static sc__arena arena;

static sc_err parse(const char *name, const char *text, struct story_bundle *ret_story,
                    sc_reason *ret_reason)
{
    sc__arena_init(&arena, ARENA_MAX);
    return import_parse(name, sc_slice_of(text), &arena, ret_story, ret_reason);
}

static const struct chapter *chapter_of(const struct story_bundle *story, const char *slug)
{
    for (size_t i = 0; i < story->chapters.count; i++)
        if (sc_slice_eq(story->chapters.items[i].slug, sc_slice_of(slug)))
            return &story->chapters.items[i];
    fail_msg("no chapter %s", slug);
    return NULL;
}

TEST(a_markdown_story_is_read)
{
    static const char text[] = "---\r\n"
                               "title: The Island\r\n"
                               "# a remark\r\n"
                               "author: Ada L. <ada@example.org> [user_1]\r\n"
                               "tags: sea, night watch\r\n"
                               "featured: true\r\n"
                               "collaborator: Bob <bob@example.org> (editor)\r\n"
                               "follower: Eve\r\n"
                               "---\r\n"
                               "# The *Island*, again\r\n"
                               "\r\n"
                               "What it is about.\r\n"
                               "\r\n"
                               "## The Beach\r\n"
                               "Sand.\r\n"
                               "\r\n"
                               "```\r\n"
                               "## not a chapter\r\n"
                               "```\r\n"
                               "## Caf\xc3\xa9 *noir* {#cafe}\r\n"
                               "Coffee.\r\n"
                               "## Back {parent=the-beach}\r\n"
                               "Sand again.\r\n"
                               "### a part\r\n"
                               "More.\r\n"
                               "## Elsewhere { begin }\r\n"
                               "Snow.\r\n";
    struct story_bundle story;
    sc_reason reason = {""};

    if (parse("x.md", text, &story, &reason))
        fail_msg("%s", reason.text);

    assert_slice(story.story.title, "The Island");
    assert_slice(story.story.slug, "the-island");
    assert_slice(story.story.summary, "What it is about.");
    assert_slice(story.story.tags, "[\"sea\",\"night watch\"]");
    assert_true(story.story.featured);
    assert_int_equal(story.story.status, PUBLISHED);
    assert_slice(story.author.name, "Ada L.");
    assert_slice(story.author.email, "ada@example.org");
    assert_slice(story.author.clerk_id, "user_1");
    assert_slice(story.collaborators.items[0].user.clerk_id, "import:bob@example.org");
    assert_slice(story.collaborators.items[0].role, "editor");
    assert_slice(story.followers.items[0].user.clerk_id, "import:eve");
    assert_null(story.followers.items[0].user.email.ptr);
    assert_int_equal(story.chapters.count, 4);
    assert_slice(chapter_of(&story, "the-beach")->content, "Sand.\n\n```\n## not a chapter\n```");
    assert_null(chapter_of(&story, "the-beach")->parent_slug.ptr);
    assert_slice(chapter_of(&story, "cafe")->title, "Caf\xc3\xa9 noir");
    assert_slice(chapter_of(&story, "cafe")->parent_slug, "the-beach");
    assert_slice(chapter_of(&story, "back")->parent_slug, "the-beach");
    assert_slice(chapter_of(&story, "back")->content, "Sand again.\n### a part\nMore.");
    assert_null(chapter_of(&story, "elsewhere")->parent_slug.ptr);
}

TEST(a_json_story_is_read)
{
    static const char text[] =
        "\xef\xbb\xbf{\"title\":\"The Whale\",\"slug\":\"whale\",\"status\":\"draft\","
        "\"summary\":null,\"tags\":[\"sea\"],\"author\":{\"name\":\"Herman\"},\"chapters\":["
        "{\"slug\":\"three\",\"title\":\"3\",\"content\":\"c\",\"parent\":\"two\"},"
        "{\"slug\":\"two\",\"title\":\"2\",\"content\":\"b\",\"parent\":\"one\"},"
        "{\"slug\":\"one\",\"title\":\"1\",\"content\":\"a\",\"parent\":null},"
        "{\"slug\":\"two-b\",\"title\":\"2b\",\"content\":\"b\",\"parent\":\"one\"}],"
        "\"collaborators\":[{\"name\":\"Bob\",\"clerkId\":\"u_b\"}],\"followers\":[]}";
    struct story_bundle story;
    sc_reason reason = {""};

    if (parse("x.json", text, &story, &reason))
        fail_msg("%s", reason.text);

    assert_int_equal(story.story.status, DRAFT);
    assert_null(story.story.summary.ptr);
    assert_slice(story.author.clerk_id, "import:herman");
    assert_slice(story.collaborators.items[0].role, "collaborator");
    assert_slice(story.chapters.items[0].slug, "one");
    assert_slice(story.chapters.items[1].slug, "two");
    assert_slice(story.chapters.items[2].slug, "two-b");
    assert_slice(story.chapters.items[3].slug, "three");
}

#define HEAD "---\ntitle: T\nauthor: A\n---\n"
#define JSON_HEAD "{\"title\":\"T\",\"author\":{\"name\":\"A\"},\"chapters\":"

TEST(each_bad_input_has_its_sentence)
{
    static const struct {
        const char *name, *text, *sentence;
    } cases[] = {
        {"x.txt", "x", "x.txt: is of a kind that is not known: a story's file ends in .json, .md"},
        {"x.md", "a\nb\xff", "x.md:2: is not UTF-8: byte 0xff at offset 3"},
        {"x.md", "", "x.md: is empty"},
        {"x.md", "---\nauthor: A\n---\n## C\nx\n", "x.md: the story's title is missing"},
        {"x.md", "# T\n## C\nx\n", "x.md: the author is missing"},
        {"x.md", "---\ntitle: T\n", "x.md:1: the front matter has no end: a second line ---"},
        {"x.md", "---\ntitle\n---\n", "x.md:2: a line of the front matter is KEY: VALUE"},
        {"x.md", "---\ntitel: T\n---\n", "x.md:2: the key \"titel\" is not known; there are title"},
        {"x.md", "---\ntitle:\n---\n", "x.md:2: \"title\" has no value"},
        {"x.md", "---\nstatus: done\n---\n",
         "x.md:2: the status \"done\" is neither \"published\""},
        {"x.md", "---\nfeatured: yes\n---\n", "x.md:2: featured is neither true nor false"},
        {"x.md", "---\ntags: a,,b\n---\n", "x.md:2: a tag is missing"},
        {"x.md", "---\nauthor: A <a@b.org\n---\n", "x.md:2: a '<' without a '>': a person is NAME"},
        {"x.md", "---\ntitle: T\nauthor: A <ab>\n---\n## C\nx",
         "x.md: the mail address \"ab\" has no '@'"},
        {"x.md", "---\ntitle: T\nslug: a b\nauthor: A\n---\n## C\nx",
         "x.md:2: the story's slug \"a b\" is not one: use letters"},
        {"x.md", "---\ntitle: \xe6\x9c\xac\nauthor: A\n---\n## C\nx",
         "x.md:2: the title \"\xe6\x9c\xac\" gives no slug: set one"},
        {"x.md", "---\ntitle: T\nauthor: \xe6\x9c\xac\n---\n## C\nx",
         "x.md: the author \"\xe6\x9c\xac\" needs a mail address or an id"},
        {"x.md", HEAD, "x.md: the story has no chapters"},
        {"x.md", HEAD "# T\n# U\n", "x.md:6: a second title, \"# \xe2\x80\xa6\": a file holds one"},
        {"x.md", HEAD "## C\n", "x.md:5: the text of chapter 1 is missing"},
        {"x.md", HEAD "##\nx", "x.md:5: the title of chapter 1 is missing"},
        {"x.md", HEAD "## \xe6\x9c\xac\nx", "x.md:5: chapter 1, \"\xe6\x9c\xac\": its title gives"},
        {"x.md", HEAD "## C {#c d}\nx", "x.md:5: \"d\" is not known; a heading may end in {#slug"},
        {"x.md", HEAD "## C\nx\n\n## C\ny\n",
         "x.md:8: chapters 1 and 2 have the same slug \"c\": give one of them another"},
        {"x.md", HEAD "## C {parent=d}\nx\n",
         "x.md:5: chapter \"c\" continues \"d\", but no chapter has that slug"},
        {"x.md", HEAD "## C {parent=e}\nx\n## D\ny\n## E\nz\n",
         "x.md:5: chapter \"c\" continues itself, by way of its parents: they go in a circle"},
        {"x.md", "---\ntitle: T\nauthor: A\nsummary: S\n---\nText.\n## C\nx",
         "x.md:7: there is text before the first chapter"},
        {"x.json", "{\"title\":\n 1,,", "x.json: not JSON: string or '}' expected near ','"},
        {"x.json", "", "x.json: is empty"},
        {"x.json", "[]", "x.json: the story must be an object {\xe2\x80\xa6}"},
        {"x.json", "{\"titel\":1}", "x.json: the story has a member \"titel\", which is not known"},
        {"x.json", "{\"title\":1}", "x.json: the story: \"title\" must be a text"},
        {"x.json", "{\"title\":\"T\"}", "x.json: \"author\" is missing"},
        {"x.json", "{\"title\":\"T\",\"author\":1}", "x.json: \"author\" must be an object"},
        {"x.json", "{\"title\":\"T\",\"tags\":[1]}",
         "x.json: the story has a tag that is not a text"},
        {"x.json", "{\"featured\":1}", "x.json: the story has a \"featured\" that is neither"},
        {"x.json", JSON_HEAD "{}}", "x.json: \"chapters\" must be an array"},
        {"x.json", JSON_HEAD "[1]}", "x.json: chapters[0] must be an object"},
        {"x.json", JSON_HEAD "[{\"parnt\":1}]}", "x.json: chapters[0] has a member \"parnt\""},
        {"x.json", JSON_HEAD "[{\"title\":\"x\\u0000y\",\"content\":\"c\"}]}",
         "x.json: the title of chapter 1 has a NUL character"},
        {"x.json", JSON_HEAD "[{\"title\":\"x\\ny\",\"content\":\"c\"}]}",
         "x.json: the title of chapter 1 has a line break or another control character"},
        {"x.json", JSON_HEAD "[{\"title\":\"x\"}]}", "x.json: the text of chapter 1 is missing"},
        {"x.json", JSON_HEAD "[{\"title\":\"x\",\"content\":\"c\",\"parent\":\"x\"}]}",
         "x.json: chapter \"x\" continues itself"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct story_bundle story;
        sc_reason reason = {""};

        if (!parse(cases[i].name, cases[i].text, &story, &reason))
            fail_msg("accepted: %s", cases[i].text);
        if (strncmp(reason.text, cases[i].sentence, strlen(cases[i].sentence)) != 0)
            fail_msg("\"%s\"\nis not \"%s\"", reason.text, cases[i].sentence);
        sc__arena_release(&arena);
    }
}

static const char *write_file(const char *name, const char *text)
{
    static char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", test_folder(), name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return path;
}

static struct store *open_store(void)
{
    struct store *store;
    char url[128];

    snprintf(url, sizeof(url), "sqlite:%s/storychain.db", test_folder());
    assert_ok(store_open(url, &store, NULL));
    return store;
}

static void count_progress(void *user, size_t done, size_t total)
{
    assert_int_equal(total, 2);
    assert_int_equal(++*(size_t *)user, done);
}

TEST(an_import_stores_a_story_once)
{
    const char *path = write_file("x.md", HEAD "## One\na\n## Two\nb\n");
    struct store *store = open_store();
    struct import_result result;
    struct story *story;
    sc_reason reason;
    size_t seen = 0;

    sc__arena_init(&arena, ARENA_MAX);
    assert_ok(story_import(store, path, count_progress, &seen, &arena, &result, &reason));
    assert_int_equal(seen, 2);
    assert_slice(result.slug, "t");
    assert_int_equal(result.chapters, 2);
    assert_err(story_import(store, path, NULL, NULL, &arena, &result, &reason), SC_EEXIST);
    assert_non_null(strstr(reason.text, "x.md: a story with the slug \"t\" exists already"));
    assert_ok(store_story_find(store, SC_S("t"), &arena, &story, NULL));
    assert_int_equal(story->chapters, 2);
    store_close(store);
}

TEST(files_that_cannot_be_read_are_named)
{
    struct story_bundle story;
    sc_reason reason;
    char huge[128];

    sc__arena_init(&arena, ARENA_MAX);
    assert_err(story_read_file("/no/such.md", &arena, &story, &reason), SC_ENOTFOUND);
    assert_string_equal(reason.text, "/no/such.md: can't be read: No such file or directory");
    assert_err(story_read_file(test_folder(), &arena, &story, &reason), SC_EIO);
    assert_non_null(strstr(reason.text, "is not a file with a story in it"));
    snprintf(huge, sizeof(huge), "%s", write_file("huge.md", "x"));
    assert_int_equal(truncate(huge, IMPORT_FILE_MAX + 1), 0);
    assert_err(story_read_file(huge, &arena, &story, &reason), SC_ETOOBIG);
    assert_non_null(strstr(reason.text, "has 67108865 bytes; the limit is 67108864 (64 MiB)"));
}

TEST(a_long_chain_and_a_wide_tree_are_ordered)
{
    enum { COUNT = 20000 };
    char *text = malloc(COUNT * 100), *at = text;
    struct story_bundle story;
    sc_reason reason = {""};

    assert_non_null(text);
    at += sprintf(at, JSON_HEAD "[");
    for (int i = COUNT; i > 0; i--)
        at +=
            sprintf(at, "{\"slug\":\"c%d\",\"title\":\"t\",\"content\":\"c\",\"parent\":\"c%d\"},",
                    i, i - 1);
    sprintf(at, "{\"slug\":\"c0\",\"title\":\"t\",\"content\":\"c\"}]}");
    if (parse("x.json", text, &story, &reason))
        fail_msg("%s", reason.text);

    assert_int_equal(story.chapters.count, COUNT + 1);
    assert_slice(story.chapters.items[0].slug, "c0");
    assert_slice(story.chapters.items[COUNT].slug, "c20000");
    free(text);
}

TEST(slugs_are_made_from_titles)
{
    static const struct {
        const char *title, *slug;
    } cases[] = {
        {"Die H\xc3\xb6hle, Teil 2", "die-hohle-teil-2"},
        {"  \xc5\x81\xc3\xb3"
         "d\xc5\xba & Stra\xc3\x9f"
         "e!",
         "lodz-strasse"},
        {"Don\xe2\x80\x99t look", "dont-look"},
        {"\xe6\x9c\xac", ""},
        {"a\xff"
         "b",
         "a-b"},
    };

    sc__arena_init(&arena, ARENA_MAX);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_slice(slug_from_title(sc_slice_of(cases[i].title), &arena), cases[i].slug);
    assert_false(slug_is_valid(SC_S("-a")));
    assert_false(slug_is_valid(SC_S("a/b")));
    assert_true(slug_is_valid(SC_S("Ab_9-")));
}
