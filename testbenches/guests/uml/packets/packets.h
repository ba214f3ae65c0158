#pragma once
/// What the parts of the guest's program share. It speaks to the kernel's packet and timestamping
/// interfaces itself.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  kTestType = 0x88b5,  ///< EtherType for experiments: our frames
  kEchoType = 0x88b6,  ///< ditto: frames that echo() has sent back
  kMostTags = 4,       ///< VLAN tags of a frame
  kMostBytes = 9018,   ///< of a frame without FCS
  kHeaderBytes = 14,
  kTagBytes = 4,
};

/// A VLAN tag as it stands in the frame.
struct tag {
  uint16_t type;  ///< TPID: 0x8100, 0x88a8
  uint16_t tci;   ///< priority, DEI, VID
};

/// A frame of ours.
struct layout {
  uint8_t to[6], from[6];
  unsigned tags;
  struct tag tag[kMostTags];
  uint16_t type;
  uint32_t number;  ///< begins the payload; the rest follows from it
};

/// Ends the program: what failed, and errno's text.
_Noreturn void fail(const char* what);
/// Ends the program: printf.
_Noreturn void complain(const char* format, ...) __attribute__((format(printf, 1, 2)));

/// The value of "key=value" among the arguments, or `otherwise`.
const char* word(char** arguments, const char* key, const char* otherwise);
/// Ditto, a number, decimal or 0x...; complains of what is none.
long number(char** arguments, const char* key, long otherwise);
/// "52:54:00:12:34:56" to bytes; complains.
void parse_address(const char* text, uint8_t* address);
/// "8100:5.3/88a8:7": TPID and VID, with a priority after a dot; false if it is none.
bool parse_tags(const char* text, struct layout* layout);
/// The other way round; "-" for none.
const char* show_tags(const struct layout* layout);

/// Writes a frame of `bytes` bytes (at least what its headers and number take).
void write_frame(const struct layout* layout, uint8_t* frame, size_t bytes);
/// Reads a frame, with `aux` as the tag that the kernel has taken off before (or NULL). False: it
/// is none of ours
/// (`types`: first of two EtherTypes that count).
bool read_frame(const uint8_t* frame, size_t bytes, const struct tag* aux, struct layout* layout);
/// Its payload is what write_frame() would write.
bool intact(const struct layout* layout, const uint8_t* frame, size_t bytes, const struct tag* aux);

/// An AF_PACKET socket on an interface. `type` 0: it only sends.
int packet_socket(const char* interface, uint16_t type);
/// What happened to it: complains if the kernel threw frames away.
void expect_no_drops(int socket);
/// Puts the interface into promiscuous mode as long as the socket is open.
void make_promiscuous(int socket, const char* interface);
/// The interface's own address.
void own_address(const char* interface, uint8_t* address);
/// Simulated time in ns.
int64_t now_ns(void);
/// The file has come into being.
bool exists(const char* path);

/// The parts; each has the words after its name as arguments (interface or address first).
int send_frames(char** arguments);
int listen_to_frames(char** arguments);
int echo_frames(char** arguments);
int exercise_rings(char** arguments);
int exercise_stamps(char** arguments);
int serve_sockets(char** arguments);
int ask_sockets(char** arguments);
