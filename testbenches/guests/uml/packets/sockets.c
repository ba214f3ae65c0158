// Many sockets at once: hundreds of connections and of UDP sockets, each with bytes of its own,
// which come back inverted.
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "packets.h"
#include "ports.h"

enum { kMostSockets = 4096, kChunk = 16384, kDatagrams = 10, kPatienceMs = 2000, kTries = 10 };

static void set_limits(void) {
  const struct rlimit files = {2 * kMostSockets, 2 * kMostSockets};
  if (setrlimit(RLIMIT_NOFILE, &files)) fail("RLIMIT_NOFILE");
}

static int make_socket(int type) {
  const int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
  const int size = 8 << 20, on = 1;
  if (fd < 0) fail("socket");
  if (type == SOCK_DGRAM && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
    fail("SO_RCVBUFFORCE");
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return fd;
}

static int serving_socket(int type, int port) {
  const int fd = make_socket(type), on = 1;
  const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (bind(fd, (const struct sockaddr*)&address, sizeof address)) fail("bind");
  if (type == SOCK_STREAM && listen(fd, kMostSockets)) fail("listen");
  if (port == kStampPort && setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on))
    fail("SO_TIMESTAMPNS");
  return fd;
}

// `key`: what epoll_wait() says of it.
static void watch(int poller, int fd, uint32_t key, unsigned events, int operation) {
  struct epoll_event event = {.events = events, .data.u32 = key};
  if (epoll_ctl(poller, operation, fd, &event)) fail("epoll_ctl");
}

static void invert(uint8_t* data, ssize_t bytes) {
  for (ssize_t i = 0; i < bytes; ++i) data[i] = (uint8_t)~data[i];
}

// --- The server
// -------------------------------------------------------------------------------------------------

struct held {
  size_t bytes, sent;
  uint8_t data[kChunk];
};

static struct held* held[2 * kMostSockets];  // by descriptor: what does not go back yet

static void answer_stamp(int fd) {
  union {
    char bytes[256];
    struct cmsghdr aligned;
  } control;
  uint8_t data[64];
  struct sockaddr_in from;
  struct iovec vector = {data, sizeof data};
  struct msghdr message = {.msg_name = &from,
                           .msg_namelen = sizeof from,
                           .msg_iov = &vector,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control};
  const ssize_t bytes = recvmsg(fd, &message, 0);
  for (struct cmsghdr* c = CMSG_FIRSTHDR(&message); bytes >= 8 && c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
    struct timespec stamp;
    memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
    const int64_t ns = stamp.tv_sec * 1000000000LL + stamp.tv_nsec;
    memcpy(data, &ns, sizeof ns);
    sendto(fd, data, (size_t)bytes, 0, (struct sockaddr*)&from, sizeof from);
  }
}

static void answer_datagrams(int fd) {
  static uint8_t data[65536];
  for (;;) {
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    const ssize_t bytes = recvfrom(fd, data, sizeof data, 0, (struct sockaddr*)&from, &length);
    if (bytes < 0) return;
    invert(data, bytes);
    sendto(fd, data, (size_t)bytes, 0, (struct sockaddr*)&from, length);
  }
}

static void drop_connection(int fd) {
  free(held[fd]);
  held[fd] = NULL;
  close(fd);
}

// Takes and gives back as much as goes.
static void answer_connection(int poller, int fd) {
  struct held* it = held[fd];
  for (;;) {
    if (it->sent == it->bytes) {
      const ssize_t bytes = recv(fd, it->data, sizeof it->data, 0);
      if (bytes < 0 && errno == EAGAIN)
        return watch(poller, fd, (uint32_t)fd, EPOLLIN, EPOLL_CTL_MOD);
      if (bytes <= 0) return drop_connection(fd);
      invert(it->data, bytes);
      it->bytes = (size_t)bytes;
      it->sent = 0;
    }
    const ssize_t sent = send(fd, it->data + it->sent, it->bytes - it->sent, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN)
      return watch(poller, fd, (uint32_t)fd, EPOLLOUT, EPOLL_CTL_MOD);
    if (sent < 0) return drop_connection(fd);
    it->sent += (size_t)sent;
  }
}

static void accept_connections(int poller, int listener) {
  for (;;) {
    const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    held[fd] = calloc(1, sizeof *held[fd]);
    if (!held[fd]) fail("memory");
    watch(poller, fd, (uint32_t)fd, EPOLLIN, EPOLL_CTL_ADD);
  }
}

int serve_sockets(char** arguments) {
  const char* until = word(arguments, "until", NULL);
  const int poller = epoll_create1(0);
  set_limits();
  const int tcp = serving_socket(SOCK_STREAM, kEchoPort),
            udp = serving_socket(SOCK_DGRAM, kEchoPort),
            stamp = serving_socket(SOCK_DGRAM, kStampPort);
  watch(poller, tcp, (uint32_t)tcp, EPOLLIN, EPOLL_CTL_ADD);
  watch(poller, udp, (uint32_t)udp, EPOLLIN, EPOLL_CTL_ADD);
  watch(poller, stamp, (uint32_t)stamp, EPOLLIN, EPOLL_CTL_ADD);
  while (!exists(until)) {
    struct epoll_event events[64];
    int count = 0;
    while ((count = epoll_wait(poller, events, 64, 50)) > 0) {
      for (int i = 0; i < count; ++i) {
        const int fd = (int)events[i].data.u32;
        if (fd == tcp) {
          accept_connections(poller, tcp);
        } else if (fd == udp) {
          answer_datagrams(udp);
        } else if (fd == stamp) {
          answer_stamp(stamp);
        } else {
          answer_connection(poller, fd);
        }
      }
    }
  }
  return 0;
}

// --- The client
// -------------------------------------------------------------------------------------------------

struct client {
  int fd;
  bool datagrams, connected, over;
  uint32_t id;
  uint32_t sent, back;  // bytes, or datagrams
  unsigned tries;
  int64_t deadline;
};

struct asking {
  int poller;
  struct sockaddr_in to;
  uint32_t bytes;
  struct client client[kMostSockets];
  unsigned clients, open, over, again, most_open;
  uint64_t total;
};

static uint8_t byte_of(uint32_t id, uint32_t at) {
  return (uint8_t)((id * 40503U + at) * 2654435761U >> 23);
}

static uint32_t datagram_bytes(const struct client* it, uint32_t which) {
  return 8 + (it->id * 31 + which * 97) % 1464;
}

static void send_datagram(struct client* it) {
  uint8_t data[1472];
  const uint32_t bytes = datagram_bytes(it, it->back);
  for (uint32_t i = 0; i < bytes; ++i) data[i] = byte_of(it->id + it->back, i);
  if (send(it->fd, data, bytes, 0) < 0 && errno != EAGAIN && errno != ENOBUFS) fail("send");
  it->deadline = now_ns() + kPatienceMs * 1000000LL;
}

static void finish(struct asking* all, struct client* it) {
  close(it->fd);
  it->over = true;
  ++all->over;
  --all->open;
}

static void go_on_datagrams(struct asking* all, struct client* it) {
  uint8_t data[65536];
  const ssize_t bytes = recv(it->fd, data, sizeof data, 0);
  if (bytes < 0) return;
  invert(data, bytes);
  if (bytes != datagram_bytes(it, it->back)) return;  // a late answer to what was sent twice
  for (uint32_t i = 0; i < bytes; ++i) {
    if (data[i] != byte_of(it->id + it->back, i))
      complain("UDP socket %u: datagram %u is altered", it->id, it->back);
  }
  all->total += (uint64_t)bytes;
  it->tries = 0;
  if (++it->back == kDatagrams) return finish(all, it);
  send_datagram(it);
}

static void go_on_stream(struct asking* all, struct client* it) {
  uint8_t data[kChunk];
  if (!it->connected) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(it->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) complain("connection %u: %s", it->id, strerror(error));
    it->connected = true;
  }
  while (it->sent < all->bytes) {
    uint32_t part = all->bytes - it->sent < kChunk ? all->bytes - it->sent : kChunk;
    for (uint32_t i = 0; i < part; ++i) data[i] = byte_of(it->id, it->sent + i);
    const ssize_t sent = send(it->fd, data, part, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) complain("connection %u: %s", it->id, strerror(errno));
    if (sent <= 0) break;
    it->sent += (uint32_t)sent;
  }
  for (ssize_t bytes; (bytes = recv(it->fd, data, sizeof data, 0)) > 0;
       it->back += (uint32_t)bytes) {
    invert(data, bytes);
    for (uint32_t i = 0; i < bytes; ++i) {
      if (data[i] != byte_of(it->id, it->back + i))
        complain("connection %u: byte %u is altered", it->id, it->back + i);
    }
    all->total += (uint64_t)bytes;
  }
  it->deadline = now_ns() + 30 * 1000000000LL;
  if (it->back == all->bytes) return finish(all, it);
  watch(all->poller, it->fd, it->id - 1, EPOLLIN | (it->sent < all->bytes ? EPOLLOUT : 0U),
        EPOLL_CTL_MOD);
}

static void begin(struct asking* all, bool datagrams) {
  struct client* it = &all->client[all->clients++];
  it->id = all->clients;
  it->datagrams = datagrams;
  it->fd = make_socket(datagrams ? SOCK_DGRAM : SOCK_STREAM);
  it->deadline = now_ns() + 30 * 1000000000LL;
  if (connect(it->fd, (struct sockaddr*)&all->to, sizeof all->to) && errno != EINPROGRESS)
    fail("connect");
  watch(all->poller, it->fd, it->id - 1, datagrams ? EPOLLIN : EPOLLOUT, EPOLL_CTL_ADD);
  if (++all->open > all->most_open) all->most_open = all->open;
  if (datagrams) send_datagram(it);
}

static void look_at_clock(struct asking* all) {
  const int64_t now = now_ns();
  for (unsigned i = 0; i < all->clients; ++i) {
    struct client* it = &all->client[i];
    if (it->over || now < it->deadline) continue;
    if (!it->datagrams || ++it->tries == kTries) {
      complain("%s %u: %u sent, %u back, then nothing", it->datagrams ? "UDP socket" : "connection",
               it->id, it->sent, it->back);
    }
    ++all->again;
    send_datagram(it);
  }
}

int ask_sockets(char** arguments) {
  static struct asking all;
  const long tcp = number(arguments, "tcp", 300), udp = number(arguments, "udp", 300);
  all.poller = epoll_create1(0);
  all.bytes = (uint32_t)number(arguments, "bytes", 20000);
  all.to.sin_family = AF_INET;
  all.to.sin_port = htons(kEchoPort);
  if (inet_pton(AF_INET, arguments[0], &all.to.sin_addr) != 1)
    complain("%s: expected an IPv4 address", arguments[0]);
  if (tcp + udp > kMostSockets) complain("at most %d sockets", kMostSockets);
  set_limits();
  const int64_t start = now_ns();
  for (long i = 0; i < tcp; ++i) begin(&all, false);
  for (long i = 0; i < udp; ++i) begin(&all, true);
  while (all.over < all.clients) {
    struct epoll_event events[64];
    const int count = epoll_wait(all.poller, events, 64, 100);
    for (int i = 0; i < count; ++i) {
      struct client* it = &all.client[events[i].data.u32];
      if (it->over) continue;
      if (it->datagrams) {
        go_on_datagrams(&all, it);
      } else {
        go_on_stream(&all, it);
      }
    }
    look_at_clock(&all);
  }
  printf(
      "%ld connections, %ld UDP sockets, %u at once, %llu bytes back, %u datagrams again, %lld "
      "us\n",
      tcp, udp, all.most_open, (unsigned long long)all.total, all.again,
      (long long)(now_ns() - start) / 1000);
  return 0;
}
