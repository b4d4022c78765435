#ifndef KDEV_AGENT_PORT_H
#define KDEV_AGENT_PORT_H
#include <stdbool.h>

enum port_end { PORT_GONE, PORT_POWER };
/* Serves hosts on an open, non-blocking channel. `may_return`: after a hang-up the same descriptor may get
 * another host (a virtio port); else (a socket) that is the end. */
enum port_end port_serve(int fd, bool may_return);
#endif
