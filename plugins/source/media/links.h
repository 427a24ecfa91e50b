/* plugins/source/media/links.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * links: which name of a file with several hard links sends the content.
 *
 * The first thread that meets one of the names claims the file and settles it when its content was
 * sent. Others who meet another name wait for that, because they can record a link only to content
 * that exists in this run. A file is forgotten when as many names were seen as it has.
 *
 * Thread-safety: any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct media_links;

enum { MEDIA_LINK_MINE, MEDIA_LINK_SENT };

struct media_links *media_links_new(void);
void media_links_free(struct media_links *links);

/**
 * Asks for the file of @st.
 *
 * @return MEDIA_LINK_MINE: send the content, then call media_links_settle(); MEDIA_LINK_SENT: the
 *         content was sent, in the state that @st has, under another name.
 */
int media_links_claim(struct media_links *links, const struct stat *st);

/**
 * Ends a claim.
 *
 * @sent the state of the file whose content was sent, read without a change; NULL when it was not:
 *       then the next name that is met will try.
 */
void media_links_settle(struct media_links *links, const struct stat *st, const struct stat *sent);

/** The number by which the names of the file belong together; never 0. */
uint64_t media_links_group(const struct stat *st);
