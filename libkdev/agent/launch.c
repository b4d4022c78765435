/* Starting a program with as few system calls as can be: vfork, and errors come back through shared memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

/* All that the child needs, laid out before vfork: it must not allocate. */
struct plan {
  struct launch* l;
  char** candidates; /* full paths to try, NULL-terminated */
  char** script;     /* { "/bin/sh", <candidate>, arguments... }: for a text file without "#!" */
  volatile int error;
  const char* volatile failed;
};

static char** find_candidates(const char* name, char* const* envp) {
  const char* path = "/bin:/usr/bin";
  for (char* const* e = envp; *e; ++e)
    if (!strncmp(*e, "PATH=", 5)) path = *e + 5;
  if (strchr(name, '/')) path = NULL;
  size_t count = 1;
  for (const char* p = path; p && *p; ++p) count += *p == ':';
  size_t length = path ? strlen(path) + count * (strlen(name) + 3) : 0;
  char** list = malloc((count + 1) * sizeof *list + length);
  if (!list) return NULL;
  if (!path) {
    list[0] = (char*)name;
    list[1] = NULL;
    return list;
  }
  char* text = (char*)(list + count + 1);
  size_t n = 0;
  for (const char* p = path;;) {
    size_t piece = strcspn(p, ":");
    list[n++] = text;
    memcpy(text, piece ? p : ".", piece ? piece : 1);
    text += piece ? piece : 1;
    *text++ = '/';
    text = stpcpy(text, name) + 1;
    if (!p[piece]) break;
    p += piece + 1;
  }
  list[n] = NULL;
  return list;
}

static void child(struct plan* p) {
  struct launch* l = p->l;
  setsid();
  dup2(l->in, 0);
  dup2(l->out, 1);
  dup2(l->err, 2);
  if (l->cwd[0] && chdir(l->cwd)) {
    p->error = errno;
    p->failed = "chdir";
    _exit(127);
  }
  sigprocmask(SIG_SETMASK, &normal_mask, NULL);
  int error = ENOENT;
  for (char** c = p->candidates; *c; ++c) {
    execve(*c, l->argv, l->envp);
    if (errno == ENOEXEC) {
      p->script[1] = *c;
      execve(p->script[0], p->script, l->envp);
      errno = ENOEXEC;
    }
    if (errno == EACCES) {
      error = EACCES;
    } else if (errno != ENOENT && errno != ENOTDIR) {
      error = errno;
      break;
    }
  }
  p->error = error;
  p->failed = "exec";
  _exit(127);
}

static __attribute__((noinline)) pid_t start(struct plan* p) {
  pid_t pid = vfork();
  if (pid == 0) child(p);
  return pid;
}

pid_t launch(struct launch* l) {
  size_t argc = 0;
  while (l->argv[argc]) ++argc;
  struct plan p = {.l = l};
  p.candidates = find_candidates(l->argv[0], l->envp);
  p.script = malloc((argc + 3) * sizeof *p.script);
  pid_t pid = -ENOMEM;
  l->failed = "start";
  if (p.candidates && p.script) {
    p.script[0] = (char*)"/bin/sh";
    memcpy(p.script + 2, l->argv + 1, argc * sizeof *p.script); /* with the NULL */
    pid = start(&p);
    if (pid < 0) {
      pid = -errno;
    } else if (p.error) {
      pid = -p.error; /* the dead child is reaped as an orphan is */
      l->failed = p.failed;
    }
  }
  free(p.candidates);
  free(p.script);
  return pid;
}

int run_and_wait(char* const argv[]) {
  pid_t pid = fork();
  if (pid == 0) {
    setsid();
    sigprocmask(SIG_SETMASK, &normal_mask, NULL);
    execv(argv[0], argv);
    _exit(127);
  }
  int status = -1;
  for (pid_t ended = 0; pid > 0 && ended != pid;) {
    ended = waitpid(-1, &status, 0);
    if (ended < 0 && errno != EINTR) return -1;
  }
  return status;
}
