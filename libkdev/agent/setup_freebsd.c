/* What is FreeBSD's own: nmount(2), the port's terminal, sysctl(3), reboot(2). */
/* clang-format off */
#include <sys/param.h> /* before others of the system's headers, which use what it defines */
#include <sys/linker.h>
/* clang-format on */
#include <errno.h>
#include <fcntl.h>
#include <kenv.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/in_var.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/uio.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

/* The port's driver, virtio_console(4), never makes the host wait: what the terminal's input queue has no
 * room for is lost. The queue holds a fifth of the speed (sys/kern/tty.c, tty_watermarks), and means nothing
 * else by it: 23040 bytes at the highest that there is. */
enum { PORT_SPEED = 115200, PORT_WINDOW = 16384 };

/* `options`: names and values in turn, NULL at their end. A file system that this kernel does not know is no
 * error. */
static int mount_at(const char* type, const char* dir, int flags, const char* const* options) {
  struct iovec iov[16];
  unsigned n = 0;
  const char* const first[] = {"fstype", type, "fspath", dir};
  for (unsigned i = 0; i < 4; ++i) iov[n++] = (struct iovec){(void*)first[i], strlen(first[i]) + 1};
  for (; options && *options && n < sizeof iov / sizeof *iov; ++options)
    iov[n++] = (struct iovec){(void*)*options, strlen(*options) + 1};
  if (nmount(iov, n, flags) == 0) return 0;
  return -errno;
}

static bool is_mounted(const char* type, const char* dir) {
  struct statfs s;
  return statfs(dir, &s) == 0 && !strcmp(s.f_fstypename, type) && !strcmp(s.f_mntonname, dir);
}

/* The kernel mounts the root read-only unless vfs.root.mountfrom.options says otherwise. What a crash left
 * has to be checked before it is written to: preening is what rc(8) does; a clean one is passed over at once.
 */
static void make_root_writable(void) {
  struct statfs s;
  if (statfs("/", &s) || !(s.f_flags & MNT_RDONLY)) return;
  if (!strcmp(s.f_fstypename, "ufs") && strncmp(s.f_mntfromname, "/dev/md", 7)) {
    const char* program = access("/sbin/fsck_ffs", X_OK) == 0 ? "/sbin/fsck_ffs" : "/rescue/fsck_ffs";
    char* argv[] = {(char*)program, (char*)"-p", s.f_mntfromname, NULL};
    int status;
    if (access(program, X_OK))
      say("kdev-agent: there is no fsck_ffs: %s is not checked", s.f_mntfromname);
    else if ((status = run_and_wait(argv)))
      say("kdev-agent: %s -p %s ended with status 0x%x", program, s.f_mntfromname, (unsigned)status);
  }
  /* What it was mounted with stays otherwise. */
  const char* const options[] = {"from", s.f_mntfromname, "noro", "", NULL};
  int error = mount_at(s.f_fstypename, "/", MNT_UPDATE, options);
  if (error) say("kdev-agent: the root stays read-only: %s", strerror(-error));
}

/* init gets no open files from the kernel. */
static void open_console(void) {
  int fd = open("/dev/console", O_RDWR | O_NOCTTY);
  if (fd < 0) fd = open("/dev/null", O_RDWR);
  for (int i = 0; i < 3 && fd >= 0; ++i)
    if (fd != i) dup2(fd, i);
  if (fd > 2) close(fd);
}

static void loopback_up(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  struct ifaliasreq r;
  memset(&r, 0, sizeof r);
  strcpy(r.ifra_name, "lo0");
  struct sockaddr_in* address = (struct sockaddr_in*)(void*)&r.ifra_addr;
  struct sockaddr_in* mask = (struct sockaddr_in*)(void*)&r.ifra_mask;
  address->sin_len = mask->sin_len = sizeof *address;
  address->sin_family = mask->sin_family = AF_INET;
  address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  mask->sin_addr.s_addr = htonl(0xff000000);
  ioctl(fd, SIOCAIFADDR, &r); /* brings it up as well */
  close(fd);
}

static const char* shell(void) {
  return access("/bin/sh", X_OK) == 0 ? "/bin/sh" : access("/rescue/sh", X_OK) == 0 ? "/rescue/sh" : NULL;
}

/* As init(8): the kernel asks its first process to end the machine (sys/kern/kern_shutdown.c, shutdown_nice).
 */
static void on_power(int signo) {
  setup_power(signo == SIGUSR2 ? KDEV_POWER_OFF : signo == SIGUSR1 ? KDEV_POWER_HALT : KDEV_POWER_REBOOT);
}

void setup_init(void) {
  setsid();
  setlogin("root");
  struct sigaction a;
  memset(&a, 0, sizeof a);
  sigemptyset(&a.sa_mask);
  a.sa_handler = on_power;
  sigaction(SIGUSR2, &a, NULL);
  sigaction(SIGUSR1, &a, NULL);
  sigaction(SIGINT, &a, NULL);

  /* The kernel has put devfs there already when the root has the folder. */
  if (!is_mounted("devfs", "/dev")) {
    mkdir("/dev", 0755);
    mount_at("devfs", "/dev", 0, NULL);
  }
  open_console();
  make_root_writable();
  const char* const tmp[] = {"mode", "1777", NULL};
  mkdir("/tmp", 01777);
  mount_at("tmpfs", "/tmp", MNT_NOSUID, tmp);
  mount_at("fdescfs", "/dev/fd", 0, NULL);
  setenv("PATH", "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/rescue", 1);
  setenv("HOME", "/root", 1);
  setenv("TERM", "dumb", 0);
  char name[MAXHOSTNAMELEN];
  if (kenv(KENV_GET, "kdev.hostname", name, sizeof name) > 0 && *name) sethostname(name, (int)strlen(name));
  loopback_up();
  if (access("/etc/sysctl.conf", F_OK) == 0) { /* as rc(8) does */
    const char* program = access("/sbin/sysctl", X_OK) == 0 ? "/sbin/sysctl" : "/rescue/sysctl";
    char* argv[] = {(char*)program, (char*)"-iqf", (char*)"/etc/sysctl.conf", NULL};
    int status = run_and_wait(argv);
    if (status) say("kdev-agent: sysctl -f /etc/sysctl.conf ended with status 0x%x", (unsigned)status);
  }
  if (access("/etc/kdev/init.sh", F_OK) == 0 && shell()) {
    char* argv[] = {(char*)shell(), (char*)"/etc/kdev/init.sh", NULL};
    int status = run_and_wait(argv);
    if (status) say("kdev-agent: /etc/kdev/init.sh ended with status 0x%x", (unsigned)status);
  }
}

/* The port is a terminal. What the host has said before it is raw here is echoed and may be lost: the host
 * has to wait for READY, or to say it again then. */
int setup_open_port(const char* device) {
  int fd = open(device ? device : "/dev/vtcon/" KDEV_PORT_NAME, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct termios t;
  if (fd < 0 || tcgetattr(fd, &t)) return fd;
  cfmakeraw(&t);
  t.c_cflag |= CREAD | CLOCAL;
  cfsetspeed(&t, PORT_SPEED);
  if (tcsetattr(fd, TCSANOW, &t)) say("kdev-agent: the port does not become raw: %s", strerror(errno));
  tcflush(fd, TCIFLUSH);
  return fd;
}

uint32_t setup_port_window(void) {
  return PORT_WINDOW;
}

void setup_help_port(void) {
  if (geteuid() != 0) return;
  kldload("virtio_pci");
  kldload("virtio_console");
}

void setup_build_id(char* hex, size_t size) {
  if (sysctlbyname("kern.build_id", hex, &size, NULL, 0)) hex[0] = 0;
}

bool setup_fact(unsigned index, const char** key, char* text, size_t size) {
  static const struct {
    const char *key, *name;
  } facts[] = {{"ident", "kern.ident"}, {"bootfile", "kern.bootfile"}};
  if (index >= sizeof facts / sizeof *facts) return false;
  *key = facts[index].key;
  if (sysctlbyname(facts[index].name, text, &size, NULL, 0)) text[0] = 0;
  return true;
}

void setup_boot_id(char* text, size_t size) {
  uint8_t id[16];
  size_t length = sizeof id;
  text[0] = 0;
  if (sysctlbyname("kern.boot_id", id, &length, NULL, 0) || length != sizeof id || size < 37) return;
  for (size_t i = 0, at = 0; i < sizeof id; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text[at++] = '-';
    at += (size_t)snprintf(text + at, size - at, "%02x", id[i]);
  }
}

uint64_t setup_uptime_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_UPTIME, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

pid_t setup_console_shell(void) {
  const char* program = shell();
  if (!program) return -1;
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
  execl(program, "sh", "-i", (char*)NULL);
  _exit(127);
}

/* Those that differ: Linux's number (x86), this system's. */
static const struct {
  int told, own;
} signals[] = {{7, SIGBUS},   {10, SIGUSR1}, {12, SIGUSR2}, {17, SIGCHLD}, {18, SIGCONT},
               {19, SIGSTOP}, {20, SIGTSTP}, {23, SIGURG},  {29, SIGIO},   {31, SIGSYS}};

int setup_signal(int signo) {
  for (size_t i = 0; i < sizeof signals / sizeof *signals; ++i)
    if (signals[i].told == signo) return signals[i].own;
  return signo;
}

int setup_signal_told(int own) {
  for (size_t i = 0; i < sizeof signals / sizeof *signals; ++i)
    if (signals[i].own == own) return signals[i].told;
  return own;
}

int setup_power(uint32_t how) {
  struct statfs root;
  /* The kernel waits five seconds for the caches of disks: those of a virtual machine outlive it. */
  int delay = 0;
  sysctlbyname("kern.shutdown.poweroff_delay", NULL, NULL, &delay, sizeof delay);
  sync();
  /* What lies in memory only is not worth the seconds that unmounting it takes. */
  int nosync = statfs("/", &root) == 0 && !strncmp(root.f_mntfromname, "/dev/md", 7) ? RB_NOSYNC : 0;
  reboot(nosync | (how == KDEV_POWER_OFF      ? RB_POWEROFF | RB_HALT
                   : how == KDEV_POWER_REBOOT ? RB_AUTOBOOT
                                              : RB_HALT));
  return errno;
}
