#include "e1000tlm/link/host/tap_partner.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

// After <net/if.h>, which it would otherwise contradict.
#include <cstdlib>
#include <stdexcept>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <linux/if_packet.h>

#include "testbenches/support/sc_test.h"
#include "testbenches/unit/link/host/host_fixture.h"

namespace e1000tlm::link {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::uint16_t kExperimental = 0x88b5, kIpv4 = 0x0800;

TapConfig named(const std::string& ifname, const std::string& control = "/dev/net/tun") {
  TapConfig config;
  config.ifname = ifname;
  config.control = control;
  return config;
}

/// Every test has a network of its own: nothing on the host is touched.
class TapPartnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << "needs /dev/net/tun";
    if (::unshare(CLONE_NEWNET) != 0) {
      GTEST_SKIP() << "needs the right to make a network namespace (root)";
    }
    try {
      open_tap(named("probe0"));
    } catch (const std::runtime_error& error) {
      GTEST_SKIP() << "no tap interfaces here: " << error.what();
    }
  }
};

PartnerSpec spec_for(const std::string& ifname) {
  PartnerSpec spec;
  spec.kind = "tap";
  spec.options = {{"ifname", ifname}};
  return spec;
}

/// The host's own end of the interface.
class PacketSocket {
 public:
  explicit PacketSocket(const std::string& ifname, std::uint16_t type = kExperimental)
      : fd_(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(type))) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(type);
    address.sll_ifindex = static_cast<int>(::if_nametoindex(ifname.c_str()));
    EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  void send(const Octets& frame) const {
    EXPECT_EQ(::send(fd_.get(), frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
  }
  Octets receive() const {
    Octets content(65536);
    const ssize_t size = ::recv(fd_.get(), content.data(), content.size(), MSG_DONTWAIT);
    content.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return content;
  }

 private:
  UniqueFd fd_;
};

short flags_of(const std::string& ifname) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM, 0));
  ifreq request{};
  ifname.copy(request.ifr_name, IFNAMSIZ - 1);
  EXPECT_EQ(::ioctl(socket.get(), SIOCGIFFLAGS, &request), 0);
  return request.ifr_flags;
}

/// A queue of an interface, as another program holds it.
UniqueFd foreign_queue(const std::string& ifname, int flags, bool persistent = false) {
  UniqueFd fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  ifreq request{};
  ifname.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = static_cast<short>(IFF_TAP | flags);
  EXPECT_EQ(::ioctl(fd.get(), TUNSETIFF, &request), 0) << errno;
  EXPECT_EQ(::ioctl(fd.get(), TUNSETPERSIST, persistent ? 1 : 0), 0);
  return fd;
}

/// The partner's frames of our EtherType: a host also sends its own (IPv6 neighbour discovery).
std::vector<Octets> experimental(const std::vector<Octets>& frames) {
  std::vector<Octets> ours;
  std::copy_if(frames.begin(), frames.end(), std::back_inserter(ours), [](const Octets& frame) {
    return frame[12] == kExperimental >> 8 && frame[13] == (kExperimental & 0xff);
  });
  return ours;
}

TEST_F(TapPartnerTest, CarriesFramesBothWays) {
  Cable cable("cable");
  NicEnd nic("nic", cable.end(0));
  TapPartner partner({"partner"}, cable.end(1), spec_for("nic0"));
  EXPECT_TRUE(partner.live());
  EXPECT_NE(flags_of("nic0") & IFF_UP, 0);
  const PacketSocket host("nic0");
  nic.begin();
  nic.send(numbered_frame(1, 60));
  nic.send(numbered_frame(2, 1514));
  EXPECT_EQ(host.receive(), numbered_frame(1, 60));
  EXPECT_EQ(host.receive(), numbered_frame(2, 1514));
  host.send(numbered_frame(3, 1514));
  host.send(numbered_frame(4, 20));  // padded
  EXPECT_TRUE(run_until([&] { return experimental(nic.received).size() == 2; }));
  EXPECT_EQ(experimental(nic.received)[0], numbered_frame(3, 1514));
  EXPECT_EQ(experimental(nic.received)[1], numbered_frame(4, 60));
  EXPECT_TRUE(partner.statistics().drops.empty());
}

TEST_F(TapPartnerTest, AnInterfaceMadeHereGoesWithIt) {
  {
    const auto device = open_tap(named("nic0"));
    EXPECT_NE(::if_nametoindex("nic0"), 0U);
  }
  EXPECT_EQ(::if_nametoindex("nic0"), 0U);
}

TEST_F(TapPartnerTest, JoiningLeavesAnInterfaceAsItIs) {
  foreign_queue("nic0", IFF_NO_PI, true).reset();
  const short before = flags_of("nic0");
  {
    const auto device = open_tap(named("nic0"));
    EXPECT_EQ(flags_of("nic0") & IFF_UP, 0);
    EXPECT_EQ(device->write(numbered_frame(1), std::chrono::milliseconds(0)).outcome,
              HostDevice::Outcome::kDropped);
    EXPECT_STREQ(device->write(numbered_frame(1), std::chrono::milliseconds(0)).reason,
                 "interface_down");
  }
  EXPECT_EQ(flags_of("nic0") & IFF_UP, before & IFF_UP);
}

TEST_F(TapPartnerTest, StripsAndWritesTheHeaderThatOtherQueuesInsistOn) {
  const UniqueFd other = foreign_queue("nic0", IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE);
  const auto device = open_tap(named("nic0"));
  {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM, 0));
    ifreq request{};
    std::string("nic0").copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_UP;
    ASSERT_EQ(::ioctl(socket.get(), SIOCSIFFLAGS, &request), 0);
  }
  const PacketSocket host("nic0");
  ASSERT_EQ(device->write(numbered_frame(1), std::chrono::milliseconds(0)).outcome,
            HostDevice::Outcome::kDone);
  EXPECT_EQ(host.receive(), numbered_frame(1));
  // The host spreads its frames over the queues that are attached.
  ifreq request{};
  request.ifr_flags = IFF_DETACH_QUEUE;
  ASSERT_EQ(::ioctl(other.get(), TUNSETQUEUE, &request), 0);
  host.send(numbered_frame(2));
  std::vector<Octets> frames;
  for (HostDevice::ReadResult result = device->read(); result.outcome == HostDevice::Outcome::kDone;
       result = device->read()) {
    frames.emplace_back(result.frame.begin(), result.frame.end());
  }
  EXPECT_THAT(experimental(frames), ElementsAre(numbered_frame(2)));
}

/// A UDP datagram between two ports, or its answer.
Octets datagram(std::uint16_t port, bool answer, std::uint8_t number = 0) {
  Octets frame = numbered_frame(0, 64);
  std::fill_n(frame.begin(), 12, std::uint8_t{2});
  frame[answer ? 5 : 11] = 3;
  std::fill(frame.begin() + 12, frame.end(), std::uint8_t{0});
  frame[12] = 0x08;
  std::uint8_t* const ip = frame.data() + 14;
  ip[0] = 0x45;
  ip[3] = 50;
  ip[8] = 64;
  ip[9] = 17;
  ip[12] = ip[16] = 10;
  ip[answer ? 19 : 15] = 1;
  ip[answer ? 15 : 19] = 2;
  store_be16(ip + 20, answer ? 7 : port);
  store_be16(ip + 22, answer ? port : 7);
  ip[25] = 30;
  ip[49] = number;
  std::uint32_t sum = 0;
  for (int i = 0; i < 20; i += 2) sum += load_be16(ip + i);
  while (sum > 0xFFFF) sum = (sum & 0xFFFF) + (sum >> 16);
  store_be16(ip + 10, static_cast<std::uint16_t>(~sum));
  return frame;
}

/// The kernel sends the answers of a flow by the queue on which the flow came last: that shows by
/// which one we wrote.
TEST_F(TapPartnerTest, AFramesQueueIsTheInterfaces) {
  constexpr std::uint16_t kQueues = 4;
  TapConfig config = named("nic0");
  config.queues = kQueues;
  const auto device = open_tap(config);
  EXPECT_EQ(device->queues(), kQueues);
  const PacketSocket host("nic0", kIpv4);
  for (std::uint16_t round = 0; round < 3; ++round) {
    for (std::uint16_t port = 1000; port < 1016; ++port) {
      // Not the same each time: the flow moves.
      const auto queue = static_cast<std::uint16_t>((port + round) % kQueues);
      ASSERT_EQ(
          device->write_by(queue, datagram(port, false), std::chrono::milliseconds(0)).outcome,
          HostDevice::Outcome::kDone);
      for (std::uint8_t number = 0; number < 3; ++number) {
        host.send(datagram(port, true, number));
      }
      for (std::uint8_t number = 0; number < 3;) {
        const HostDevice::ReadResult result = device->read();
        ASSERT_EQ(result.outcome, HostDevice::Outcome::kDone);
        if (result.frame.size() != 64 || result.frame[12] != 8) continue;  // the kernel's own
        EXPECT_EQ(Octets(result.frame.begin(), result.frame.end()), datagram(port, true, number))
            << "in order";
        EXPECT_EQ(result.queue, queue) << port;
        ++number;
      }
    }
  }
}

TEST_F(TapPartnerTest, FramesOfNoQueueKeepToTheirFlows) {
  TapConfig config = named("nic0");
  config.queues = 4;
  const auto device = open_tap(config);
  const PacketSocket host("nic0", kIpv4);
  std::vector<std::uint16_t> queues;
  for (std::uint16_t port = 1000; port < 1032; ++port) {
    for (const std::uint16_t none : {kNoQueue, std::uint16_t{4}}) {
      ASSERT_EQ(device->write_by(none, datagram(port, false), std::chrono::milliseconds(0)).outcome,
                HostDevice::Outcome::kDone);
      host.send(datagram(port, true));
      HostDevice::ReadResult result = device->read();
      while (result.outcome == HostDevice::Outcome::kDone && result.frame[12] != 8) {
        result = device->read();
      }
      ASSERT_EQ(result.outcome, HostDevice::Outcome::kDone);
      queues.push_back(result.queue);
    }
    EXPECT_EQ(queues.back(), queues[queues.size() - 2]) << "a flow has one queue";
  }
  for (std::uint16_t queue = 0; queue < 4; ++queue) {
    EXPECT_THAT(queues, ::testing::Contains(queue)) << "and flows spread";
  }
}

template <class Exception>
std::string refusal(const std::string& ifname, const std::string& control = "/dev/net/tun") {
  try {
    open_tap(named(ifname, control));
  } catch (const Exception& error) {
    return error.what();
  }
  return "nothing thrown";
}

TEST_F(TapPartnerTest, NamesTheInterfaceAndTheReasonOfAFailure) {
  const auto device = open_tap(named("nic0"));
  EXPECT_THAT(refusal<std::runtime_error>("nic0"),
              HasSubstr("tap interface 'nic0': cannot attach to it (another process uses it)"));
  EXPECT_THAT(refusal<std::runtime_error>("lo"), HasSubstr("tap interface 'lo': cannot attach"));
  EXPECT_THAT(refusal<std::runtime_error>("a/b"), HasSubstr("'a/b'"));
}

TEST_F(TapPartnerTest, SurvivesTheInterfaceBeingTakenAway) {
  Cable cable("cable");
  NicEnd nic("nic", cable.end(0));
  TapPartner partner({"partner"}, cable.end(1), spec_for("nic0"));
  nic.begin();
  if (std::system("ip link delete nic0 2>/dev/null") != 0) GTEST_SKIP() << "needs iproute2";
  e1000tlm::test::expect_report("/e1000tlm/link/host");
  for (unsigned i = 0; i < 3; ++i) {
    nic.send(numbered_frame(i));
    sc_core::sc_start(1, sc_core::SC_MS);
  }
  partner.finish();
  EXPECT_EQ(partner.statistics().drops.at("host_gone"), 3U);
  EXPECT_THAT(partner.fault(), HasSubstr("gone"));
}

// These need no rights.
TEST(TapPartner, RefusesNamesThatNoInterfaceCanHave) {
  EXPECT_THAT(refusal<std::invalid_argument>("sixteen-letters!"), HasSubstr("at most 15"));
  Cable cable("cable");
  PartnerSpec spec;
  spec.kind = "tap";
  EXPECT_THROW(TapPartner({"partner"}, cable.end(1), spec), std::invalid_argument);
}

TEST(TapPartner, SaysWhenTheHostHasNoTapInterfaces) {
  EXPECT_THAT(refusal<std::runtime_error>("nic0", "/dev/net/no-tun"),
              HasSubstr("tap interface 'nic0': cannot open /dev/net/no-tun: No such file"));
}

}  // namespace
}  // namespace e1000tlm::link
