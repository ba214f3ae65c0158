#include "e1000tlm/link/host/user_config.h"

#include <stdexcept>

#include <arpa/inet.h>
#include <gmock/gmock.h>

#include "e1000tlm/link/host/flow.h"

namespace e1000tlm::link {
namespace {

std::uint32_t number(in_addr address) { return ntohl(address.s_addr); }

TEST(UserConfig, DefaultsAreQemus) {
  const UserConfig config;
  EXPECT_EQ(number(config.net.address), 0x0A00'0200U);
  EXPECT_EQ(number(config.net.mask), 0xFFFF'FF00U);
  EXPECT_EQ(number(config.host), 0x0A00'0202U);
  EXPECT_EQ(number(config.dns), 0x0A00'0203U);
  EXPECT_EQ(number(config.dhcp_start), 0x0A00'020FU);
  EXPECT_EQ(config.ipv6_host.s6_addr[0], 0xFE);
  EXPECT_EQ(config.ipv6_host.s6_addr[15], 2);
  EXPECT_NO_THROW(config.check());
}

TEST(UserConfig, ReadsNetworks) {
  EXPECT_EQ(number(parse_ipv4_network("192.168.7.9/24").address), 0xC0A8'0700U);
  EXPECT_EQ(number(parse_ipv4_network("10.1.2.3/255.255.0.0").address), 0x0A01'0000U);
  EXPECT_EQ(number(parse_ipv4_network("172.16.0.0").mask), 0xFFF0'0000U);
  EXPECT_EQ(number(parse_ipv4_network("198.18.0.0").mask), 0xFFFE'0000U);
  for (const char* bad : {"", "10", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/3",
                          "10.0.0.0/255.0.255.0", "10.0.0.0/31", "10.0.0.0/-1", "fe80::/64"}) {
    EXPECT_THROW(parse_ipv4_network(bad), std::invalid_argument) << bad;
  }
}

TEST(UserConfig, ReadsForwards) {
  const HostForward plain = parse_host_forward("tcp::2222-:22");
  EXPECT_FALSE(plain.udp);
  EXPECT_EQ(plain.host_port, 2222);
  EXPECT_EQ(plain.guest_port, 22);
  EXPECT_EQ(number(plain.guest), 0U);
  const HostForward whole = parse_host_forward("udp:127.0.0.1:53-10.0.2.20:5353");
  EXPECT_TRUE(whole.udp);
  EXPECT_EQ(number(whole.host), 0x7F00'0001U);
  EXPECT_EQ(number(whole.guest), 0x0A00'0214U);
  for (const char* bad : {"", "tcp", "2222-:22", "sctp::1-:2", "tcp::x-:22", "tcp::1-:0",
                          "tcp::1-:65536", "tcp:host:1-:2", "tcp::1:2"}) {
    EXPECT_THROW(parse_host_forward(bad), std::invalid_argument) << bad;
  }
  EXPECT_EQ(parse_guest_forward("tcp:10.0.2.9:80-cmd:cat -n").command, "cat -n");
  EXPECT_EQ(parse_guest_forward(":10.0.2.9:80-unix:/tmp/x").path, "/tmp/x");
  for (const char* bad : {"udp:10.0.2.9:80-cmd:x", "tcp:10.0.2.9:80-cmd:", "tcp:10.0.2.9:80-dev:x",
                          "tcp:10.0.2.9-cmd:x"}) {
    EXPECT_THROW(parse_guest_forward(bad), std::invalid_argument) << bad;
  }
}

TEST(UserConfig, NamesWhatDoesNotFitTogether) {
  const auto refusal = [](const UserConfig& config) -> std::string {
    try {
      config.check();
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "nothing thrown";
  };
  UserConfig config;
  config.host = parse_ipv4("10.0.3.2");
  EXPECT_THAT(refusal(config), ::testing::HasSubstr("host=10.0.3.2"));
  config = UserConfig();
  config.dhcp_start = config.dns;
  EXPECT_THAT(refusal(config), ::testing::HasSubstr("dhcpstart=10.0.2.3"));
}

TEST(Flow, TellsFlowsApartAndKeepsTheirFramesTogether) {
  std::vector<std::uint8_t> frame(60, 0);
  store_be16(&frame[12], 0x0800);
  frame[14] = 0x45;
  frame[23] = 6;
  store_be16(&frame[34], 1000);
  auto other = frame;
  other[55] = 1;  // payload
  EXPECT_EQ(flow_hash(frame), flow_hash(other));
  other[35] ^= 1;  // port
  EXPECT_NE(flow_hash(frame), flow_hash(other));
  frame[20] = other[20] = 0x20;  // fragments: no ports to go by
  EXPECT_EQ(flow_hash(frame), flow_hash(other));
  for (std::size_t size = 0; size <= frame.size(); ++size) {
    flow_hash({frame.data(), size});
  }
}

TEST(Flow, FindsPadding) {
  std::vector<std::uint8_t> frame(60, 0);
  store_be16(&frame[12], 0x0800);
  store_be16(&frame[16], 40);
  EXPECT_EQ(without_padding(frame).size(), 54U);
  store_be16(&frame[16], 0xFFFF);
  EXPECT_EQ(without_padding(frame).size(), 60U);
  store_be16(&frame[12], 0x0806);
  EXPECT_EQ(without_padding(frame).size(), 42U);
  store_be16(&frame[12], 0x88B5);
  EXPECT_EQ(without_padding(frame).size(), 60U);
}

}  // namespace
}  // namespace e1000tlm::link
