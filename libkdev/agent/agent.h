/* What the agent's files share. One thread, one poll loop; nothing below may block on a job, a transfer or
 * the host. */
#ifndef KDEV_AGENT_H
#define KDEV_AGENT_H
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol.h"

/* outq.c: frames on their way to the host, in one buffer. */
enum { OUT_CAPACITY = 1 << 20, OUT_DATA_LIMIT = 1 << 19, CHUNK = 1 << 16 };
size_t out_free(void);
/* Bulk data (output of jobs, content of files) may only be added while this holds: room stays for answers. */
bool out_wants_data(void);
/* Starts a frame of at most `most` payload bytes and returns where they go; frame_end() fixes its length. */
void* frame_begin(size_t most);
void frame_end(uint32_t type, uint32_t id, size_t length);
void frame_send(uint32_t type, uint32_t id, const void* payload, size_t length);
void send_error(uint32_t id, int error, const char* what, const char* path);
void out_clear(void);
bool out_pending(void);
/* Writes what the channel takes now. False: the channel is gone. */
bool out_flush(int fd);

/* pollset.c: rebuilt before every wait. */
void poll_reset(void);
int poll_add(int fd, short events); /* a slot for poll_events() */
short poll_events(int slot);        /* 0 for slot -1 */
int poll_wait(int timeout_ms, const sigset_t* mask);

/* session.c: bytes from the host to frames to calls. */
extern bool session_up;         /* a HELLO has been answered */
extern bool session_may_power;  /* false: POWER is refused */
extern uint32_t session_power;  /* 0, or the enum kdev_power that was asked for */
extern uint32_t session_window; /* what the host may send ahead; 0: it need not count */
void session_reset(void);
/* Reads and handles what is there. 0: the host is not connected; -1: nothing to read now; -2: broken; else
 * bytes. */
int session_read(int fd);
/* Handles frames that waited for room in the output queue. */
void session_resume(void);
bool session_stalled(void);

/* jobs.c */
extern volatile sig_atomic_t child_ended;
void job_exec(uint32_t id, const uint8_t* payload, size_t length, uint64_t arrival);
void job_stdin(uint32_t id, const uint8_t* payload, size_t length);
void job_stdin_close(uint32_t id);
void job_signal(uint32_t id, int signo);
void jobs_kill_all(void);
void jobs_reap(void);
void jobs_poll(void);
void jobs_pump(void);

/* launch.c */
struct launch {
  const char* cwd;
  char* const* argv;
  char* const* envp;
  int in, out, err;
  const char* failed; /* set on failure: "chdir" or "exec" */
};
/* Starts argv in a session of its own. The pid; or -errno. */
pid_t launch(struct launch* l);
/* Runs a program with the console as its streams and waits for it, reaping whatever else ends: for PID 1. The
 * status of waitpid(), or -1. */
int run_and_wait(char* const argv[]);

/* transfer.c */
void transfer_put(uint32_t id, const uint8_t* payload, size_t length);
void transfer_data(uint32_t id, const uint8_t* payload, size_t length);
void transfer_data_end(uint32_t id);
void transfer_get(uint32_t id, const char* path);
void transfer_list(uint32_t id, const char* path);
void transfer_mkdir(uint32_t id, unsigned mode, const char* path);
void transfers_forget(void);
/* Moves bulk data into the output queue. True: there is more to move as soon as there is room. */
bool transfers_pump(void);

/* console.c */
/* The channel over this console (wire.h), when a host answers there within the time: descriptors to read from and, in *out,
 * to write to; or -1, with the console as it was. */
int console_open(const char* device, unsigned limit_ms, int* out);

/* util.c */
extern sigset_t normal_mask; /* signals as jobs get them */
uint64_t now_ns(void);
void sleep_ms(unsigned ms);
uint32_t get_u32(const uint8_t* p);
/* A NUL-terminated copy (static, overwritten by the next call); NULL when it is empty, too long or holds a
 * NUL. */
const char* get_path(const uint8_t* p, size_t length);
/* The first bytes of a small file, NUL-terminated, without trailing newline; -1 when unreadable. */
ssize_t read_small(const char* path, char* buffer, size_t size);
int write_small(const char* path, const char* text);
void say(const char* format, ...) __attribute__((format(printf, 1, 2))); /* to standard error */

/* setup_OS.c: what differs between guests. */
/* As PID 1: mounts, console, hostname, loopback, the image's own script. */
void setup_init(void);
/* An open, non-blocking descriptor of the agent's port, or -1 when there is none yet. `device`: NULL or its
 * path. */
int setup_open_port(const char* device);
/* How many bytes the host may send ahead of what has been read: beyond them the port loses some. 0: the port
 * makes the host wait by itself. */
uint32_t setup_port_window(void);
/* Called once while the port is missing, for example to load a driver. */
void setup_help_port(void);
/* Hex of the running kernel's GNU build id; "" when unknown. */
void setup_build_id(char* hex, size_t size);
/* What else the guest says of its kernel, one by one; false: no more. "" when unknown. */
bool setup_fact(unsigned index, const char** key, char* text, size_t size);
void setup_boot_id(char* text, size_t size);
uint64_t setup_uptime_ns(void);
/* A shell on the console, for a person whose guest has no port. The pid; or -1 without a shell. */
pid_t setup_console_shell(void);
/* The protocol's signal numbers are Linux's: of this guest's, and back. */
int setup_signal(int signo);
int setup_signal_told(int own);
/* Ends the guest; returns errno on failure. */
int setup_power(uint32_t how);
#endif
