/* src/engine/view.c
 * SPDX-License-Identifier: Apache-2.0
 */
#include "engine/view.h"

int stay_view_open(struct stay_view **out, const struct stay_repository *repository,
                   const char *spec, unsigned threads, const char *scratch, struct stay_err *err)
{
    stay_auto(stay_view_free) struct stay_view *view = stay_new(struct stay_view);

    if (stay_repository_find(repository, spec, &view->ref, err) < 0 ||
        stay_repository_snapshot(repository, view->ref.name, &view->snapshot, err) < 0 ||
        stay_tree_load(&view->tree, repository->dest, view->snapshot, threads, scratch, err) < 0)
        return -1;
    *out = stay_steal(&view);
    return 0;
}

void stay_view_free(struct stay_view *view)
{
    if (view == NULL)
        return;
    stay_tree_free(view->tree);
    stay_snapshot_free(view->snapshot);
    free(view);
}
