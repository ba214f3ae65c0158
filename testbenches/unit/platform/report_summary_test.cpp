#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "e1000tlm/report/summary.h"

namespace e1000tlm::platform {
namespace {

RunSummary sample() {
  RunSummary s;
  s.version = "1.2.3";
  s.app = "reflect";
  s.seed = 7;
  s.simulated = ms(1500);
  s.active = ms(1000);
  s.wall_seconds = 0.5;
  NicSummary n;
  n.part = "82540em";
  n.mac = "52:54:00:12:34:56";
  n.link = "pcap";
  n.link_up = true;
  n.mbit_per_second = 1000;
  n.full_duplex = true;
  n.flow_control = "both";
  n.wire_in = {1000, 60'000};
  n.wire_out = {999, 59'940};
  n.interrupts = 500;
  n.leds = {{"link up", "on"}, {"activity", "blinking"}};
  n.lost["rx_fifo_full"] = 1;
  n.filtered["rx_filtered"] = 4;
  traffic::Histogram h;
  h.record(5'000'000);
  n.transit = LatencySummary::of(h);
  s.nics.push_back(n);
  s.pci.name = "32/33";
  s.pci.busy = 0.125;
  s.pci.accesses = 10;
  s.pci.bytes = 640;
  s.ended_by = "duration";
  return s;
}

TEST(Json, HoldsEveryFigureUnderItsDocumentedKey) {
  const auto json = nlohmann::json::parse(to_json(sample()));
  EXPECT_EQ(json["format"], 2);
  EXPECT_EQ(json["version"], "1.2.3");
  EXPECT_EQ(json["app"], "reflect");
  EXPECT_DOUBLE_EQ(json["simulated_s"], 1.5);
  EXPECT_EQ(json["simulated_ns"], 1'500'000'000);
  EXPECT_DOUBLE_EQ(json["wall_s"], 0.5);
  EXPECT_EQ(json["wall_ns"], 500'000'000);
  EXPECT_EQ(json["nics"][0]["under_way"], 0);
  EXPECT_EQ(json["nics"][0]["wire_in"]["frames"], 1000);
  EXPECT_EQ(json["nics"][0]["wire_out"]["bytes"], 59'940);
  EXPECT_EQ(json["nics"][0]["lost"]["rx_fifo_full"], 1);
  EXPECT_EQ(json["nics"][0]["filtered"]["rx_filtered"], 4);
  EXPECT_TRUE(json["signal"].is_null());
  EXPECT_DOUBLE_EQ(json["nics"][0]["interrupts_per_s"], 500);
  EXPECT_EQ(json["nics"][0]["leds"][1]["shows"], "activity");
  EXPECT_EQ(json["nics"][0]["leds"][1]["light"], "blinking");
  EXPECT_DOUBLE_EQ(json["nics"][0]["transit"]["p50_ns"], 5000);
  EXPECT_DOUBLE_EQ(json["pci"]["busy"], 0.125);
  EXPECT_EQ(json["ok"], true);
  EXPECT_TRUE(json["failures"].empty());
}

RunSummary sample_of_virtio() {
  RunSummary s = sample();
  NicSummary& n = s.nics.front();
  n.part = "virtio-net";
  n.leds.clear();
  n.virtio.emplace();
  n.virtio->interface = "modern";
  n.virtio->status = {"ACKNOWLEDGE", "NEEDS_RESET"};
  n.virtio->features = {"CSUM", "MQ"};
  n.virtio->active_pairs = 1;
  n.virtio->pairs = {{{10, 600}, {20, 1200}, 3, 4}, {}};
  n.virtio->fault = "queue 1: too long";
  return s;
}

TEST(Json, SaysWhatAVirtioDeviceAgreedOn) {
  const auto json = nlohmann::json::parse(to_json(sample_of_virtio()))["nics"][0]["virtio"];
  EXPECT_EQ(json["interface"], "modern");
  EXPECT_EQ(json["status"], (std::vector<std::string>{"ACKNOWLEDGE", "NEEDS_RESET"}));
  EXPECT_EQ(json["features"], (std::vector<std::string>{"CSUM", "MQ"}));
  EXPECT_EQ(json["active_pairs"], 1);
  ASSERT_EQ(json["pairs"].size(), 2U);
  EXPECT_EQ(json["pairs"][0]["in"]["frames"], 10);
  EXPECT_EQ(json["pairs"][0]["out"]["bytes"], 1200);
  EXPECT_EQ(json["pairs"][0]["receive_interrupts"], 3);
  EXPECT_EQ(json["pairs"][0]["transmit_interrupts"], 4);
  EXPECT_EQ(json["fault"], "queue 1: too long");
  EXPECT_FALSE(nlohmann::json::parse(to_json(sample()))["nics"][0].contains("virtio"));
}

TEST(Text, SaysWhatAVirtioDeviceAgreedOn) {
  const std::string text = to_text(sample_of_virtio());
  for (const char* part :
       {"status        ACKNOWLEDGE NEEDS_RESET: queue 1: too long", "CSUM MQ",
        "queue pairs   1 of 2 in use", "pair 0      10 frames in, 20 out, interrupts 3 and 4"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(text.find("pair 1"), std::string::npos) << "neither used nor in use";
  EXPECT_EQ(text.find("leds"), std::string::npos);
}

SwitchSummary sample_switch() {
  SwitchSummary hub;
  hub.name = "lan";
  hub.forwarded = 1234;
  hub.flooded = 5;
  hub.stations = hub.learned = 2;
  hub.moved = 3;
  SwitchPortSummary port;
  port.to = "nic 0";
  port.mbit_per_second = 100;
  port.in = {700, 42'000};
  port.out = {539, 40'000};
  port.lost["queue_full"] = 7;
  port.filtered["reserved"] = 2;
  port.under_way = 1;
  hub.ports = {port, {}};
  hub.ports[1].to = "pcap:in=x";
  return hub;
}

TEST(Json, HasSwitchesWithTheirPorts) {
  RunSummary s = sample();
  EXPECT_TRUE(nlohmann::json::parse(to_json(s))["switches"].empty());
  s.switches = {sample_switch()};
  s.boards = 3;
  const auto json = nlohmann::json::parse(to_json(s));
  EXPECT_EQ(json["boards"], 3);
  const auto& hub = json["switches"][0];
  EXPECT_EQ(hub["name"], "lan");
  EXPECT_EQ(hub["forwarded"], 1234);
  EXPECT_EQ(hub["flooded"], 5);
  EXPECT_EQ(hub["stations"], 2);
  EXPECT_EQ(hub["moved"], 3);
  EXPECT_EQ(hub["ports"][0]["to"], "nic 0");
  EXPECT_EQ(hub["ports"][0]["link_mbit_per_s"], 100);
  EXPECT_EQ(hub["ports"][0]["in"]["frames"], 700);
  EXPECT_EQ(hub["ports"][0]["out"]["bytes"], 40'000);
  EXPECT_EQ(hub["ports"][0]["lost"]["queue_full"], 7);
  EXPECT_EQ(hub["ports"][0]["filtered"]["reserved"], 2);
  EXPECT_EQ(hub["ports"][0]["under_way"], 1);
  EXPECT_EQ(hub["ports"][1]["link_mbit_per_s"], 0);
}

TEST(Text, ShowsSwitchesWithTheirPorts) {
  RunSummary s = sample();
  s.switches = {sample_switch()};
  const std::string text = to_text(s);
  for (const char* part :
       {"switch lan", "2 stations", "1,234 to one port, 5 to all", "3 moved", "<-> nic 0",
        "2 reserved", "100 Mbit/s", "700 frames", "7 queue_full", "no link  <-> pcap:in=x"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(Json, WithoutTransitTimesTheKeyIsNull) {
  RunSummary s = sample();
  s.nics[0].transit.reset();
  EXPECT_TRUE(nlohmann::json::parse(to_json(s))["nics"][0]["transit"].is_null());
}

TEST(Json, SurvivesTextThatIsNoUtf8) {
  RunSummary s = sample();
  s.nics[0].link = "pcap:in=\xFF\xFE";
  EXPECT_TRUE(nlohmann::json::accept(to_json(s)));
}

TEST(Json, FailuresMakeItNotOk) {
  RunSummary s = sample();
  s.failures.emplace_back("nic 0: lost its way");
  const auto json = nlohmann::json::parse(to_json(s));
  EXPECT_EQ(json["ok"], false);
  EXPECT_EQ(json["failures"][0], "nic 0: lost its way");
}

TEST(Text, ShowsWhatARunCameTo) {
  const std::string text = to_text(sample());
  for (const char* part :
       {"82540em", "52:54:00:12:34:56", "1000 Mbit/s full duplex", "1,000 frames", "1 rx_fifo_full",
        "filtered      4 frames", "p50 5.00 us", "link up: on, activity: blinking", "32/33",
        "12.5 %", "1.50 s simulated", "3 x real time"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
  EXPECT_EQ(text.find("FAILED"), std::string::npos);
}

TEST(Summary, AddsUpWhatBecameOfFrames) {
  RunSummary s = sample();
  EXPECT_EQ(s.losses(), 5U);
  s.switches = {sample_switch()};
  EXPECT_EQ(s.losses(), 14U);
  s.nics[0].driver_in.frames = 100;
  s.nics[0].mac_control_in = 10;
  s.nics[0].lost["partner_no_peer"] = 1000;  // went the other way
  s.nics[0].lost["driver_errors"] = 2;
  EXPECT_EQ(s.nics[0].accounted(), 117U);
}

TEST(Summary, TellsWhichSignalEndedIt) {
  RunSummary s = sample();
  s.ended_by = "signal";
  s.signal = 15;
  EXPECT_EQ(nlohmann::json::parse(to_json(s))["signal"], "SIGTERM");
  EXPECT_NE(to_text(s).find("ended by signal (SIGTERM)"), std::string::npos);
}

TEST(Summary, DoesNotCallLostWhatALinkSwallowsOrIsUnderWay) {
  RunSummary s = sample();
  s.nics[0].link = "null";
  StreamSummary stream;
  stream.sent = 1000;
  stream.swallowed = 990;
  stream.under_way = 10;
  s.streams = {stream};
  const std::string text = to_text(s);
  EXPECT_NE(text.find("0 intact, 0 lost"), std::string::npos) << text;
  EXPECT_NE(text.find("990 frames by null"), std::string::npos) << text;
  EXPECT_NE(text.find("10 frames at the end"), std::string::npos) << text;
  const auto json = nlohmann::json::parse(to_json(s))["streams"][0];
  EXPECT_EQ(json["swallowed"], 990);
  EXPECT_EQ(json["under_way"], 10);
}

TEST(Text, NothingRanStillReads) {
  EXPECT_NE(to_text(RunSummary{}).find("0 s simulated"), std::string::npos);
}

TEST(Text, FailuresAreShown) {
  RunSummary s = sample();
  s.failures.emplace_back("out of luck");
  EXPECT_NE(to_text(s).find("out of luck"), std::string::npos);
}

TEST(Summary, RatesAreThoseOfTheTimeUnderTest) {
  RunSummary s = sample();
  s.nics[0].before = {{400, 24'000}, {999, 59'940}, 500};
  EXPECT_EQ(nlohmann::json::parse(to_json(s))["nics"][0]["interrupts_per_s"], 0);
  EXPECT_EQ(nlohmann::json::parse(to_json(s))["nics"][0]["interrupts"], 500);
  const std::string text = to_text(s);
  EXPECT_NE(text.find("1,000 frames, 60,000 bytes  (600 frames/s"), std::string::npos) << text;
  EXPECT_NE(text.find("out           999 frames, 59,940 bytes\n"), std::string::npos) << text;
  EXPECT_NE(text.find("interrupts    500  (0 /s)"), std::string::npos) << text;
}

TEST(Summary, SaysWhenMastersAskedForMoreThanTheBusHas) {
  RunSummary s = sample();
  s.pci.busy = 0.9;
  s.pci.busiest = 1.73;
  EXPECT_EQ(to_text(s).find("overcommitted"), std::string::npos) << "approximately timed";
  EXPECT_EQ(nlohmann::json::parse(to_json(s))["pci"]["overcommitted"], false);
  s.quantum = us(1);
  EXPECT_NE(to_text(s).find("overcommitted together the masters asked for 173.0 %"),
            std::string::npos)
      << to_text(s);
  EXPECT_EQ(nlohmann::json::parse(to_json(s))["pci"]["overcommitted"], true);
  s.pci.busiest = 0.99;
  EXPECT_EQ(to_text(s).find("overcommitted"), std::string::npos);
}

}  // namespace
}  // namespace e1000tlm::platform
