/* The loop: one channel, the jobs, the transfers. */
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "agent.h"

static bool connected;

/* While no host is connected, a port is readable and hung up at once, again and again: it is left out of the
 * poll set, and its SIGIO tells of a host's arrival. Where there is no SIGIO, so does a look every 50 ms. */
static void await_host(int fd, bool wanted) {
#ifdef O_ASYNC
  int flags = fcntl(fd, F_GETFL);
  if (wanted) fcntl(fd, F_SETOWN, getpid());
  fcntl(fd, F_SETFL, wanted ? flags | O_ASYNC : flags & ~O_ASYNC);
#else
  (void)fd, (void)wanted;
#endif
}

static void hang_up(int fd) {
  connected = false;
  session_reset();
  await_host(fd, true);
}

/* Reads all that is there. False: the channel is gone for good. */
static bool read_input(int fd, bool may_return) {
  for (;;) {
    int n = session_read(fd);
    if (n == -2) return false;
    if (n == 0) {
      if (!may_return) return false;
      if (connected) {
        hang_up(fd);
        continue; /* it may have come back before SIGIO was on */
      }
      return true;
    }
    if (!connected) {
      connected = true;
      if (may_return) await_host(fd, false);
    }
    /* A port gives at most one page a call; a shorter read was the last one. */
    if (n == -1 || n % 4096 || session_stalled()) return true;
  }
}

enum port_end port_serve(int in, int out, bool may_return) {
  sigset_t waiting = normal_mask;
  session_reset();
  connected = true;
  if (session_window) frame_send(KDEV_READY, 0, NULL, 0);
  for (bool first = true;; first = false) {
    bool more = false;
    if (child_ended) {
      child_ended = 0;
      jobs_reap();
    }
    if (!first) {
      if (session_stalled()) session_resume();
      jobs_pump();
    }
    if (session_up) more = transfers_pump();
    if (connected && !out_flush(out)) {
      if (!may_return) return PORT_GONE;
      session_reset();
    }
    if (session_power) {
      for (int i = 0; i < 200 && out_pending() && out_flush(out); ++i) sleep_ms(1);
      return PORT_POWER;
    }
    poll_reset();
    short want_input = session_stalled() ? 0 : POLLIN, want_output = out_pending() ? POLLOUT : 0;
    int slot = connected ? poll_add(in, (short)(want_input | (in == out ? want_output : 0))) : -1;
    if (connected && in != out && want_output) poll_add(out, want_output);
    jobs_poll();
    int n = poll_wait(child_ended ? 0 : more && out_wants_data() ? 0 : connected ? -1 : 50, &waiting);
    if (n < 0 && errno != EINTR) sleep_ms(1);
    short events = poll_events(slot);
    /* Input that waits for a host to read its answers hides that the host is gone. */
    if (events & POLLHUP && session_stalled()) {
      if (!may_return) return PORT_GONE;
      hang_up(in);
      continue;
    }
    if (!connected || events & (POLLIN | POLLHUP | POLLERR | POLLNVAL)) {
      if (!read_input(in, may_return)) return PORT_GONE;
    }
  }
}
