// Time stamps of packets (SO_TIMESTAMPING): those of software must make sense, those of hardware
// must not be pretended, for these cards have none.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "packets.h"
#include "ports.h"

static void interface_request(const char* interface, unsigned long request, void* data,
                              int expected) {
  struct ifreq it = {.ifr_data = data};
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  strncpy(it.ifr_name, interface, IFNAMSIZ - 1);
  const int error = ioctl(fd, request, &it) ? errno : 0;
  if (error != expected) complain("request %#lx of %s: %s", request, interface, strerror(error));
}

// What the driver says of itself.
static void check_offer(const char* interface) {
  struct ethtool_ts_info info = {.cmd = ETHTOOL_GET_TS_INFO};
  interface_request(interface, SIOCETHTOOL, &info, 0);
  const unsigned software =
      SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
  if (info.so_timestamping != software)
    complain("%s offers time stamps %#x", interface, info.so_timestamping);
  if (info.phc_index != -1 || info.tx_types || info.rx_filters)
    complain("%s offers a clock of its own", interface);
  struct hwtstamp_config config = {.tx_type = HWTSTAMP_TX_ON, .rx_filter = HWTSTAMP_FILTER_ALL};
  interface_request(interface, SIOCSHWTSTAMP, &config, EOPNOTSUPP);
  interface_request(interface, SIOCGHWTSTAMP, &config, EOPNOTSUPP);
  printf("%s: transmit, receive by software; no clock in hardware, and no setting of one\n",
         interface);
}

// Receives a message, from the error queue if `flags` say so. The time of its stamp; complains of a
// hardware stamp.
static int64_t stamp_of(int fd, int flags, void* data, size_t room, ssize_t* bytes) {
  union {
    char bytes[512];
    struct cmsghdr aligned;
  } control;
  struct iovec vector = {data, room};
  struct msghdr message = {.msg_iov = &vector,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control};
  struct pollfd wait = {.fd = fd, .events = flags & MSG_ERRQUEUE ? 0 : POLLIN};
  if (poll(&wait, 1, 2000) <= 0)
    complain("no %s within two seconds", flags ? "transmit time stamp" : "answer");
  *bytes = recvmsg(fd, &message, flags);
  if (*bytes < 0) fail("recvmsg");
  for (struct cmsghdr* c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPING) continue;
    struct scm_timestamping stamps;
    memcpy(&stamps, CMSG_DATA(c), sizeof stamps);
    if (stamps.ts[2].tv_sec || stamps.ts[2].tv_nsec)
      complain("a hardware time stamp, from a card that has none");
    if (stamps.ts[0].tv_sec) return stamps.ts[0].tv_sec * 1000000000LL + stamps.ts[0].tv_nsec;
  }
  complain("a message without a software time stamp");
}

int exercise_stamps(char** arguments) {
  check_offer(word(arguments, "interface", "eth0"));
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(kStampPort)};
  if (inet_pton(AF_INET, arguments[0], &to.sin_addr) != 1)
    complain("%s: expected an IPv4 address", arguments[0]);
  const int wanted = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE |
                     SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_TX_HARDWARE |
                     SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE |
                     SOF_TIMESTAMPING_OPT_TSONLY;
  if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &wanted, sizeof wanted)) fail("SO_TIMESTAMPING");
  if (connect(fd, (struct sockaddr*)&to, sizeof to)) fail("connect");
  int64_t least = INT64_MAX, most = 0;
  const long count = number(arguments, "count", 20);
  for (long i = 0; i < count; ++i) {
    const int64_t before = now_ns();
    uint8_t data[64] = {(uint8_t)i};
    int64_t theirs = 0;
    ssize_t bytes = 0;
    if (send(fd, data, sizeof data, 0) != sizeof data) fail("send");
    const int64_t back = stamp_of(fd, 0, data, sizeof data, &bytes);
    const int64_t sent = stamp_of(fd, MSG_ERRQUEUE, data + 8, sizeof data - 8, &bytes);
    memcpy(&theirs, data, sizeof theirs);
    if (before > sent || sent >= theirs || theirs >= back || back > now_ns()) {
      complain("packet %ld: asked at %lld, sent at %lld, there at %lld, back at %lld", i,
               (long long)before, (long long)sent, (long long)theirs, (long long)back);
    }
    // The first one resolves addresses.
    if (i > 0 && theirs - sent < least) least = theirs - sent;
    if (i > 0 && theirs - sent > most) most = theirs - sent;
    const struct timespec gap = {0, 10000000};
    nanosleep(&gap, NULL);
  }
  printf("one way %lld to %lld ns\n", (long long)least, (long long)most);
  return 0;
}
