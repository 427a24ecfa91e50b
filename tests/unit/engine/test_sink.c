/* tests/unit/engine/test_sink.c
 * SPDX-License-Identifier: Apache-2.0
 *
 * sink: entries in any order from any thread become one sorted manifest, with what is known of the
 * last run taken over unread.
 */
#include "engine/sink.h"

#include "store/manifest.h"
#include "support/random.h"
#include "unit/engine/rig.h"

#include <pthread.h>

enum { THREADS = 4, FILES_EACH = 300 };

struct fixture {
    struct rig *rig;
    char *last_path;
    struct stay_last *last; /* of the run before; NULL: none */
    struct stay_sink *sink;
    struct backstay_sink *abi;
    struct stay_sink_result result;
    struct stay_buf streams[STAY_STREAMS]; /* read back after the end of a run */
};

static void begin(struct fixture *fixture)
{
    rig_open(fixture->rig);
    stay_last_free(fixture->last);
    fixture->last = stay_last_open(fixture->last_path);
    const struct stay_sink_options options = {
        .pipeline = fixture->rig->pipeline,
        .last = fixture->last,
        .scratch = fixture->rig->folder,
        .memory_bytes = 1 << 20,
        .progress = &fixture->rig->progress,
        .now_ns = 1234,
    };
    stay_sink_free(fixture->sink);
    fixture->sink = stay_sink_new(&options);
    fixture->abi = stay_sink_abi(fixture->sink);
}

/* Ends the run, keeps its memory for the next one, and reads its streams back. */
static void end(struct fixture *fixture)
{
    stay_auto(stay_last_writer_free) struct stay_last_writer *writer = NULL;
    struct rig *rig = fixture->rig;

    stay_sink_result_free(&fixture->result);
    assert_ok(
        stay_sink_finish(fixture->sink, fixture->last_path, &fixture->result, &writer, &rig->err),
        rig->err);
    assert_ok(stay_pipeline_finish(rig->pipeline, &rig->err), rig->err);
    assert_int_equal(writer == NULL, fixture->result.cache_current);
    if (writer)
        assert_ok(stay_last_commit(writer, &rig->err), rig->err);
    for (size_t i = 0; i < STAY_STREAMS; i++) {
        const struct stay_pieces *pieces = &fixture->result.streams[i];
        stay_buf_clear(&fixture->streams[i]);
        assert_int_equal(rig_read(rig, 0, pieces->ids, pieces->n, &fixture->streams[i]), 0);
        assert_int_equal(fixture->streams[i].len, pieces->total);
    }
}

static int setup(void **state)
{
    struct fixture *fixture = stay_new(struct fixture);

    fixture->rig = new_rig(1);
    fixture->last_path = stay_strf("%s/media.last", fixture->rig->folder);
    begin(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    stay_sink_free(fixture->sink);
    stay_sink_result_free(&fixture->result);
    stay_last_free(fixture->last);
    for (size_t i = 0; i < STAY_STREAMS; i++)
        stay_buf_free(&fixture->streams[i]);
    free_rig(fixture->rig);
    free(fixture->last_path);
    free(fixture);
    return 0;
}

/* The paths of the manifest, one a line; each line is decoded. */
static char *paths(const struct fixture *fixture)
{
    stay_auto_manifest_entry struct stay_manifest_entry entry = {0};
    const struct stay_buf *text = &fixture->streams[STAY_MANIFEST];
    struct stay_buf out = {0};
    struct stay_err err = {0};

    stay_buf_str(&out, "");
    for (size_t at = 0; at < text->len;) {
        size_t n = stay_manifest_first(text->data + at, text->len - at);
        assert_ok(stay_manifest_decode(&entry, text->data + at, n, &err), err);
        stay_buf_printf(&out, "%s\n", entry.entry.path);
        at += n;
    }
    return stay_buf_take(&out);
}

static void assert_paths(const struct fixture *fixture, const char *expected)
{
    stay_auto_str char *found = paths(fixture);

    assert_string_equal(found, expected);
}

static void entries_come_out_sorted_with_their_content(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_manifest_entry struct stay_manifest_entry entry = {0};
    const struct stay_buf *manifest = &fixture->streams[STAY_MANIFEST];
    stay_auto_buf struct stay_buf content = {0};

    assert_int_equal(send_file(fixture->abi, "b/file", "content", 7), 0);
    assert_int_equal(send_file(fixture->abi, "b/empty", "", 0), 0);
    assert_int_equal(send_folder(fixture->abi, ""), 0);
    assert_int_equal(send_folder(fixture->abi, "b"), 0);
    assert_int_equal(send_folder(fixture->abi, "a"), 0);
    end(fixture);
    assert_paths(fixture, "\na\nb\nb/empty\nb/file\n");
    const char *line = strstr(manifest->data, "{\"path\":\"b/file\"");
    assert_int_equal(
        stay_manifest_decode(&entry, line, (size_t)(manifest->data + manifest->len - line), NULL),
        0);
    assert_int_equal(entry.chunks.n, 1);
    assert_int_equal(rig_read(fixture->rig, 0, entry.chunks.items, 1, &content), 0);
    assert_string_equal(content.data, "content");
    assert_int_equal(fixture->result.counts.entries, 5);
    assert_int_equal(fixture->result.counts.files, 2);
    assert_int_equal(fixture->result.counts.bytes, 7);
    assert_int_equal(fixture->result.counts.bytes_read, 7);
    assert_int_equal(fixture->result.counts.warnings, 0);
    assert_int_equal(fixture->result.instant_ns, 1234);
    assert_int_equal(fixture->rig->progress.entries_done, 5);
}

/* Sends @len bytes in uneven portions. */
static void stream_file(struct fixture *fixture, const char *path, const char *data, size_t len)
{
    const struct backstay_entry entry = file_entry(path, len);
    struct backstay_stream *stream = NULL;

    assert_int_equal(fixture->abi->begin(fixture->abi, path, strlen(path), &stream), 0);
    for (size_t at = 0, n = 1; at < len; at += n, n = n * 3 % 1000003 + 1) {
        n = STAY_MIN(n, len - at);
        assert_int_equal(fixture->abi->write(fixture->abi, stream, data + at, n), 0);
    }
    assert_int_equal(fixture->abi->end(fixture->abi, stream, &entry, "token", 5), 0);
}

static void content_in_pieces_is_the_same_as_at_once(void **state)
{
    enum { LEN = 6000000 };
    struct fixture *fixture = *state;
    stay_auto_free char *data = stay_malloc(LEN);
    struct stay_random random = {1};

    stay_random_fill(&random, data, LEN);
    stream_file(fixture, "a", data, LEN);
    assert_int_equal(send_file(fixture->abi, "b", data, LEN), 0);
    end(fixture);
    const char *a = strstr(fixture->streams[STAY_MANIFEST].data, "\"chunks\":");
    const char *b = strstr(a + 1, "\"chunks\":");
    size_t n = strcspn(a, "\n");
    assert_int_equal(strcspn(b, "\n"), n);
    assert_memory_equal(a, b, n);
    assert_true(n > 200);
    assert_true(rig_pack_bytes(fixture->rig, 0) < 2 * LEN);
}

static void an_aborted_stream_records_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct backstay_stream *stream = NULL;

    assert_int_equal(fixture->abi->begin(fixture->abi, "gone", 4, &stream), 0);
    assert_int_equal(fixture->abi->write(fixture->abi, stream, "half", 4), 0);
    fixture->abi->abort(fixture->abi, stream);
    stream_file(fixture, "next", "whole", 5);
    end(fixture);
    assert_paths(fixture, "next\n");
    assert_int_equal(fixture->result.counts.entries, 1);
    assert_int_equal(fixture->result.counts.bytes, 5);
}

static void send_tree(struct fixture *fixture)
{
    assert_int_equal(send_folder(fixture->abi, ""), 0);
    assert_int_equal(send_file(fixture->abi, "a", "first", 5), 0);
    assert_int_equal(send_file(fixture->abi, "b", "second", 6), 0);
    assert_int_equal(send_file(fixture->abi, "c", "third", 5), 0);
}

static void what_is_unchanged_is_taken_over_unread(void **state)
{
    struct fixture *fixture = *state;

    send_tree(fixture);
    end(fixture);
    stay_auto_str char *before = stay_strdup(fixture->streams[STAY_MANIFEST].data);
    begin(fixture);
    send_tree(fixture); /* the folder has no token and is sent again */
    end(fixture);
    assert_string_equal(fixture->streams[STAY_MANIFEST].data, before);
    assert_int_equal(fixture->result.counts.unchanged, 3);
    assert_int_equal(fixture->result.counts.entries, 4);
    assert_int_equal(fixture->result.counts.files, 3);
    assert_int_equal(fixture->result.counts.bytes, 16);
    assert_int_equal(fixture->result.counts.bytes_read, 0);
    assert_false(fixture->result.cache_current);
}

static void when_nothing_changed_the_manifest_is_not_even_cut(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(send_file(fixture->abi, "a", "first", 5), 0);
    assert_int_equal(send_file(fixture->abi, "b", "second", 6), 0);
    end(fixture);
    stay_auto_str char *before = stay_strdup(fixture->streams[STAY_MANIFEST].data);
    for (int i = 0; i < 2; i++) {
        begin(fixture);
        assert_int_equal(send_file(fixture->abi, "b", "second", 6), 0);
        assert_int_equal(send_file(fixture->abi, "a", "first", 5), 0);
        end(fixture);
        assert_true(fixture->result.cache_current);
        assert_string_equal(fixture->streams[STAY_MANIFEST].data, before);
        assert_int_equal(fixture->result.counts.entries, 2);
        assert_int_equal(fixture->result.counts.unchanged, 2);
        assert_int_equal(stay_pipeline_new_bytes(fixture->rig->pipeline), 0);
    }
}

static void what_is_new_changed_or_gone_is_noticed(void **state)
{
    struct fixture *fixture = *state;

    send_tree(fixture);
    end(fixture);
    begin(fixture);
    assert_int_equal(send_file(fixture->abi, "bb", "new", 3), 0);
    assert_int_equal(send_file(fixture->abi, "a", "first", 5), 0);
    assert_int_equal(send_file(fixture->abi, "c", "changed", 7), 0);
    end(fixture);
    assert_paths(fixture, "a\nbb\nc\n");
    assert_int_equal(fixture->result.counts.unchanged, 1);
    assert_int_equal(fixture->result.counts.bytes, 15);
    assert_int_equal(fixture->result.counts.bytes_read, 10);
    begin(fixture);
    assert_int_equal(send_file(fixture->abi, "c", "changed", 7), 0);
    end(fixture);
    assert_paths(fixture, "c\n");
    assert_int_equal(fixture->result.counts.unchanged, 1);
    assert_int_equal(fixture->result.counts.entries, 1);
}

static void what_is_remembered_but_not_stored_any_more_is_read_again(void **state)
{
    struct fixture *fixture = *state;
    stay_auto_dest_list struct stay_dest_list packs = {0};

    send_tree(fixture);
    end(fixture);
    assert_int_equal(stay_dest_list(fixture->rig->stores[0]->dest, "packs/", &packs, NULL), 0);
    for (size_t i = 0; i < packs.n; i++)
        assert_int_equal(
            stay_memory_dest_remove(fixture->rig->stores[0]->memory, packs.items[i].name), 0);
    begin(fixture);
    send_tree(fixture);
    end(fixture);
    assert_int_equal(fixture->result.counts.unchanged, 0);
    assert_int_equal(fixture->result.counts.bytes_read, 16);
    assert_paths(fixture, "\na\nb\nc\n");
}

static int send_link(struct fixture *fixture, const char *path, uint64_t group)
{
    struct backstay_entry entry = file_entry(path, 7);

    entry.link_group = group;
    return fixture->abi->link(fixture->abi, &entry, "t", 1);
}

static void further_names_share_the_content_whatever_came_first(void **state)
{
    struct fixture *fixture = *state;
    struct backstay_entry entry = file_entry("m", 7);

    entry.link_group = 9;
    assert_int_equal(send_link(fixture, "a", 9), 0);
    assert_int_equal(fixture->abi->whole(fixture->abi, &entry, "content", 7, "t", 1), 0);
    assert_int_equal(send_link(fixture, "z", 9), 0);
    end(fixture);
    assert_paths(fixture, "a\nm\nz\n");
    assert_int_equal(fixture->result.counts.entries, 3);
    assert_int_equal(fixture->result.counts.bytes_read, 7);
    size_t with_content = 0;
    for (const char *at = fixture->streams[STAY_MANIFEST].data;
         (at = strstr(at, "\"link\":9,\"bytes\":7,\"chunks\":[\"ed7002b4")) != NULL; at++)
        with_content++;
    assert_int_equal(with_content, 3);
}

static void a_name_whose_content_never_came_is_noted_and_not_counted(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(send_file(fixture->abi, "b", "x", 1), 0);
    assert_int_equal(send_link(fixture, "a", 4), 0);
    end(fixture);
    assert_paths(fixture, "b\n");
    assert_string_equal(fixture->streams[STAY_NOTES].data,
                        "{\"path\":\"a\",\"text\":\"not stored: the file that it is a hard link to "
                        "could not be read\"}\n");
    assert_int_equal(fixture->result.counts.warnings, 1);
    assert_int_equal(fixture->result.counts.entries, 1);
    assert_int_equal(fixture->result.counts.files, 1);
    assert_int_equal(fixture->result.counts.bytes, 1);
}

static void a_link_that_is_no_file_stops_the_run(void **state)
{
    struct fixture *fixture = *state;
    struct backstay_entry entry = file_entry("fifo", 0);

    entry.type = BACKSTAY_FIFO;
    entry.link_group = 1;
    assert_int_equal(fixture->abi->link(fixture->abi, &entry, NULL, 0), -1);
    assert_error(*stay_sink_error(fixture->sink), STAY_ERR_IO,
                 "the plugin sent fifo as a hard link, which is not a file but a fifo");
}

static void an_entry_that_was_sent_twice_is_stored_once_and_noted(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(send_file(fixture->abi, "a", "same", 4), 0);
    assert_int_equal(send_file(fixture->abi, "a", "same", 4), 0);
    assert_int_equal(send_file(fixture->abi, "b", "x", 1), 0);
    end(fixture);
    assert_paths(fixture, "a\nb\n");
    assert_string_equal(
        fixture->streams[STAY_NOTES].data,
        "{\"path\":\"a\",\"text\":\"the source sent this entry twice; one of them is kept\"}\n");
    assert_int_equal(fixture->result.counts.entries, 2);
    assert_int_equal(fixture->result.counts.files, 2);
    assert_int_equal(fixture->result.counts.bytes, 5);
    begin(fixture); /* asked for twice, and sent although it was said to be unchanged */
    for (int i = 0; i < 2; i++)
        assert_int_equal(fixture->abi->unchanged(fixture->abi, "a", 1, "same", 4), 1);
    const struct backstay_entry entry = file_entry("a", 7);
    assert_int_equal(fixture->abi->whole(fixture->abi, &entry, "another", 7, "x", 1), 0);
    end(fixture);
    assert_paths(fixture, "a\n");
    assert_int_equal(fixture->result.counts.entries, 1);
    assert_int_equal(fixture->result.counts.bytes, 4);
    assert_int_equal(fixture->result.counts.unchanged, 1);
}

static void facts_are_sorted_and_notes_and_details_kept(void **state)
{
    struct fixture *fixture = *state;
    struct backstay_sink *abi = fixture->abi;
    size_t n;

    assert_int_equal(abi->fact(abi, "table:b:rows", "2"), 0);
    assert_int_equal(abi->fact(abi, "table:a:rows", "1"), 0);
    assert_int_equal(abi->fact(abi, "table:b:rows", "3"), 0);
    assert_int_equal(abi->warn(abi, NULL, 0, "about %s", "all"), 0);
    assert_int_equal(abi->warn(abi, "x\xff", 2, "changed while it was read"), 0);
    assert_int_equal(abi->detail(abi, "server_version", "15.18"), 0);
    assert_int_equal(abi->instant(abi, 99), 0);
    abi->expect(abi, 12, 34);
    end(fixture);
    assert_string_equal(fixture->streams[STAY_FACTS].data,
                        "{\"name\":\"table:a:rows\",\"value\":\"1\"}\n"
                        "{\"name\":\"table:b:rows\",\"value\":\"3\"}\n");
    assert_string_equal(fixture->streams[STAY_NOTES].data,
                        "{\"text\":\"about all\"}\n"
                        "{\"path\":\"x\\udcff\",\"text\":\"changed while it was read\"}\n");
    const struct stay_note *notes = stay_sink_notes(fixture->sink, &n);
    assert_int_equal(n, 2);
    assert_null(notes[0].path);
    assert_string_equal(notes[1].text, "changed while it was read");
    assert_string_equal(
        json_string_value(json_object_get(fixture->result.details, "server_version")), "15.18");
    assert_int_equal(fixture->result.instant_ns, 99);
    assert_int_equal(fixture->result.counts.warnings, 2);
    assert_int_equal(fixture->rig->progress.entries_total, 12);
    assert_int_equal(fixture->rig->progress.bytes_total, 34);
}

static void a_cancelled_run_says_stop_to_every_call(void **state)
{
    struct fixture *fixture = *state;
    struct backstay_sink *abi = fixture->abi;
    struct backstay_stream *stream = NULL;
    stay_auto(stay_last_writer_free) struct stay_last_writer *writer = NULL;

    stay_cancel_request(&fixture->rig->cancel, 15);
    assert_int_equal(abi->unchanged(abi, "a", 1, "t", 1), -1);
    assert_int_equal(send_folder(abi, "a"), -1);
    assert_int_equal(abi->begin(abi, "a", 1, &stream), -1);
    assert_int_equal(send_link(fixture, "b", 1), -1);
    assert_int_equal(abi->warn(abi, NULL, 0, "x"), -1);
    assert_int_equal(stay_sink_finish(fixture->sink, fixture->last_path, &fixture->result, &writer,
                                      &fixture->rig->err),
                     -1);
    assert_int_equal(fixture->rig->err.kind, STAY_ERR_CANCELLED);
    stay_sink_free(NULL);
}

struct sender {
    struct fixture *fixture;
    size_t number;
};

static void *send_many(void *ctx)
{
    const struct sender *sender = ctx;
    struct backstay_sink *abi = sender->fixture->abi;

    for (size_t i = 0; i < FILES_EACH; i++) {
        stay_auto_str char *path = stay_strf("%04zu/%zu", i * 7 % FILES_EACH, sender->number);
        stay_auto_str char *content = stay_strf("content of %s", path);
        if (i % 3 == 0)
            stream_file(sender->fixture, path, content, strlen(content));
        else
            assert_int_equal(send_file(abi, path, content, strlen(content)), 0);
        if (i % 50 == 0)
            assert_int_equal(abi->fact(abi, path, "1"), 0);
        if (i % 60 == 0)
            assert_int_equal(abi->detail(abi, path, "x"), 0);
    }
    return NULL;
}

static void threads_do_not_get_in_each_others_way(void **state)
{
    struct fixture *fixture = *state;
    struct sender senders[THREADS];
    pthread_t threads[THREADS];

    for (int run = 0; run < 2; run++) {
        for (size_t i = 0; i < THREADS; i++) {
            senders[i] = (struct sender){fixture, i};
            assert_int_equal(pthread_create(&threads[i], NULL, send_many, &senders[i]), 0);
        }
        for (size_t i = 0; i < THREADS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        end(fixture);
        assert_int_equal(fixture->result.counts.entries, THREADS * FILES_EACH);
        assert_int_equal(fixture->result.counts.warnings, 0);
        stay_auto_str char *found = paths(fixture);
        size_t lines = 0;
        for (const char *c = found; *c; c++)
            lines += *c == '\n';
        assert_int_equal(lines, THREADS * FILES_EACH);
        begin(fixture);
    }
}

int main(void)
{
#define WITH_SINK(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_SINK(entries_come_out_sorted_with_their_content),
        WITH_SINK(content_in_pieces_is_the_same_as_at_once),
        WITH_SINK(an_aborted_stream_records_nothing),
        WITH_SINK(what_is_unchanged_is_taken_over_unread),
        WITH_SINK(when_nothing_changed_the_manifest_is_not_even_cut),
        WITH_SINK(what_is_new_changed_or_gone_is_noticed),
        WITH_SINK(what_is_remembered_but_not_stored_any_more_is_read_again),
        WITH_SINK(further_names_share_the_content_whatever_came_first),
        WITH_SINK(a_name_whose_content_never_came_is_noted_and_not_counted),
        WITH_SINK(a_link_that_is_no_file_stops_the_run),
        WITH_SINK(an_entry_that_was_sent_twice_is_stored_once_and_noted),
        WITH_SINK(facts_are_sorted_and_notes_and_details_kept),
        WITH_SINK(a_cancelled_run_says_stop_to_every_call),
        WITH_SINK(threads_do_not_get_in_each_others_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
