// The vhost-user partner on a cable, against a scripted back-end.
#include "e1000tlm/link/host/vhost_user_partner.h"

#include <chrono>
#include <string>

#include <gmock/gmock.h>

#include "testbenches/unit/link/host/vhost_back_end.h"

namespace e1000tlm::link {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A NIC, a cable and a listening partner, polled.
struct Bench {
  explicit Bench(const std::string& more = "")
      : spec(PartnerSpec::parse("vhost-user:path=" + path + ",server" + more)) {
    partner.use_polling();
    nic.begin();
  }
  void settle(VhostBackEnd& back_end) {
    for (int i = 0; i < 60; ++i) {
      partner.poll();
      back_end.serve();
    }
  }
  std::uint64_t drops(const std::string& reason) const {
    const auto& all = partner.statistics().drops;
    const auto it = all.find(reason);
    return it == all.end() ? 0 : it->second;
  }

  TemporaryDirectory directory;
  std::string path = directory.file("vhost");
  PartnerSpec spec;
  Cable cable{"cable"};
  NicEnd nic{"nic", cable.end(0)};
  VhostUserPartner partner{{"partner"}, cable.end(1), spec};
};

TEST(VhostUserPartner, CarriesFramesBothWaysAndCountsWhatGetsLost) {
  Bench bench;
  const Octets out(100, 1), in(200, 2);
  bench.nic.send(out);
  EXPECT_EQ(bench.drops("no_peer"), 0U) << "drops are collected when the partner looks";
  bench.partner.poll();
  EXPECT_EQ(bench.drops("no_peer"), 1U);
  {
    VhostBackEnd back_end(bench.path);
    bench.settle(back_end);
    ASSERT_TRUE(back_end.running());
    bench.nic.send(out);
    EXPECT_EQ(back_end.take(), out);
    ASSERT_TRUE(back_end.give(in));
    EXPECT_EQ(bench.partner.poll(), 1U);
    sc_core::sc_start(1, sc_core::SC_MS);
    EXPECT_THAT(bench.nic.received, ElementsAre(in));
    bench.nic.send(out);
    bench.nic.send(out);
  }
  bench.partner.poll();
  EXPECT_EQ(bench.drops("back_end_gone"), 2U);
  EXPECT_EQ(bench.partner.statistics().frames_from_nic, 4U);
  EXPECT_EQ(bench.partner.fault(), "") << "another may come";
  bench.partner.finish();
  EXPECT_THAT(bench.partner.warnings(), ElementsAre());
}

TEST(VhostUserPartner, WhatABackEndHasNotUsedAtTheEndIsCounted) {
  Bench bench;
  VhostBackEnd back_end(bench.path);
  bench.settle(back_end);
  for (int i = 0; i < 3; ++i) bench.nic.send(Octets(60, 1));
  EXPECT_EQ(back_end.take(), Octets(60, 1));
  bench.partner.finish();
  EXPECT_EQ(bench.drops("host_closed"), 2U);
}

TEST(VhostUserPartner, TellsWhatABadBackEndDid) {
  Bench bench;
  for (int i = 0; i < 2; ++i) {
    VhostBackEnd back_end(bench.path);
    bench.partner.poll();
    back_end.raw(Octets(12, 0xFF));
    bench.partner.poll();
  }
  bench.partner.finish();
  EXPECT_THAT(bench.partner.warnings(), ElementsAre(HasSubstr("(and 1 more)")));
  EXPECT_THAT(bench.partner.warnings(), ElementsAre(HasSubstr("version 3 instead of 1")));
}

}  // namespace
}  // namespace e1000tlm::link
