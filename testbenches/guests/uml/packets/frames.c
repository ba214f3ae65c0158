// Raw frames over AF_PACKET: sending, counting, echoing.
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "packets.h"

enum { kMostRows = 8192, kMostGroups = 1024 };

struct range {
  long first, last;
};

static struct range range(char** arguments, const char* key, long otherwise) {
  const char* text = word(arguments, key, NULL);
  struct range found = {otherwise, otherwise};
  if (text &&
      (sscanf(text, "%ld-%ld", &found.first, &found.last) != 2 || found.first > found.last)) {
    complain("%s=%s: expected FIRST-LAST", key, text);
  }
  return found;
}

static size_t hex(const char* text, uint8_t* bytes, size_t most) {
  size_t count = 0;
  for (unsigned value = 0; text[0] && text[1] && count < most; text += 2) {
    if (sscanf(text, "%2x", &value) != 1) complain("data=%s: expected hexadecimal digits", text);
    bytes[count++] = (uint8_t)value;
  }
  return count;
}

static void wait_us(long microseconds) {
  const struct timespec gap = {microseconds / 1000000, microseconds % 1000000 * 1000};
  if (microseconds) nanosleep(&gap, NULL);
}

static void transmit(int fd, const uint8_t* frame, size_t bytes) {
  if (send(fd, frame, bytes, 0) != (ssize_t)bytes) fail("send");
}

// One frame after the other: for each count, each size, each VLAN and each address.
int send_frames(char** arguments) {
  const char* interface = arguments[0];
  const int fd = packet_socket(interface, 0);
  struct layout layout = {.type = kTestType};
  uint8_t to[kMostGroups][6], frame[kMostBytes] = {0};
  size_t groups = 0;
  for (const char* text = word(arguments, "to", ""); text; text = strchr(text, ',')) {
    if (groups == kMostGroups) complain("to=: at most %d addresses", kMostGroups);
    parse_address(text + (*text == ','), to[groups++]);
    if (*text == ',') ++text;
  }
  const char* from = word(arguments, "from", NULL);
  if (from) {
    parse_address(from, layout.from);
  } else {
    own_address(interface, layout.from);
  }
  if (!parse_tags(word(arguments, "tags", ""), &layout))
    complain("tags=%s", word(arguments, "tags", ""));
  const struct range sizes = range(arguments, "sizes", number(arguments, "size", 60));
  const struct range vids = range(arguments, "vids", -1);
  if (sizes.first < 30 || sizes.last > kMostBytes) complain("a size is 30 to %d", kMostBytes);
  if (vids.first >= 0 && !layout.tags) parse_tags("8100:0", &layout);
  const long count = number(arguments, "count", 1), gap = number(arguments, "gap", 0);
  uint8_t data[256];
  const size_t data_bytes = hex(word(arguments, "data", ""), data, sizeof data);
  layout.type = (uint16_t)strtoul(word(arguments, "type", "88b5"), NULL, 16);
  for (long i = 0; i < count; ++i) {
    for (long size = sizes.first; size <= sizes.last; ++size) {
      for (long vid = vids.first; vid <= vids.last; ++vid) {
        if (vid >= 0) layout.tag[0].tci = (uint16_t)((layout.tag[0].tci & 0xf000) | vid);
        for (size_t group = 0; group < groups; ++group, ++layout.number) {
          memcpy(layout.to, to[group], 6);
          write_frame(&layout, frame, (size_t)size);
          if (data_bytes) memset(frame + kHeaderBytes, 0, (size_t)size - kHeaderBytes);
          memcpy(frame + kHeaderBytes + layout.tags * kTagBytes, data, data_bytes);
          transmit(fd, frame, (size_t)size);
          wait_us(gap);
        }
      }
    }
  }
  printf("sent %u\n", layout.number);
  return 0;
}

struct row {
  struct layout key;
  unsigned frames, altered;
  uint64_t bytes;
};

static bool same_kind(const struct layout* a, const struct layout* b) {
  return memcmp(a->to, b->to, 6) == 0 && a->tags == b->tags && a->type == b->type &&
         memcmp(a->tag, b->tag, a->tags * sizeof a->tag[0]) == 0;
}

static struct row rows[kMostRows];
static size_t row_count;

static struct row* row_of(const struct layout* layout) {
  for (size_t i = row_count; i-- > 0;) {
    if (same_kind(&rows[i].key, layout)) return &rows[i];
  }
  if (row_count == kMostRows) complain("frames of more than %d kinds", kMostRows);
  rows[row_count].key = *layout;
  return &rows[row_count++];
}

// Receives a frame with the tag that has been taken off it. Negative: there is none.
static ssize_t take(int fd, uint8_t* frame, size_t room, struct tag* aux, bool* tagged,
                    bool* outgoing) {
  union {
    char bytes[256];
    struct cmsghdr aligned;
  } control;
  struct sockaddr_ll from;
  struct iovec vector = {frame, room};
  struct msghdr message = {.msg_name = &from,
                           .msg_namelen = sizeof from,
                           .msg_iov = &vector,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control};
  const ssize_t bytes = recvmsg(fd, &message, MSG_DONTWAIT);
  *tagged = false;
  *outgoing = from.sll_pkttype == PACKET_OUTGOING;
  for (struct cmsghdr* c = CMSG_FIRSTHDR(&message); bytes > 0 && c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA) continue;
    struct tpacket_auxdata data;
    memcpy(&data, CMSG_DATA(c), sizeof data);
    *tagged = data.tp_status & TP_STATUS_VLAN_VALID;
    aux->tci = data.tp_vlan_tci;
    aux->type = data.tp_status & TP_STATUS_VLAN_TPID_VALID ? data.tp_vlan_tpid : 0x8100;
  }
  return bytes;
}

static int listening_socket(const char* interface, uint16_t type) {
  const int fd = packet_socket(interface, type), on = 1;
  if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on)) fail("PACKET_AUXDATA");
  return fd;
}

static void count(const uint8_t* frame, size_t bytes, const struct tag* aux) {
  struct layout layout;
  if (!read_frame(frame, bytes, aux, &layout)) return;
  struct row* row = row_of(&layout);
  ++row->frames;
  row->bytes += bytes + (aux ? kTagBytes : 0);
  if (!intact(&layout, frame, bytes, aux)) ++row->altered;
}

// Prints for each destination and tags how many frames of ours came, their bytes without FCS, and
// how many of them were not as they were sent.
int listen_to_frames(char** arguments) {
  const char *interface = arguments[0], *until = word(arguments, "until", NULL);
  const int fd = listening_socket(interface, ETH_P_ALL);
  const int64_t end = now_ns() + number(arguments, "for", 60000) * 1000000;
  if (number(arguments, "promisc", 0)) make_promiscuous(fd, interface);
  static uint8_t frame[kMostBytes];
  struct tag aux;
  struct pollfd readable = {.fd = fd, .events = POLLIN};
  for (bool last = false;;) {
    bool tagged = false, outgoing = false;
    if (poll(&readable, 1, 20) > 0) {
      const ssize_t bytes = take(fd, frame, sizeof frame, &aux, &tagged, &outgoing);
      if (bytes > 0 && !outgoing) count(frame, (size_t)bytes, tagged ? &aux : NULL);
    } else if (last) {
      break;
    } else {
      last = exists(until) || now_ns() > end;  // and what is on its way
    }
  }
  expect_no_drops(fd);
  for (size_t i = 0; i < row_count; ++i) {
    const uint8_t* to = rows[i].key.to;
    printf("%02x:%02x:%02x:%02x:%02x:%02x %s %u frames %llu bytes %u altered\n", to[0], to[1],
           to[2], to[3], to[4], to[5], show_tags(&rows[i].key), rows[i].frames,
           (unsigned long long)rows[i].bytes, rows[i].altered);
  }
  return 0;
}

// Sends each frame of ours back to whom it came from, as kEchoType.
int echo_frames(char** arguments) {
  const char *interface = arguments[0], *until = word(arguments, "until", NULL);
  const int fd = listening_socket(interface, ETH_P_ALL);
  make_promiscuous(fd, interface);  // whatever the tags
  static uint8_t frame[kMostBytes], answer[kMostBytes];
  struct tag aux;
  struct pollfd readable = {.fd = fd, .events = POLLIN};
  unsigned sent = 0;
  while (!exists(until)) {
    bool tagged = false, outgoing = false;
    struct layout layout;
    while (poll(&readable, 1, 50) > 0) {
      const ssize_t bytes = take(fd, frame, sizeof frame, &aux, &tagged, &outgoing);
      if (bytes <= 0 || outgoing ||
          !read_frame(frame, (size_t)bytes, tagged ? &aux : NULL, &layout))
        continue;
      if (layout.type != kTestType) continue;
      if (!intact(&layout, frame, (size_t)bytes, tagged ? &aux : NULL))
        complain("frame %u is altered", layout.number);
      uint8_t swap[6];
      memcpy(swap, layout.to, 6);
      memcpy(layout.to, layout.from, 6);
      memcpy(layout.from, swap, 6);
      layout.type = kEchoType;
      const size_t whole = (size_t)bytes + (tagged ? kTagBytes : 0);
      write_frame(&layout, answer, whole);
      transmit(fd, answer, whole);
      ++sent;
    }
  }
  expect_no_drops(fd);
  printf("echoed %u\n", sent);
  return 0;
}
