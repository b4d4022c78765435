/* What is Linux's own: mounts, the port's place in sysfs, build id, reboot(2). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

static char cmdline[4096];

/* A file system that this kernel does not know is no error. */
static int mount_at(const char* type, const char* dir, unsigned long flags, const char* data) {
  if (mount(type, dir, type, flags, data) == 0 || errno == EBUSY) return 0;
  if (errno != ENOENT) return -errno;
  if (mkdir(dir, 0755) < 0) return -errno;
  return mount(type, dir, type, flags, data) < 0 ? -errno : 0;
}

static void make_devices(void) {
  static const struct {
    const char* path;
    unsigned mode, major, minor;
  } devices[] = {
      {"/dev/console", 0600, 5, 1}, {"/dev/null", 0666, 1, 3},   {"/dev/zero", 0666, 1, 5},
      {"/dev/full", 0666, 1, 7},    {"/dev/random", 0666, 1, 8}, {"/dev/urandom", 0666, 1, 9},
      {"/dev/kmsg", 0644, 1, 11},   {"/dev/tty", 0666, 5, 0},    {"/dev/ttyS0", 0600, 4, 64},
  };
  mkdir("/dev", 0755);
  for (size_t i = 0; i < sizeof devices / sizeof *devices; ++i)
    if (mknod(devices[i].path, S_IFCHR | devices[i].mode, makedev(devices[i].major, devices[i].minor)) == 0)
      chmod(devices[i].path, devices[i].mode);
}

static void open_console(void) {
  struct stat s;
  if (fstat(2, &s) == 0) return; /* the kernel found /dev/console in the image */
  int fd = open("/dev/console", O_RDWR | O_NOCTTY);
  if (fd < 0) fd = open("/dev/null", O_RDWR);
  for (int i = 0; i < 3 && fd >= 0; ++i)
    if (fd != i) dup2(fd, i);
  if (fd > 2) close(fd);
}

/* The value of NAME=VALUE on the kernel's command line, in a static buffer; NULL when absent. */
static const char* option(const char* name) {
  static char value[256];
  size_t length = strlen(name);
  for (const char* p = cmdline; *p;) {
    p += strspn(p, " ");
    size_t n = strcspn(p, " ");
    if (n > length && !strncmp(p, name, length) && p[length] == '=') {
      size_t v = n - length - 1;
      if (v >= sizeof value) v = sizeof value - 1;
      memcpy(value, p + length + 1, v);
      value[v] = 0;
      return value;
    }
    p += n;
  }
  return NULL;
}

static void loopback_up(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  struct ifreq r;
  memset(&r, 0, sizeof r);
  strcpy(r.ifr_name, "lo");
  r.ifr_flags = IFF_UP | IFF_RUNNING;
  ioctl(fd, SIOCSIFFLAGS, &r);
  close(fd);
}

void setup_init(void) {
  const unsigned long quiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (mount_at("devtmpfs", "/dev", MS_NOSUID, "mode=0755")) make_devices();
  open_console();
  /* An initramfs on tmpfs has a root that anybody may write to. */
  struct stat root;
  if (stat("/", &root) == 0 && (root.st_mode & 07777) == 01777) chmod("/", 0755);
  mount_at("proc", "/proc", quiet, NULL);
  mount_at("sysfs", "/sys", quiet, NULL);
  mount_at("tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=0755");
  mount_at("tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=1777");
  mount_at("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=620,ptmxmode=666");
  mount_at("tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777");
  mount_at("debugfs", "/sys/kernel/debug", quiet, NULL);
  mount_at("tracefs", "/sys/kernel/tracing", quiet, NULL);
  int linked = symlink("/proc/self/fd", "/dev/fd") | symlink("/proc/self/fd/0", "/dev/stdin") |
               symlink("/proc/self/fd/1", "/dev/stdout") | symlink("/proc/self/fd/2", "/dev/stderr");
  (void)linked;
  read_small("/proc/cmdline", cmdline, sizeof cmdline);

  setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
  setenv("HOME", "/root", 1);
  setenv("TERM", "linux", 0);
  const char* printk = option("kdev.printk");
  if (!printk || *printk) write_small("/proc/sys/kernel/printk", printk ? printk : "8");
  const char* name = option("kdev.hostname");
  if (name && *name) {
    int ignored = sethostname(name, strlen(name));
    (void)ignored;
  }
  loopback_up();
  if (access("/etc/kdev/init.sh", F_OK) == 0) {
    char* argv[] = {(char*)"/bin/sh", (char*)"/etc/kdev/init.sh", NULL};
    int status = run_and_wait(argv);
    if (status) say("kdev-agent: /etc/kdev/init.sh ended with status 0x%x", (unsigned)status);
  }
}

static int open_device(const char* path) {
  return open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Where there is no devtmpfs, nobody has made the node. */
static int open_port_named(const char* port) {
  char path[300], number[32];
  unsigned major, minor;
  snprintf(path, sizeof path, "/dev/%s", port);
  int fd = open_device(path);
  if (fd >= 0 || errno != ENOENT) return fd;
  snprintf(path, sizeof path, "/sys/class/virtio-ports/%s/dev", port);
  if (read_small(path, number, sizeof number) < 0 || sscanf(number, "%u:%u", &major, &minor) != 2) return -1;
  snprintf(path, sizeof path, "/dev/%s", port);
  mknod(path, S_IFCHR | 0600, makedev(major, minor));
  return open_device(path);
}

int setup_open_port(const char* device) {
  if (device) return open_device(device);
  DIR* dir = opendir("/sys/class/virtio-ports");
  if (!dir) return -1;
  int fd = -1;
  for (struct dirent* e; fd < 0 && (e = readdir(dir));) {
    char path[300], name[128];
    if (e->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "/sys/class/virtio-ports/%s/name", e->d_name);
    if (read_small(path, name, sizeof name) < 0 || strcmp(name, KDEV_PORT_NAME)) continue;
    fd = open_port_named(e->d_name);
  }
  closedir(dir);
  return fd;
}

uint32_t setup_port_window(void) {
  return 0;
}

void setup_help_port(void) {
  struct utsname name;
  char dir[128];
  if (getpid() != 1 || uname(&name) < 0) return;
  snprintf(dir, sizeof dir, "/lib/modules/%s", name.release);
  if (access(dir, F_OK) || access("/sbin/modprobe", X_OK)) return;
  char* pci[] = {(char*)"/sbin/modprobe", (char*)"virtio_pci", NULL};
  char* console[] = {(char*)"/sbin/modprobe", (char*)"virtio_console", NULL};
  run_and_wait(pci);
  run_and_wait(console);
}

void setup_build_id(char* hex, size_t size) {
  uint8_t notes[4096];
  hex[0] = 0;
  int fd = open("/sys/kernel/notes", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t n = read(fd, notes, sizeof notes);
  close(fd);
  /* Elf_Nhdr: n_namesz, n_descsz, n_type, then both padded to 4; type 3 of "GNU" is NT_GNU_BUILD_ID (elf.h).
   */
  for (size_t at = 0; n > 0 && at + 12 <= (size_t)n;) {
    size_t name = get_u32(notes + at), desc = get_u32(notes + at + 4), type = get_u32(notes + at + 8);
    size_t name_at = at + 12;
    if (name > (size_t)n || desc > (size_t)n) return;
    size_t desc_at = name_at + ((name + 3) & ~(size_t)3);
    if (desc_at + desc > (size_t)n) return;
    if (type == 3 && name == 4 && !memcmp(notes + name_at, "GNU", 4)) {
      for (size_t i = 0; i < desc && 2 * i + 2 < size; ++i)
        snprintf(hex + 2 * i, 3, "%02x", notes[desc_at + i]);
      return;
    }
    at = desc_at + ((desc + 3) & ~(size_t)3);
  }
}

bool setup_fact(unsigned index, const char** key, char* text, size_t size) {
  (void)index, (void)key, (void)text, (void)size;
  return false;
}

void setup_boot_id(char* text, size_t size) {
  if (read_small("/proc/sys/kernel/random/boot_id", text, size) < 0) text[0] = 0;
}

uint64_t setup_uptime_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_BOOTTIME, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

pid_t setup_console_shell(void) {
  if (access("/bin/sh", X_OK)) return -1;
  pid_t pid = fork();
  if (pid) return pid;
  setsid();
  int fd = open("/dev/console", O_RDWR);
  if (fd >= 0) {
    ioctl(fd, TIOCSCTTY, 0);
    for (int i = 0; i < 3; ++i) dup2(fd, i);
    if (fd > 2) close(fd);
  }
  sigprocmask(SIG_SETMASK, &normal_mask, NULL);
  execl("/bin/sh", "sh", "-i", (char*)NULL);
  _exit(127);
}

int setup_signal(int signo) {
  return signo;
}

int setup_signal_told(int own) {
  return own;
}

int setup_power(uint32_t how) {
  sync();
  int command = how == KDEV_POWER_OFF      ? RB_POWER_OFF
                : how == KDEV_POWER_REBOOT ? RB_AUTOBOOT
                                           : RB_HALT_SYSTEM;
  reboot(command);
  return errno;
}
