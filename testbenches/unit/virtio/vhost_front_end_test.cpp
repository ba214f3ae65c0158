/// What a front-end asks of back-ends that are able to more or less, and what it makes of answers.

#include "e1000tlm/virtio/vhost_front_end.h"

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>

namespace {

using namespace e1000tlm;
using namespace e1000tlm::virtio;
using namespace e1000tlm::virtio::vhost_user;
using State = FrontEnd::State;
using ::testing::ElementsAre;

constexpr std::uint64_t kModern = ring_feature::kVersion1 | feature::kProtocolFeatures;

/// Answers as a back-end would, and notes what is asked.
struct Session {
  explicit Session(const Wishes& wishes) : front(wishes) {
    front.log = [this](const std::string& line) { log.push_back(line); };
    front.connected();
  }

  /// The payload of the answer to this request, about this ring.
  Payload answer(Request request, std::uint32_t ring) {
    switch (request) {
      case Request::kGetFeatures: return Number{features};
      case Request::kGetProtocolFeatures: return Number{protocol_features};
      case Request::kGetQueueNum: return Number{pairs};
      case Request::kGetStatus: return Number{status};
      case Request::kGetVringBase: return VringState{ring + wrong_ring, base};
      default: return Number{request == refused ? 1U : 0U};
    }
  }

  /// Until nothing is left to be asked. The requests' names.
  std::vector<std::string> run() {
    std::vector<std::string> asked;
    while (const FrontEnd::Outgoing* out = front.next()) {
      const auto header = std::get<Header>(parse_header(ConstBytes(out->bytes)));
      const auto request = static_cast<Request>(header.request);
      asked.push_back(request_name(Side::kFrontEnd, header.request));
      for (const int fd : out->descriptors) asked.back() += " +" + std::to_string(fd);
      if (header.need_reply) asked.back() += " !";
      const RequestInfo& info = *find_request(Side::kFrontEnd, header.request);
      const auto parsed =
          parse_request(Side::kFrontEnd, header, ConstBytes(out->bytes).subspan(kHeaderBytes),
                        out->descriptors.size());
      const auto* const payload = std::get_if<Payload>(&parsed);
      EXPECT_NE(payload, nullptr) << info.name;
      if (payload == nullptr) break;
      const auto* const state = std::get_if<VringState>(payload);
      front.sent();
      if (header.need_reply || info.reply != PayloadKind::kNone) {
        reply(header, answer(request, state == nullptr ? 0 : state->index));
      }
    }
    return asked;
  }
  bool reply(const Header& to, const Payload& payload, std::size_t descriptors = 0) {
    const Message bytes = encode_reply(to, payload);
    const auto header = std::get<Header>(parse_header(ConstBytes(bytes)));
    return front.receive(header, ConstBytes(bytes).subspan(kHeaderBytes), descriptors);
  }
  void start(std::size_t pairs_of_rings = 1) {
    std::vector<SharedRing> rings;
    for (std::size_t i = 0; i < 2 * pairs_of_rings; ++i) {
      rings.push_back(ring(static_cast<std::uint8_t>(i)));
    }
    front.start(front.features(), {{{0, 0x10000, 0, 0}, 10}}, rings);
  }

  static SharedRing ring(std::uint8_t index, std::uint16_t base = 0) {
    return {index, SplitLayout::at(0x1000U * (index + 1U), 64), base, 20 + index, 30 + index};
  }

  FrontEnd front;
  std::vector<std::string> log;
  std::uint64_t features = kModern, protocol_features = 0, pairs = 1, status = 11;
  Request refused = Request::kGetFeatures;  // none
  std::uint32_t wrong_ring = 0, base = 7;
};

Wishes modern(unsigned pairs = 1) {
  Wishes wishes;
  wishes.features = ring_feature::kVersion1 | net_feature::kMultiQueue | net_feature::kMtu;
  wishes.queue_pairs = pairs;
  return wishes;
}

TEST(VhostFrontEnd, AsksOldBackEndsForNothingNew) {
  Session session(modern());
  session.features = ring_feature::kVersion1 | 1;
  EXPECT_THAT(session.run(), ElementsAre("SET_OWNER", "GET_FEATURES"));
  ASSERT_EQ(session.front.state(), State::kAgreed);
  EXPECT_EQ(session.front.features(), ring_feature::kVersion1) << "what both have";
  session.start();
  EXPECT_EQ(session.front.state(), State::kStarting);
  EXPECT_THAT(session.run(),
              ElementsAre("SET_FEATURES", "SET_MEM_TABLE +10", "SET_VRING_NUM", "SET_VRING_BASE",
                          "SET_VRING_ADDR", "SET_VRING_KICK +20", "SET_VRING_CALL +30",
                          "SET_VRING_NUM", "SET_VRING_BASE", "SET_VRING_ADDR", "SET_VRING_KICK +21",
                          "SET_VRING_CALL +31", "GET_FEATURES"));
  EXPECT_EQ(session.front.state(), State::kRunning);
  session.front.stop();
  EXPECT_THAT(session.run(), ElementsAre("GET_VRING_BASE", "GET_VRING_BASE"));
  EXPECT_EQ(session.front.state(), State::kStopped);
  EXPECT_EQ(session.front.base(1), 7);
}

TEST(VhostFrontEnd, HasEveryStepAcknowledgedWhereItCan) {
  Session session(modern());
  session.features = kModern | net_feature::kMtu;
  session.protocol_features = 0x1FFFF;
  EXPECT_THAT(session.run(), ElementsAre("SET_OWNER", "GET_FEATURES", "GET_PROTOCOL_FEATURES",
                                         "SET_PROTOCOL_FEATURES", "GET_QUEUE_NUM"));
  EXPECT_EQ(session.front.protocol_features(), Wishes().protocol_features);
  session.start();
  EXPECT_THAT(session.run(),
              ElementsAre("SET_STATUS !", "SET_FEATURES !", "SET_STATUS !", "GET_STATUS",
                          "SET_MEM_TABLE +10 !", "SET_VRING_NUM !", "SET_VRING_BASE !",
                          "SET_VRING_ADDR !", "SET_VRING_KICK +20 !", "SET_VRING_CALL +30 !",
                          "SET_VRING_NUM !", "SET_VRING_BASE !", "SET_VRING_ADDR !",
                          "SET_VRING_KICK +21 !", "SET_VRING_CALL +31 !", "SET_VRING_ENABLE !",
                          "SET_VRING_ENABLE !", "SET_STATUS !"));
  EXPECT_EQ(session.front.state(), State::kRunning);
  EXPECT_EQ(session.log.front(), "> SET_OWNER");
  EXPECT_THAT(session.log, ::testing::Contains("> SET_FEATURES 0x140000008 need_reply"));
  EXPECT_THAT(session.log, ::testing::Contains("< reply to SET_MEM_TABLE 0x0"));
  session.front.stop();
  EXPECT_THAT(session.run(), ElementsAre("SET_VRING_ENABLE !", "SET_VRING_ENABLE !",
                                         "GET_VRING_BASE", "GET_VRING_BASE", "SET_STATUS !"));
  session.start();
  session.run();
  EXPECT_EQ(session.front.state(), State::kRunning) << "a second time";
}

TEST(VhostFrontEnd, TellsTheMtu) {
  Wishes wishes = modern();
  wishes.mtu = 1500;
  Session session(wishes);
  session.features = kModern | net_feature::kMtu;
  session.protocol_features = protocol_feature::kMtu;
  session.run();
  session.start();
  EXPECT_THAT(session.run(), ::testing::Contains("NET_SET_MTU"));
}

TEST(VhostFrontEnd, SeveralPairs) {
  Session session(modern(2));
  session.features = kModern | net_feature::kMultiQueue;
  session.protocol_features = protocol_feature::kMq;
  session.pairs = 2;
  session.run();
  ASSERT_EQ(session.front.state(), State::kAgreed);
  session.start(2);
  const auto asked = session.run();
  EXPECT_EQ(std::count(asked.begin(), asked.end(), "SET_VRING_ENABLE"), 4);
  EXPECT_EQ(session.front.state(), State::kRunning);
}

std::string refusal(Session& session, std::size_t pairs = 1) {
  session.run();
  if (session.front.state() == State::kAgreed) {
    session.start(pairs);
    session.run();
  }
  return session.front.state() == State::kBroken ? session.front.why() : "it runs";
}

TEST(VhostFrontEnd, SaysWhyABackEndIsNoneForIt) {
  {
    Session session(modern(2));
    EXPECT_EQ(refusal(session), "has one pair of queues only, not 2");
  }
  {
    Session session(modern(3));
    session.features |= net_feature::kMultiQueue;
    EXPECT_EQ(refusal(session), "has one pair of queues only, not 3") << "no protocol feature MQ";
  }
  {
    Session session(modern(3));
    session.features |= net_feature::kMultiQueue;
    session.protocol_features = protocol_feature::kMq;
    session.pairs = 2;
    EXPECT_EQ(refusal(session), "has 2 pairs of queues, not 3");
  }
  {
    Session session(modern());
    session.protocol_features = protocol_feature::kReplyAck;
    session.refused = Request::kSetMemTable;
    EXPECT_EQ(refusal(session), "refuses SET_MEM_TABLE");
  }
  {
    Session session(modern());
    session.protocol_features = protocol_feature::kStatus;
    session.status = 3;
    EXPECT_EQ(refusal(session), "does not take the features that were agreed on");
  }
}

TEST(VhostFrontEnd, TakesNoAnswerThatIsNone) {
  Session session(modern());
  Header features;
  features.request = static_cast<std::uint32_t>(Request::kGetFeatures);
  EXPECT_FALSE(session.reply(features, Number{1}));
  EXPECT_EQ(session.front.why(), "sends what was not asked for");
  EXPECT_FALSE(session.reply(features, Number{1})) << "nothing more";
  EXPECT_EQ(session.front.next(), nullptr);

  session.front.connected();
  session.front.next();
  session.front.sent();
  session.front.next();
  session.front.sent();
  EXPECT_EQ(session.front.waiting_for(), "GET_FEATURES");
  EXPECT_EQ(session.front.next(), nullptr) << "waits";
  EXPECT_FALSE(session.reply(features, Number{1}, 1));
  EXPECT_EQ(session.front.why(),
            "answers wrongly: reply to GET_FEATURES came with 1 descriptors, which is not right");

  session.front.connected();
  EXPECT_EQ(session.front.state(), State::kAsking) << "the next session is a fresh one";
  session.run();
  EXPECT_EQ(session.front.state(), State::kAgreed);
}

TEST(VhostFrontEnd, TellsAtOnceHowToCall) {
  Wishes wishes = modern(2);
  wishes.calls = {30, 31, 32, 33};
  Session session(wishes);
  session.features = kModern | net_feature::kMultiQueue;
  session.protocol_features = protocol_feature::kMq;
  session.pairs = 2;
  EXPECT_THAT(session.run(),
              ElementsAre("SET_OWNER", "GET_FEATURES", "GET_PROTOCOL_FEATURES",
                          "SET_PROTOCOL_FEATURES", "GET_QUEUE_NUM", "SET_VRING_CALL +30",
                          "SET_VRING_CALL +31", "SET_VRING_CALL +32", "SET_VRING_CALL +33"));
  EXPECT_EQ(session.front.state(), State::kAgreed);
  session.front.connected();
  EXPECT_EQ(session.run().size(), 9U) << "each session anew";
}

TEST(VhostFrontEnd, StartsWithTheFeaturesThatTheDriverTook) {
  Session session(modern());
  session.features = kModern | net_feature::kMtu;
  session.run();
  session.front.start(ring_feature::kVersion1 | net_feature::kMultiQueue, {}, {});
  session.run();
  EXPECT_THAT(session.log, ::testing::Contains("> SET_FEATURES 0x140000000"))
      << "no MTU, which the driver does not want, nor MQ, which the back-end does not have";
  EXPECT_EQ(session.front.state(), State::kRunning);
  session.front.stop();
  session.run();
  EXPECT_EQ(session.front.state(), State::kStopped) << "without any ring";
}

TEST(VhostFrontEnd, RingsComeAndGoOneByOne) {
  Wishes wishes = modern(2);
  Session session(wishes);
  session.features = kModern | net_feature::kMultiQueue;
  session.protocol_features = protocol_feature::kMq | protocol_feature::kReplyAck;
  session.pairs = 2;
  session.run();
  // Only some, and they do not work all at once.
  SharedRing asleep = Session::ring(3, 0xFFFF);
  asleep.enabled = false;
  session.front.start(session.front.features(), {}, {Session::ring(1), asleep});
  const auto asked = session.run();
  EXPECT_EQ(std::count(asked.begin(), asked.end(), "SET_VRING_ENABLE !"), 1);
  EXPECT_THAT(session.log, ::testing::Contains("> SET_VRING_ENABLE index=1 num=1 need_reply"));
  EXPECT_THAT(session.log, ::testing::Contains("> SET_VRING_BASE index=3 num=65535 need_reply"));
  EXPECT_FALSE(session.front.busy());

  session.front.enable_ring(3, true);
  session.front.start_ring(Session::ring(0, 5));
  EXPECT_TRUE(session.front.busy());
  EXPECT_THAT(
      session.run(),
      ElementsAre("SET_VRING_ENABLE !", "SET_VRING_NUM !", "SET_VRING_BASE !", "SET_VRING_ADDR !",
                  "SET_VRING_KICK +20 !", "SET_VRING_CALL +30 !", "SET_VRING_ENABLE !"));
  session.base = 9;
  session.front.stop_ring(3);
  EXPECT_THAT(session.run(), ElementsAre("SET_VRING_ENABLE !", "GET_VRING_BASE"));
  EXPECT_FALSE(session.front.busy());
  EXPECT_EQ(session.front.state(), State::kRunning);
  EXPECT_EQ(session.front.base(3), 9);
  session.front.stop();
  EXPECT_THAT(session.run(), ElementsAre("SET_VRING_ENABLE !", "SET_VRING_ENABLE !",
                                         "GET_VRING_BASE", "GET_VRING_BASE"))
      << "of those that it still has";
}

TEST(VhostFrontEnd, ItHasNoBasesOfOtherRingsAndNoImpossibleOnes) {
  for (const std::uint32_t wrong : {1U, 5U, 0xFFFF'FFF0U}) {
    Session session(modern());
    session.run();
    session.start();
    session.run();
    session.wrong_ring = wrong;
    session.front.stop();
    session.run();
    EXPECT_EQ(session.front.why(), "answers GET_VRING_BASE for another ring");
  }
  Session session(modern());
  session.run();
  session.start();
  session.run();
  session.base = 0x10000;
  session.front.stop();
  session.run();
  EXPECT_EQ(session.front.why(), "answers GET_VRING_BASE with an index that there is not: 65536");
}

}  // namespace
