// Captures that are damaged, odd or pipes, as the pcap partner replays them.
#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "testbenches/support/sc_test.h"
#include "testbenches/unit/link/capture/pcap_bench.h"

namespace e1000tlm::link {
namespace {

using test::add_record;
using test::Bytestream;
using test::filled;
using test::kFlush;
using test::pcap_header;
using test::PcapBench;
using test::TemporaryFile;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(PcapPartnerFiles, SnappedAndOversizedRecordsAreReported) {
  TemporaryFile file("in.pcap");
  Bytestream content = pcap_header();
  add_record(content, 0, 0, filled(60, 1), 100);
  add_record(content, 0, 0, filled(kMaxFrameBytes + 1, 1));
  content.save(file.path());
  e1000tlm::test::expect_report("/e1000tlm/link/pcap");
  e1000tlm::test::expect_report("/e1000tlm/link/pcap");
  PcapBench bench("in=" + file.path() + ",loop=3");
  bench.run_ready();
  EXPECT_EQ(bench.nic.received.size(), 3U);
  EXPECT_EQ(bench.partner.statistics().drops.at("oversized"), 3U);
}

TEST(PcapPartnerFiles, OfACaptureCutInARecordTheWholeOnesAreReplayed) {
  TemporaryFile file("in.pcap");
  Bytestream content = pcap_header();
  for (std::uint32_t i = 0; i < 3; ++i) add_record(content, 0, i, filled(60, 1));
  content.cut(1).save(file.path());
  e1000tlm::test::expect_report("/e1000tlm/link/pcap");
  PcapBench bench("in=" + file.path());
  bench.run_ready();
  EXPECT_EQ(bench.nic.received.size(), 2U);
  EXPECT_TRUE(bench.partner.exhausted());
  EXPECT_EQ(bench.partner.fault(), "");
  EXPECT_THAT(bench.partner.warnings(),
              ElementsAre(AllOf(HasSubstr(file.path()), HasSubstr("ends within record 3"))));
}

TEST(PcapPartnerFiles, DamageEndsTheReplayAndIsAFault) {
  TemporaryFile file("in.pcap");
  Bytestream content = pcap_header();
  for (std::uint32_t i = 0; i < 2; ++i) add_record(content, 0, i, filled(60, 1));
  content.u32(0).u32(0).u32(0x7FFFFFFF).u32(60).save(file.path());
  e1000tlm::test::expect_report("/e1000tlm/link/pcap");
  PcapBench bench("in=" + file.path());
  bench.run_ready();
  EXPECT_EQ(bench.nic.received.size(), 2U);
  EXPECT_TRUE(bench.partner.exhausted());
  EXPECT_THAT(bench.partner.fault(),
              AllOf(HasSubstr(file.path()), HasSubstr("record 3, at byte 176")));
}

TEST(PcapPartnerFiles, TimesBeyondTheSimulationEndTheReplay) {
  TemporaryFile file("in.pcap");
  Bytestream content = pcap_header();
  add_record(content, 0, 0, filled(60, 1));
  add_record(content, 3 * 365 * 86'400, 0, filled(60, 1));
  content.save(file.path());
  e1000tlm::test::expect_report("/e1000tlm/link/pcap");
  PcapBench bench("in=" + file.path());
  bench.run_ready();
  EXPECT_EQ(bench.nic.received.size(), 1U);
  EXPECT_THAT(bench.partner.fault(), HasSubstr("100 days"));
}

TEST(PcapPartnerFiles, TimesDoNotMatterAtLinePace) {
  TemporaryFile file("in.pcap");
  Bytestream content = pcap_header();
  add_record(content, 0, 0, filled(60, 1));
  add_record(content, 3 * 365 * 86'400, 0, filled(60, 1));
  content.save(file.path());
  PcapBench bench("pace=line,in=" + file.path());
  bench.run_ready();
  EXPECT_EQ(bench.nic.received.size(), 2U);
  EXPECT_EQ(bench.partner.fault(), "");
}

/// A named pipe that a thread writes.
class Fifo {
 public:
  Fifo() : file_("fifo") { EXPECT_EQ(mkfifo(file_.path().c_str(), 0600), 0); }
  ~Fifo() {
    if (writer_.joinable()) writer_.join();
  }
  const std::string& path() const { return file_.path(); }
  void write(std::vector<std::vector<std::uint8_t>> pieces) {
    writer_ = std::thread([this, pieces = std::move(pieces)] {
      const int fd = open(path().c_str(), O_WRONLY);
      for (const auto& piece : pieces) {
        EXPECT_EQ(::write(fd, piece.data(), piece.size()), static_cast<ssize_t>(piece.size()));
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
      close(fd);
    });
  }

 private:
  TemporaryFile file_;
  std::thread writer_;
};

TEST(PcapPartnerFiles, APipeGivesTheSameRunAsAFile) {
  Fifo fifo;
  Bytestream whole = pcap_header();
  add_record(whole, 1'000, 100, filled(60, 1));
  add_record(whole, 1'000, 105, filled(1514, 2));
  add_record(whole, 1'000, 120, filled(100, 3));
  const std::vector<std::uint8_t>& bytes = whole.bytes();
  std::vector<std::vector<std::uint8_t>> pieces;
  for (std::size_t i = 0; i < bytes.size(); i += 300) {
    pieces.emplace_back(
        bytes.begin() + static_cast<std::ptrdiff_t>(i),
        bytes.begin() + static_cast<std::ptrdiff_t>(std::min(i + 300, bytes.size())));
  }
  fifo.write(std::move(pieces));
  PcapBench bench("in=" + fifo.path());
  bench.run_ready();
  EXPECT_THAT(bench.times(), ElementsAre(us(0), us(5), us(20)));
  EXPECT_TRUE(bench.partner.exhausted());
}

TEST(PcapPartnerFiles, APipeCannotBeReplayedTwice) {
  Fifo fifo;
  fifo.write({pcap_header().bytes()});
  Cable cable("cable");
  std::string what;
  try {
    PcapPartner partner("partner", cable.end(1),
                        PartnerSpec::parse("pcap:loop=2,in=" + fifo.path()), kFlush);
  } catch (const std::invalid_argument& error) {
    what = error.what();
  }
  EXPECT_THAT(what, AllOf(HasSubstr("loop=2"), HasSubstr(fifo.path() + " is a pipe")));
}

TEST(PcapPartnerFiles, AnEmptyCaptureIsExhaustedAtOnce) {
  TemporaryFile file("in.pcap");
  pcap_header().save(file.path());
  PcapBench bench("in=" + file.path());
  bench.run_ready();
  EXPECT_TRUE(bench.partner.exhausted());
  EXPECT_TRUE(bench.nic.received.empty());
}

}  // namespace
}  // namespace e1000tlm::link
