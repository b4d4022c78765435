/* The channel over the console, for a guest without the port: a process of its own carries the bytes of two
 * pipes (a small kernel may have no sockets) as packets (wire.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "agent.h"
#include "wire.h"

/* What the agent has not taken yet: the host sends no more ahead (session_window). */
enum { CONSOLE_WINDOW = 16384, PENDING = 2 * CONSOLE_WINDOW };

static int console, console_out, from_agent, to_agent;
static char line[WIRE_LINE];
static size_t line_length;
static bool in_line, met;
static uint8_t pending[PENDING];
static size_t pending_length;
static uint16_t awaited;      /* of the host's */
static uint16_t first, next_; /* ours: the oldest without an answer; the one after the newest */
static struct packet {
  size_t length;
  uint8_t data[WIRE_DATA];
} window[WIRE_WINDOW];
static uint64_t sent_at;

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static uint32_t crc32_of(const char* p, size_t length) {
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < length; ++i) {
    crc ^= (uint8_t)p[i];
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

static size_t encode(const uint8_t* data, size_t length, char* to) {
  size_t n = 0;
  for (size_t i = 0; i < length; i += 3) {
    uint32_t v = (uint32_t)data[i] << 16;
    if (i + 1 < length) v |= (uint32_t)data[i + 1] << 8;
    if (i + 2 < length) v |= data[i + 2];
    to[n++] = digits[v >> 18];
    to[n++] = digits[v >> 12 & 63];
    to[n++] = i + 1 < length ? digits[v >> 6 & 63] : '=';
    to[n++] = i + 2 < length ? digits[v & 63] : '=';
  }
  return n;
}

/* The bytes; -1: it is no base64, or too long. */
static int decode(const char* text, size_t length, uint8_t* to) {
  size_t n = 0;
  if (length % 4 || length / 4 * 3 > WIRE_DATA) return -1;
  for (size_t i = 0; i < length; i += 4) {
    uint32_t v = 0;
    int fill = 0;
    for (size_t j = 0; j < 4; ++j) {
      const char* at = text[i + j] && !fill ? strchr(digits, text[i + j]) : NULL;
      if (!at && (text[i + j] != '=' || i + 4 < length || j < 2)) return -1;
      fill += !at;
      v = v << 6 | (at ? (uint32_t)(at - digits) : 0);
    }
    to[n++] = (uint8_t)(v >> 16);
    if (fill < 2) to[n++] = (uint8_t)(v >> 8);
    if (fill < 1) to[n++] = (uint8_t)v;
  }
  return (int)n;
}

static void write_all(const char* p, size_t length) {
  while (length) {
    ssize_t n = write(console_out, p, length);
    if (n > 0) {
      p += n;
      length -= (size_t)n;
    } else if (n < 0 && errno != EINTR && errno != EAGAIN) {
      return; /* it is sent again */
    } else {
      sleep_ms(1);
    }
  }
}

/* In one write that waits for room: what other programs print comes before or after it. One that did not wait would
 * be cut wherever the port's buffer is full. */
static void put_packet(char type, uint16_t number, const uint8_t* data, size_t length) {
  char text[WIRE_LINE];
  int n = snprintf(text, sizeof text, "%cK%c%04x", WIRE_MARK, type, number);
  n += (int)encode(data, length, text + n);
  n += snprintf(text + n, sizeof text - (size_t)n, "*%08x\n", crc32_of(text + 2, (size_t)n - 2));
  write_all(text, (size_t)n);
}

static void put_window(void) {
  for (uint16_t i = first; i != next_; ++i) {
    const struct packet* p = &window[i % WIRE_WINDOW];
    put_packet('D', i, p->data, p->length);
  }
  sent_at = now_ns();
}

static void take_packet(void) {
  uint8_t data[WIRE_DATA];
  char* end;
  if (line_length < 15 || line[0] != 'K' || line[line_length - 9] != '*') return;
  line[line_length] = 0;
  size_t body = line_length - 10;
  if (strtoul(line + line_length - 8, &end, 16) != crc32_of(line + 1, body) || *end) return;
  char number[5] = {line[2], line[3], line[4], line[5], 0};
  uint16_t value = (uint16_t)strtoul(number, &end, 16);
  if (*end) return;
  met = true;
  if (line[1] == 'A') {
    /* Of those under way only. */
    if (value != first && (uint16_t)(value - first) <= (uint16_t)(next_ - first)) {
      first = value;
      sent_at = now_ns();
    } else if (value == first && first != next_ && now_ns() - sent_at >= WIRE_REPEAT_MS * 1000000ull) {
      put_window();
    }
    return;
  }
  if (line[1] != 'D') return;
  int n = decode(line + 6, body - 5, data);
  if (n < 0) return;
  if (value == awaited && pending_length + (size_t)n <= PENDING) {
    memcpy(pending + pending_length, data, (size_t)n);
    pending_length += (size_t)n;
    ++awaited;
  }
  put_packet('A', awaited, NULL, 0);
}

static bool read_console(void) {
  char bytes[512];
  ssize_t n = read(console, bytes, sizeof bytes);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return false;
  for (ssize_t i = 0; i < n; ++i) {
    if (bytes[i] == WIRE_MARK) {
      in_line = true;
      line_length = 0;
    } else if (in_line && (bytes[i] == '\n' || bytes[i] == '\r')) {
      in_line = false;
      take_packet();
    } else if (in_line) {
      if (line_length == sizeof line - 1)
        in_line = false;
      else
        line[line_length++] = bytes[i];
    }
  }
  return true;
}

/* Until the agent has gone. */
static void carry(void) {
  for (;;) {
    bool room = (uint16_t)(next_ - first) < WIRE_WINDOW;
    struct pollfd fds[3] = {{console, POLLIN, 0},
                            {room ? from_agent : -1, POLLIN, 0},
                            {pending_length ? to_agent : -1, POLLOUT, 0}};
    if (poll(fds, 3, first == next_ ? -1 : 50) < 0 && errno != EINTR) return;
    if (fds[0].revents && !read_console()) return;
    if (pending_length) {
      ssize_t n = write(to_agent, pending, pending_length);
      if (n < 0 && errno != EAGAIN && errno != EINTR) return;
      if (n > 0) {
        pending_length -= (size_t)n;
        memmove(pending, pending + n, pending_length);
      }
    }
    if (room && fds[1].revents) {
      struct packet* p = &window[next_ % WIRE_WINDOW];
      ssize_t n = read(from_agent, p->data, sizeof p->data);
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return;
      if (n > 0) {
        p->length = (size_t)n;
        if (first == next_) sent_at = now_ns();
        put_packet('D', next_++, p->data, p->length);
      }
    }
    if (first != next_ && now_ns() - sent_at > WIRE_RESEND_MS * 1000000ull) put_window();
  }
}

static bool meet(unsigned limit_ms) {
  uint64_t start = now_ns(), asked = 0;
  met = in_line = false; /* of an earlier meeting */
  while (!met && (now_ns() - start) / 1000000 < limit_ms) {
    if (!asked || now_ns() - asked > WIRE_RESEND_MS * 1000000ull) {
      asked = now_ns();
      put_packet('H', 0, NULL, 0);
    }
    struct pollfd fd = {console, POLLIN, 0};
    if (poll(&fd, 1, 50) > 0 && !read_console()) return false;
  }
  return met;
}

static void nonblocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

int console_open(const char* device, unsigned limit_ms, int* out) {
  struct termios t, before;
  int in_pipe[2], out_pipe[2];
  console = open(device, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (console < 0) return -1;
  if (tcgetattr(console, &before)) {
    close(console);
    return -1;
  }
  console_out = open(device, O_WRONLY | O_NOCTTY | O_CLOEXEC);
  if (console_out < 0) {
    close(console);
    return -1;
  }
  t = before;
  cfmakeraw(&t);
  t.c_cflag |= CREAD | CLOCAL;
  tcsetattr(console, TCSANOW, &t);
  nonblocking(console);
  if (!meet(limit_ms) || pipe(in_pipe)) {
    tcsetattr(console, TCSANOW, &before);
    close(console);
    close(console_out);
    return -1;
  }
  pid_t pid = -1;
  if (pipe(out_pipe) == 0) {
    pid = fork();
    if (pid == 0) {
      close(in_pipe[0]);
      close(out_pipe[1]);
      to_agent = in_pipe[1];
      from_agent = out_pipe[0];
      nonblocking(to_agent);
      nonblocking(from_agent);
      carry();
      _exit(0);
    }
    close(out_pipe[0]);
    if (pid < 0) close(out_pipe[1]);
  }
  close(in_pipe[1]);
  close(console);
  close(console_out);
  if (pid < 0) {
    close(in_pipe[0]);
    return -1;
  }
  for (int i = 0; i < 2; ++i) {
    int fd = i ? out_pipe[1] : in_pipe[0];
    nonblocking(fd);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  session_window = CONSOLE_WINDOW;
  *out = out_pipe[1];
  return in_pipe[0];
}
