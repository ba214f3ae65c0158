#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pcap/pcap.h>

#include "e1000tlm/link/capture/pcap_reader.h"
#include "e1000tlm/link/capture/pcapng_writer.h"
#include "e1000tlm/link/frame.h"
#include "testbenches/unit/link/capture/capture_fixture.h"

namespace e1000tlm::link {
namespace {

using test::add_record;
using test::Bytestream;
using test::filled;
using test::pcap_header;
using test::TemporaryFile;
using ::testing::AllOf;
using ::testing::HasSubstr;

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "no error";
}
std::string read_error(const std::string& path) {
  return error_of([&] { PcapReader reader(path); });
}

TEST(PcapReader, ReadsMicrosecondsInLittleAndBigEndian) {
  for (const bool big : {false, true}) {
    TemporaryFile file("usec.pcap");
    Bytestream content = pcap_header(test::kMicroseconds, test::kEthernet, big);
    add_record(content, 1'700'000'000, 5, filled(60, 1));
    add_record(content, 1'700'000'001, 4, filled(1514, 2));
    content.save(file.path());
    const PcapReader reader(file.path());
    ASSERT_EQ(reader.size(), 2U);
    EXPECT_EQ(reader.record(0).time_ns, 1'700'000'000'000'005'000);
    EXPECT_EQ(reader.offset(0), kTimeZero);
    EXPECT_EQ(reader.offset(1), us(999'999));
    EXPECT_EQ(reader.record(0).bytes.size(), 60U);
    ASSERT_EQ(reader.record(1).bytes.size(), 1514U);
    EXPECT_EQ(reader.record(1).bytes[1513], 2);
    EXPECT_FALSE(reader.record(0).fcs);
    EXPECT_EQ(reader.snapped() + reader.oversized(), 0U);
  }
}

TEST(PcapReader, ReadsNanoseconds) {
  TemporaryFile file("nsec.pcap");
  Bytestream content = pcap_header(test::kNanoseconds);
  add_record(content, 1, 7, filled(60, 1));
  add_record(content, 1, 680, filled(60, 1));
  content.save(file.path());
  EXPECT_EQ(PcapReader(file.path()).offset(1), ns(673));
}

TEST(PcapReader, ReadsPcapngAndTimesThatGoBack) {
  TemporaryFile file("in.pcapng");
  FramePool pool;
  PcapngWriter writer(file.path(), {"if", "", 1'000'000'000});
  writer.write(us(2), CaptureDirection::kInbound, *pool.copy(filled(61, 3)));
  writer.write(us(1), CaptureDirection::kInbound, *pool.copy(filled(62, 4)));
  writer.close();
  const PcapReader reader(file.path());
  ASSERT_EQ(reader.size(), 2U);
  EXPECT_EQ(reader.offset(1), -us(1));
  EXPECT_EQ(reader.record(1).bytes.size(), 62U);
}

TEST(PcapReader, ACaptureWithoutFramesIsFine) {
  TemporaryFile file("empty.pcap");
  pcap_header().save(file.path());
  EXPECT_TRUE(PcapReader(file.path()).empty());
}

TEST(PcapReader, CompletesSnappedFramesWithZerosAndCountsThem) {
  TemporaryFile file("snapped.pcap");
  Bytestream content = pcap_header();
  add_record(content, 0, 0, filled(54, 0xEE), 1514);
  add_record(content, 0, 1, filled(60, 0x11));
  content.save(file.path());
  const PcapReader reader(file.path());
  EXPECT_EQ(reader.snapped(), 1U);
  ASSERT_EQ(reader.record(0).bytes.size(), 1514U);
  EXPECT_EQ(reader.record(0).bytes[53], 0xEE);
  EXPECT_EQ(reader.record(0).bytes[54], 0);
  EXPECT_EQ(reader.record(0).bytes[1513], 0);
  EXPECT_EQ(reader.record(1).bytes[0], 0x11);
}

TEST(PcapReader, LeavesOutFramesNoNicCanCarryAndCountsThem) {
  TemporaryFile file("oversized.pcap");
  Bytestream content = pcap_header();
  add_record(content, 0, 0, filled(kMaxFrameBytes + 1, 1));
  add_record(content, 0, 0, filled(60, 1), 0xFFFFFFFF);
  add_record(content, 0, 0, filled(kMaxFrameBytes, 2));
  content.save(file.path());
  const PcapReader reader(file.path());
  EXPECT_EQ(reader.oversized(), 2U);
  ASSERT_EQ(reader.size(), 1U);
  EXPECT_EQ(reader.record(0).bytes[0], 2);
}

TEST(PcapReader, TakesTheFcsWhenTheFileOrTheUserSaysItIsThere) {
  const std::vector<std::uint8_t> frame = filled(60, 9);
  std::vector<std::uint8_t> with_fcs = frame;
  const std::uint32_t fcs = ethernet_fcs(frame);
  for (int i = 0; i < 4; ++i) with_fcs.push_back(static_cast<std::uint8_t>(fcs >> (8 * i)));
  constexpr std::uint32_t kFourBytesOfFcs = 0x24000000;
  for (const bool file_says : {true, false}) {
    TemporaryFile file("fcs.pcap");
    Bytestream content =
        pcap_header(test::kMicroseconds, test::kEthernet | (file_says ? kFourBytesOfFcs : 0));
    add_record(content, 0, 0, with_fcs);
    add_record(content, 0, 0, filled(3, 1));
    content.save(file.path());
    PcapReader::Options options;
    options.with_fcs = !file_says;
    const PcapReader reader(file.path(), options);
    ASSERT_EQ(reader.record(0).bytes.size(), 60U);
    EXPECT_EQ(reader.record(0).fcs, fcs);
    EXPECT_EQ(reader.record(1).bytes.size(), 3U) << "too short to hold an FCS";
    EXPECT_FALSE(reader.record(1).fcs);
  }
}

TEST(PcapReader, MissingOrUnreadableFileIsNamed) {
  EXPECT_THAT(read_error("/nonexistent/x.pcap"),
              AllOf(HasSubstr("/nonexistent/x.pcap"), HasSubstr("No such file")));
  const std::string directory = std::filesystem::temp_directory_path().string();
  EXPECT_THAT(read_error(directory), AllOf(HasSubstr(directory), HasSubstr("directory")));
}

TEST(PcapReader, FilesThatAreNoCapturesAreRefused) {
  TemporaryFile text("text.pcap");
  Bytestream().raw(filled(100, 'x')).save(text.path());
  EXPECT_THAT(read_error(text.path()), AllOf(HasSubstr(text.path()), HasSubstr("unknown")));
  TemporaryFile empty("empty");
  Bytestream().save(empty.path());
  EXPECT_THAT(read_error(empty.path()), AllOf(HasSubstr(empty.path()), HasSubstr("truncated")));
}

TEST(PcapReader, OtherLinkTypesAreNamed) {
  TemporaryFile file("linux_sll.pcap");
  pcap_header(test::kMicroseconds, 113).save(file.path());
  EXPECT_THAT(read_error(file.path()), AllOf(HasSubstr("LINUX_SLL"), HasSubstr("not Ethernet")));
}

TEST(PcapReader, ACaptureCutInARecordSaysHowFarItWasGood) {
  for (const std::size_t cut : {std::size_t{1}, std::size_t{60}, std::size_t{70}}) {
    TemporaryFile file("cut.pcap");
    Bytestream content = pcap_header();
    for (int i = 0; i < 3; ++i) add_record(content, 0, 0, filled(60, 1));
    content.cut(cut).save(file.path());
    EXPECT_THAT(read_error(file.path()),
                AllOf(HasSubstr(file.path()), HasSubstr("truncated"), HasSubstr("after 2 frames")));
  }
}

TEST(PcapReader, DamagedLengthsAreRefused) {
  TemporaryFile file("damaged.pcap");
  Bytestream content = pcap_header();
  content.u32(0).u32(0).u32(0x7FFFFFFF).u32(60);
  content.save(file.path());
  EXPECT_THAT(read_error(file.path()), HasSubstr(file.path()));
}

TEST(PcapReader, TimesBeyondTheSimulationAreRefused) {
  TemporaryFile file("long.pcap");
  Bytestream content = pcap_header();
  add_record(content, 0, 0, filled(60, 1));
  add_record(content, 101 * 86400, 0, filled(60, 1));
  content.save(file.path());
  EXPECT_THAT(read_error(file.path()), HasSubstr("100 days"));
}

struct ReadBack {
  std::int64_t seconds;
  std::int64_t nanoseconds;
  std::vector<std::uint8_t> bytes;
  std::uint32_t length;
};

std::vector<ReadBack> read_back(const std::string& path) {
  char error[PCAP_ERRBUF_SIZE];
  const std::unique_ptr<pcap_t, void (*)(pcap_t*)> handle(
      pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, error),
      pcap_close);
  std::vector<ReadBack> result;
  if (!handle) {
    ADD_FAILURE() << error;
    return result;
  }
  EXPECT_EQ(pcap_datalink(handle.get()), DLT_EN10MB);
  pcap_pkthdr* header = nullptr;
  const unsigned char* data = nullptr;
  int status = 0;
  while ((status = pcap_next_ex(handle.get(), &header, &data)) == 1) {
    result.push_back(
        {header->ts.tv_sec, header->ts.tv_usec, {data, data + header->caplen}, header->len});
  }
  EXPECT_EQ(status, PCAP_ERROR_BREAK) << pcap_geterr(handle.get());
  return result;
}

/// Writes frames of sizes 60 to 63 (every padding), one error each kind, one later than 2^32 ns.
void write_sample(const std::string& path) {
  FramePool pool;
  PcapngWriter writer(path, {"nic0", "a test's wire", 100'000'000});
  for (std::size_t i = 0; i < 4; ++i) {
    const FramePtr frame = pool.copy(filled(60 + i, static_cast<std::uint8_t>(i)));
    if (i == 2) frame->carry_fcs(frame->fcs() ^ 1);
    if (i == 3) frame->coding_error = true;
    const bool inbound = i % 2 == 0;
    const Time when = i == 3 ? ms(5'000) + ns(1) : us(1) + ns(672) * static_cast<std::int64_t>(i);
    writer.write(when, inbound ? CaptureDirection::kInbound : CaptureDirection::kOutbound, *frame);
  }
  EXPECT_EQ(writer.frames(), 4U);
  writer.close();
  writer.close();
}

TEST(PcapngWriter, IsReadBackByLibpcapWithNanoseconds) {
  TemporaryFile file("out.pcapng");
  write_sample(file.path());
  const std::vector<ReadBack> frames = read_back(file.path());
  ASSERT_EQ(frames.size(), 4U);
  EXPECT_EQ(frames[0].nanoseconds, 1'000);
  EXPECT_EQ(frames[1].nanoseconds, 1'672);
  EXPECT_EQ(frames[2].nanoseconds, 2'344);
  EXPECT_EQ(frames[3].seconds, 5);
  EXPECT_EQ(frames[3].nanoseconds, 1);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(frames[i].bytes, filled(60 + i, static_cast<std::uint8_t>(i)));
    EXPECT_EQ(frames[i].length, 60 + i);
  }
}

std::string output_of(const std::string& command) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string text;
  char buffer[4096];
  std::size_t n = 0;
  while (pipe && (n = std::fread(buffer, 1, sizeof buffer, pipe.get())) > 0) text.append(buffer, n);
  return text;
}

TEST(PcapngWriter, IsUnderstoodByWiresharksTools) {
  if (std::system("command -v capinfos tshark >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "capinfos or tshark not installed";
  }
  TemporaryFile file("out.pcapng");
  write_sample(file.path());
  const std::string info = output_of("capinfos " + file.path() + " 2>&1");
  EXPECT_THAT(info,
              AllOf(HasSubstr("pcapng"), HasSubstr("nanoseconds (9)"), HasSubstr("Name = nic0"),
                    HasSubstr("Description = a test's wire"), HasSubstr("Speed = 100000000"),
                    HasSubstr("Number of packets = 4"), HasSubstr("e1000-tlm")));
  const std::string fields = output_of("tshark -n -r " + file.path() +
                                       " -T fields -e frame.packet_flags -e frame.interface_name "
                                       "2>/dev/null");
  EXPECT_EQ(fields, "0x00000001\tnic0\n0x00000002\tnic0\n0x01000001\tnic0\n0x80000002\tnic0\n");
}

TEST(PcapngWriter, TheSameFramesGiveTheSameBytes) {
  TemporaryFile a("a.pcapng");
  TemporaryFile b("b.pcapng");
  write_sample(a.path());
  write_sample(b.path());
  const auto content = [](const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  EXPECT_FALSE(content(a.path()).empty());
  EXPECT_EQ(content(a.path()), content(b.path()));
}

TEST(PcapngWriter, AFileThatCannotBeCreatedIsNamed) {
  EXPECT_THAT(error_of([] {
                PcapngWriter("/nonexistent/out.pcapng", {"", "", 0});
              }),
              AllOf(HasSubstr("/nonexistent/out.pcapng"), HasSubstr("No such file")));
}

TEST(PcapngWriter, AFullDiskIsReportedOnCloseOrWrite) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  EXPECT_THAT(error_of([] {
                PcapngWriter("/dev/full", {"", "", 0}).close();
              }),
              AllOf(HasSubstr("/dev/full"), HasSubstr("No space left")));
  FramePool pool;
  const FramePtr frame = pool.copy(filled(9000, 0));
  EXPECT_THAT(error_of([&] {
                PcapngWriter writer("/dev/full", {"", "", 0});
                for (int i = 0; i < 1000; ++i) {
                  writer.write(us(i), CaptureDirection::kUnknown, *frame);
                }
              }),
              AllOf(HasSubstr("/dev/full"), HasSubstr("No space left")));
}

}  // namespace
}  // namespace e1000tlm::link
