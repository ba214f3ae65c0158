#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/link/switch/switch.h"
#include "testbenches/unit/link/link_fixture.h"

namespace e1000tlm::link {
namespace {

/// The end of a station's cable: negotiates, and keeps what comes.
class Station : public sc_core::sc_module {
 public:
  Station(const sc_core::sc_module_name& name, Switch& hub, const std::string& options)
      : sc_module(name),
        cable("cable"),
        nic(cable.end(0)),
        port(hub.plug("port", cable.end(1), PartnerSpec::parse("hub:" + options))) {}
  Cable cable;
  test::TestNic nic;
  std::unique_ptr<SwitchPort> port;
};

class Hub {
 public:
  explicit Hub(const std::vector<std::string>& options, SwitchConfig config = hub_defaults())
      : unit("hub", config) {
    for (const std::string& text : options) {
      const std::string name = "station" + std::to_string(stations.size());
      stations.push_back(std::make_unique<Station>(name.c_str(), unit, text));
    }
  }
  void run(const std::function<void()>& steps) {
    test::Script script([&] {
      test::wait_for(us(10));
      steps();
      test::wait_for(ms(5));
      sc_core::sc_stop();
    });
    sc_core::sc_start();
  }
  void send(unsigned station, std::uint8_t to, std::size_t bytes = 100) {
    FramePtr frame = FramePool::shared().make(bytes);
    std::fill(frame->data(), frame->data() + bytes, std::uint8_t{0});
    frame->data()[5] = to;
    frame->data()[11] = static_cast<std::uint8_t>(station + 1);
    send(station, std::move(frame));
  }
  void send(unsigned station, FramePtr frame) {
    stations[station]->cable.end(0).send(std::move(frame), sc_now());
  }
  std::vector<Arrival>& got(unsigned station) { return stations[station]->nic.received; }

  Switch unit;
  std::vector<std::unique_ptr<Station>> stations;
};

TEST(Hub, EveryFrameGoesToEveryOtherPortAlsoWhenTheAddressIsKnown) {
  Hub hub({"", "", ""});
  hub.run([&] {
    for (int i = 0; i < 3; ++i) {
      hub.send(0, 2);
      test::wait_for(us(20));
      hub.send(1, 1);
      test::wait_for(us(20));
    }
  });
  EXPECT_EQ(hub.got(0).size(), 3U);
  EXPECT_EQ(hub.got(1).size(), 3U);
  EXPECT_EQ(hub.got(2).size(), 6U);
  EXPECT_EQ(hub.unit.statistics().flooded, 6U);
  EXPECT_EQ(hub.unit.statistics().forwarded, 0U);
  EXPECT_EQ(hub.unit.table().stations(sc_now()), 0U);
}

TEST(Hub, LatencyIsFromFirstBitToFirstBit) {
  SwitchConfig config = hub_defaults();
  config.latency = ns(700);
  Hub hub({"", ""}, config);
  Time sent{};
  hub.run([&] {
    sent = sc_now();
    hub.send(0, 2, 1500);
  });
  ASSERT_EQ(hub.got(1).size(), 1U);
  EXPECT_EQ(hub.got(1)[0].first_bit, sent + ns(50) + ns(700) + ns(50));
}

TEST(Hub, AFasterPortDoesNotRunAheadOfASlowerOne) {
  Hub hub({"speed=100", "speed=1000"});
  Time sent{};
  hub.run([&] {
    sent = sc_now();
    hub.send(0, 2, 1000);
  });
  ASSERT_EQ(hub.got(1).size(), 1U);
  const Time last_in = sent + serialisation(1004, Speed::k100) + ns(50);
  EXPECT_EQ(hub.got(1)[0].last_bit, last_in + hub_defaults().latency + ns(50));
}

TEST(Hub, DamagedAndReservedFramesAreRepeatedAsTheyAre) {
  Hub hub({"", ""});
  hub.run([&] {
    FramePtr damaged = FramePool::shared().make(100);
    std::fill(damaged->data(), damaged->data() + 100, std::uint8_t{1});
    damaged->carry_fcs(damaged->fcs() ^ 1);
    hub.send(0, damaged);
    FramePtr runt = FramePool::shared().make(20);
    std::fill(runt->data(), runt->data() + 20, std::uint8_t{2});
    hub.send(0, runt);
    hub.send(0, 0, 9000);
  });
  ASSERT_EQ(hub.got(1).size(), 3U);
  EXPECT_FALSE(hub.got(1)[0].frame->fcs_ok());
  EXPECT_EQ(hub.got(1)[1].frame->size(), 20U);
  EXPECT_EQ(hub.got(1)[2].frame->size(), 9000U);
}

TEST(Hub, WhatFindsAPortsQueueFullIsCounted) {
  SwitchConfig config = hub_defaults();
  config.queue_bytes = 3000;
  Hub hub({"", "", ""}, config);
  hub.run([&] {
    for (int i = 0; i < 10; ++i) {
      hub.send(0, 3, 1000);
      hub.send(1, 3, 1000);
    }
  });
  const std::uint64_t lost = hub.stations[2]->port->drops(SwitchDrop::kQueueFull);
  EXPECT_GT(lost, 0U);
  EXPECT_EQ(hub.got(2).size() + lost, 20U);
  EXPECT_EQ(hub.got(0).size(), 10U);
}

}  // namespace
}  // namespace e1000tlm::link
