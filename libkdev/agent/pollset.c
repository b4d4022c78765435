#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "agent.h"

static struct pollfd* set;
static size_t used, room;

void poll_reset(void) {
  used = 0;
}

int poll_add(int fd, short events) {
  if (used == room) {
    size_t more = room ? 2 * room : 32;
    struct pollfd* bigger = realloc(set, more * sizeof *set);
    if (!bigger) return -1; /* not watched this time round */
    set = bigger;
    room = more;
  }
  set[used] = (struct pollfd){.fd = fd, .events = events, .revents = 0};
  return (int)used++;
}

short poll_events(int slot) {
  return slot < 0 ? 0 : set[slot].revents;
}

int poll_wait(int timeout_ms, const sigset_t* mask) {
  struct timespec t = {timeout_ms / 1000, (long)(timeout_ms % 1000) * 1000000};
  int n = ppoll(set, used, timeout_ms < 0 ? NULL : &t, mask);
  if (n < 0) {
    for (size_t i = 0; i < used; ++i) set[i].revents = 0;
  }
  return n;
}
