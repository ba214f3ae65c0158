/// Messages of User-Mode Linux: time and PCI commands.
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "e1000tlm/plugs/uml/pcidev.h"
#include "e1000tlm/plugs/uml/time_travel.h"

namespace e1000tlm::plugs::uml {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kCalendar = 1'000'000'000;

struct Clock : testing::Test {
  /// What the guest says must be answered with an ACK; its time.
  std::uint64_t said(TimeOp op, std::uint64_t time = 0, std::uint64_t now = 0) {
    const auto result = clock.take({op, ++number, time}, now, kCalendar);
    const auto* ack = std::get_if<TimeMessage>(&result);
    EXPECT_NE(ack, nullptr) << (std::holds_alternative<std::string>(result)
                                    ? std::get<std::string>(result)
                                    : "nothing");
    if (ack == nullptr) return ~std::uint64_t{0};
    EXPECT_EQ(ack->op, TimeOp::kAck);
    EXPECT_EQ(ack->number, number);
    return ack->time;
  }
  /// What the guest says breaks the protocol: how.
  std::string refused(TimeOp op, std::uint64_t time = 0, std::uint64_t now = 0) {
    const auto result = clock.take({op, ++number, time}, now, kCalendar);
    const auto* why = std::get_if<std::string>(&result);
    return why == nullptr ? "it was taken" : *why;
  }
  void acknowledge(const TimeMessage& asked) {
    EXPECT_FALSE(clock.answered());
    const auto result = clock.take({TimeOp::kAck, asked.number, 0}, 0, kCalendar);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(result));
    EXPECT_TRUE(clock.answered());
  }
  void boot() {
    said(TimeOp::kStart, ~std::uint64_t{0});
    EXPECT_EQ(said(TimeOp::kGetTod), kCalendar);
    EXPECT_EQ(said(TimeOp::kGet), 0U);
  }

  GuestClock clock;
  std::uint32_t number = 0;
};

TEST(TimeMessages, GoToBytesAndBack) {
  const TimeMessage message{TimeOp::kUpdate, 0x01020304, 0x1122334455667788};
  const auto bytes = to_bytes(message);
  EXPECT_EQ(bytes, (std::array<std::uint8_t, 16>{5, 0, 0, 0, 4, 3, 2, 1, 0x88, 0x77, 0x66, 0x55,
                                                 0x44, 0x33, 0x22, 0x11}));
  const auto back = parse_time_message(bytes);
  ASSERT_TRUE(std::holds_alternative<TimeMessage>(back));
  EXPECT_EQ(std::get<TimeMessage>(back).op, TimeOp::kUpdate);
  EXPECT_EQ(std::get<TimeMessage>(back).number, 0x01020304U);
  EXPECT_EQ(std::get<TimeMessage>(back).time, 0x1122334455667788U);
}

TEST(TimeMessages, OfUnknownKindAreRefused) {
  auto bytes = to_bytes({TimeOp::kBroadcast, 1, 2});
  EXPECT_TRUE(std::holds_alternative<TimeMessage>(parse_time_message(bytes)));
  bytes[0] = 10;
  EXPECT_THAT(std::get<std::string>(parse_time_message(bytes)), HasSubstr("unknown kind 10"));
  EXPECT_THAT(std::get<std::string>(parse_time_message({bytes.data(), 15})), HasSubstr("15 bytes"));
}

TEST_F(Clock, KnowsHowFarTheGuestCanHaveCome) {
  boot();
  EXPECT_EQ(clock.latest(), 0U);
  acknowledge(clock.allow_until(1000));
  EXPECT_EQ(clock.latest(), 999U);
  said(TimeOp::kUpdate, 400);
  EXPECT_EQ(clock.latest(), 999U);
  said(TimeOp::kRequest, 700);  // it waits for this, and so has not come further
  said(TimeOp::kWait);
  EXPECT_EQ(clock.latest(), 700U);
  acknowledge(clock.run());
  EXPECT_EQ(clock.latest(), 700U);
  acknowledge(clock.allow_until(2000));
  said(TimeOp::kRequest, 5000);
  said(TimeOp::kWait);
  EXPECT_EQ(clock.latest(), 1999U);
  said(TimeOp::kRequest, 1500, 1500);  // an interrupt later: it does not change where it has been
  EXPECT_EQ(clock.latest(), 1999U);
}

TEST_F(Clock, RunsWaitsAndRunsAgain) {
  boot();
  EXPECT_TRUE(clock.started());
  EXPECT_FALSE(clock.waiting());
  said(TimeOp::kRequest, 10'000);
  said(TimeOp::kWait);
  EXPECT_TRUE(clock.waiting());
  EXPECT_EQ(clock.wish(), 10'000U);
  const TimeMessage run = clock.run();
  EXPECT_EQ(run.op, TimeOp::kRun);
  EXPECT_EQ(run.time, 10'000U);
  EXPECT_FALSE(clock.waiting());
  acknowledge(run);
  EXPECT_EQ(said(TimeOp::kGet, 0, 10'000), 10'000U);
}

TEST_F(Clock, TheLastWishCounts) {
  boot();
  said(TimeOp::kRequest, 10'000);
  said(TimeOp::kWait);
  said(TimeOp::kRequest, 5'000);
  EXPECT_EQ(clock.wish(), 5'000U);
  said(TimeOp::kRequest, ~std::uint64_t{0});
  EXPECT_EQ(clock.wish(), kTimeForever);
}

TEST_F(Clock, GoesAloneAsFarAsItMay) {
  boot();
  said(TimeOp::kRequest, 1'000);
  said(TimeOp::kWait);
  acknowledge(clock.allow_until(50'000));
  acknowledge(clock.run());
  EXPECT_EQ(clock.free_until(), 50'000U);
  said(TimeOp::kUpdate, 20'000);
  EXPECT_THAT(refused(TimeOp::kUpdate, 50'001), HasSubstr("may not go that far"));
  EXPECT_THAT(refused(TimeOp::kUpdate, 19'999), HasSubstr("is over"));
  EXPECT_THAT(refused(TimeOp::kRequest, 19'999), HasSubstr("is over"));
  said(TimeOp::kRequest, 50'000);
  said(TimeOp::kWait);
  EXPECT_EQ(clock.free_until(), 0U) << "a WAIT ends it";
}

TEST_F(Clock, RefusesWhatMakesNoSense) {
  EXPECT_THAT(refused(TimeOp::kWait), HasSubstr("before START"));
  boot();
  EXPECT_THAT(refused(TimeOp::kStart), HasSubstr("second time"));
  EXPECT_THAT(refused(TimeOp::kRun, 5), HasSubstr("only a controller"));
  EXPECT_THAT(refused(TimeOp::kFreeUntil, 5), HasSubstr("only a controller"));
  EXPECT_THAT(refused(TimeOp::kAck), HasSubstr("nothing we asked for"));
  said(TimeOp::kWait);
  EXPECT_THAT(refused(TimeOp::kWait), HasSubstr("second time"));
  EXPECT_THAT(refused(TimeOp::kUpdate, 5), HasSubstr("while it waits"));
  const TimeMessage asked = clock.allow_until(5);
  const auto other = clock.take({TimeOp::kAck, asked.number + 1, 0}, 0, 0);
  EXPECT_TRUE(std::holds_alternative<std::string>(other)) << "an answer with another number";
}

std::vector<std::uint8_t> command(PciOp op, std::uint8_t region, std::uint32_t size,
                                  std::uint64_t address, std::size_t data) {
  std::vector<std::uint8_t> bytes(kPciHeaderBytes + data, 0xA5);
  bytes[0] = static_cast<std::uint8_t>(op);
  bytes[1] = region;
  bytes[2] = bytes[3] = 0;
  store_le32(bytes.data() + 4, size);
  store_le64(bytes.data() + 8, address);
  return bytes;
}

std::string why(const std::vector<std::uint8_t>& bytes) {
  const auto parsed = parse_pci_command(bytes);
  const auto* text = std::get_if<std::string>(&parsed);
  return text == nullptr ? "" : *text;
}

TEST(PciCommands, AreTakenApart) {
  const auto bytes = command(PciOp::kWrite, 3, 4, 0x3818, 8);
  const auto parsed = parse_pci_command(bytes);
  ASSERT_TRUE(std::holds_alternative<PciCommand>(parsed));
  const auto& c = std::get<PciCommand>(parsed);
  EXPECT_EQ(c.op, PciOp::kWrite);
  EXPECT_EQ(c.region, 3U);
  EXPECT_EQ(c.size, 4U);
  EXPECT_EQ(c.address, 0x3818U);
  EXPECT_EQ(c.data.data(), bytes.data() + kPciHeaderBytes);
  EXPECT_EQ(c.data.size(), 4U) << "configuration writes come with more than counts";
  EXPECT_EQ(why(command(PciOp::kConfigRead, 0, 2, 0xFE, 0)), "");
  EXPECT_EQ(why(command(PciOp::kConfigWrite, 0, 1, 0x3C, 8)), "");
  EXPECT_EQ(why(command(PciOp::kRead, 0, 4, 0, 0)), "");
  EXPECT_EQ(why(command(PciOp::kFill, 5, 100'000, 0, 1)), "");
}

TEST(PciCommands, ThatMakeNoSenseAreRefused) {
  EXPECT_THAT(why({1, 2, 3}), HasSubstr("3 bytes"));
  EXPECT_THAT(why(command(PciOp{0}, 0, 4, 0, 0)), HasSubstr("unknown kind 0"));
  EXPECT_THAT(why(command(PciOp::kIntx, 0, 4, 0, 0)), HasSubstr("unknown kind 6"));
  EXPECT_THAT(why(command(PciOp::kConfigRead, 0, 3, 0, 0)), HasSubstr("3 bytes of configuration"));
  EXPECT_THAT(why(command(PciOp::kConfigRead, 0, 4, 0x100, 0)), HasSubstr("offset 256"));
  EXPECT_THAT(why(command(PciOp::kConfigRead, 0, 4, 2, 0)), HasSubstr("offset 2 "));
  EXPECT_THAT(why(command(PciOp::kConfigWrite, 1, 4, 0, 8)), HasSubstr("of region 1"));
  EXPECT_THAT(why(command(PciOp::kConfigWrite, 0, 4, 0, 3)), HasSubstr("3 bytes of data where 4"));
  EXPECT_THAT(why(command(PciOp::kRead, 6, 4, 0, 0)), HasSubstr("region 6"));
  EXPECT_THAT(why(command(PciOp::kRead, 0, 0, 0, 0)), HasSubstr("0 bytes"));
  EXPECT_THAT(why(command(PciOp::kRead, 0, kMostPciData + 1, 0, 0)), HasSubstr("1048577 bytes"));
  EXPECT_THAT(why(command(PciOp::kRead, 0, 8, ~std::uint64_t{0}, 0)), HasSubstr("offset"));
  EXPECT_THAT(why(command(PciOp::kFill, 0, 8, 0, 0)), HasSubstr("0 bytes of data where 1"));
}

TEST(PciCommands, AnInterruptHasItsPin) {
  EXPECT_EQ(intx_message(2), (PciInterrupt{6, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0}));
}

TEST(PciCommands, AMessageHasItsAddressAndData) {
  EXPECT_EQ(msi_message(0xA0000, 0x01020304, 4),
            (PciInterrupt{7, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0xA, 0, 0, 0, 0, 0, 4, 3, 2, 1}));
  EXPECT_EQ(msi_message(0xA0000, 0x4041, 2),
            (PciInterrupt{7, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0xA, 0, 0, 0, 0, 0, 0x41, 0x40}));
}

}  // namespace
}  // namespace e1000tlm::plugs::uml
