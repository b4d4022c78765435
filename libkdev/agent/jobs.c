/* Jobs: programs that the host asked for, their three streams, and their end. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

/* A pipe holds at most this unless root raised the limit: what may be left to send when its job has ended. */
enum { PIPE_MOST = 1 << 20 };

struct stream {
  int fd;       /* our end of the pipe; -1: closed */
  int slot;     /* in the poll set */
  bool drained; /* the job has ended, and what the pipe held then has been sent */
  size_t left;  /* the job has ended: at most so much more is its output */
};

struct job {
  struct job* next;
  uint32_t id; /* 0: reported as ended; its pipes are still held by others, and what comes is thrown away */
  pid_t pid;
  uint64_t arrival;
  bool ended;
  int status; /* as waitpid gives it */
  struct stream out, err;
  int in, in_slot; /* -1: closed */
  bool in_closing; /* close it when the buffer is empty */
  uint8_t* buffer; /* standard input that the pipe did not take yet */
  size_t start, held;
};

static struct job* jobs;
volatile sig_atomic_t child_ended;
extern char** environ;

static struct job* find(uint32_t id) {
  for (struct job* j = jobs; j && id; j = j->next)
    if (j->id == id) return j;
  return NULL;
}

static void close_fd(int* fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

static void unlink_job(struct job** link) {
  struct job* j = *link;
  *link = j->next;
  close_fd(&j->in);
  close_fd(&j->out.fd);
  close_fd(&j->err.fd);
  free(j->buffer);
  free(j);
}

/* A pipe whose end `ours` (0 read, 1 write) does not block. */
static int make_pipe(int ends[2], int ours) {
  if (pipe2(ends, O_CLOEXEC) < 0) return -1;
  fcntl(ends[ours], F_SETFL, O_NONBLOCK | (ours ? O_WRONLY : O_RDONLY));
  return 0;
}

/* The agent's environment with the request's variables put over it. The strings are not copied. */
static char** merge_environment(char** added, size_t count) {
  size_t n = 0;
  while (environ[n]) ++n;
  char** merged = malloc((n + count + 1) * sizeof *merged);
  if (!merged) return NULL;
  n = 0;
  for (char** e = environ; *e; ++e) {
    size_t name = strcspn(*e, "=");
    bool replaced = false;
    for (size_t i = 0; i < count && !replaced; ++i) replaced = !strncmp(added[i], *e, name + 1);
    if (!replaced) merged[n++] = *e;
  }
  for (size_t i = 0; i < count; ++i)
    if (strchr(added[i], '=')) merged[n++] = added[i];
  merged[n] = NULL;
  return merged;
}

static void start_job(struct job* j, struct launch* l, bool feed, const char* cwd) {
  int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};
  int failed = make_pipe(out, 0) || make_pipe(err, 0);
  if (!failed && feed) failed = make_pipe(in, 1);
  if (!failed && !feed) failed = (in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0;
  if (failed) {
    send_error(j->id, errno, "prepare the streams of", l->argv[0]);
  } else {
    l->in = in[0];
    l->out = out[1];
    l->err = err[1];
    j->pid = launch(l);
    if (j->pid < 0) send_error(j->id, -j->pid, l->failed, strcmp(l->failed, "chdir") ? l->argv[0] : cwd);
  }
  close_fd(&in[0]);
  close_fd(&out[1]);
  close_fd(&err[1]);
  j->in = in[1];
  j->out.fd = out[0];
  j->err.fd = err[0];
}

void job_exec(uint32_t id, const uint8_t* payload, size_t length, uint64_t arrival) {
  struct kdev_exec request;
  if (length <= sizeof request || payload[length - 1])
    return send_error(id, EINVAL, "exec: malformed request", NULL);
  memcpy(&request, payload, sizeof request);
  if (find(id)) return send_error(id, EEXIST, "exec: the id is in use", NULL);
  char* text = (char*)payload + sizeof request;
  const char* end = (const char*)payload + length;
  /* A string takes a byte at least, so this also bounds the counts before anything is allocated. */
  size_t most = (size_t)(end - text);
  if (!request.argc || request.argc > most || request.envc > most - request.argc)
    return send_error(id, EINVAL, "exec: malformed request", NULL);

  char** strings = malloc((request.argc + request.envc + 2) * sizeof *strings);
  struct job* j = calloc(1, sizeof *j);
  char** env = NULL;
  const char* cwd = text;
  size_t n = 0, total = request.argc + request.envc;
  if (!strings || !j) {
    send_error(id, ENOMEM, "exec", NULL);
    goto fail;
  }
  text += strlen(text) + 1;
  for (; n < total && text < end; text += strlen(text) + 1, ++n) strings[n < request.argc ? n : n + 1] = text;
  if (n < total || text != end || !strings[0][0]) {
    send_error(id, EINVAL, "exec: malformed request", NULL);
    goto fail;
  }
  strings[request.argc] = NULL;
  env = merge_environment(strings + request.argc + 1, request.envc);
  if (!env) {
    send_error(id, ENOMEM, "exec", NULL);
    goto fail;
  }
  *j = (struct job){.id = id, .arrival = arrival, .in = -1, .in_slot = -1};
  j->out = j->err = (struct stream){.fd = -1, .slot = -1};
  struct launch l = {.cwd = cwd, .argv = strings, .envp = env};
  j->pid = -1;
  start_job(j, &l, request.flags & KDEV_EXEC_STDIN, cwd);
  free(strings);
  free(env);
  j->next = jobs;
  jobs = j;
  if (j->pid < 0) return unlink_job(&jobs);
  uint32_t pid = (uint32_t)j->pid;
  frame_send(KDEV_STARTED, id, &pid, sizeof pid);
  return;
fail:
  free(strings);
  free(j);
}

static void acknowledge(struct job* j, size_t bytes) {
  uint32_t n = (uint32_t)bytes;
  if (n) frame_send(KDEV_STDIN_ACK, j->id, &n, sizeof n);
}

/* Gives the pipe what it takes. A job that closed its input has read everything, as far as the host is
 * concerned. */
static void feed(struct job* j) {
  size_t done = 0;
  while (j->held && j->in >= 0) {
    ssize_t n = write(j->in, j->buffer + j->start, j->held);
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) close_fd(&j->in);
    if (n > 0) {
      j->start += (size_t)n;
      j->held -= (size_t)n;
      done += (size_t)n;
    }
  }
  if (j->in < 0) {
    done += j->held;
    j->held = 0;
  }
  if (!j->held) j->start = 0;
  if (!j->held && j->in_closing) close_fd(&j->in);
  acknowledge(j, done);
}

void job_stdin(uint32_t id, const uint8_t* payload, size_t length) {
  struct job* j = find(id);
  if (!j) return; /* it ended while this was on its way */
  if (j->in_closing || j->held + length > KDEV_STDIN_WINDOW)
    return send_error(id, EPROTO, "standard input beyond its window", NULL);
  if (!j->buffer && !(j->buffer = malloc(KDEV_STDIN_WINDOW)))
    return send_error(id, ENOMEM, "standard input", NULL);
  if (j->start + j->held + length > KDEV_STDIN_WINDOW) {
    memmove(j->buffer, j->buffer + j->start, j->held);
    j->start = 0;
  }
  memcpy(j->buffer + j->start + j->held, payload, length);
  j->held += length;
  feed(j);
}

void job_stdin_close(uint32_t id) {
  struct job* j = find(id);
  if (!j) return;
  j->in_closing = true;
  feed(j);
}

void job_signal(uint32_t id, int signo) {
  struct job* j = find(id);
  /* One that has ended may have left a group behind, but its number may soon be another's: the group is not
   * touched. */
  if (j && !j->ended) kill(-j->pid, setup_signal(signo));
}

void jobs_kill_all(void) {
  for (struct job* j = jobs; j; j = j->next) {
    if (!j->ended) kill(-j->pid, SIGKILL);
    j->id = 0;
    close_fd(&j->in);
  }
}

void jobs_reap(void) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    for (struct job* j = jobs; j; j = j->next) {
      if (j->pid != pid || j->ended) continue;
      j->ended = true;
      j->status = status;
      j->out.left = j->err.left = PIPE_MOST;
      break;
    }
  }
}

void jobs_poll(void) {
  for (struct job* j = jobs; j; j = j->next) {
    bool read_now = j->id == 0 || (session_up && out_wants_data());
    j->out.slot = read_now && j->out.fd >= 0 ? poll_add(j->out.fd, POLLIN) : -1;
    j->err.slot = read_now && j->err.fd >= 0 ? poll_add(j->err.fd, POLLIN) : -1;
    j->in_slot = j->held && j->in >= 0 && session_up ? poll_add(j->in, POLLOUT) : -1;
  }
}

/* Reads once, or, when the job has ended, until what its pipe held is gone. */
static void pump(struct job* j, struct stream* s, uint32_t type) {
  static uint8_t waste[CHUNK];
  while (s->fd >= 0 && !s->drained && (j->id == 0 || out_wants_data())) {
    uint8_t* to = j->id ? frame_begin(CHUNK) : waste;
    ssize_t n = read(s->fd, to, CHUNK);
    if (n > 0 && j->id) frame_end(type, j->id, (size_t)n);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) close_fd(&s->fd);
    if (!j->ended || j->id == 0) return;
    if (n > 0) s->left -= (size_t)n < s->left ? (size_t)n : s->left;
    /* A pipe gives all that it holds, up to what was asked for. */
    if (n < CHUNK || !s->left) s->drained = true;
  }
}

static void report_end(struct job* j) {
  struct kdev_exit e = {.kind = WIFSIGNALED(j->status) ? KDEV_SIGNALED : KDEV_EXITED,
                        .value = (uint32_t)(WIFSIGNALED(j->status) ? setup_signal_told(WTERMSIG(j->status))
                                                                   : WEXITSTATUS(j->status)),
                        .duration_ns = now_ns() - j->arrival};
  frame_send(KDEV_EXIT, j->id, &e, sizeof e);
  j->id = 0;
  close_fd(&j->in);
  j->held = 0;
  j->out.drained = j->err.drained = false; /* from now on: read and thrown away */
}

void jobs_pump(void) {
  for (struct job** link = &jobs; *link;) {
    struct job* j = *link;
    if (j->id == 0 || session_up) {
      const short ready = POLLIN | POLLHUP | POLLERR;
      if (j->id && j->ended) {
        pump(j, &j->out, KDEV_OUT);
        pump(j, &j->err, KDEV_ERR);
        bool out_done = j->out.fd < 0 || j->out.drained, err_done = j->err.fd < 0 || j->err.drained;
        if (out_done && err_done) report_end(j);
      } else {
        if (poll_events(j->out.slot) & ready) pump(j, &j->out, KDEV_OUT);
        if (poll_events(j->err.slot) & ready) pump(j, &j->err, KDEV_ERR);
        if (poll_events(j->in_slot)) feed(j);
      }
    }
    j->out.slot = j->err.slot = j->in_slot = -1;
    if (j->id == 0 && j->ended && j->out.fd < 0 && j->err.fd < 0) {
      unlink_job(link);
    } else {
      link = &j->next;
    }
  }
}
