/* plugins/shared/throwaway.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * throwaway: what scratch places have in common, whatever server they are on or are.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include "server.h"

/** When a place that is made now ends, in seconds since 1970; @time_ns: unless it is kept. */
int64_t plug_throwaway_expires(const struct backstay_scratch *scratch, int64_t time_ns);

/** Whether it is to outlive whoever makes it. */
bool plug_throwaway_is_kept(const struct backstay_scratch *scratch);

/** Appends @prefix and 12 random digits: 48 bits, so that the name alone says that it is ours. */
void plug_throwaway_add_base(struct plug_bytes *out, const char *prefix);

/**
 * BASE_NAME, of at most 63 bytes: longer ones are cut between characters and end in a sum of all.
 * @len that of @base. Caller frees.
 */
char *plug_throwaway_name(const char *base, size_t len, const char *name);

/**
 * Whether nobody wants a scratch database any more whose marker is @text. It is not gone with its
 * creator's machine, so of machines that are not ours only the time counts.
 */
bool plug_throwaway_is_over(const char *text);

/**
 * Waits for a server that was started. @answers: 1: it does; 0: not yet; -1 with @err: it never
 * will.
 *
 * @return 0; -1 with @err: that, or it has ended, we are stopped, or it took too long.
 */
int plug_throwaway_wait(const struct plug_server *server,
                        int (*answers)(void *ctx, struct backstay_error *err), void *ctx,
                        struct backstay_error *err) __attribute__((warn_unused_result));

/** Whether what a server or its tool said last means that the disk is full. */
bool plug_throwaway_is_full(const char *said);

/** What is free on this machine, which may be that of the production server, and in our share of
 * it, in MiB. */
int64_t plug_throwaway_memory_mib(void);

/** @value, but no less than @least and no more than @most. */
int64_t plug_throwaway_between(int64_t least, int64_t value, int64_t most);

/** Appends a text as a part of a url, and as one word for a shell. */
void plug_throwaway_add_url(struct plug_bytes *out, const char *text);
void plug_throwaway_add_word(struct plug_bytes *out, const char *text);
