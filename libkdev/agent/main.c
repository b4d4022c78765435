/* kdev's guest agent. As PID 1 of an initramfs it sets the guest up; in any case it serves the host on one
 * channel: the virtio-serial port KDEV_PORT_NAME, or what --fd or --port name. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "port.h"

enum { PORT_LIMIT_MS = 3000, HOST_LIMIT_MS = 7000 };

static void on_child(int signo) {
  (void)signo;
  child_ended = 1;
}

static void on_wakeup(int signo) {
  (void)signo;
}

/* Handlers only run inside ppoll: between two waits nothing is interrupted. A caught signal is the default
 * one again in a job, an ignored one would stay ignored. */
static void set_signals(void) {
  sigset_t block;
  sigemptyset(&block);
  sigaddset(&block, SIGCHLD);
  sigaddset(&block, SIGIO);
  sigprocmask(SIG_BLOCK, &block, &normal_mask);
  sigdelset(&normal_mask, SIGCHLD);
  sigdelset(&normal_mask, SIGIO);
  struct sigaction a;
  memset(&a, 0, sizeof a);
  sigemptyset(&a.sa_mask);
  a.sa_handler = on_child;
  sigaction(SIGCHLD, &a, NULL);
  a.sa_handler = on_wakeup;
  sigaction(SIGIO, &a, NULL);
  sigaction(SIGPIPE, &a, NULL);
}

/* A descriptor, and another to write to where that is not the same: there is no port, but a host at the other
 * end of the console. */
static int wait_for_port(const char* device, int* out) {
  pid_t shell = 0;
  uint64_t start = now_ns();
  bool told = false, helped = false;
  for (;;) {
    int fd = setup_open_port(device);
    if (fd >= 0) return *out = fd;
    uint64_t waited = (now_ns() - start) / 1000000;
    if (waited > 100 && !helped) {
      helped = true;
      setup_help_port();
    }
    if (waited > PORT_LIMIT_MS && !told) {
      told = true;
      say("kdev-agent: no virtio-serial port named " KDEV_PORT_NAME
          " (CONFIG_VIRTIO_CONSOLE and CONFIG_VIRTIO_PCI; -device virtserialport): looking for a host on the "
          "console");
      if (getpid() == 1) {
        /* Elsewhere it is somebody else's. */
        fd = console_open("/dev/console", HOST_LIMIT_MS, out);
        if (fd >= 0) return fd;
        shell = setup_console_shell();
      }
      if (shell > 0) say("kdev-agent: a shell is on the console");
    }
    if (child_ended) {
      child_ended = 0;
      jobs_reap();
    }
    if (told) {
      poll_reset();
      poll_wait(500, &normal_mask);
    } else {
      sleep_ms(waited < 1000 ? 1 : 20);
    }
  }
}

static int usage(void) {
  say("usage: kdev-agent [--fd N | --port DEVICE | --console TERMINAL] [--window BYTES]\n"
      "  --fd N          serve on an open socket, then end\n"
      "  --port DEVICE   serve on this device instead of the virtio port " KDEV_PORT_NAME
      "\n"
      "  --console TERMINAL  serve on one that others print to, then end\n"
      "  --window BYTES  what the host may send ahead, on a port that loses what it has no room for");
  return 2;
}

int main(int argc, char** argv) {
  const char* device = NULL;
  int fd = -1, out = -1;
  bool is_init = getpid() == 1;
  /* The kernel hands what it does not know on its command line to PID 1: not meant for the agent. */
  for (int i = 1; i < argc && !is_init; ++i) {
    if (!strcmp(argv[i], "--fd") && i + 1 < argc) {
      fd = atoi(argv[++i]);
    } else if (!strcmp(argv[i], "--port") && i + 1 < argc) {
      device = argv[++i];
    } else if (!strcmp(argv[i], "--console") && i + 1 < argc) {
      fd = console_open(argv[++i], HOST_LIMIT_MS, &out);
      if (fd < 0) {
        say("kdev-agent: no host answers on %s", argv[i]);
        return 1;
      }
    } else if (!strcmp(argv[i], "--window") && i + 1 < argc) {
      session_window = (uint32_t)atoi(argv[++i]);
    } else {
      return usage();
    }
  }
  if (fd < 0 && !session_window) session_window = setup_port_window();
  set_signals();
  umask(022);
  if (is_init) setup_init();
  if (fd >= 0) {
    session_may_power = false;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
      return usage();
    port_serve(fd, out < 0 ? fd : out, false);
    session_reset();
    jobs_kill_all();
    return 0;
  }
  for (;;) {
    fd = wait_for_port(device, &out);
    enum port_end end = port_serve(fd, out, fd == out);
    if (end == PORT_POWER) {
      int error = setup_power(session_power);
      session_power = 0;
      say("kdev-agent: the guest does not end: %s", strerror(error));
    }
    close(fd);
    if (out != fd) close(out);
    sleep_ms(10);
  }
}
