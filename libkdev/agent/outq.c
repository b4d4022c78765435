#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"

static uint8_t queue[OUT_CAPACITY];
static size_t head, tail;

size_t out_free(void) {
  return OUT_CAPACITY - (tail - head);
}
bool out_wants_data(void) {
  return tail - head < OUT_DATA_LIMIT;
}
bool out_pending(void) {
  return head != tail;
}
void out_clear(void) {
  head = tail = 0;
}

void* frame_begin(size_t most) {
  most += sizeof(struct kdev_frame);
  if (tail + most > OUT_CAPACITY) {
    memmove(queue, queue + head, tail - head);
    tail -= head;
    head = 0;
  }
  /* Callers keep to the limits above, so this is a bug; the session is lost, the guest is not. */
  if (tail + most > OUT_CAPACITY) {
    say("kdev-agent: output queue overrun");
    out_clear();
    session_up = false;
  }
  return queue + tail + sizeof(struct kdev_frame);
}

void frame_end(uint32_t type, uint32_t id, size_t length) {
  struct kdev_frame h = {KDEV_FRAME_MAGIC, (uint32_t)length, type, id};
  memcpy(queue + tail, &h, sizeof h);
  tail += sizeof h + length;
}

void frame_send(uint32_t type, uint32_t id, const void* payload, size_t length) {
  void* p = frame_begin(length);
  if (length) memcpy(p, payload, length);
  frame_end(type, id, length);
}

void send_error(uint32_t id, int error, const char* what, const char* path) {
  uint8_t* p = frame_begin(1024);
  uint32_t number = (uint32_t)error;
  memcpy(p, &number, 4);
  int n = snprintf((char*)p + 4, 1020, "%s%s%.600s: %s", what, path ? " " : "", path ? path : "",
                   strerror(error));
  frame_end(KDEV_ERROR, id, 4 + (n < 0 ? 0 : n > 1019 ? 1019 : (size_t)n));
}

bool out_flush(int fd) {
  while (head != tail) {
    ssize_t n = write(fd, queue + head, tail - head);
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN;
    }
    if (n == 0) return true;
    head += (size_t)n;
  }
  head = tail = 0;
  return true;
}
