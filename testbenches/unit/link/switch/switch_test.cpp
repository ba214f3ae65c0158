/// The switch as a whole, with hand-computed times. A frame of 64 bytes takes 576 ns on a gigabit
/// wire (with preamble), its gap 96 ns, the cable 50 ns, the switch 2 us.
#include "e1000tlm/link/switch/switch.h"

#include <memory>
#include <string>
#include <vector>

#include <systemc>
#include <tlm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testbenches/unit/link/link_fixture.h"

namespace e1000tlm::link {
namespace {

using test::Script;
using test::wait_for;
using ::testing::ElementsAre;

constexpr StationAddress kBroadcast = 0xFFFF'FFFF'FFFF;
constexpr StationAddress station(unsigned index) { return 0x0200'0000'0000 + index; }

FramePtr frame(StationAddress to, StationAddress from, std::size_t wire_bytes = 64,
               std::uint64_t tag = 0) {
  FramePtr made = FramePool::shared().make(wire_bytes - kFcsBytes);
  for (unsigned i = 0; i < 6; ++i) {
    made->data()[i] = static_cast<std::uint8_t>(to >> (40 - 8 * i));
    made->data()[6 + i] = static_cast<std::uint8_t>(from >> (40 - 8 * i));
  }
  for (std::size_t i = 12; i < made->size(); ++i) made->data()[i] = 0;
  made->tag = tag;
  return made;
}

/// A computer: negotiates at once and keeps what it gets.
class Station : public sc_core::sc_module, public FrameSink {
 public:
  Station(const sc_core::sc_module_name& name, CableEndIf& end, const Abilities& abilities)
      : sc_module(name), end_(end), abilities_(abilities) {
    SC_HAS_PROCESS(Station);
    SC_METHOD(negotiate);
    sensitive << end.change_event();
    end.set_sink(this);
  }
  void receive(Arrival arrival) override {
    told_at.push_back(sc_now());
    arrivals.push_back(std::move(arrival));
  }
  /// The tags of what it got, in order.
  std::vector<std::uint64_t> tags() const {
    std::vector<std::uint64_t> result;
    for (const Arrival& a : arrivals) result.push_back(a.frame->tag);
    return result;
  }
  std::vector<Arrival> arrivals;
  std::vector<Time> told_at;

 private:
  void negotiate() {
    end_.advertise(abilities_);
    const auto other = end_.partner();
    end_.set_link(other ? resolve(abilities_, *other) : std::nullopt);
  }
  CableEndIf& end_;
  Abilities abilities_;
};

/// A switch and stations on its first ports.
struct Lan {
  explicit Lan(unsigned stations, const SwitchConfig& config = {},
               const std::vector<std::string>& options = {})
      : hub("switch", config) {
    for (unsigned i = 0; i < stations; ++i) {
      const std::string n = std::to_string(i);
      cables.push_back(std::make_unique<Cable>(("cable" + n).c_str()));
      CableEndIf& far = cables.back()->end(1);
      const std::string text = i < options.size() ? options[i] : "";
      ports.push_back(hub.plug(("port" + n).c_str(), far, PartnerSpec::parse("switch:" + text)));
      nics.push_back(std::make_unique<Station>(("station" + n).c_str(), cables.back()->end(0),
                                               gigabit_abilities()));
    }
  }
  Time send(unsigned from, FramePtr f, Time earliest) {
    return cables[from]->end(0).send(std::move(f), earliest);
  }
  std::uint64_t drops(unsigned port, SwitchDrop reason) const { return ports[port]->drops(reason); }

  Switch hub;
  std::vector<std::unique_ptr<Cable>> cables;
  std::vector<std::unique_ptr<SwitchPort>> ports;
  std::vector<std::unique_ptr<Station>> nics;
};

/// Runs the steps at 1 us, when all links are up, then everything to its end.
void run(std::function<void()> steps) {
  Script script([&] {
    wait_for(us(1));
    steps();
  });
  sc_core::sc_start();
}

TEST(Switch, FloodsToAllOtherPortsAtTheSameTimeWithoutCopying) {
  Lan lan(3);
  run([&] { lan.send(0, frame(station(1), station(0)), us(1)); });
  EXPECT_TRUE(lan.nics[0]->arrivals.empty());
  ASSERT_EQ(lan.nics[1]->arrivals.size(), 1U);
  ASSERT_EQ(lan.nics[2]->arrivals.size(), 1U);
  // Leaves at 1000, is in at 1000 + 576 + 50, starts 2000 later, arrives 50 and 576 after that.
  const Arrival& arrival = lan.nics[1]->arrivals[0];
  EXPECT_EQ(arrival.first_bit, ns(1626 + 2000 + 50));
  EXPECT_EQ(arrival.last_bit, ns(1626 + 2000 + 50 + 576));
  EXPECT_EQ(lan.nics[2]->arrivals[0].last_bit, arrival.last_bit);
  EXPECT_EQ(lan.nics[2]->arrivals[0].frame, arrival.frame);
  EXPECT_EQ(lan.hub.statistics().flooded, 1U);
}

TEST(Switch, TheSendersQueueIsNotThatOfOtherPorts) {
  Lan lan(2);
  run([&] {
    FramePtr sent = frame(station(1), station(0));
    sent->queue = 2;
    lan.send(0, std::move(sent), us(1));
  });
  ASSERT_EQ(lan.nics[1]->arrivals.size(), 1U);
  EXPECT_EQ(lan.nics[1]->arrivals[0].frame->queue, kNoQueue);
}

TEST(Switch, APortObeysThePauseOfItsStationWhereAgreed) {
  Lan lan(3, {}, {"", "pause=both", ""});
  run([&] {
    // Heard at 1.626 us; lasts 10 * 512 ns.
    FramePtr pause = frame(0x0180'C200'0001, station(1));
    pause->data()[12] = 0x88;
    pause->data()[13] = 0x08;
    pause->data()[15] = 1;
    pause->data()[17] = 10;
    lan.send(1, pause, us(1));
    lan.send(2, pause, us(1));  // without agreement: not for the switch to pass on
    for (const std::uint64_t tag : {1, 2}) {
      lan.send(0, frame(kBroadcast, station(0), 64, tag), us(1));
    }
  });
  EXPECT_THAT(lan.nics[1]->tags(), ElementsAre(1, 2));
  EXPECT_EQ(lan.nics[1]->arrivals[0].first_bit, ns(1626 + 5120 + 50));
  EXPECT_EQ(lan.nics[1]->arrivals[1].first_bit, ns(1626 + 5120 + 672 + 50));
  EXPECT_EQ(lan.nics[2]->arrivals[0].first_bit, ns(1626 + 2000 + 50));
  EXPECT_EQ(lan.ports[1]->statistics().frames_from_nic, 1U);
  EXPECT_EQ(lan.drops(1, SwitchDrop::kReserved), 0U);
  EXPECT_EQ(lan.drops(2, SwitchDrop::kReserved), 1U);
}

TEST(Switch, AQueueThatPauseFillsDropsAndCounts) {
  SwitchConfig config;
  config.queue_bytes = 10 * 64;
  Lan lan(2, config, {"", "pause=both"});
  run([&] {
    FramePtr pause = frame(0x0180'C200'0001, station(1));
    pause->data()[12] = 0x88;
    pause->data()[13] = 0x08;
    pause->data()[15] = 1;
    pause->data()[16] = 1;  // 256 * 512 ns
    lan.send(1, pause, us(1));
    for (std::uint64_t tag = 0; tag < 15; ++tag) {
      lan.send(0, frame(kBroadcast, station(0), 64, tag), us(1));
    }
  });
  EXPECT_EQ(lan.nics[1]->arrivals.size(), 10U);
  EXPECT_EQ(lan.drops(1, SwitchDrop::kQueueFull), 5U);
}

TEST(Switch, LearnsWhereStationsAre) {
  Lan lan(3);
  run([&] {
    lan.send(0, frame(kBroadcast, station(0), 64, 1), us(1));
    lan.send(1, frame(station(0), station(1), 64, 2), us(100));
    lan.send(0, frame(station(1), station(0), 64, 3), us(200));
  });
  EXPECT_THAT(lan.nics[0]->tags(), ElementsAre(2));
  EXPECT_THAT(lan.nics[1]->tags(), ElementsAre(1, 3));
  EXPECT_THAT(lan.nics[2]->tags(), ElementsAre(1));
  EXPECT_EQ(lan.hub.statistics().forwarded, 2U);
  EXPECT_EQ(lan.hub.table().stations(us(200)), 2U);
  EXPECT_EQ(lan.ports[0]->statistics().frames_from_nic, 2U);
  EXPECT_EQ(lan.ports[0]->statistics().frames_to_nic, 1U);
}

TEST(Switch, FollowsAStationToAnotherPort) {
  Lan lan(3);
  run([&] {
    lan.send(0, frame(kBroadcast, station(7), 64, 1), us(1));
    lan.send(1, frame(kBroadcast, station(7), 64, 2), us(100));
    lan.send(2, frame(station(7), station(2), 64, 3), us(200));
  });
  EXPECT_THAT(lan.nics[1]->tags(), ElementsAre(1, 3));
  EXPECT_THAT(lan.nics[0]->tags(), ElementsAre(2));
}

TEST(Switch, ForgetsAfterTheAgeingTime) {
  SwitchConfig config;
  config.aging = ms(10);
  Lan lan(3, config);
  run([&] {
    lan.send(0, frame(kBroadcast, station(0), 64, 1), us(1));
    lan.send(1, frame(station(0), station(1), 64, 2), ms(9));
    lan.send(1, frame(station(0), station(1), 64, 3), ms(12));
  });
  EXPECT_THAT(lan.nics[0]->tags(), ElementsAre(2, 3));
  EXPECT_THAT(lan.nics[2]->tags(), ElementsAre(1, 3));
}

TEST(Switch, AFullTableMeansFlooding) {
  SwitchConfig config;
  config.stations = 1;
  Lan lan(3, config);
  run([&] {
    lan.send(0, frame(kBroadcast, station(0)), us(1));
    lan.send(1, frame(kBroadcast, station(1)), us(100));
    lan.send(2, frame(station(1), station(2), 64, 5), us(200));
  });
  EXPECT_EQ(lan.nics[0]->tags().back(), 5U);
  EXPECT_EQ(lan.nics[1]->tags().back(), 5U);
  EXPECT_EQ(lan.hub.table().statistics().refused, 2U);
}

TEST(Switch, NothingGoesBackToWhereItCameFrom) {
  Lan lan(2);
  run([&] {
    lan.send(0, frame(kBroadcast, station(0)), us(1));
    lan.send(0, frame(station(0), station(9), 64, 5), us(100));  // a neighbour on the same wire
  });
  EXPECT_TRUE(lan.nics[0]->arrivals.empty());
  EXPECT_EQ(lan.nics[1]->arrivals.size(), 1U);
  EXPECT_EQ(lan.drops(0, SwitchDrop::kFiltered), 1U);
}

TEST(Switch, DoesNotLearnGroupsAsSources) {
  Lan lan(3);
  run([&] {
    lan.send(0, frame(kBroadcast, 0x0300'0000'0001), us(1));
    lan.send(1, frame(0x0300'0000'0001, station(1), 64, 5), us(100));
  });
  EXPECT_THAT(lan.nics[2]->tags(), ElementsAre(0, 5));
  EXPECT_EQ(lan.hub.table().stations(us(100)), 1U);
}

TEST(Switch, KeepsReservedGroupsAndCountsThem) {
  Lan lan(2);
  run([&] {
    for (unsigned i = 0; i < 16; ++i) {
      lan.send(0, frame(0x0180'C200'0000 + i, station(i)), us(10 * (i + 1)));
    }
    lan.send(0, frame(0x0180'C200'0010, station(20), 64, 9), us(500));
  });
  EXPECT_THAT(lan.nics[1]->tags(), ElementsAre(9));
  EXPECT_EQ(lan.drops(0, SwitchDrop::kReserved), 16U);
  // PAUSE ends in the port's MAC; who sends the others is learned.
  EXPECT_EQ(lan.hub.table().stations(us(500)), 16U);
}

TEST(Switch, DropsWhatArrivesDamagedOrOfImpossibleLength) {
  Lan lan(2);
  const auto bad_fcs = frame(kBroadcast, station(1));
  bad_fcs->carry_fcs(bad_fcs->fcs() ^ 1);
  const auto good_fcs = frame(kBroadcast, station(2), 64, 7);
  good_fcs->carry_fcs(good_fcs->fcs());
  const auto coding = frame(kBroadcast, station(3));
  coding->coding_error = true;
  run([&] {
    lan.send(0, bad_fcs, us(10));
    lan.send(0, good_fcs, us(20));
    lan.send(0, coding, us(30));
    lan.send(0, frame(kBroadcast, station(4), 63), us(40));
    lan.send(0, frame(kBroadcast, station(5), 1522, 8), us(50));
    lan.send(0, frame(kBroadcast, station(6), 1523), us(80));
  });
  EXPECT_THAT(lan.nics[1]->tags(), ElementsAre(7, 8));
  EXPECT_EQ(lan.drops(0, SwitchDrop::kBadFcs), 1U);
  EXPECT_EQ(lan.drops(0, SwitchDrop::kCodingError), 1U);
  EXPECT_EQ(lan.drops(0, SwitchDrop::kTooShort), 1U);
  EXPECT_EQ(lan.drops(0, SwitchDrop::kTooLong), 1U);
  EXPECT_EQ(lan.hub.table().stations(us(80)), 2U) << "nothing is learned from damaged frames";
  EXPECT_EQ(lan.ports[0]->statistics().drops.at("too_long"), 1U);
}

TEST(Switch, OrderOnAPortIsThatOfLastBitsAndNotOfCalls) {
  Lan lan(3);
  run([&] {
    lan.send(1, frame(station(2), station(1), 64, 1), us(5));
    lan.send(0, frame(station(2), station(0), 64, 2), us(4));
    wait_for(us(1));
    lan.send(0, frame(station(2), station(0), 64, 3), us(4));  // on the wire at 4672 ns
  });
  EXPECT_THAT(lan.nics[2]->tags(), ElementsAre(2, 3, 1));
  // In at 4626, 4672 + 626, 5626.
  EXPECT_EQ(lan.nics[2]->arrivals[0].first_bit, ns(4626 + 2050));
  EXPECT_EQ(lan.nics[2]->arrivals[1].first_bit, ns(5298 + 2050));
  // 5298 + 2000 + 576 + 96 = 7970 is later than 5626 + 2000.
  EXPECT_EQ(lan.nics[2]->arrivals[2].first_bit, ns(7970 + 50));
}

TEST(Switch, FramesOfTheSameTimeComeInTheOrderOfTheirPorts) {
  Lan lan(4);
  run([&] {
    for (const unsigned from : {2U, 0U, 1U}) {
      lan.send(from, frame(station(3), station(from), 64, from), us(5));
    }
  });
  EXPECT_THAT(lan.nics[3]->tags(), ElementsAre(0, 1, 2));
  EXPECT_EQ(lan.nics[3]->arrivals[0].first_bit, ns(7676));
  EXPECT_EQ(lan.nics[3]->arrivals[1].first_bit, ns(7676 + 672));
  EXPECT_EQ(lan.nics[3]->arrivals[2].first_bit, ns(7676 + 2 * 672));
}

TEST(Switch, AFrameThatTurnsUpAtTheLastMomentIsStillInTime) {
  SwitchConfig config;
  config.latency = kTimeZero;
  Lan lan(3, config);
  run([&] {
    // Ends at 10 us; the short one is sent at 9.375 us and ends 1 ns later at 10.001 us.
    lan.send(1, frame(station(2), station(1), 1000, 1), us(10) - ns(8 * 1008 + 50));
    wait_for(ns(8375));
    lan.send(0, frame(station(2), station(0), 64, 2), sc_now());
  });
  EXPECT_THAT(lan.nics[2]->tags(), ElementsAre(1, 2));
  EXPECT_EQ(lan.nics[2]->arrivals[0].first_bit, ns(10'050));
}

TEST(Switch, TheShortestFrameMayOvertakeALongOneUntilTheLongOneEnds) {
  SwitchConfig config;
  config.latency = kTimeZero;
  Lan lan(3, config);
  run([&] {
    lan.send(1, frame(station(2), station(1), 1000, 1), us(10) - ns(8 * 1008 + 50));
    wait_for(ns(8373));
    lan.send(0, frame(station(2), station(0), 64, 2), sc_now());  // ends at 9.999 us
  });
  EXPECT_THAT(lan.nics[2]->tags(), ElementsAre(2, 1));
  EXPECT_EQ(lan.nics[2]->arrivals[0].first_bit, ns(9'999 + 50));
}

TEST(Switch, AFullQueueDropsWhatComesLast) {
  SwitchConfig config;
  config.queue_bytes = 3 * 100;
  Lan lan(8, config);
  run([&] {
    for (unsigned from = 1; from < 6; ++from) {
      lan.send(from, frame(station(0), station(from), 100, from), us(5));
    }
    // All are ready at 5000 + 864 + 50 + 2000 = 7914. The first is out of the queue when its last
    // bit has left, at 7914 + 864 = 8778: a frame ready 1 ns before that finds no room.
    lan.send(6, frame(station(0), station(6), 100, 6), ns(5000 + 863));
    lan.send(7, frame(station(0), station(7), 100, 7), ns(5000 + 864));
  });
  EXPECT_THAT(lan.nics[0]->tags(), ElementsAre(1, 2, 3, 7));
  EXPECT_EQ(lan.drops(0, SwitchDrop::kQueueFull), 3U);
  EXPECT_EQ(lan.ports[0]->statistics().frames_to_nic, 4U);
}

TEST(Switch, LinksOfDifferentSpeedMeet) {
  Lan lan(2, {}, {"", "speed=100"});
  run([&] {
    lan.send(0, frame(station(1), station(0), 64, 1), us(5));
    lan.send(0, frame(station(1), station(0), 64, 2), us(5));
  });
  EXPECT_EQ(lan.cables[0]->end(0).speed(), Speed::k1000);
  EXPECT_EQ(lan.cables[1]->end(0).speed(), Speed::k100);
  ASSERT_EQ(lan.nics[1]->arrivals.size(), 2U);
  // In at 5626, out from 7626 for 5760 ns; the gap takes 960 ns.
  EXPECT_EQ(lan.nics[1]->arrivals[0].last_bit, ns(7626 + 5760 + 50));
  EXPECT_EQ(lan.nics[1]->arrivals[1].last_bit, ns(7626 + 5760 + 960 + 5760 + 50));
}

TEST(Switch, APortWithoutLinkLosesWhatIsComingInAndIsForgotten) {
  Lan lan(3);
  run([&] {
    lan.send(0, frame(kBroadcast, station(0), 64, 1), us(1));
    lan.send(1, frame(kBroadcast, station(1), 64, 2), us(5));
    wait_for(us(19));
    lan.send(0, frame(kBroadcast, station(0), 1500, 3), us(20));  // ends at 32 us
    lan.send(1, frame(station(2), station(1), 1500, 4), us(20));
    wait_for(us(5));
    lan.cables[0]->plug(false);
    wait_for(us(95));
    lan.send(1, frame(station(0), station(1), 64, 5), sc_now());
    wait_for(us(100));
    lan.cables[0]->plug(true);
    wait_for(us(100));
    lan.send(1, frame(station(0), station(1), 64, 6), sc_now());
  });
  // 3 was cut off: the cable has lost it, and nobody else counts it.
  EXPECT_EQ(lan.cables[0]->statistics(0).lost_no_link, 1U);
  EXPECT_EQ(lan.cables[0]->statistics(0).frames, 1U);
  std::uint64_t drops = 0;
  for (const auto& [reason, frames] : lan.ports[0]->statistics().drops) drops += frames;
  EXPECT_EQ(drops, 0U);
  EXPECT_EQ(lan.ports[0]->statistics().frames_from_nic, 1U);
  EXPECT_THAT(lan.nics[0]->tags(), ElementsAre(2, 6)) << "4 was flooded when port 0 had no link";
  EXPECT_THAT(lan.nics[1]->tags(), ElementsAre(1));
  EXPECT_THAT(lan.nics[2]->tags(), ElementsAre(1, 2, 4, 5, 6)) << "station 0 is unknown again";
}

TEST(Switch, TwoSwitchesMakeOneNetwork) {
  Lan lan(2);
  Switch second("second");
  Cable trunk("trunk"), cable("far_cable");
  const auto up = lan.hub.plug("up", trunk.end(0));
  const auto down = second.plug("down", trunk.end(1));
  const auto port = second.plug("port", cable.end(1));
  Station far("far", cable.end(0), gigabit_abilities());
  run([&] {
    lan.send(0, frame(station(9), station(0), 64, 1), us(1));
    cable.end(0).send(frame(station(0), station(9), 64, 2), us(20));
    lan.send(1, frame(station(9), station(1), 64, 3), us(40));
  });
  EXPECT_THAT(far.tags(), ElementsAre(1, 3));
  EXPECT_THAT(lan.nics[0]->tags(), ElementsAre(2));
  EXPECT_THAT(lan.nics[1]->tags(), ElementsAre(1));
  EXPECT_EQ(far.arrivals[0].first_bit, ns(1626 + 2626 + 2050));
}

TEST(Switch, LooselyTimedItMergesWhatItKnowsAQuantumAhead) {
  ::tlm::tlm_global_quantum::instance().set(to_sc(us(100)));
  Lan lan(3);
  run([&] {
    // Two senders that run ahead, one after the other.
    for (unsigned i = 0; i < 5; ++i) {
      lan.send(0, frame(station(2), station(0), 64, 10 + i), us(10 + 10 * i));
    }
    for (unsigned i = 0; i < 5; ++i) {
      lan.send(1, frame(station(2), station(1), 64, 20 + i), us(15 + 10 * i));
    }
  });
  EXPECT_THAT(lan.nics[2]->tags(), ElementsAre(10, 20, 11, 21, 12, 22, 13, 23, 14, 24));
  for (unsigned i = 0; i < 10; ++i) {
    EXPECT_EQ(lan.nics[2]->arrivals[i].first_bit, us(10 + 5 * i) + ns(626 + 2050));
    EXPECT_EQ(lan.nics[2]->told_at[i], us(12) + ns(626)) << "all of them at once";
  }
}

TEST(Switch, LooselyTimedAFrameIsLateByAQuantumAtMostAndNotLost) {
  ::tlm::tlm_global_quantum::instance().set(to_sc(us(100)));
  Lan lan(3);
  run([&] {
    for (unsigned i = 0; i < 20; ++i) {
      lan.send(0, frame(station(2), station(0), 64, 0), us(10 + 10 * i));
    }
    wait_for(us(30));
    lan.send(1, frame(station(2), station(1), 64, 1), us(40));
  });
  ASSERT_EQ(lan.nics[2]->arrivals.size(), 21U);
  // At 12.626 us it was looked ahead to 112.626 us: frames up to 110 us have gone.
  EXPECT_EQ(lan.nics[2]->arrivals[11].frame->tag, 1U);
  EXPECT_EQ(lan.nics[2]->arrivals[11].first_bit, us(110) + ns(626 + 2050 + 672));
}

TEST(SwitchReadiness, WaitsForAllStationsOrForAny) {
  Switch all("all", {}, Switch::Readiness::kAll);
  Switch any("any", {}, Switch::Readiness::kAny);
  std::vector<std::unique_ptr<Cable>> cables;
  std::vector<std::unique_ptr<SwitchPort>> ports;
  std::vector<std::unique_ptr<Station>> nics;
  for (Switch* hub : {&all, &any}) {
    for (unsigned i = 0; i < 3; ++i) {
      const std::string n = std::string(hub->name()) + std::to_string(i);
      cables.push_back(std::make_unique<Cable>(("cable_" + n).c_str()));
      ports.push_back(hub->plug(("port_" + n).c_str(), cables.back()->end(1)));
      nics.push_back(std::make_unique<Station>(("station_" + n).c_str(), cables.back()->end(0),
                                               gigabit_abilities()));
    }
  }
  const auto told = [&] {
    std::string text;
    for (const auto& cable : cables) text += cable->end(0).partner_ready() ? '1' : '0';
    return text;
  };
  std::vector<std::string> seen;
  run([&] {
    seen.push_back(told());
    for (const unsigned i : {0U, 1U, 2U}) {
      cables[i]->end(0).set_ready(true);
      cables[3 + i]->end(0).set_ready(true);
      wait_for(us(1));
      seen.push_back(told());
    }
    cables[1]->plug(false);
    cables[4]->plug(false);
    wait_for(us(1));
    seen.push_back(told());
  });
  // A port without its cable hears nothing, and counts as not ready.
  EXPECT_THAT(seen, ElementsAre("000000", "000011", "001111", "111111", "000101"));
}

TEST(Switch, OptionsOfAPortAreThoseOfAnyPartner) {
  Switch hub("switch");
  Cable cable("cable");
  EXPECT_THROW(hub.plug("port", cable.end(1), PartnerSpec::parse("switch:speed=7")),
               std::invalid_argument);
}

}  // namespace
}  // namespace e1000tlm::link
