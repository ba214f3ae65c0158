#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pcap/pcap.h>

#include "e1000tlm/link/capture/pcapng_writer.h"
#include "e1000tlm/link/frame.h"
#include "testbenches/unit/link/capture/capture_fixture.h"
#include "testbenches/unit/link/capture/read_all.h"

namespace e1000tlm::link {
namespace {

using test::error_of;
using test::filled;
using test::TemporaryFile;
using ::testing::AllOf;
using ::testing::HasSubstr;

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
