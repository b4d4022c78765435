/* Bytes from the host, cut into frames and passed on. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent.h"

enum { HEADER = sizeof(struct kdev_frame), IN_CAPACITY = 2 * (KDEV_MAX_PAYLOAD + HEADER) };

static uint8_t input[IN_CAPACITY];
static size_t held;
/* Out of step: skip to the next HELLO. A host that died in mid-frame, or one that is not kdev, leaves it so.
 */
static bool lost;
static uint32_t taken; /* bytes read since the last ACK */
static bool stalled;   /* a whole frame is here, but its answer may not fit the output queue */
bool session_up;
bool session_may_power = true;
uint32_t session_power;
uint32_t session_window;

bool session_stalled(void) {
  return stalled;
}

void session_reset(void) {
  held = 0;
  lost = stalled = false;
  session_up = false;
  out_clear();
  transfers_forget();
}

static void protocol_error(const char* what) {
  send_error(0, EPROTO, what, NULL);
  session_up = false;
  lost = true;
  transfers_forget();
}

static size_t put_text(uint8_t* p, size_t used, size_t room, const char* key, const char* value) {
  int n = snprintf((char*)p + used, room - used, "%s=%s", key, value);
  return n < 0 || (size_t)n >= room - used ? used : used + (size_t)n + 1;
}

static void answer_hello(uint32_t id) {
  enum { ROOM = 1024 };
  char text[256];
  struct utsname name;
  uint8_t* p = frame_begin(ROOM);
  uint32_t version = KDEV_PROTOCOL_VERSION;
  memcpy(p, &version, 4);
  size_t n = 4;
  if (uname(&name) == 0) {
    n = put_text(p, n, ROOM, "release", name.release);
    n = put_text(p, n, ROOM, "machine", name.machine);
  }
  setup_build_id(text, sizeof text);
  n = put_text(p, n, ROOM, "build_id", text);
  const char* key;
  for (unsigned i = 0; setup_fact(i, &key, text, sizeof text); ++i) n = put_text(p, n, ROOM, key, text);
  setup_boot_id(text, sizeof text);
  n = put_text(p, n, ROOM, "boot_id", text);
  snprintf(text, sizeof text, "%ld", (long)getpid());
  n = put_text(p, n, ROOM, "pid", text);
  snprintf(text, sizeof text, "%llu", (unsigned long long)setup_uptime_ns());
  n = put_text(p, n, ROOM, "uptime_ns", text);
  if (session_window) {
    snprintf(text, sizeof text, "%u", session_window);
    n = put_text(p, n, ROOM, "window", text);
  }
  frame_end(KDEV_HELLO, id, n);
}

static void hello(uint32_t id, const uint8_t* p, size_t length) {
  if (length < 8) return protocol_error("HELLO is too short");
  transfers_forget();
  if (get_u32(p + 4) & KDEV_HELLO_RESET) jobs_kill_all();
  answer_hello(id);
  taken = 0;
  session_up = true;
}

static void power(uint32_t id, uint32_t how) {
  if (!session_may_power) return send_error(id, EPERM, "power: this agent does not own the machine", NULL);
  if (how < KDEV_POWER_OFF || how > KDEV_POWER_HALT) return send_error(id, EINVAL, "power", NULL);
  frame_send(KDEV_DONE, id, NULL, 0);
  session_power = how;
}

static void handle(const struct kdev_frame* h, const uint8_t* p, uint64_t arrival) {
  if (h->type == KDEV_HELLO) return hello(h->id, p, h->length);
  if (!session_up) return protocol_error("a frame before HELLO");
  if (!h->id && h->type >= KDEV_EXEC && h->type < KDEV_POWER) return protocol_error("id 0 names the session");
  switch (h->type) {
    case KDEV_PING:
      return frame_send(KDEV_PONG, h->id, p, h->length);
    case KDEV_EXEC:
      return job_exec(h->id, p, h->length, arrival);
    case KDEV_STDIN:
      return job_stdin(h->id, p, h->length);
    case KDEV_STDIN_CLOSE:
      return job_stdin_close(h->id);
    case KDEV_SIGNAL:
      if (h->length < 4) return send_error(h->id, EINVAL, "signal: malformed request", NULL);
      return job_signal(h->id, (int)get_u32(p));
    case KDEV_PUT:
      return transfer_put(h->id, p, h->length);
    case KDEV_DATA:
      return transfer_data(h->id, p, h->length);
    case KDEV_DATA_END:
      return transfer_data_end(h->id);
    case KDEV_GET:
      return transfer_get(h->id, get_path(p, h->length));
    case KDEV_LIST:
      return transfer_list(h->id, get_path(p, h->length));
    case KDEV_MKDIR:
      if (h->length < 4) return send_error(h->id, EINVAL, "mkdir: malformed request", NULL);
      return transfer_mkdir(h->id, get_u32(p), get_path(p + 4, h->length - 4));
    case KDEV_POWER:
      if (h->length < 4) return send_error(h->id, EINVAL, "power: malformed request", NULL);
      return power(h->id, get_u32(p));
    default:
      protocol_error("unknown frame type");
  }
}

static bool is_hello(const struct kdev_frame* h) {
  return h->magic == KDEV_FRAME_MAGIC && h->type == KDEV_HELLO && h->length == 8;
}

void session_resume(void) {
  size_t at = 0;
  uint64_t arrival = held ? now_ns() : 0;
  stalled = false;
  while (held - at >= HEADER) {
    struct kdev_frame h;
    memcpy(&h, input + at, HEADER);
    if (lost && !is_hello(&h)) {
      ++at;
      continue;
    }
    lost = false;
    if (h.magic != KDEV_FRAME_MAGIC || h.length > KDEV_MAX_PAYLOAD) {
      protocol_error(h.magic == KDEV_FRAME_MAGIC ? "a frame is too long" : "wrong magic");
      continue;
    }
    if (held - at - HEADER < h.length) break;
    if (out_free() < KDEV_MAX_PAYLOAD + CHUNK) {
      stalled = true;
      break;
    }
    at += HEADER;
    handle(&h, input + at, arrival);
    at += h.length;
  }
  held -= at;
  if (at && held) memmove(input, input + at, held);
}

/* Opens the host's window again, in a few large steps. */
static void acknowledge(size_t bytes) {
  taken += (uint32_t)bytes;
  if (!session_up || !session_window || taken < session_window / 4) return;
  frame_send(KDEV_ACK, 0, &taken, sizeof taken);
  taken = 0;
}

int session_read(int fd) {
  if (held == IN_CAPACITY) return -1;
  ssize_t n = read(fd, input + held, IN_CAPACITY - held);
  if (n < 0) return errno == EAGAIN || errno == EINTR ? -1 : -2;
  if (n == 0) return 0;
  held += (size_t)n;
  acknowledge((size_t)n);
  session_resume();
  return (int)n;
}
