/* plugins/source/media/pattern.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * A pattern is split into its components once. Within a component "*" and among components "**"
 * are matched by going back to the last star only: that is enough, because an earlier star could
 * only give up what the later one can take, and it keeps hostile patterns from being exponential.
 */
#include "pattern.h"

#include "mem.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct part {
    const char *text;
    size_t len;
    bool any_depth; /* this component is "**" */
    bool literal;   /* nothing in it needs the matcher */
};

struct pattern {
    char *text;
    struct part *parts;
    size_t n;
    bool negated;
    bool folders_only;
    bool anchored;
};

struct media_patterns {
    struct pattern *items;
    size_t n;
};

/* ---------------------------------------------------------------- within one component */

static bool in_named_class(const char *name, size_t len, int c)
{
    static const struct {
        const char *name;
        int (*test)(int);
    } classes[] = {
        {"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank}, {"cntrl", iscntrl},
        {"digit", isdigit}, {"graph", isgraph}, {"lower", islower}, {"print", isprint},
        {"punct", ispunct}, {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit},
    };

    for (size_t i = 0; i < PLUG_COUNT(classes); i++)
        if (strlen(classes[i].name) == len && memcmp(classes[i].name, name, len) == 0)
            return c < 128 && classes[i].test(c);
    return false;
}

/* The length of the bracket expression at @p, or 0 when it is never closed. */
static size_t bracket_len(const char *p, const char *end)
{
    const char *at = p + 1;

    if (at < end && (*at == '!' || *at == '^'))
        at++;
    if (at < end && *at == ']')
        at++;
    while (at < end && *at != ']') {
        if (*at == '[' && at + 1 < end && at[1] == ':') {
            const char *close = memmem(at + 2, (size_t)(end - at - 2), ":]", 2);
            at = close ? close + 2 : at + 1;
        } else if (*at == '\\' && at + 1 < end) {
            at += 2;
        } else {
            at++;
        }
    }
    return at < end ? (size_t)(at + 1 - p) : 0;
}

/* One member of a bracket expression at *@at: a named class, a range or a character. */
static bool bracket_member(const char **at, const char *end, unsigned char c)
{
    const char *p = *at;

    if (*p == '[' && p + 1 < end && p[1] == ':') {
        const char *close = memmem(p + 2, (size_t)(end - p - 2), ":]", 2);
        if (close) {
            *at = close + 2;
            return in_named_class(p + 2, (size_t)(close - p - 2), c);
        }
    }
    if (*p == '\\' && p + 1 < end)
        p++;
    unsigned char low = (unsigned char)*p++;
    unsigned char high = low;
    if (p + 1 < end && *p == '-') {
        p++;
        if (*p == '\\' && p + 1 < end)
            p++;
        high = (unsigned char)*p++;
    }
    *at = p;
    return low <= c && c <= high;
}

static bool bracket_match(const char *p, size_t len, unsigned char c)
{
    const char *end = p + len - 1;
    const char *at = p + 1;
    bool found = false;
    bool negated = *at == '!' || *at == '^';

    if (negated)
        at++;
    while (at < end)
        found |= bracket_member(&at, end, c);
    return found != negated;
}

/* Matches one pattern character at *@p against @c and moves *@p behind it. */
static bool one_match(const char **p, const char *end, unsigned char c)
{
    if (**p == '?') {
        (*p)++;
        return true;
    }
    if (**p == '[') {
        size_t len = bracket_len(*p, end);
        bool matched = bracket_match(*p, len, c);
        *p += len;
        return matched;
    }
    if (**p == '\\' && *p + 1 < end)
        (*p)++;
    return (unsigned char)*(*p)++ == c;
}

static bool part_match(const struct part *part, const char *name, size_t len)
{
    const char *p = part->text;
    const char *p_end = p + part->len;
    const char *s = name;
    const char *s_end = name + len;
    const char *star = NULL;
    const char *resume = NULL;

    if (part->any_depth)
        return true;
    if (part->literal)
        return part->len == len && memcmp(part->text, name, len) == 0;
    while (s < s_end) {
        const char *next = p;
        if (p < p_end && *p == '*') {
            star = ++p;
            resume = s;
        } else if (p < p_end && one_match(&next, p_end, (unsigned char)*s)) {
            p = next;
            s++;
        } else if (star) {
            p = star;
            s = ++resume;
        } else {
            return false;
        }
    }
    while (p < p_end && *p == '*')
        p++;
    return p == p_end;
}

/* ---------------------------------------------------------------- whole paths */

static size_t component_len(const char *at, const char *end)
{
    const char *slash = memchr(at, '/', (size_t)(end - at));

    return (size_t)((slash ? slash : end) - at);
}

static const char *next_component(const char *at, size_t len, const char *end)
{
    return at + len < end ? at + len + 1 : end;
}

static bool path_match(const struct pattern *pattern, const char *path, size_t path_len)
{
    const char *end = path + path_len;
    const char *at = path;
    const char *resume = NULL;
    size_t i = 0;
    size_t star = SIZE_MAX;

    while (at < end) {
        size_t len = component_len(at, end);
        /* A last "**" means what is inside of a folder, so it takes at least one component. */
        if (i < pattern->n && pattern->parts[i].any_depth) {
            if (i + 1 == pattern->n)
                return true;
            star = ++i;
            resume = at;
        } else if (i < pattern->n && part_match(&pattern->parts[i], at, len)) {
            i++;
            at = next_component(at, len, end);
        } else if (star != SIZE_MAX) {
            i = star;
            resume = next_component(resume, component_len(resume, end), end);
            at = resume;
        } else {
            return false;
        }
    }
    return i == pattern->n;
}

static bool pattern_match(const struct pattern *pattern, const char *path, size_t len,
                          bool is_folder)
{
    if (pattern->folders_only && !is_folder)
        return false;
    if (pattern->anchored)
        return path_match(pattern, path, len);
    const char *slash = memrchr(path, '/', len);
    const char *name = slash ? slash + 1 : path;
    return part_match(&pattern->parts[0], name, len - (size_t)(name - path));
}

enum media_match media_patterns_match(const struct media_patterns *list, const char *path,
                                      size_t len, bool is_folder)
{
    for (size_t i = list->n; i-- > 0;)
        if (pattern_match(&list->items[i], path, len, is_folder))
            return list->items[i].negated ? MEDIA_MATCH_NEGATED : MEDIA_MATCH_YES;
    return MEDIA_MATCH_NONE;
}

static bool pattern_leads(const struct pattern *pattern, const char *path, size_t path_len)
{
    const char *end = path + path_len;
    const char *at = path;

    if (!pattern->anchored)
        return true;
    for (size_t i = 0; at < end; i++) {
        size_t len = component_len(at, end);
        if (i == pattern->n)
            return false;
        if (pattern->parts[i].any_depth)
            return true;
        if (i + 1 == pattern->n || !part_match(&pattern->parts[i], at, len))
            return false;
        at = next_component(at, len, end);
    }
    return true;
}

bool media_patterns_lead(const struct media_patterns *list, const char *path, size_t len)
{
    for (size_t i = 0; i < list->n; i++)
        if (pattern_leads(&list->items[i], path, len))
            return true;
    return false;
}

/* ---------------------------------------------------------------- reading patterns */

static const char *check_part(const struct part *part)
{
    const char *end = part->text + part->len;

    for (const char *p = part->text; p < end; p++) {
        if (*p == '\\' && p + 1 == end)
            return "nothing follows the last backslash";
        if (*p == '\\') {
            p++;
        } else if (*p == '[') {
            size_t len = bracket_len(p, end);
            if (len == 0)
                return "a [ is never closed; write \\[ for the character itself";
            p += len - 1;
        }
    }
    return NULL;
}

static void add_part(struct pattern *pattern, const char *text, size_t len, size_t *cap)
{
    bool any_depth = len == 2 && memcmp(text, "**", 2) == 0;

    if (len == 0 || (any_depth && pattern->n > 0 && pattern->parts[pattern->n - 1].any_depth))
        return;
    pattern->parts = plug_grow(pattern->parts, cap, pattern->n + 1, sizeof *pattern->parts);
    struct part *part = &pattern->parts[pattern->n++];
    *part = (struct part){.text = text, .len = len, .any_depth = any_depth, .literal = true};
    for (size_t i = 0; i < len; i++)
        part->literal &= strchr("*?[\\", text[i]) == NULL;
}

/* @return NULL, or what is wrong. */
static const char *parse(struct pattern *pattern, const char *text)
{
    size_t cap = 0;

    pattern->negated = text[0] == '!';
    pattern->text = strdup(text + pattern->negated);
    if (pattern->text == NULL)
        abort();
    size_t len = strlen(pattern->text);
    pattern->folders_only = len > 0 && pattern->text[len - 1] == '/';
    if (pattern->folders_only)
        len--;
    pattern->anchored = memchr(pattern->text, '/', len) != NULL;
    const char *at = pattern->text;
    const char *end = at + len;
    while (at < end) {
        size_t part_len = component_len(at, end);
        add_part(pattern, at, part_len, &cap);
        at = next_component(at, part_len, end);
    }
    if (pattern->n == 0)
        return "it is empty";
    for (size_t i = 0; i < pattern->n; i++) {
        const char *why = check_part(&pattern->parts[i]);
        if (why)
            return why;
    }
    return NULL;
}

int media_patterns_new(struct media_patterns **out, const char *const *texts, size_t n, size_t *bad,
                       const char **why)
{
    struct media_patterns *list = plug_alloc(1, sizeof *list);

    list->items = plug_alloc(n, sizeof *list->items);
    for (size_t i = 0; i < n; i++) {
        list->n = i + 1;
        *why = parse(&list->items[i], texts[i]);
        if (*why) {
            *bad = i;
            media_patterns_free(list);
            return -1;
        }
    }
    *out = list;
    return 0;
}

void media_patterns_free(struct media_patterns *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->n; i++) {
        free(list->items[i].text);
        free(list->items[i].parts);
    }
    free(list->items);
    free(list);
}

bool media_patterns_empty(const struct media_patterns *list)
{
    return list->n == 0;
}

bool media_patterns_negate(const struct media_patterns *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].negated)
            return true;
    return false;
}
