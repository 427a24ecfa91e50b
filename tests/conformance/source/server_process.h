/* tests/conformance/source/server_process.h
 * SPDX-License-Identifier: Apache-2.0
 *
 * server_process: programs of real database servers, run by a user who may.
 *
 * Layer: tests. Uses: base. Thread-safety: one thread.
 */
#pragma once

#include <sys/types.h>

/** Starts a program with nothing in its environment that concerns databases; what it says is
 * appended to the file @log. */
pid_t server_process_start(const char *log, const char *const *argv);

/** Runs it to its end; one that fails ends the test. */
void server_process_run(const char *log, const char *const *argv);

/**
 * The words that run @program as @user when we are root (servers refuse root), and as ourselves
 * otherwise; it ends when this thread does. @arguments ends with NULL. They are overwritten by the
 * next call.
 */
const char **server_process_as(const char *user, const char *program, const char *const *arguments);
