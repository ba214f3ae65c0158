#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "packets.h"

_Noreturn void fail(const char* what) { complain("%s: %s", what, strerror(errno)); }

_Noreturn void complain(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fflush(stdout);
  fprintf(stderr, "packets: ");
  vfprintf(stderr, format, arguments);
  fprintf(stderr, "\n");
  va_end(arguments);
  exit(1);
}

const char* word(char** arguments, const char* key, const char* otherwise) {
  const size_t length = strlen(key);
  for (; *arguments; ++arguments) {
    if (strncmp(*arguments, key, length) == 0 && (*arguments)[length] == '=')
      return *arguments + length + 1;
  }
  return otherwise;
}

long number(char** arguments, const char* key, long otherwise) {
  const char* text = word(arguments, key, NULL);
  if (!text) return otherwise;
  char* end = NULL;
  const long value = strtol(text, &end, 0);
  if (end == text || *end || value < 0 || value > INT_MAX)
    complain("%s=%s: expected a number", key, text);
  return value;
}

void parse_address(const char* text, uint8_t* address) {
  char rest = 0;
  if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx%c", &address[0], &address[1], &address[2],
             &address[3], &address[4], &address[5], &rest) < 6 ||
      (rest && rest != ',')) {
    complain("%s: expected a MAC address", text);
  }
}

bool parse_tags(const char* text, struct layout* layout) {
  layout->tags = 0;
  while (text && *text && *text != '-') {
    unsigned type = 0, vid = 0, priority = 0;
    int used = 0;
    if (layout->tags == kMostTags || sscanf(text, "%x:%u%n", &type, &vid, &used) < 2 ||
        type > 0xffff || vid > 4095) {
      return false;
    }
    text += used;
    if (*text == '.' && (sscanf(text, ".%u%n", &priority, &used) < 1 || priority > 7)) return false;
    if (*text == '.') text += used;
    if (*text && *text++ != '/') return false;
    layout->tag[layout->tags].type = (uint16_t)type;
    layout->tag[layout->tags++].tci = (uint16_t)(priority << 13 | vid);
  }
  return true;
}

const char* show_tags(const struct layout* layout) {
  static char text[kMostTags * 16 + 1];
  size_t at = 0;
  for (unsigned i = 0; i < layout->tags; ++i) {
    const struct tag* tag = &layout->tag[i];
    at += (size_t)snprintf(text + at, sizeof text - at, "%s%04x:%u", i ? "/" : "", tag->type,
                           tag->tci & 0xfffU);
    if (tag->tci >> 13) at += (size_t)snprintf(text + at, sizeof text - at, ".%u", tag->tci >> 13);
  }
  return at ? text : "-";
}

static void put16(uint8_t* to, uint16_t value) {
  to[0] = (uint8_t)(value >> 8);
  to[1] = (uint8_t)value;
}

static uint16_t get16(const uint8_t* from) { return (uint16_t)(from[0] << 8 | from[1]); }

static uint8_t pattern(uint32_t number, size_t at) {
  return (uint8_t)((number * 2654435761U >> 24) + at * 7);
}

void write_frame(const struct layout* layout, uint8_t* frame, size_t bytes) {
  size_t at = 12;
  memcpy(frame, layout->to, 6);
  memcpy(frame + 6, layout->from, 6);
  for (unsigned i = 0; i < layout->tags; ++i, at += kTagBytes) {
    put16(frame + at, layout->tag[i].type);
    put16(frame + at + 2, layout->tag[i].tci);
  }
  put16(frame + at, layout->type);
  const uint32_t number = htonl(layout->number);
  memcpy(frame + at + 2, &number, sizeof number);
  put16(frame + at + 6, (uint16_t)bytes);
  for (size_t i = at + 8; i < bytes; ++i) frame[i] = pattern(layout->number, i - at);
}

bool read_frame(const uint8_t* frame, size_t bytes, const struct tag* aux, struct layout* layout) {
  size_t at = 12;
  layout->tags = 0;
  if (bytes < kHeaderBytes + 6) return false;
  memcpy(layout->to, frame, 6);
  memcpy(layout->from, frame + 6, 6);
  if (aux) layout->tag[layout->tags++] = *aux;
  while (get16(frame + at) == 0x8100 || get16(frame + at) == 0x88a8) {
    if (layout->tags == kMostTags || at + kTagBytes + 8 > bytes) return false;
    layout->tag[layout->tags].type = get16(frame + at);
    layout->tag[layout->tags++].tci = get16(frame + at + 2);
    at += kTagBytes;
  }
  layout->type = get16(frame + at);
  uint32_t number = 0;
  memcpy(&number, frame + at + 2, sizeof number);
  layout->number = ntohl(number);
  return layout->type == kTestType || layout->type == kEchoType;
}

bool intact(const struct layout* layout, const uint8_t* frame, size_t bytes,
            const struct tag* aux) {
  const size_t at = 12 + (layout->tags - (aux ? 1 : 0)) * kTagBytes;
  if (at + 8 > bytes) return false;
  // The length that was sent. The wire pads; and a tag has come off on the way, unless it had come
  // on there, too.
  size_t end = get16(frame + at + 6);
  if (aux && end > bytes) end -= kTagBytes;
  if (end > bytes || (bytes > end && bytes > 60)) return false;
  for (size_t i = at + 8; i < end; ++i) {
    if (frame[i] != pattern(layout->number, i - at)) return false;
  }
  return true;
}

int packet_socket(const char* interface, uint16_t type) {
  const int fd = socket(AF_PACKET, SOCK_RAW, 0);
  if (fd < 0) fail("socket(AF_PACKET)");
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(type)};
  address.sll_ifindex = (int)if_nametoindex(interface);
  if (!address.sll_ifindex) fail(interface);
  const int size = 32 << 20;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)) fail("SO_RCVBUFFORCE");
  if (bind(fd, (struct sockaddr*)&address, sizeof address)) fail("bind");
  return fd;
}

void expect_no_drops(int socket) {
  struct tpacket_stats_v3 stats = {0};
  socklen_t length = sizeof stats;
  if (getsockopt(socket, SOL_PACKET, PACKET_STATISTICS, &stats, &length)) fail("PACKET_STATISTICS");
  if (stats.tp_drops) complain("the socket's buffer had no room for %u frames", stats.tp_drops);
}

void make_promiscuous(int socket, const char* interface) {
  struct packet_mreq request = {.mr_type = PACKET_MR_PROMISC};
  request.mr_ifindex = (int)if_nametoindex(interface);
  if (setsockopt(socket, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof request))
    fail("PACKET_ADD_MEMBERSHIP");
}

void own_address(const char* interface, uint8_t* address) {
  struct ifreq request = {0};
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
  if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request)) fail(interface);
  memcpy(address, request.ifr_hwaddr.sa_data, 6);
  close(fd);
}

int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

bool exists(const char* path) { return path && access(path, F_OK) == 0; }
