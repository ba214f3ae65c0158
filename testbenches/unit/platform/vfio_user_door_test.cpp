/// MSI-X through the door for vfio-user: a function with a table, on a bus, and a client beside it.

#include <array>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "e1000tlm/link/host/host_fd.h"
#include "e1000tlm/pci/bus.h"
#include "e1000tlm/plugs/vfio_user/door.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::plugs::vfio_user {
namespace {

using link::UniqueFd;
using pci::BarConfig;

constexpr unsigned kVectors = 12, kMsix = 0x98, kBar = 1, kPm = 0xDC;
constexpr std::uint32_t kTable = 0x100, kPending = 0x800;

pci::FunctionConfig with_msix() {
  pci::FunctionConfig config;
  config.vendor_id = 0x1AF4;
  config.device_id = 0x1041;
  config.bars[kBar] = {BarConfig::Kind::kMemory32, 4096, false};
  config.pm_offset = kPm;
  config.pm_capabilities = 2;
  config.msix = {kMsix, kVectors, {kBar, kTable}, {kBar, kPending}};
  return config;
}

std::string socket_path() {
  return testing::TempDir() + "door" + std::to_string(::getpid()) + ".sock";
}

/// A client whose calls wait for simulated time.
class Client {
 public:
  explicit Client(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    constexpr char kText[] = "{\"capabilities\":{}}";
    Message body{0, 0, 1, 0};
    body.insert(body.end(), kText, kText + sizeof kText);
    EXPECT_EQ(call(Command::kVersion, body), 0);
  }

  /// The error of the answer, whose body is answer() then.
  int call(Command command, const Message& body, const std::vector<int>& fds = {}) {
    Message message(kHeaderBytes);
    store_le16(message.data(), ++id_);
    store_le16(message.data() + 2, static_cast<std::uint16_t>(command));
    store_le32(message.data() + 4, static_cast<std::uint32_t>(kHeaderBytes + body.size()));
    message.insert(message.end(), body.begin(), body.end());
    send(message, fds);
    const Message header = take(kHeaderBytes);
    if (header.empty()) return -1;
    answer_ = take(load_le32(header.data() + 4) - kHeaderBytes);
    return static_cast<int>(load_le32(header.data() + 12));
  }
  std::uint32_t read(std::uint32_t region, std::uint64_t offset, std::uint32_t bytes = 4) {
    EXPECT_EQ(call(Command::kRegionRead, access(region, offset, bytes)), 0);
    std::uint32_t value = 0;
    for (unsigned i = 0; i < bytes; ++i) value |= std::uint32_t{answer_[16 + i]} << (8 * i);
    return value;
  }
  void write(std::uint32_t region, std::uint64_t offset, std::uint32_t value,
             std::uint32_t bytes = 4) {
    Message body = access(region, offset, bytes);
    for (unsigned i = 0; i < bytes; ++i) body.push_back(static_cast<std::uint8_t>(value >> 8 * i));
    EXPECT_EQ(call(Command::kRegionWrite, body), 0);
  }
  /// Flags: data in bits 2:0, action in 5:3.
  int set_irqs(std::uint32_t flags, std::uint32_t start, std::uint32_t count,
               const std::vector<int>& fds = {}) {
    Message body(20);
    store_le32(body.data(), 20);
    store_le32(body.data() + 4, flags);
    store_le32(body.data() + 8, static_cast<std::uint32_t>(Irq::kMsix));
    store_le32(body.data() + 12, start);
    store_le32(body.data() + 16, count);
    return call(Command::kSetIrqs, body, fds);
  }
  const Message& answer() const { return answer_; }

 private:
  static Message access(std::uint32_t region, std::uint64_t offset, std::uint32_t bytes) {
    Message body(16);
    store_le64(body.data(), offset);
    store_le32(body.data() + 8, region);
    store_le32(body.data() + 12, bytes);
    return body;
  }
  void send(const Message& message, const std::vector<int>& fds) {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostDescriptors * sizeof(int))> control{};
    iovec piece{const_cast<std::uint8_t*>(message.data()), message.size()};
    msghdr header{};
    header.msg_iov = &piece;
    header.msg_iovlen = 1;
    if (!fds.empty()) {
      header.msg_control = control.data();
      header.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
      cmsghdr* c = CMSG_FIRSTHDR(&header);
      c->cmsg_level = SOL_SOCKET;
      c->cmsg_type = SCM_RIGHTS;
      c->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
      std::memcpy(CMSG_DATA(c), fds.data(), fds.size() * sizeof(int));
    }
    EXPECT_EQ(::sendmsg(socket_.get(), &header, 0), static_cast<ssize_t>(message.size()));
  }
  Message take(std::size_t bytes) {
    Message data(bytes);
    for (std::size_t done = 0; done < bytes;) {
      for (int i = 0; i < 1000; ++i) {
        pollfd fd{socket_.get(), POLLIN, 0};
        if (::poll(&fd, 1, 0) > 0) break;
        sc_core::wait(to_sc(us(1)));
      }
      const ssize_t part = ::recv(socket_.get(), data.data() + done, bytes - done, MSG_DONTWAIT);
      EXPECT_GT(part, 0) << "no answer";
      if (part <= 0) return {};
      done += static_cast<std::size_t>(part);
    }
    return data;
  }

  UniqueFd socket_;
  std::uint16_t id_ = 0;
  Message answer_;
};

constexpr std::uint32_t kNone = 1, kEventFds = 4, kMaskThem = 8, kUnmaskThem = 16, kTrigger = 32;

struct Rig {
  Rig()
      : function("function", with_msix()),
        bus("bus", pci::BusConfig{}),
        door("door", {socket_path()}, function),
        irq("irq") {
    ::tlm::tlm_global_quantum::instance().set(to_sc(us(10)));
    bus.attach(function, 2);
    function.irq(irq);
    door.port.to_bus.bind(bus.from_host);
    bus.to_host.bind(door.memory.socket);
    for (unsigned i = 0; i < 4; ++i) {
      bus.pirq[i](lines[i]);
      door.pirq[i](lines[i]);
    }
    for (UniqueFd& event : events) event = UniqueFd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  }
  void run(const std::function<void(Client&)>& test) {
    sc_core::sc_spawn([this] {
      for (;;) {
        door.serve();
        sc_core::wait(to_sc(us(1)));
      }
    });
    sc_core::sc_spawn([&] {
      {
        Client client(socket_path());
        test(client);
      }
      sc_core::sc_stop();
    });
    sc_core::sc_start();
  }
  /// As a guest's driver does it, by way of a client such as QEMU.
  void enable(Client& client, std::uint32_t control = 0x8000) {
    client.write(kConfigRegion, pci::cfg::kCommand, pci::command::kMemory | pci::command::kMaster,
                 2);
    client.write(kConfigRegion, kMsix + 2, control, 2);
  }
  std::vector<int> fds(unsigned first, unsigned count) const {
    std::vector<int> result;
    for (unsigned i = first; i < first + count; ++i) result.push_back(events[i].get());
    return result;
  }
  void send(unsigned vector) {
    function.send_message(vector);
    settle();
  }
  static void settle() { sc_core::wait(to_sc(us(2))); }
  /// How often the client was told.
  std::uint64_t signals(unsigned vector) { return take_events(events[vector].get()).value_or(0); }

  pci::Function function;
  pci::Bus bus;
  Door door;
  sc_core::sc_signal<bool> irq;
  std::array<sc_core::sc_signal<bool>, 4> lines;
  std::array<UniqueFd, kVectors> events;
};

TEST(VfioUserMsix, EachVectorSignalsItsEventFd) {
  Rig rig;
  rig.run([&](Client& client) {
    ASSERT_EQ(client.set_irqs(kEventFds | kTrigger, 0, 8, rig.fds(0, 8)), 0);
    ASSERT_EQ(client.set_irqs(kEventFds | kTrigger, 8, 4, rig.fds(8, 4)), 0);
    rig.enable(client);
    for (const unsigned vector : {11U, 0U, 7U, 8U}) {
      rig.send(vector);
      for (unsigned i = 0; i < kVectors; ++i) EXPECT_EQ(rig.signals(i), i == vector ? 1U : 0U) << i;
    }
    EXPECT_EQ(rig.door.counters().msix_signals, 4U);
    EXPECT_EQ(rig.door.counters().msi_signals, 0U);
  });
}

TEST(VfioUserMsix, ItIsDescribed) {
  Rig rig;
  rig.run([&](Client& client) {
    Message body(16);
    store_le32(body.data(), 16);
    store_le32(body.data() + 8, static_cast<std::uint32_t>(Irq::kMsix));
    ASSERT_EQ(client.call(Command::kGetIrqInfo, body), 0);
    EXPECT_EQ(load_le32(client.answer().data() + 4), irq_flag::kEventFd | irq_flag::kMaskable);
    EXPECT_EQ(load_le32(client.answer().data() + 12), kVectors);
    EXPECT_EQ(client.read(kConfigRegion, kMsix), 0x00000011U | (kVectors - 1) << 16 | kPm << 8);
  });
}

/// Eventfds may come before memory accesses are possible, and between the two comes a reset.
TEST(VfioUserMsix, VectorsOpenWhenTheDeviceCanBeReached) {
  Rig rig;
  rig.run([&](Client& client) {
    rig.enable(client);
    ASSERT_EQ(client.set_irqs(kEventFds | kTrigger, 0, 2, rig.fds(0, 2)), 0);
    rig.send(1);
    EXPECT_EQ(rig.signals(1), 1U);
    ASSERT_EQ(client.call(Command::kReset, {}), 0);
    rig.send(1);
    EXPECT_EQ(rig.signals(1), 0U) << "MSI-X is off";
    rig.enable(client);
    rig.send(1);
    EXPECT_EQ(rig.signals(1), 1U);
    client.write(kConfigRegion, kPm + 4, 3, 2);
    client.write(kConfigRegion, kPm + 4, 0, 2);
    rig.enable(client);
    rig.send(0);
    EXPECT_EQ(rig.signals(0), 1U) << "after D3hot";
  });
}

TEST(VfioUserMsix, WithoutAnEventFdMessagesArePending) {
  Rig rig;
  rig.run([&](Client& client) {
    rig.enable(client);
    ASSERT_EQ(client.set_irqs(kEventFds | kTrigger, 0, 1, rig.fds(0, 1)), 0);
    rig.send(0);
    rig.send(3);
    EXPECT_EQ(client.read(kBar, kPending), 1U << 3);
    ASSERT_EQ(client.set_irqs(kEventFds | kTrigger, 3, 1, rig.fds(3, 1)), 0);
    rig.settle();
    EXPECT_EQ(rig.signals(3), 1U);
    EXPECT_EQ(client.read(kBar, kPending), 0U);
    ASSERT_EQ(client.set_irqs(kEventFds | kTrigger, 0, kVectors), 0);  // all go away
    rig.send(0);
    EXPECT_EQ(client.read(kBar, kPending), 1U);
    ASSERT_EQ(client.set_irqs(kNone | kTrigger, 0, 0), 0);
    rig.send(3);
    EXPECT_EQ(client.read(kBar, kPending), 9U);
    EXPECT_EQ(rig.signals(0), 1U) << "of the first one";
    EXPECT_EQ(rig.signals(3), 0U);
  });
}

TEST(VfioUserMsix, TheClientMasksByMessageByTableOrAllTogether) {
  Rig rig;
  rig.run([&](Client& client) {
    rig.enable(client);
    ASSERT_EQ(client.set_irqs(kEventFds | kTrigger, 0, 3, rig.fds(0, 3)), 0);
    ASSERT_EQ(client.set_irqs(kNone | kMaskThem, 1, 1), 0);
    client.write(kBar, kTable + 16 * 2 + 12, 1);
    for (unsigned vector = 0; vector < 3; ++vector) rig.send(vector);
    EXPECT_EQ(rig.signals(0), 1U);
    EXPECT_EQ(client.read(kBar, kPending), 6U);
    ASSERT_EQ(client.set_irqs(kNone | kUnmaskThem, 1, 1), 0);
    client.write(kBar, kTable + 16 * 2 + 12, 0);
    rig.settle();
    EXPECT_EQ(rig.signals(1), 1U);
    EXPECT_EQ(rig.signals(2), 1U);

    client.write(kConfigRegion, kMsix + 2, 0xC000, 2);
    rig.send(2);
    EXPECT_EQ(client.read(kBar, kPending), 4U);
    client.write(kConfigRegion, kMsix + 2, 0x8000, 2);
    rig.settle();
    EXPECT_EQ(rig.signals(2), 1U);
  });
}

/// What a client takes for the device's table is kept, and never reaches the device.
TEST(VfioUserMsix, TheClientsTableIsItsOwn) {
  Rig rig;
  rig.run([&](Client& client) {
    rig.enable(client);
    ASSERT_EQ(client.set_irqs(kEventFds | kTrigger, 1, 1, rig.fds(1, 1)), 0);
    EXPECT_EQ(client.read(kBar, kTable + 16 + 12), 1U) << "as after reset";
    client.write(kBar, kTable + 16, 0x12345678);
    client.write(kBar, kTable + 16 + 8, 0xABCD);
    client.write(kBar, kTable + 16 + 13, 0xFF, 1);
    EXPECT_EQ(client.read(kBar, kTable + 16), 0x12345678U);
    EXPECT_EQ(client.read(kBar, kTable + 16 + 8), 0xABCDU);
    EXPECT_EQ(client.read(kBar, kTable + 16 + 12), 1U);
    rig.send(1);
    EXPECT_EQ(rig.signals(1), 1U);
    EXPECT_EQ(client.read(kBar, kTable + 16 * kVectors), 0U) << "behind it";
    ASSERT_EQ(client.call(Command::kReset, {}), 0);
    rig.enable(client);
    EXPECT_EQ(client.read(kBar, kTable + 16), 0U);
  });
}

TEST(VfioUserMsix, TheLineIsSilentMeanwhile) {
  Rig rig;
  rig.run([&](Client& client) {
    rig.enable(client);
    rig.irq = true;
    rig.settle();
    EXPECT_FALSE(rig.lines[1].read());
    client.write(kConfigRegion, kMsix + 2, 0, 2);
    rig.settle();
    EXPECT_TRUE(rig.lines[1].read());
  });
}

TEST(VfioUserMsix, WhatIsNotThereIsRefusedAndChangesNothing) {
  Rig rig;
  rig.run([&](Client& client) {
    rig.enable(client);
    ASSERT_EQ(client.set_irqs(kEventFds | kTrigger, 0, 2, rig.fds(0, 2)), 0);
    EXPECT_EQ(client.set_irqs(kEventFds | kTrigger, kVectors, 1, rig.fds(0, 1)), EINVAL);
    EXPECT_EQ(client.set_irqs(kEventFds | kTrigger, 1, ~0U), EINVAL);
    EXPECT_EQ(client.set_irqs(kEventFds | kTrigger, 0, 3, rig.fds(0, 2)), EINVAL);
    EXPECT_EQ(client.set_irqs(kEventFds | kMaskThem, 0, 1, rig.fds(0, 1)), EINVAL);
    EXPECT_EQ(client.set_irqs(kEventFds | kTrigger, 0, 2, {rig.events[5].get(), STDERR_FILENO}),
              EINVAL);
    EXPECT_EQ(client.set_irqs(kNone | kMaskThem, 0, kVectors + 1), EINVAL);
    rig.send(0);
    EXPECT_EQ(rig.signals(0), 1U);
    EXPECT_EQ(rig.signals(5), 0U);
    EXPECT_EQ(rig.door.counters().refused, 6U);
  });
}

}  // namespace
}  // namespace e1000tlm::plugs::vfio_user
