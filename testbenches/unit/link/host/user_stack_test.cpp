#include "e1000tlm/link/host/user_stack.h"

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include <systemc>

#include <gmock/gmock.h>

namespace e1000tlm::link {
namespace {

using Octets = std::vector<std::uint8_t>;

/// A stack on a clock that the test moves.
struct Bench {
  explicit Bench(std::uint64_t seed = 1, const UserConfig& config = {})
      : stack(config,
              {[this](ConstBytes frame) {
                 sent.emplace_back(now, Octets(frame.begin(), frame.end()));
               },
               [this] { return now; }},
              seed) {}
  void input(const Octets& frame) {
    stack.input(frame);
    stack.advance(true);
  }
  /// Lets time pass as its owner does.
  void run_until(Time end) {
    while (stack.due() && *stack.due() <= end) {
      now = std::max(now, *stack.due());
      stack.advance(true);
    }
    now = end;
  }

  Time now = ms(1);
  std::vector<std::pair<Time, Octets>> sent;
  UserStack stack;
};

/// Who has 10.0.2.`host`? asks 10.0.2.15.
Octets arp_request(std::uint8_t host) {
  Octets frame(60, 0);
  std::fill_n(frame.begin(), 6, std::uint8_t{0xFF});
  frame[6] = 0x52;
  store_be16(&frame[12], 0x0806);
  store_be16(&frame[14], 1);
  store_be16(&frame[16], 0x0800);
  frame[18] = 6;
  frame[19] = 4;
  store_be16(&frame[20], 1);
  frame[22] = 0x52;
  store_be32(&frame[28], 0x0A00'020F);
  store_be32(&frame[38], 0x0A00'0200U + host);
  return frame;
}

bool is_router_advertisement(const Octets& frame) {
  return frame.size() > 54 && load_be16(&frame[12]) == 0x86DD && frame[54] == 134;
}

TEST(UserStack, AnswersForTheGatewayWithoutTheHost) {
  Bench bench;
  bench.input(arp_request(2));
  ASSERT_EQ(bench.sent.size(), 1U);
  EXPECT_EQ(load_be16(&bench.sent[0].second[20]), 2);  // reply
  EXPECT_EQ(load_be32(&bench.sent[0].second[28]), 0x0A00'0202U);
  EXPECT_FALSE(bench.stack.uses_host());
  bench.input(arp_request(77));
  EXPECT_EQ(bench.sent.size(), 1U);
}

TEST(UserStack, AdvertisesItselfAtMomentsThatTheSeedDecides) {
  const auto moments = [](std::uint64_t seed) {
    Bench bench(seed);
    bench.run_until(ms(3'600'000));
    std::vector<Time> times;
    for (const auto& [time, frame] : bench.sent) {
      if (is_router_advertisement(frame)) times.push_back(time);
    }
    return times;
  };
  const std::vector<Time> first = moments(1);
  EXPECT_GE(first.size(), 5U);  // 600 s apart at most (RFC 4861, 6.2.1)
  EXPECT_EQ(moments(1), first);
  EXPECT_NE(moments(2), first);
}

TEST(UserStack, SaysWhatCannotBeForwarded) {
  UserConfig config;
  GuestForward forward;
  forward.server = parse_ipv4("192.168.1.1");
  forward.port = 80;
  forward.command = "cat";
  config.guest_forwards = {forward};
  EXPECT_THROW(Bench(1, config), std::invalid_argument);
}

TEST(UserStack, ForwardedPortsAreSocketsOfTheHost) {
  UserConfig config;
  HostForward forward = parse_host_forward("tcp:127.0.0.1:0-:22");
  config.host_forwards = {forward};
  EXPECT_TRUE(Bench(1, config).stack.uses_host());
}

TEST(UserStack, TakesFramesOfAnyContent) {
  Bench bench;
  for (unsigned size = 0; size < 200; ++size) {
    for (const std::uint16_t type : {0x0800, 0x86DD, 0x0806}) {
      Octets frame(size, static_cast<std::uint8_t>(size * 7));
      if (size >= 14) store_be16(&frame[12], type);
      bench.input(frame);
    }
  }
  bench.run_until(ms(5'000));
}

}  // namespace
}  // namespace e1000tlm::link
