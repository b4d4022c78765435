/* The agent channel's protocol, spoken over one virtio-serial port named KDEV_PORT_NAME, in both directions.
 *
 * A frame is a header of 16 bytes and `length` bytes of payload. All numbers are little-endian. The channel is reliable
 * and ordered, so there is no checksum; a wrong magic means that the other side is not kdev's and ends the session.
 *
 * `id` names a job or a file transfer; the host chooses it (never 0) and every answer carries it. id 0 is the session.
 *
 *   host -> agent                              agent -> host
 *   HELLO  u32 version, u32 flags              HELLO     u32 version, then "key=value\0" texts: release, build_id
 *                                                        (hex, of the running kernel), machine, pid, boot_id, uptime_ns,
 *                                                        window
 *   PING   any bytes                           PONG      the same bytes
 *                                              ACK       u32 bytes taken: only where HELLO says "window="
 *                                              READY     the port is open: such a port may have lost a HELLO
 *   EXEC   struct kdev_exec, strings           STARTED   u32 pid; or ERROR
 *   STDIN  bytes (at most the window)          OUT, ERR  bytes
 *   STDIN_CLOSE                                STDIN_ACK u32 bytes consumed: the window opens by as many
 *   SIGNAL u32 signo, to the process group     EXIT      struct kdev_exit: after the last OUT and ERR
 *   PUT    struct kdev_put, path               DONE or ERROR, after DATA_END
 *   DATA   bytes; DATA_END                     (of a PUT: written to a file beside it, then renamed)
 *   GET    path                                META struct kdev_meta, DATA ..., DATA_END; or ERROR
 *   MKDIR  u32 mode, path (with parents)       DONE or ERROR
 *   LIST   path                                META; DATA of kdev_meta + name + '\0' each; DATA_END; or ERROR
 *   POWER  u32 enum kdev_power                 DONE, then the guest ends
 *                                              ERROR     u32 errno, text
 *
 * Signals are told in Linux's numbers, errno in the guest's own.
 *
 * A process that ends while others still hold its output pipes counts as ended: what the pipes hold then is sent, then
 * EXIT; what comes later is read and thrown away. STDIN, STDIN_CLOSE, SIGNAL, DATA and DATA_END for an id that has ended
 * are ignored: they may have met its end on their way.
 *
 * A PUT to what is there and is no ordinary file (devices, proc, sysfs, debugfs) is written in place; through a symbolic
 * link its target is replaced. A GET of a device or pipe gives what it has at once.
 *
 * A port that drops what it has no room for says in its HELLO how many bytes the host may send ahead ("window=16384"),
 * counted from the end of the host's own HELLO; each ACK lets as many more pass. It sends READY first of all: a HELLO that
 * came before may be gone or have been echoed, so the host skips what is no frame and repeats it.
 *
 * Nothing but HELLO is taken before HELLO. A frame that cannot be (wrong magic, too long, unknown type) ends the session:
 * ERROR with id 0, then everything up to the next HELLO is skipped. A host that follows one that died in mid-frame repeats
 * its HELLO until it is answered. Jobs outlive the session unless the next HELLO says RESET. */
#ifndef KDEV_AGENT_PROTOCOL_H
#define KDEV_AGENT_PROTOCOL_H
#include <stdint.h>

#define KDEV_PORT_NAME "org.kdev.agent.0"
#define KDEV_PROTOCOL_VERSION 1u
#define KDEV_FRAME_MAGIC 0x3156444bu /* "KDV1" */
#define KDEV_MAX_PAYLOAD (1u << 18)
#define KDEV_STDIN_WINDOW (1u << 16)
#define KDEV_HELLO_RESET 1u /* kill every job and forget every transfer first */

enum kdev_frame_type {
  KDEV_HELLO = 1, KDEV_PING, KDEV_PONG, KDEV_ACK, KDEV_READY,
  KDEV_EXEC = 16, KDEV_STARTED, KDEV_STDIN, KDEV_STDIN_CLOSE, KDEV_STDIN_ACK, KDEV_OUT, KDEV_ERR, KDEV_SIGNAL, KDEV_EXIT,
  KDEV_PUT = 32, KDEV_GET, KDEV_META, KDEV_DATA, KDEV_DATA_END, KDEV_MKDIR, KDEV_LIST, KDEV_DONE,
  KDEV_POWER = 48,
  KDEV_ERROR = 64
};
enum kdev_power { KDEV_POWER_OFF = 1, KDEV_POWER_REBOOT, KDEV_POWER_HALT };
enum kdev_exit_kind { KDEV_EXITED = 1, KDEV_SIGNALED };

struct kdev_frame { uint32_t magic, length, type, id; };
/* Followed by NUL-terminated strings: cwd (may be empty), argc arguments, envc "NAME=value" (added to the agent's). */
struct kdev_exec { uint32_t argc, envc, flags, reserved; };
#define KDEV_EXEC_STDIN 1u /* standard input is a pipe fed by STDIN; else /dev/null */
struct kdev_exit { uint32_t kind, value; uint64_t duration_ns; /* from the EXEC frame's arrival to this frame */ };
struct kdev_put { uint32_t mode, reserved; uint64_t size; };
struct kdev_meta { uint32_t mode /* st_mode, with the type */, mtime; uint64_t size; };
#endif
