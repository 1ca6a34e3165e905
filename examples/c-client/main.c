// Sends a GET request over HTTP/2, and prints the status and the content of the response.

#include <stdio.h>
#include <stdlib.h>

#include "command.h"

static http2_engine_connection_error_t error;

// Ends the program if a call has failed.
static void check(bool succeeded) {
    if (!succeeded) {
        fprintf(stderr, "%.*s\n", (int) error.message.len, (char *) error.message.ptr);
        exit(1);
    }
}

// The export of the component.
bool exports_wasi_cli_run_run(void) {
    char *host = getenv("HOST"), *port = getenv("PORT"), *path = getenv("REQUEST_PATH"), joined[300];
    if (!host || !port || !path) {
        fputs("set HOST, PORT and REQUEST_PATH\n", stderr);
        return false;
    }
    snprintf(joined, sizeof joined, "%s:%s", host, port);
    command_string_t name, authority, target;
    command_string_set(&name, host);
    command_string_set(&authority, joined);
    command_string_set(&target, path);

    // Without a timeout (NULL), each call waits as long as it takes.
    http2_engine_over_tcp_own_connection_t connection;
    check(http2_engine_over_tcp_dial(&name, atoi(port), NULL, NULL, &connection, &error));
    http2_engine_connection_request_head_t head = {
        .method.tag = HTTP2_ENGINE_TYPES_METHOD_GET,
        .scheme = {true, {.tag = HTTP2_ENGINE_TYPES_SCHEME_HTTP}},
        .authority = {true, authority},
        .path_with_query = {true, target},
    };
    http2_engine_connection_own_http2_stream_t opened;
    check(http2_engine_connection_method_connection_open_stream(
        http2_engine_connection_borrow_connection(connection), &head, true, &opened, &error));
    http2_engine_connection_borrow_http2_stream_t stream = http2_engine_connection_borrow_http2_stream(opened);
    http2_engine_connection_response_head_t response;
    check(http2_engine_connection_method_http2_stream_blocking_response(stream, NULL, &response, &error));
    printf("status %d\n", response.status);
    for (;;) {
        command_option_list_u8_t content;
        check(http2_engine_connection_method_http2_stream_blocking_read_data(stream, 65536, NULL, &content, &error));
        if (!content.is_some) {
            return fflush(stdout) == 0;
        }
        fwrite(content.val.ptr, 1, content.val.len, stdout);
        command_list_u8_free(&content.val);
    }
}
