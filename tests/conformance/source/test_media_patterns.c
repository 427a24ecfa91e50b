/* tests/conformance/source/test_media_patterns.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * The patterns of exclude and include, against what git does with them.
 */
#include "support/cmocka.h"

#include "shared/mem.h"
#include "source/media/pattern.h"

#include <stdlib.h>
#include <string.h>

struct row {
    const char *patterns; /* joined by newlines */
    const char *path;     /* with a slash at its end: a folder */
    enum media_match expected;
};

static const struct row rows[] = {
    /* a name, anywhere */
    {"*.tmp", "a.tmp", MEDIA_MATCH_YES},
    {"*.tmp", "x/y/a.tmp", MEDIA_MATCH_YES},
    {"*.tmp", "x/y/a.tmp/", MEDIA_MATCH_YES},
    {"*.tmp", "a.tmp.jpg", MEDIA_MATCH_NONE},
    {"name", "name", MEDIA_MATCH_YES},
    {"name", "a/name", MEDIA_MATCH_YES},
    {"name", "names", MEDIA_MATCH_NONE},
    {"name", "name/a", MEDIA_MATCH_NONE},
    /* folders only */
    {"cache/", "cache/", MEDIA_MATCH_YES},
    {"cache/", "cache", MEDIA_MATCH_NONE},
    {"cache/", "a/b/cache/", MEDIA_MATCH_YES},
    {"a/cache/", "a/cache/", MEDIA_MATCH_YES},
    {"a/cache/", "b/a/cache/", MEDIA_MATCH_NONE},
    /* from the root */
    {"/cache", "cache", MEDIA_MATCH_YES},
    {"/cache", "a/cache", MEDIA_MATCH_NONE},
    {"/*.txt", "a.txt", MEDIA_MATCH_YES},
    {"/*.txt", "a/b.txt", MEDIA_MATCH_NONE},
    {"a/b", "a/b", MEDIA_MATCH_YES},
    {"a/b", "c/a/b", MEDIA_MATCH_NONE},
    {"a/*", "a/b", MEDIA_MATCH_YES},
    {"a/*", "a/b/c", MEDIA_MATCH_NONE},
    {"a/*/c", "a/b/c", MEDIA_MATCH_YES},
    {"a/*/c", "a/b/b/c", MEDIA_MATCH_NONE},
    /* any number of folders */
    {"**/a", "a", MEDIA_MATCH_YES},
    {"**/a", "b/c/a", MEDIA_MATCH_YES},
    {"**/a/b", "x/a/b", MEDIA_MATCH_YES},
    {"a/**", "a/b", MEDIA_MATCH_YES},
    {"a/**", "a/b/c", MEDIA_MATCH_YES},
    {"a/**", "a/", MEDIA_MATCH_NONE},
    {"a/**/b", "a/b", MEDIA_MATCH_YES},
    {"a/**/b", "a/x/y/b", MEDIA_MATCH_YES},
    {"a/**/b", "ab", MEDIA_MATCH_NONE},
    {"a/**/b/**/c", "a/1/b/2/3/c", MEDIA_MATCH_YES},
    {"a/**/b/**/c", "a/1/c/2/b", MEDIA_MATCH_NONE},
    {"**", "anything/at/all", MEDIA_MATCH_YES},
    {"/**", "a/b", MEDIA_MATCH_YES},
    {"/**/**/x", "x", MEDIA_MATCH_YES},
    {"a**b", "axyb", MEDIA_MATCH_YES},
    {"a**b", "ax/yb", MEDIA_MATCH_NONE},
    /* within a name */
    {"?", "a", MEDIA_MATCH_YES},
    {"?", "ab", MEDIA_MATCH_NONE},
    {"??", "\xc3\xa9", MEDIA_MATCH_YES},
    {"a?c", "a/c", MEDIA_MATCH_NONE},
    {"*", ".hidden", MEDIA_MATCH_YES},
    {"*a*b*c*", "xxaxxbxxcxx", MEDIA_MATCH_YES},
    {"*a*b*c*", "xxaxxcxxbxx", MEDIA_MATCH_NONE},
    {"*.jp*g", "x.jpeg", MEDIA_MATCH_YES},
    {"[abc]", "b", MEDIA_MATCH_YES},
    {"[abc]", "d", MEDIA_MATCH_NONE},
    {"[a-c]x", "bx", MEDIA_MATCH_YES},
    {"[!a-c]x", "bx", MEDIA_MATCH_NONE},
    {"[^a-c]x", "dx", MEDIA_MATCH_YES},
    {"[]x]", "]", MEDIA_MATCH_YES},
    {"[!]]", "]", MEDIA_MATCH_NONE},
    {"[a-]", "-", MEDIA_MATCH_YES},
    {"[a-]", "b", MEDIA_MATCH_NONE},
    {"[\\]]", "]", MEDIA_MATCH_YES},
    {"[[:digit:]]*", "7up", MEDIA_MATCH_YES},
    {"[[:digit:]]*", "up7", MEDIA_MATCH_NONE},
    {"[[:upper:]_]", "_", MEDIA_MATCH_YES},
    {"[\xf0-\xff]", "\xfe", MEDIA_MATCH_YES},
    /* the character itself */
    {"\\*", "*", MEDIA_MATCH_YES},
    {"\\*", "a", MEDIA_MATCH_NONE},
    {"\\!a", "!a", MEDIA_MATCH_YES},
    {"#a", "#a", MEDIA_MATCH_YES},
    {"a\\[b", "a[b", MEDIA_MATCH_YES},
    {" a ", " a ", MEDIA_MATCH_YES},
    {" a ", "a", MEDIA_MATCH_NONE},
    /* the last one decides */
    {"*.tmp\n!keep.tmp", "keep.tmp", MEDIA_MATCH_NEGATED},
    {"*.tmp\n!keep.tmp", "a/keep.tmp", MEDIA_MATCH_NEGATED},
    {"*.tmp\n!keep.tmp", "other.tmp", MEDIA_MATCH_YES},
    {"!keep.tmp\n*.tmp", "keep.tmp", MEDIA_MATCH_YES},
    {"*\n!*/\n!*.jpg", "a/", MEDIA_MATCH_NEGATED},
    {"*\n!*/\n!*.jpg", "a/x.jpg", MEDIA_MATCH_NEGATED},
    {"*\n!*/\n!*.jpg", "a/x.png", MEDIA_MATCH_YES},
    {"a/b\n!b", "a/b", MEDIA_MATCH_NEGATED},
};

/* The lines of @text as a list; *@copy is what they point into. */
static struct media_patterns *parse(const char *text, char **copy)
{
    const char *lines[8];
    struct media_patterns *list = NULL;
    const char *why = NULL;
    char *rest;
    size_t bad;
    size_t n = 0;

    *copy = strdup(text);
    rest = *copy;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        lines[n++] = line;
    if (media_patterns_new(&list, lines, n, &bad, &why) != 0)
        fail_msg("%s: %s", text, why);
    return list;
}

static void patterns_mean_what_they_mean_in_gitignore(void **state)
{
    (void)state;
    for (size_t i = 0; i < PLUG_COUNT(rows); i++) {
        char *copy;
        struct media_patterns *list = parse(rows[i].patterns, &copy);
        size_t len = strlen(rows[i].path);
        bool is_folder = rows[i].path[len - 1] == '/';
        enum media_match match =
            media_patterns_match(list, rows[i].path, len - is_folder, is_folder);
        if (match != rows[i].expected)
            fail_msg("\"%s\" on \"%s\": %d, not %d", rows[i].patterns, rows[i].path, match,
                     rows[i].expected);
        media_patterns_free(list);
        free(copy);
    }
}

static void folders_lead_to_a_match_only_where_there_can_be_one(void **state)
{
    static const struct {
        const char *pattern;
        const char *folder;
        bool expected;
    } leads[] = {
        {"/a/b/*.jpg", "a", true},      {"/a/b/*.jpg", "a/b", true},
        {"/a/b/*.jpg", "a/c", false},   {"/a/b/*.jpg", "b", false},
        {"/a/b/*.jpg", "a/b/c", false}, {"*.jpg", "any/where", true},
        {"/a/**/x", "a/b/c/d", true},   {"/a/**/x", "b", false},
        {"/a*/x", "abc", true},         {"a/", "b", true},
        {"/a/b/", "a/b", false},
    };

    (void)state;
    for (size_t i = 0; i < PLUG_COUNT(leads); i++) {
        char *copy;
        struct media_patterns *list = parse(leads[i].pattern, &copy);
        if (media_patterns_lead(list, leads[i].folder, strlen(leads[i].folder)) !=
            leads[i].expected)
            fail_msg("\"%s\" above \"%s\"", leads[i].folder, leads[i].pattern);
        media_patterns_free(list);
        free(copy);
    }
}

static void patterns_that_are_none_are_refused(void **state)
{
    static const struct {
        const char *pattern;
        const char *why;
    } bad[] = {
        {"", "it is empty"},
        {"/", "it is empty"},
        {"!", "it is empty"},
        {"[a-z", "a [ is never closed; write \\[ for the character itself"},
        {"a/[b/c]", "a [ is never closed; write \\[ for the character itself"},
        {"a\\", "nothing follows the last backslash"},
    };

    (void)state;
    for (size_t i = 0; i < PLUG_COUNT(bad); i++) {
        const char *const patterns[] = {"good", bad[i].pattern};
        struct media_patterns *list;
        const char *why;
        size_t at;
        assert_int_equal(media_patterns_new(&list, patterns, 2, &at, &why), -1);
        assert_int_equal(at, 1);
        assert_string_equal(why, bad[i].why);
    }
}

/* With plain backtracking, these would outlive the universe. */
static void hostile_patterns_take_no_time(void **state)
{
    char pattern[201];
    char path[4001];
    char *copy;

    (void)state;
    for (size_t i = 0; i < 200; i += 2)
        memcpy(pattern + i, "*a", 2);
    pattern[200] = '\0';
    memset(path, 'a', 4000);
    path[4000] = '\0';
    path[3999] = 'b';
    struct media_patterns *list = parse(pattern, &copy);
    assert_int_equal(media_patterns_match(list, path, 4000, false), MEDIA_MATCH_NONE);
    media_patterns_free(list);
    free(copy);
    for (size_t i = 1; i < 4000; i += 2)
        path[i] = '/';
    list = parse("**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/a/**/b", &copy);
    assert_int_equal(media_patterns_match(list, path, 3999, false), MEDIA_MATCH_NONE);
    media_patterns_free(list);
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_mean_what_they_mean_in_gitignore),
        cmocka_unit_test(folders_lead_to_a_match_only_where_there_can_be_one),
        cmocka_unit_test(patterns_that_are_none_are_refused),
        cmocka_unit_test(hostile_patterns_take_no_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
