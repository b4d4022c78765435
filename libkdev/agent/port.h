#ifndef KDEV_AGENT_PORT_H
#define KDEV_AGENT_PORT_H
#include <stdbool.h>

enum port_end { PORT_GONE, PORT_POWER };
/* Serves hosts on an open, non-blocking channel: one descriptor, or two. `may_return`: after a hang-up the same descriptor
 * may get another host (a virtio port); else (a socket, pipes) that is the end. */
enum port_end port_serve(int in, int out, bool may_return);
#endif
