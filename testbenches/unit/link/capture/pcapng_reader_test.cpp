#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testbenches/unit/link/capture/capture_fixture.h"
#include "testbenches/unit/link/capture/read_all.h"

namespace e1000tlm::link {
namespace {

using test::Bytestream;
using test::error_of;
using test::filled;
using test::PcapngFile;
using test::ReadCapture;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint16_t kLinuxSll = 113;
constexpr std::uint16_t kResolution = 9;
constexpr std::uint16_t kFcsLength = 13;

std::string read_error(PcapngFile& file) {
  return error_of([&] { ReadCapture{file.file().bytes()}; });
}

TEST(PcapngReader, ReadsInterfacesOfDifferentSnapLengths) {
  PcapngFile file;
  file.interface(test::kEthernet, 96).interface(test::kEthernet, 262144);
  file.packet(0, 10, filled(60, 1))
      .packet(1, 20, filled(1514, 2))
      .packet(0, 30, filled(96, 3), 100);
  const ReadCapture capture(file.file().bytes());
  ASSERT_EQ(capture.frames.size(), 3U);
  EXPECT_EQ(capture.frames[1].bytes, filled(1514, 2));
  EXPECT_EQ(capture.frames[1].time_ns, 20'000);
  EXPECT_EQ(capture.frames[2].bytes.size(), 100U);
  EXPECT_EQ(capture.count(Oddity::kSnapped), 1U);
}

TEST(PcapngReader, ReadsSectionsOfBothByteOrders) {
  PcapngFile file(false);
  file.interface().packet(0, 1'000'000, filled(61, 1));
  file.section(true).interface().packet(0, 2'000'000, filled(62, 2));
  file.section(false).interface().packet(0, 3'000'000, filled(63, 3));
  const ReadCapture capture(file.file().bytes());
  ASSERT_EQ(capture.frames.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(capture.frames[i].bytes, filled(61 + i, static_cast<std::uint8_t>(i + 1)));
    EXPECT_EQ(capture.frames[i].time_ns, static_cast<std::int64_t>(i + 1) * 1'000'000'000);
  }
  EXPECT_THAT(capture.sentences(), IsEmpty());
}

TEST(PcapngReader, LeavesOutPacketsOfOtherInterfacesAndNotesThem) {
  PcapngFile file;
  file.interface(kLinuxSll).interface();
  file.packet(0, 10, filled(60, 1)).packet(1, 20, filled(60, 2)).packet(0, 30, filled(60, 3));
  const ReadCapture capture(file.file().bytes());
  ASSERT_EQ(capture.frames.size(), 1U);
  EXPECT_EQ(capture.frames[0].bytes[0], 2);
  EXPECT_THAT(capture.sentences(),
              ElementsAre(AllOf(HasSubstr("2 packets are of interfaces that are not Ethernet"),
                                HasSubstr("first record 1, at byte 68"))));
}

TEST(PcapngReader, RefusesACaptureWithoutEthernet) {
  PcapngFile file;
  file.interface(kLinuxSll).packet(0, 10, filled(60, 1));
  EXPECT_THAT(read_error(file), AllOf(HasSubstr("LINUX_SLL"), HasSubstr("not Ethernet")));
}

TEST(PcapngReader, TimesHaveTheirInterfacesPrecision) {
  for (const bool big : {false, true}) {
    PcapngFile file(big);
    file.interface(1, 0, file.option(kResolution, 9)).interface(1, 0, file.option(kResolution, 3));
    file.interface(1, 0, file.option(kResolution, 0x80 | 10)).interface();
    file.interface(1, 0, file.option(kResolution, 12));
    file.packet(0, 5'000'000'001, filled(60, 1)).packet(1, 5'002, filled(60, 1));
    file.packet(2, 6 * 1024 + 512, filled(60, 1)).packet(3, 7'000'003, filled(60, 1));
    file.packet(4, 8'000'000'001'999, filled(60, 1));
    const ReadCapture capture(file.file().bytes());
    ASSERT_EQ(capture.frames.size(), 5U);
    EXPECT_EQ(capture.frames[0].time_ns, 5'000'000'001);
    EXPECT_EQ(capture.frames[1].time_ns, 5'002'000'000);
    EXPECT_EQ(capture.frames[2].time_ns, 6'500'000'000);
    EXPECT_EQ(capture.frames[3].time_ns, 7'000'003'000);
    EXPECT_EQ(capture.frames[4].time_ns, 8'000'000'001);
  }
}

TEST(PcapngReader, TimesCountFromTheirInterfacesOffset) {
  for (const bool big : {false, true}) {
    PcapngFile file(big);
    Bytestream offset(big);
    offset.u16(14).u16(8).u32(big ? 0 : 100).u32(big ? 100 : 0).u32(0);
    file.interface(1, 0, offset.bytes()).packet(0, 5'000'000, filled(60, 1));
    EXPECT_EQ(ReadCapture(file.file().bytes()).frames.at(0).time_ns, 105'000'000'000);
  }
}

TEST(PcapngReader, ImpossibleTimesAreErrorsOnlyWhereTimesMatter) {
  PcapngFile file;
  file.interface().packet(0, 0xFFFF'FFFF'FFFF'FFFF, filled(60, 1));
  EXPECT_THAT(read_error(file), HasSubstr("record 1, at byte 48: impossible time stamp"));
  EXPECT_EQ(ReadCapture(file.file().bytes(), {false, false}).frames.size(), 1U);
}

TEST(PcapngReader, AnInterfaceMaySayThatFramesEndWithTheirFcs) {
  for (const std::uint8_t length : {4, 32}) {
    PcapngFile file;
    file.interface(1, 0, file.option(kFcsLength, length)).packet(0, 0, filled(64, 7));
    const ReadCapture capture(file.file().bytes());
    EXPECT_EQ(capture.frames.at(0).bytes.size(), 60U);
    EXPECT_EQ(capture.frames[0].fcs, 0x07070707U);
  }
}

TEST(PcapngReader, ReadsSimpleAndObsoletePacketsAndSkipsWhatItDoesNotKnow) {
  PcapngFile file;
  file.interface(1, 64);
  Bytestream obsolete;
  obsolete.u16(0).u16(7).u32(0).u32(5'000'000).u32(61).u32(61).raw(filled(61, 5));
  Bytestream simple;
  simple.u32(100).raw(filled(64, 6));
  file.block(0x0BAD, Bytestream().raw(filled(40, 0xFF))).block(2, obsolete).block(3, simple);
  file.block(5, Bytestream().raw(filled(12, 0))).packet(0, 6'000'000, filled(62, 7));
  const ReadCapture capture(file.file().bytes());
  ASSERT_EQ(capture.frames.size(), 3U);
  EXPECT_EQ(capture.frames[0].bytes, filled(61, 5));
  EXPECT_EQ(capture.frames[0].time_ns, 5'000'000'000);
  EXPECT_EQ(capture.frames[1].bytes.size(), 100U) << "64 recorded";
  EXPECT_EQ(capture.frames[1].bytes[63], 6);
  EXPECT_EQ(capture.frames[1].time_ns, 5'000'000'000) << "has none of its own";
  EXPECT_EQ(capture.frames[2].bytes, filled(62, 7));
}

TEST(PcapngReader, SkipsBlocksOfAnySizeThatItDoesNotKnow) {
  PcapngFile file;
  file.interface().block(0x0BAD, Bytestream().raw(filled(3'000'000, 0xFF)));
  file.packet(0, 1, filled(62, 7));
  EXPECT_EQ(ReadCapture(file.file().bytes()).frames.size(), 1U);
}

TEST(PcapngReader, OfAFileCutInABlockTheWholeOnesAreRead) {
  for (const std::size_t cut : {1, 4, 60, 80}) {
    PcapngFile file;
    file.interface().packet(0, 1, filled(60, 1)).packet(0, 2, filled(60, 2));
    file.file().cut(cut);
    const ReadCapture capture(file.file().bytes());
    EXPECT_EQ(capture.frames.size(), 1U) << cut;
    EXPECT_THAT(capture.sentences(),
                ElementsAre("ends within record 2, which begins at byte 140; the 1 before it are "
                            "replayed"));
  }
}

TEST(PcapngReader, DamageIsNamedWithItsPlace) {
  PcapngFile unknown;
  unknown.interface().packet(1, 0, filled(60, 1));
  EXPECT_THAT(read_error(unknown), HasSubstr("interface 1, which is not described"));

  PcapngFile no_interface;
  no_interface.packet(0, 0, filled(60, 1));
  EXPECT_THAT(read_error(no_interface), HasSubstr("record 1, at byte 28: it is damaged"));

  PcapngFile long_packet;
  Bytestream body;
  body.u32(0).u32(0).u32(0).u32(1000).u32(1000).raw(filled(60, 1));
  long_packet.interface().block(6, body);
  EXPECT_THAT(read_error(long_packet), HasSubstr("a packet longer than its block"));

  PcapngFile other_end;
  other_end.interface();
  other_end.file().u32(6).u32(32).raw(filled(20, 0)).u32(36);
  EXPECT_THAT(read_error(other_end), HasSubstr("a block of 32 bytes ends otherwise"));

  for (const std::uint32_t length : {0U, 8U, 13U, 0x7FFFFFFCU}) {
    PcapngFile lengths;
    lengths.interface();
    lengths.file().u32(6).u32(length).raw(filled(40, 0));
    EXPECT_THAT(read_error(lengths), HasSubstr("a block of " + std::to_string(length) + " bytes"));
  }

  PcapngFile precision;
  precision.interface(1, 0, precision.option(kResolution, 200));
  EXPECT_THAT(read_error(precision), HasSubstr("times of impossible precision"));
}

TEST(PcapngReader, OtherVersionsAreNamed) {
  Bytestream file;
  file.u32(0x0A0D0D0A).u32(28).u32(0x1A2B3C4D).u16(2).u16(0).u32(0).u32(0).u32(28);
  EXPECT_THAT(error_of([&] { ReadCapture{file.bytes()}; }), HasSubstr("pcapng version 2"));
}

}  // namespace
}  // namespace e1000tlm::link
