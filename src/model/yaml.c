/* src/model/yaml.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * libyaml's events rather than its documents: a document has resolved aliases already, and a small
 * file with nested aliases can unfold into gigabytes.
 */
#include "model/yaml.h"

#include <string.h>
#include <yaml.h>

enum { DEPTH_MAX = 16, NODES_MAX = 10000 };

struct reader {
    yaml_parser_t parser;
    const char *data;
    size_t len;
    const char *file;
    struct stay_problems *problems;
    int depth;
    int nodes;
    bool broken; /* nothing more can be read */
};

static int line_of(const yaml_mark_t *mark)
{
    return (int)mark->line + 1;
}

static int column_of(const yaml_mark_t *mark)
{
    return (int)mark->column + 1;
}

static void stop_at(struct reader *reader, const yaml_mark_t *mark, const char *text)
{
    if (!reader->broken)
        stay_problems_add(reader->problems, reader->file, line_of(mark), column_of(mark), "%s",
                          text);
    reader->broken = true;
}

static const char *hint_for(const yaml_parser_t *parser)
{
    const char *context = parser->context ? parser->context : "";

    if (strstr(context, "alias") || strstr(context, "anchor"))
        return "; a value that begins with * or & must be quoted";
    if (strstr(context, "scanning for the next token"))
        return "; indentation must be spaces, and a value that begins with @, ` or % must be "
               "quoted";
    return "";
}

/* libyaml's reader knows bytes only. */
static yaml_mark_t mark_of_byte(const struct reader *reader, size_t offset)
{
    yaml_mark_t mark = {0};

    for (size_t i = 0; i < offset && i < reader->len; i++) {
        mark.column++;
        if (reader->data[i] == '\n') {
            mark.line++;
            mark.column = 0;
        }
    }
    return mark;
}

static void stop_at_error(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem ? parser->problem : "not readable";

    if (parser->error == YAML_READER_ERROR) {
        stay_auto_str char *text = stay_strf("not UTF-8 text: %s", problem);
        yaml_mark_t mark = mark_of_byte(reader, parser->problem_offset);
        stop_at(reader, &mark, text);
        return;
    }
    stay_auto_str char *text = NULL;
    if (parser->context)
        text = stay_strf("not valid YAML: %s, %s that begins at line %d%s", problem,
                         parser->context, line_of(&parser->context_mark), hint_for(parser));
    else
        text = stay_strf("not valid YAML: %s", problem);
    stop_at(reader, &parser->problem_mark, text);
}

static bool next_event(struct reader *reader, yaml_event_t *event)
{
    if (reader->broken)
        return false;
    if (yaml_parser_parse(&reader->parser, event))
        return true;
    stop_at_error(reader);
    return false;
}

static struct stay_yaml *new_node(struct reader *reader, enum stay_yaml_type type,
                                  const yaml_event_t *event)
{
    struct stay_yaml *node = stay_new(struct stay_yaml);

    node->type = type;
    node->line = line_of(&event->start_mark);
    node->column = column_of(&event->start_mark);
    if (++reader->nodes > NODES_MAX)
        stop_at(reader, &event->start_mark, "too many values for a configuration");
    return node;
}

static void refuse_decoration(struct reader *reader, const struct stay_yaml *node,
                              const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor)
        stay_problems_add(reader->problems, reader->file, node->line, node->column,
                          "anchors (`&%s`) are not supported: write the value where it is needed, "
                          "and quote one that begins with &",
                          (const char *)anchor);
    if (tag)
        stay_problems_add(reader->problems, reader->file, node->line, node->column,
                          "tags (`%s`) are not supported: the types of values are known; quote a "
                          "value that begins with !",
                          (const char *)tag);
}

static struct stay_yaml *read_node(struct reader *reader, const yaml_event_t *event);

static struct stay_yaml *read_scalar(struct reader *reader, const yaml_event_t *event)
{
    struct stay_yaml *node = new_node(reader, STAY_YAML_SCALAR, event);
    const char *value = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;

    refuse_decoration(reader, node, event->data.scalar.anchor, event->data.scalar.tag);
    if (memchr(value, '\0', len))
        stay_problems_add(reader->problems, reader->file, node->line, node->column,
                          "a value must not contain the character \\0");
    node->text = stay_memdup(value, len);
    node->empty = len == 0 && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return node;
}

static struct stay_yaml *refuse_alias(struct reader *reader, const yaml_event_t *event)
{
    struct stay_yaml *node = new_node(reader, STAY_YAML_SCALAR, event);

    stay_problems_add(reader->problems, reader->file, node->line, node->column,
                      "aliases (`*%s`) are not supported: write the value out, and quote one that "
                      "begins with *",
                      (const char *)event->data.alias.anchor);
    node->text = stay_strdup("");
    return node;
}

static void append(struct stay_yaml *node, struct stay_yaml *key, struct stay_yaml *item)
{
    /* Doubling at powers of two keeps the capacity out of the struct. */
    if ((node->n & (node->n - 1)) == 0) {
        size_t cap = node->n ? node->n * 2 : 1;
        node->items = stay_realloc(node->items, cap, sizeof(struct stay_yaml *));
        if (node->type == STAY_YAML_MAP)
            node->keys = stay_realloc(node->keys, cap, sizeof(struct stay_yaml *));
    }
    if (node->type == STAY_YAML_MAP)
        node->keys[node->n] = key;
    node->items[node->n++] = item;
}

static void read_items(struct reader *reader, struct stay_yaml *list)
{
    yaml_event_t event;

    while (next_event(reader, &event)) {
        bool end = event.type == YAML_SEQUENCE_END_EVENT;
        if (!end)
            append(list, NULL, read_node(reader, &event));
        yaml_event_delete(&event);
        if (end)
            return;
    }
}

static void check_key(struct reader *reader, const struct stay_yaml *map,
                      const struct stay_yaml *key)
{
    if (key->type != STAY_YAML_SCALAR) {
        stay_problems_add(reader->problems, reader->file, key->line, key->column,
                          "a key must be text, not %s", stay_yaml_form(key));
        return;
    }
    for (size_t i = 0; i < map->n; i++) {
        const struct stay_yaml *earlier = map->keys[i];
        if (earlier->type == STAY_YAML_SCALAR && strcmp(earlier->text, key->text) == 0) {
            stay_problems_add(reader->problems, reader->file, key->line, key->column,
                              "`%s` is already given at line %d", key->text, earlier->line);
            return;
        }
    }
}

static void read_pairs(struct reader *reader, struct stay_yaml *map)
{
    yaml_event_t event;

    while (next_event(reader, &event)) {
        bool end = event.type == YAML_MAPPING_END_EVENT;
        struct stay_yaml *key = end ? NULL : read_node(reader, &event);
        yaml_event_delete(&event);
        if (end)
            return;
        check_key(reader, map, key);
        if (!next_event(reader, &event)) {
            stay_yaml_free(key);
            return;
        }
        append(map, key, read_node(reader, &event));
        yaml_event_delete(&event);
    }
}

static struct stay_yaml *read_collection(struct reader *reader, const yaml_event_t *event)
{
    bool map = event->type == YAML_MAPPING_START_EVENT;
    struct stay_yaml *node = new_node(reader, map ? STAY_YAML_MAP : STAY_YAML_LIST, event);

    if (map)
        refuse_decoration(reader, node, event->data.mapping_start.anchor,
                          event->data.mapping_start.tag);
    else
        refuse_decoration(reader, node, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag);
    if (++reader->depth > DEPTH_MAX)
        stop_at(reader, &event->start_mark, "nested too deeply for a configuration");
    if (map)
        read_pairs(reader, node);
    else
        read_items(reader, node);
    reader->depth--;
    return node;
}

static struct stay_yaml *read_node(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        return read_collection(reader, event);
    case YAML_ALIAS_EVENT:
        return refuse_alias(reader, event);
    default:
        return read_scalar(reader, event);
    }
}

static struct stay_yaml *read_stream(struct reader *reader)
{
    struct stay_yaml *root = NULL;
    yaml_event_t event;
    bool more = true;

    while (more && next_event(reader, &event)) {
        switch (event.type) {
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        case YAML_STREAM_END_EVENT:
            more = false;
            break;
        case YAML_DOCUMENT_START_EVENT:
            if (root)
                stop_at(reader, &event.start_mark,
                        "a second document begins here: a configuration is one document");
            break;
        default:
            root = read_node(reader, &event);
        }
        yaml_event_delete(&event);
    }
    return root;
}

struct stay_yaml *stay_yaml_read(const char *data, size_t len, const char *file,
                                 struct stay_problems *problems)
{
    struct reader reader = {.data = data, .len = len, .file = file, .problems = problems};

    if (!yaml_parser_initialize(&reader.parser)) {
        stay_problems_add(problems, file, 1, 1, "out of memory");
        return NULL;
    }
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)data, len);
    struct stay_yaml *root = read_stream(&reader);
    yaml_parser_delete(&reader.parser);
    if (reader.broken) {
        stay_yaml_free(root);
        return NULL;
    }
    if (root == NULL)
        stay_problems_add(problems, file, 1, 1, "the file is empty");
    return root;
}

const struct stay_yaml *stay_yaml_get(const struct stay_yaml *map, const char *key)
{
    for (size_t i = 0; i < map->n; i++)
        if (map->keys[i]->text && strcmp(map->keys[i]->text, key) == 0)
            return map->items[i];
    return NULL;
}

const char *stay_yaml_form(const struct stay_yaml *node)
{
    static const char *const forms[] = {
        [STAY_YAML_SCALAR] = "a value", [STAY_YAML_LIST] = "a list", [STAY_YAML_MAP] = "a map"};

    return forms[node->type];
}

const char *stay_yaml_version(void)
{
    return yaml_get_version_string();
}

void stay_yaml_free(struct stay_yaml *node)
{
    if (node == NULL)
        return;
    if (node->text)
        stay_wipe(node->text, strlen(node->text));
    free(node->text);
    for (size_t i = 0; i < node->n; i++) {
        if (node->keys)
            stay_yaml_free(node->keys[i]);
        stay_yaml_free(node->items[i]);
    }
    free(node->keys);
    free(node->items);
    free(node);
}
