/*
 * A tiny MCP server on standard input and output, for benchmarks and for tests of what goes wrong.
 *
 * Tools: echo {text}, big {bytes}, sleep {ms} (other requests are answered meanwhile), env {name}.
 * The first argument chooses how it misbehaves; without one it behaves. See MODES below.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_SLEEPERS = 4096, MAX_ID = 256 };

static const char MODES[] =
    "exit-at-once      say something on stderr and exit with code 3\n"
    "garbage           print lines that are not JSON, then nothing\n"
    "silent            never answer, ignore SIGTERM and the end of input\n"
    "garbage-then-work print two lines of banner, then behave\n"
    "crash-on-call     behave until a tool is called, then exit with code 7\n"
    "half-line         behave until a tool is called, then write half of the answer and exit with code 8\n"
    "many-tools        behave, with ten thousand tools more\n"
    "slow-start        wait two seconds before reading anything, then behave\n"
    "stubborn          behave, but ignore SIGTERM and the end of input\n";

static const char TOOLS[] =
    "{\"tools\":["
    "{\"name\":\"echo\",\"description\":\"Answers with the text it is given\",\"inputSchema\":{\"type\":\"object\","
    "\"properties\":{\"text\":{\"type\":\"string\"}},\"required\":[\"text\"]},\"x-vendor\":{\"keep\":1}},"
    "{\"name\":\"big\",\"description\":\"Answers with a text of that many bytes\",\"inputSchema\":{\"type\":\"object\","
    "\"properties\":{\"bytes\":{\"type\":\"integer\"}},\"required\":[\"bytes\"]}},"
    "{\"name\":\"sleep\",\"description\":\"Answers after that many milliseconds\",\"inputSchema\":{\"type\":\"object\","
    "\"properties\":{\"ms\":{\"type\":\"integer\"}},\"required\":[\"ms\"]}},"
    "{\"name\":\"env\",\"description\":\"Answers with the value of an environment variable\",\"inputSchema\":{\"type\":"
    "\"object\",\"properties\":{\"name\":{\"type\":\"string\"}},\"required\":[\"name\"]}}"
    "]}";

struct piece { const char *start; size_t length; };
struct sleeper { long long wakes; char id[MAX_ID]; };

static struct sleeper sleepers[MAX_SLEEPERS];
static size_t sleeping;
static bool crash_on_call, half_line, many_tools;

static long long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void put(const char *data, size_t length) {
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, data, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) exit(0);
        data += written;
        length -= (size_t)written;
    }
}

/* --- just enough JSON ------------------------------------------------------------------------------------------- */

static const char *skip_space(const char *at, const char *end) {
    while (at < end && strchr(" \t\r\n", *at)) at++;
    return at;
}

static const char *skip_string(const char *at, const char *end) {
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\') at++;
    return at < end ? at + 1 : end;
}

static const char *skip_value(const char *at, const char *end) {
    int depth = 0;
    at = skip_space(at, end);
    do {
        if (at >= end) return end;
        if (*at == '"') { at = skip_string(at, end); continue; }
        if (*at == '{' || *at == '[') depth++;
        else if (*at == '}' || *at == ']') depth--;
        else if (depth == 0) {
            while (at < end && !strchr(",}] \t\r\n", *at)) at++;
            return at;
        }
        at++;
    } while (depth > 0);
    return at;
}

/* The raw value of a member of an object, or an empty piece. */
static struct piece member(struct piece object, const char *name) {
    struct piece none = {NULL, 0};
    const char *end = object.start + object.length;
    const char *at = object.start ? skip_space(object.start, end) : end;
    if (at >= end || *at != '{') return none;
    for (at = skip_space(at + 1, end); at < end && *at == '"'; at = skip_space(at + 1, end)) {
        const char *key = at + 1;
        at = skip_string(at, end);
        size_t key_length = (size_t)(at - 1 - key);
        at = skip_space(at, end);
        if (at >= end || *at != ':') return none;
        const char *value = skip_space(at + 1, end);
        at = skip_value(value, end);
        if (key_length == strlen(name) && memcmp(key, name, key_length) == 0)
            return (struct piece){value, (size_t)(at - value)};
        at = skip_space(at, end);
        if (at >= end || *at != ',') return none;
    }
    return none;
}

static bool is(struct piece value, const char *text) {
    size_t length = strlen(text);
    return value.length == length + 2 && value.start[0] == '"' && memcmp(value.start + 1, text, length) == 0;
}

static long number(struct piece value) {
    char digits[32] = {0};
    memcpy(digits, value.start, value.length < sizeof digits - 1 ? value.length : sizeof digits - 1);
    long result = strtol(digits, NULL, 10);
    return result > 0 ? result : 0;
}

/* --- answers ---------------------------------------------------------------------------------------------------- */

static void answer(const char *id, const char *kind, const char *json) {
    char *line = NULL;
    int length = asprintf(&line, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"%s\":%s}\n", id, kind, json);
    if (length > 0) put(line, (size_t)length);
    free(line);
}

/* `quoted` is a JSON string with its quotes, passed on as it came. */
static void answer_text(const char *id, const char *quoted, size_t length) {
    static const char middle[] = ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":";
    static const char tail[] = "}],\"isError\":false,\"x-vendor\":{\"keep\":1}}}\n";
    size_t room = length + strlen(id) + sizeof middle + sizeof tail + 32;
    char *line = malloc(room), *at = line;
    if (line == NULL) exit(1);
    at += sprintf(at, "{\"jsonrpc\":\"2.0\",\"id\":%s%s", id, middle);
    at = mempcpy(at, quoted, length);
    at = mempcpy(at, tail, sizeof tail - 1);
    put(line, (size_t)(at - line));
    free(line);
}

static void answer_big(const char *id, long bytes) {
    size_t length = (size_t)bytes + 2;
    char *text = malloc(length);
    if (text == NULL) { answer(id, "error", "{\"code\":-32603,\"message\":\"Out of memory\"}"); return; }
    memset(text, 'x', length);
    text[0] = text[length - 1] = '"';
    answer_text(id, text, length);
    free(text);
}

static void answer_env(const char *id, struct piece quoted_name) {
    char name[256] = {0};
    if (quoted_name.length > 2 && quoted_name.length - 2 < sizeof name)
        memcpy(name, quoted_name.start + 1, quoted_name.length - 2);
    const char *value = getenv(name);
    char *quoted = malloc(value ? strlen(value) * 6 + 3 : 3), *at = quoted;
    if (quoted == NULL) exit(1);
    *at++ = '"';
    for (; value && *value; value++) {
        if (*value == '"' || *value == '\\') *at++ = '\\', *at++ = *value;
        else if ((unsigned char)*value < 0x20) at += sprintf(at, "\\u%04x", *value);
        else *at++ = *value;
    }
    *at++ = '"';
    answer_text(id, quoted, (size_t)(at - quoted));
    free(quoted);
}

static void call(const char *id, struct piece params) {
    struct piece name = member(params, "name"), arguments = member(params, "arguments"), value;
    if (crash_on_call) {
        fputs("faulty: crashing as asked\n", stderr);
        exit(7);
    }
    if (half_line) {
        static const char half[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"te";
        put(half, sizeof half - 1);
        fputs("faulty: ending in the middle of a line\n", stderr);
        exit(8);
    }
    if (is(name, "echo") && (value = member(arguments, "text")).length && value.start[0] == '"')
        answer_text(id, value.start, value.length);
    else if (is(name, "big") && (value = member(arguments, "bytes")).length)
        answer_big(id, number(value));
    else if (is(name, "env") && (value = member(arguments, "name")).length)
        answer_env(id, value);
    else if (is(name, "sleep") && (value = member(arguments, "ms")).length && sleeping < MAX_SLEEPERS) {
        sleepers[sleeping].wakes = now_ms() + number(value);
        strcpy(sleepers[sleeping++].id, id);
    } else
        answer(id, "error", "{\"code\":-32602,\"message\":\"Unknown tool or missing argument\"}");
}

static void answer_many_tools(const char *id) {
    enum { COUNT = 10000, ENTRY = 160 };
    char *json = malloc((size_t)COUNT * ENTRY), *at = json;
    if (json == NULL) exit(1);
    at += sprintf(at, "{\"tools\":[");
    for (int i = 0; i < COUNT; i++)
        at += sprintf(at, "{\"name\":\"tool-%d\",\"description\":\"Does what tool %d does\",\"inputSchema\":"
                          "{\"type\":\"object\"}},", i, i);
    sprintf(at, "%s", TOOLS + sizeof "{\"tools\":[" - 1);
    answer(id, "result", json);
    free(json);
}

static void handle(struct piece line) {
    struct piece method = member(line, "method"), raw_id = member(line, "id"), params = member(line, "params");
    char id[MAX_ID];
    if (method.length == 0 || raw_id.length == 0 || raw_id.length >= sizeof id) return;
    memcpy(id, raw_id.start, raw_id.length);
    id[raw_id.length] = 0;
    if (is(method, "tools/call")) call(id, params);
    else if (is(method, "tools/list") && many_tools) answer_many_tools(id);
    else if (is(method, "tools/list")) answer(id, "result", TOOLS);
    else if (is(method, "ping")) answer(id, "result", "{}");
    else if (is(method, "initialize")) {
        struct piece asked = member(params, "protocolVersion");
        bool known = is(asked, "2024-11-05") || is(asked, "2025-03-26") || is(asked, "2025-06-18");
        char *result = NULL;
        if (asprintf(&result,
                     "{\"protocolVersion\":%.*s,\"capabilities\":{\"tools\":{}},"
                     "\"serverInfo\":{\"name\":\"echo\",\"version\":\"1.0.0\"},\"x-vendor\":{\"keep\":1}}",
                     known ? (int)asked.length : 12, known ? asked.start : "\"2025-11-25\"") > 0)
            answer(id, "result", result);
        free(result);
    } else
        answer(id, "error", "{\"code\":-32601,\"message\":\"Method not found\"}");
}

/* Answers the sleepers that are due and returns how long poll may wait. */
static int wake(void) {
    long long now = now_ms(), next = -1;
    for (size_t i = 0; i < sleeping;) {
        if (sleepers[i].wakes <= now) {
            answer_text(sleepers[i].id, "\"slept\"", 7);
            sleepers[i] = sleepers[--sleeping];
            continue;
        }
        if (next < 0 || sleepers[i].wakes < next) next = sleepers[i].wakes;
        i++;
    }
    return next < 0 ? -1 : (int)(next - now);
}

static void serve(void) {
    size_t room = 1 << 16, filled = 0, scanned = 0;
    char *buffer = malloc(room);
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    while (buffer != NULL) {
        if (poll(&input, 1, wake()) == 0) continue;
        if (filled == room && (buffer = realloc(buffer, room *= 2)) == NULL) break;
        ssize_t got = read(STDIN_FILENO, buffer + filled, room - filled);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return;
        filled += (size_t)got;
        size_t start = 0;
        char *newline;
        while ((newline = memchr(buffer + scanned, '\n', filled - scanned)) != NULL) {
            handle((struct piece){buffer + start, (size_t)(newline - buffer) - start});
            start = scanned = (size_t)(newline - buffer) + 1;
        }
        memmove(buffer, buffer + start, filled -= start);
        scanned = filled;
    }
}

static void stay_for_ever(void) {
    for (;;) pause();
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    bool silent = strcmp(mode, "silent") == 0, stubborn = strcmp(mode, "stubborn") == 0;
    signal(SIGTERM, silent || stubborn ? SIG_IGN : SIG_DFL);
    if (silent) stay_for_ever();
    if (strcmp(mode, "exit-at-once") == 0) {
        fputs("faulty: cannot start: API_KEY is not set\n", stderr);
        return 3;
    }
    if (strcmp(mode, "garbage") == 0) {
        puts("this is not JSON\n<html>nor is this</html>");
        fflush(stdout);
        stay_for_ever();
    }
    if (strcmp(mode, "garbage-then-work") == 0) {
        puts("Welcome to the faulty server!\n[info] listening on stdio {not json}");
        fflush(stdout);
    } else if (strcmp(mode, "slow-start") == 0)
        sleep(2);
    else if (strcmp(mode, "crash-on-call") == 0)
        crash_on_call = true;
    else if (strcmp(mode, "half-line") == 0)
        half_line = true;
    else if (strcmp(mode, "many-tools") == 0)
        many_tools = true;
    else if (*mode && !stubborn) {
        fprintf(stderr, "unknown mode; there are:\n%s", MODES);
        return 2;
    }
    serve();
    if (stubborn) stay_for_ever();
    return 0;
}
