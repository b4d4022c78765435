#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

sigset_t normal_mask;

uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void sleep_ms(unsigned ms) {
  struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
  nanosleep(&t, NULL);
}

uint32_t get_u32(const uint8_t* p) {
  uint32_t v;
  memcpy(&v, p, sizeof v);
  return v;
}

const char* get_path(const uint8_t* p, size_t length) {
  static char path[4096];
  if (length && p[length - 1] == 0) --length; /* with or without its NUL */
  if (!length || length >= sizeof path || memchr(p, 0, length)) return NULL;
  memcpy(path, p, length);
  path[length] = 0;
  return path;
}

ssize_t read_small(const char* path, char* buffer, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  size_t have = 0;
  ssize_t n = 0;
  while (have < size - 1 && (n = read(fd, buffer + have, size - 1 - have)) > 0) have += (size_t)n;
  close(fd);
  if (n < 0) return -1;
  buffer[have] = 0;
  if (have && buffer[have - 1] == '\n') buffer[--have] = 0;
  return (ssize_t)have;
}

int write_small(const char* path, const char* text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  ssize_t n = write(fd, text, strlen(text));
  int error = n < 0 ? errno : 0;
  close(fd);
  return -error;
}

void say(const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(text, sizeof text - 1, format, arguments);
  va_end(arguments);
  if (n < 0) return;
  if ((size_t)n > sizeof text - 2) n = sizeof text - 2;
  text[n++] = '\n';
  ssize_t ignored = write(STDERR_FILENO, text, (size_t)n);
  (void)ignored;
}
