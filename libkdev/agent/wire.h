/* The agent channel's bytes on a console, where kernel and programs print between them and may cut into a line, and
 * where the line before the agent had the console raw may be echoed.
 *
 * A packet is one line:   RS 'K' type sequence data '*' check LF
 *   RS        0x1e, which no message of a kernel has
 *   type      'H' "somebody there?", from the guest until it is answered; 'D' data; 'A' acknowledgement
 *   sequence  4 hex digits: of D its number, from 0 in each direction, modulo 65536; of A the D that is awaited next
 *   data      base64 (RFC 4648) of at most WIRE_DATA bytes; only D has any
 *   check     8 hex digits: CRC-32 (ISO-HDLC, as zlib's) of all between 'K' and '*'
 *
 * What fails the check is dropped. Only the D that is awaited is taken; each D is answered by an A. Up to WIRE_WINDOW
 * packets may be under way; all of them are sent again (go-back-N) after WIRE_RESEND_MS without an answer, or when an
 * A says what the one before it said and the last sending is WIRE_REPEAT_MS old. The host answers H with A 0: both sides begin anew. While the kernel reports a crash or its debugger has the console the
 * host is silent. */
#ifndef KDEV_AGENT_WIRE_H
#define KDEV_AGENT_WIRE_H
#define WIRE_MARK 0x1e
#define WIRE_DATA 192
#define WIRE_LINE 288     /* no packet is longer */
#define WIRE_WINDOW 4     /* a console's input queue may hold no more than 1,920 bytes */
#define WIRE_RESEND_MS 200
#define WIRE_REPEAT_MS 20
#endif
