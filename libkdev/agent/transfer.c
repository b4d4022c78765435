/* Files to and from the host, and directory lists. A PUT appears whole or not at all. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"

struct transfer {
  struct transfer* next;
  uint32_t id;
  enum { PUT, GET, LIST } kind;
  int fd;
  DIR* dir;
  int error; /* PUT: the first errno; told after DATA_END */
  unsigned mode;
  uint64_t size, done;
  char path[PATH_MAX];
  char temporary[PATH_MAX]; /* "": written in place (proc, sysfs, devices) */
};

static struct transfer* transfers;

static struct transfer* find(uint32_t id) {
  for (struct transfer* t = transfers; t; t = t->next)
    if (t->id == id) return t;
  return NULL;
}

static struct transfer* add(uint32_t id, int kind, const char* path) {
  if (find(id)) {
    send_error(id, EEXIST, "the id is in use", NULL);
    return NULL;
  }
  struct transfer* t = calloc(1, sizeof *t);
  if (!t) {
    send_error(id, ENOMEM, "transfer", path);
    return NULL;
  }
  t->id = id;
  t->kind = kind;
  t->fd = -1;
  strcpy(t->path, path);
  t->next = transfers;
  transfers = t;
  return t;
}

static void drop(struct transfer* t) {
  for (struct transfer** link = &transfers; *link; link = &(*link)->next) {
    if (*link != t) continue;
    *link = t->next;
    break;
  }
  if (t->dir) {
    closedir(t->dir);
  } else if (t->fd >= 0) {
    close(t->fd);
  }
  if (t->temporary[0]) unlink(t->temporary);
  free(t);
}

void transfers_forget(void) {
  while (transfers) drop(transfers);
}

static struct kdev_meta meta_of(const struct stat* s) {
  return (struct kdev_meta){.mode = s->st_mode, .mtime = (uint32_t)s->st_mtime, .size = (uint64_t)s->st_size};
}

static int put_open(struct transfer* t) {
  char target[PATH_MAX];
  struct stat s;
  bool exists = stat(t->path, &s) == 0;
  if (exists && S_ISDIR(s.st_mode)) return EISDIR;
  /* Through a symbolic link: its target is what gets replaced. */
  if (exists && realpath(t->path, target)) strcpy(t->path, target);
  if (!exists || S_ISREG(s.st_mode)) {
    static unsigned counter;
    int n =
        snprintf(t->temporary, sizeof t->temporary, "%s.kdev-%x-%x", t->path, (unsigned)getpid(), ++counter);
    if (n < 0 || (size_t)n >= sizeof t->temporary) {
      t->temporary[0] = 0;
      return ENAMETOOLONG;
    }
    t->fd = open(t->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (t->fd >= 0) return 0;
    t->temporary[0] = 0;
    if (!exists) return errno;
  }
  /* A device, or a file of proc, sysfs or debugfs, where nothing can be made beside it: written as `echo`
   * would. */
  t->fd = open(t->path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | (S_ISREG(s.st_mode) ? O_TRUNC : 0));
  return t->fd < 0 ? errno : 0;
}

void transfer_put(uint32_t id, const uint8_t* payload, size_t length) {
  struct kdev_put request;
  const char* path =
      length > sizeof request ? get_path(payload + sizeof request, length - sizeof request) : NULL;
  if (!path) return send_error(id, EINVAL, "put: malformed request", NULL);
  memcpy(&request, payload, sizeof request);
  struct transfer* t = add(id, PUT, path);
  if (!t) return;
  t->mode = request.mode & 07777;
  t->size = request.size;
  t->error = put_open(t);
}

void transfer_data(uint32_t id, const uint8_t* payload, size_t length) {
  struct transfer* t = find(id);
  if (!t || t->kind != PUT || t->error) return;
  t->done += length;
  while (length) {
    ssize_t n = write(t->fd, payload, length);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      t->error = n < 0 ? errno : EIO;
      return;
    }
    payload += n;
    length -= (size_t)n;
  }
}

void transfer_data_end(uint32_t id) {
  struct transfer* t = find(id);
  if (!t || t->kind != PUT) return;
  if (!t->error && t->done != t->size) t->error = EMSGSIZE;
  if (!t->error && t->temporary[0]) {
    if (fchmod(t->fd, t->mode)) t->error = errno;
    if (close(t->fd) && !t->error) t->error = errno;
    t->fd = -1;
    if (!t->error && rename(t->temporary, t->path)) t->error = errno;
    if (!t->error) t->temporary[0] = 0;
  }
  if (t->error) {
    send_error(id, t->error, "write", t->path);
  } else {
    frame_send(KDEV_DONE, id, NULL, 0);
  }
  drop(t);
}

void transfer_get(uint32_t id, const char* path) {
  if (!path) return send_error(id, EINVAL, "get: malformed request", NULL);
  struct stat s;
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  int error = fd < 0 || fstat(fd, &s) ? errno : S_ISDIR(s.st_mode) ? EISDIR : 0;
  struct transfer* t = error ? NULL : add(id, GET, path);
  if (!t) {
    if (error) send_error(id, error, "read", path);
    if (fd >= 0) close(fd);
    return;
  }
  t->fd = fd;
  struct kdev_meta meta = meta_of(&s);
  frame_send(KDEV_META, id, &meta, sizeof meta);
}

void transfer_list(uint32_t id, const char* path) {
  if (!path) return send_error(id, EINVAL, "list: malformed request", NULL);
  struct stat s;
  DIR* dir = opendir(path);
  int error = !dir || fstat(dirfd(dir), &s) ? errno : 0;
  struct transfer* t = error ? NULL : add(id, LIST, path);
  if (!t) {
    if (error) send_error(id, error, "list", path);
    if (dir) closedir(dir);
    return;
  }
  t->dir = dir;
  t->fd = dirfd(dir);
  struct kdev_meta meta = meta_of(&s);
  frame_send(KDEV_META, id, &meta, sizeof meta);
}

void transfer_mkdir(uint32_t id, unsigned mode, const char* path) {
  if (!path) return send_error(id, EINVAL, "mkdir: malformed request", NULL);
  char prefix[PATH_MAX];
  struct stat s;
  for (const char* p = path; *p;) {
    p += strspn(p, "/");
    p += strcspn(p, "/");
    size_t n = (size_t)(p - path);
    memcpy(prefix, path, n);
    prefix[n] = 0;
    if (mkdir(prefix, 0777) == 0) {
      /* The agent's umask is not the host's business: parents as usual, the directory itself as asked for. */
      chmod(prefix, p[strspn(p, "/")] ? 0755 : mode & 07777);
      continue;
    }
    int error = errno;
    if (stat(prefix, &s) == 0 && S_ISDIR(s.st_mode)) continue;
    return send_error(id, error == EEXIST ? ENOTDIR : error, "mkdir", prefix);
  }
  frame_send(KDEV_DONE, id, NULL, 0);
}

/* One chunk. True: there is more. */
static bool pump_get(struct transfer* t) {
  uint8_t* p = frame_begin(CHUNK);
  ssize_t n;
  do n = read(t->fd, p, CHUNK);
  while (n < 0 && errno == EINTR);
  if (n > 0) {
    frame_end(KDEV_DATA, t->id, (size_t)n);
    return true;
  }
  /* A pipe or device that has nothing now has given all that there is. */
  if (n < 0 && errno != EAGAIN) {
    send_error(t->id, errno, "read", t->path);
  } else {
    frame_send(KDEV_DATA_END, t->id, NULL, 0);
  }
  return false;
}

static bool pump_list(struct transfer* t) {
  uint8_t* p = frame_begin(CHUNK);
  size_t used = 0;
  bool more = true;
  while (more && used + sizeof(struct kdev_meta) + NAME_MAX + 1 <= CHUNK) {
    errno = 0;
    struct dirent* e = readdir(t->dir);
    struct stat s;
    if (!e) {
      more = false;
    } else if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") &&
               fstatat(t->fd, e->d_name, &s, AT_SYMLINK_NOFOLLOW) == 0) {
      struct kdev_meta meta = meta_of(&s);
      memcpy(p + used, &meta, sizeof meta);
      used += sizeof meta;
      size_t length = strlen(e->d_name) + 1;
      memcpy(p + used, e->d_name, length);
      used += length;
    }
  }
  int error = more ? 0 : errno;
  if (used) frame_end(KDEV_DATA, t->id, used);
  if (more) return true;
  if (error) {
    send_error(t->id, error, "list", t->path);
  } else {
    frame_send(KDEV_DATA_END, t->id, NULL, 0);
  }
  return false;
}

bool transfers_pump(void) {
  bool more = false;
  for (struct transfer* t = transfers; t;) {
    struct transfer* next = t->next;
    if (t->kind != PUT) {
      if (!out_wants_data()) return true;
      if (t->kind == GET ? pump_get(t) : pump_list(t)) {
        more = true;
      } else {
        drop(t);
      }
    }
    t = next;
  }
  return more;
}
