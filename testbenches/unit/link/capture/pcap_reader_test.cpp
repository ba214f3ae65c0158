#include "e1000tlm/link/capture/pcap_reader.h"

#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pcap/pcap.h>
#include <unistd.h>

#include "e1000tlm/link/capture/pcapng_writer.h"
#include "e1000tlm/link/frame.h"
#include "testbenches/unit/link/capture/capture_fixture.h"
#include "testbenches/unit/link/capture/read_all.h"

namespace e1000tlm::link {
namespace {

using test::add_record;
using test::Bytestream;
using test::error_of;
using test::filled;
using test::pcap_header;
using test::read_all;
using test::ReadCapture;
using test::ReadFrame;
using test::TemporaryFile;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string read_error(const std::string& path) {
  return error_of([&] { read_all(path); });
}

TEST(PcapReader, ReadsMicrosecondsInLittleAndBigEndian) {
  for (const bool big : {false, true}) {
    TemporaryFile file("usec.pcap");
    Bytestream content = pcap_header(test::kMicroseconds, test::kEthernet, big);
    add_record(content, 1'700'000'000, 5, filled(60, 1));
    add_record(content, 1'700'000'001, 4, filled(1514, 2));
    content.save(file.path());
    PcapReader reader(file.path());
    const std::vector<ReadFrame> frames = read_all(reader);
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frames[0].time_ns, 1'700'000'000'000'005'000);
    EXPECT_EQ(frames[1].time_ns, 1'700'000'001'000'004'000);
    EXPECT_EQ(frames[0].bytes, filled(60, 1));
    EXPECT_EQ(frames[1].bytes, filled(1514, 2));
    EXPECT_FALSE(frames[0].fcs);
    EXPECT_THAT(reader.notes().sentences(), IsEmpty());
    EXPECT_TRUE(reader.complete());
  }
}

TEST(PcapReader, ReadsNanoseconds) {
  Bytestream content = pcap_header(test::kNanoseconds);
  add_record(content, 1, 7, filled(60, 1));
  add_record(content, 1, 680, filled(60, 1));
  const ReadCapture capture(content.bytes());
  ASSERT_EQ(capture.frames.size(), 2U);
  EXPECT_EQ(capture.frames[1].time_ns - capture.frames[0].time_ns, 673);
}

TEST(PcapReader, ReadsRecordsOfTheModifiedFormat) {
  constexpr std::uint32_t kModified = 0xA1B2CD34;
  Bytestream content = pcap_header(kModified);
  content.u32(1).u32(2).u32(60).u32(60).u32(0).u32(0).raw(filled(60, 4));
  const ReadCapture capture(content.bytes());
  ASSERT_EQ(capture.frames.size(), 1U);
  EXPECT_EQ(capture.frames[0].time_ns, 1'000'002'000);
  EXPECT_EQ(capture.frames[0].bytes, filled(60, 4));
}

TEST(PcapReader, ReadsPcapngAndTimesThatGoBack) {
  TemporaryFile file("in.pcapng");
  FramePool pool;
  PcapngWriter writer(file.path(), {"if", "", 1'000'000'000});
  writer.write(us(2), CaptureDirection::kInbound, *pool.copy(filled(61, 3)));
  writer.write(us(1), CaptureDirection::kInbound, *pool.copy(filled(62, 4)));
  writer.close();
  PcapReader reader(file.path());
  const std::vector<ReadFrame> frames = read_all(reader);
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[1].time_ns - frames[0].time_ns, -1'000);
  EXPECT_EQ(frames[1].bytes.size(), 62U);
  EXPECT_THAT(reader.notes().sentences(),
              ElementsAre(AllOf(HasSubstr("1 time stamp goes back"), HasSubstr("record 2"))));
}

TEST(PcapReader, NotesTimesThatGoBackOnlyWhereTimesMatter) {
  Bytestream content = pcap_header();
  for (const std::uint32_t second : {5U, 4U, 3U, 6U, 5U}) {
    add_record(content, second, 0, filled(60, 1));
  }
  const ReadCapture timed(content.bytes());
  EXPECT_THAT(timed.sentences(), ElementsAre(AllOf(HasSubstr("3 time stamps go back"),
                                                   HasSubstr("first record 2, at byte 100"))));
  EXPECT_THAT(ReadCapture(content.bytes(), {false, false}).sentences(), IsEmpty());
}

TEST(PcapReader, ACaptureWithoutFramesIsFine) {
  const ReadCapture capture(pcap_header().bytes());
  EXPECT_TRUE(capture.frames.empty());
  EXPECT_THAT(capture.sentences(), IsEmpty());
}

TEST(PcapReader, CompletesSnappedFramesWithZerosAndCountsThem) {
  Bytestream content = pcap_header();
  add_record(content, 0, 0, filled(54, 0xEE), 1514);
  add_record(content, 0, 1, filled(60, 0x11));
  const ReadCapture capture(content.bytes());
  EXPECT_EQ(capture.count(Oddity::kSnapped), 1U);
  ASSERT_EQ(capture.frames[0].bytes.size(), 1514U);
  EXPECT_EQ(capture.frames[0].bytes[53], 0xEE);
  EXPECT_EQ(capture.frames[0].bytes[54], 0);
  EXPECT_EQ(capture.frames[0].bytes[1513], 0);
  EXPECT_EQ(capture.frames[1].bytes[0], 0x11);
}

TEST(PcapReader, LeavesOutFramesNoNicCanCarryAndCountsThem) {
  Bytestream content = pcap_header();
  add_record(content, 0, 0, filled(kMaxFrameBytes + 1, 1));
  add_record(content, 0, 0, filled(60, 1), 0xFFFFFFFF);
  add_record(content, 0, 0, filled(kMaxFrameBytes, 2));
  ReadCapture capture(content.bytes());
  EXPECT_EQ(capture.reader.oversized(), 2U);
  ASSERT_EQ(capture.frames.size(), 1U);
  EXPECT_EQ(capture.frames[0].bytes[0], 2);
  capture.reader.rewind();
  EXPECT_EQ(read_all(capture.reader).size(), 1U);
  EXPECT_EQ(capture.reader.oversized(), 4U) << "in both passes";
  EXPECT_EQ(capture.count(Oddity::kOversized), 2U) << "but noted once";
}

TEST(PcapReader, NotesMoreBytesThanTheFrameHad) {
  Bytestream content = pcap_header();
  add_record(content, 0, 0, filled(80, 1), 60);
  add_record(content, 0, 0, filled(60, 1));
  const ReadCapture capture(content.bytes());
  EXPECT_EQ(capture.frames[0].bytes.size(), 80U);
  EXPECT_THAT(capture.sentences(),
              ElementsAre(AllOf(HasSubstr("1 record holds more bytes than it says"),
                                HasSubstr("record 1, at byte 24"))));
}

TEST(PcapReader, NotesRecordsShorterThanAnEthernetHeader) {
  Bytestream content = pcap_header();
  add_record(content, 0, 0, filled(14, 1));
  add_record(content, 0, 0, filled(13, 1));
  add_record(content, 0, 0, {});
  const ReadCapture capture(content.bytes());
  EXPECT_EQ(capture.frames.size(), 3U);
  EXPECT_THAT(capture.sentences(), ElementsAre(AllOf(HasSubstr("2 records are shorter than"),
                                                     HasSubstr("first record 2, at byte 54"))));
}

TEST(PcapReader, TakesTheFcsWhenTheFileOrTheUserSaysItIsThere) {
  const std::vector<std::uint8_t> frame = filled(60, 9);
  std::vector<std::uint8_t> with_fcs = frame;
  const std::uint32_t fcs = ethernet_fcs(frame);
  for (int i = 0; i < 4; ++i) with_fcs.push_back(static_cast<std::uint8_t>(fcs >> (8 * i)));
  constexpr std::uint32_t kFourBytesOfFcs = 0x24000000;
  for (const bool file_says : {true, false}) {
    Bytestream content =
        pcap_header(test::kMicroseconds, test::kEthernet | (file_says ? kFourBytesOfFcs : 0));
    add_record(content, 0, 0, with_fcs);
    add_record(content, 0, 0, filled(3, 1));
    PcapReader::Options options;
    options.with_fcs = !file_says;
    const ReadCapture capture(content.bytes(), options);
    EXPECT_EQ(capture.frames[0].bytes, frame);
    EXPECT_EQ(capture.frames[0].fcs, fcs);
    EXPECT_EQ(capture.frames[1].bytes.size(), 3U) << "too short to hold an FCS";
    EXPECT_FALSE(capture.frames[1].fcs);
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

TEST(PcapReader, OtherVersionsAreNamed) {
  Bytestream content;
  content.u32(test::kMicroseconds).u16(2).u16(2).raw(filled(16, 0));
  EXPECT_THAT(error_of([&] { ReadCapture{content.bytes()}; }), HasSubstr("pcap version 2.2"));
}

TEST(PcapReader, OtherLinkTypesAreNamed) {
  TemporaryFile file("linux_sll.pcap");
  pcap_header(test::kMicroseconds, 113).save(file.path());
  EXPECT_THAT(read_error(file.path()), AllOf(HasSubstr("LINUX_SLL"), HasSubstr("not Ethernet")));
}

TEST(PcapReader, OfACaptureCutInARecordTheWholeOnesAreRead) {
  for (const std::size_t cut : {std::size_t{1}, std::size_t{60}, std::size_t{70}}) {
    Bytestream content = pcap_header();
    for (int i = 0; i < 3; ++i) add_record(content, 0, 0, filled(60, 1));
    content.cut(cut);
    const ReadCapture capture(content.bytes());
    EXPECT_EQ(capture.frames.size(), 2U);
    EXPECT_THAT(capture.sentences(),
                ElementsAre("ends within record 3, which begins at byte 176; the 2 before it are "
                            "replayed"));
  }
}

TEST(PcapReader, DamagedLengthsAreErrorsAtTheirPlace) {
  Bytestream content = pcap_header();
  add_record(content, 0, 0, filled(60, 1));
  content.u32(0).u32(0).u32(0x7FFFFFFF).u32(60);
  PcapReader reader(std::make_unique<MemorySource>(content.bytes()), "capture file x", {});
  PcapReader::Record record;
  EXPECT_TRUE(reader.next(record));
  EXPECT_THAT(error_of([&] { reader.next(record); }),
              AllOf(HasSubstr("capture file x: record 2, at byte 100"), HasSubstr("damaged")));
}

TEST(PcapReader, TheSameFramesComeAgainAfterRewinding) {
  TemporaryFile file("again.pcap");
  Bytestream content = pcap_header();
  for (std::uint8_t i = 0; i < 200; ++i) add_record(content, i, i, filled(1000 + i, i));
  content.save(file.path());
  PcapReader reader(file.path());
  const std::vector<ReadFrame> first = read_all(reader);
  reader.rewind();
  const std::vector<ReadFrame> second = read_all(reader);
  ASSERT_EQ(first.size(), 200U);
  ASSERT_EQ(second.size(), 200U);
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].bytes, filled(1000 + i, static_cast<std::uint8_t>(i)));
    EXPECT_EQ(second[i].bytes, first[i].bytes);
    EXPECT_EQ(second[i].time_ns, first[i].time_ns);
  }
}

/// The two ends of a pipe, of which tests read one under its path.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe(ends_), 0); }
  ~Pipe() {
    close_input();
    close(ends_[0]);
  }
  std::string path() const { return "/proc/self/fd/" + std::to_string(ends_[0]); }
  void put(const Bytestream& content) const {
    EXPECT_EQ(write(ends_[1], content.bytes().data(), content.bytes().size()),
              static_cast<ssize_t>(content.bytes().size()));
  }
  void close_input() {
    if (ends_[1] >= 0) close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  int ends_[2];
};

TEST(PcapReader, ReadsAPipeThatIsStillBeingWritten) {
  Pipe pipe;
  pipe.put(pcap_header());
  PcapReader reader(pipe.path());
  EXPECT_FALSE(reader.can_rewind());
  PcapReader::Record record;
  for (std::uint8_t i = 0; i < 3; ++i) {
    Bytestream content;
    add_record(content, i, 0, filled(60, i));
    pipe.put(content);
    ASSERT_TRUE(reader.next(record)) << "without waiting for what comes behind it";
    EXPECT_EQ(record.bytes[0], i);
    EXPECT_FALSE(reader.complete());
  }
  std::thread writer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    Bytestream content;
    add_record(content, 9, 0, filled(60, 9));
    pipe.put(content);
    pipe.close_input();
  });
  EXPECT_TRUE(reader.next(record)) << "waits for it";
  EXPECT_EQ(record.bytes[0], 9);
  EXPECT_FALSE(reader.next(record));
  EXPECT_TRUE(reader.complete());
  writer.join();
}

/// Gives its bytes one by one, and is interrupted before each.
class NervousSource final : public ByteSource {
 public:
  explicit NervousSource(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}
  std::size_t read(std::uint8_t* to, std::size_t) override {
    if (position_ == bytes_.size()) return 0;
    nervous_ = !nervous_;
    if (nervous_ && armed) throw ReadInterrupted();
    *to = bytes_[position_++];
    return 1;
  }
  bool can_rewind() const override { return false; }
  void rewind() override {}
  bool armed = false;

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t position_ = 0;
  bool nervous_ = false;
};

TEST(PcapReader, NothingIsLostWhenWaitingIsInterrupted) {
  Bytestream content = pcap_header();
  for (std::uint8_t i = 0; i < 3; ++i) add_record(content, i, 0, filled(60, i));
  test::PcapngFile pcapng;
  pcapng.interface();
  for (std::uint8_t i = 0; i < 3; ++i) pcapng.packet(0, i, filled(60, i));
  for (const auto& bytes : {content.bytes(), pcapng.file().bytes()}) {
    auto source = std::make_unique<NervousSource>(bytes);
    NervousSource& nervous = *source;
    PcapReader reader(std::move(source), "capture", {});
    nervous.armed = true;
    std::vector<std::uint8_t> seen;
    unsigned interruptions = 0;
    for (bool more = true; more;) {
      try {
        PcapReader::Record record;
        more = reader.next(record);
        if (more) seen.push_back(record.bytes[59]);
      } catch (const ReadInterrupted&) {
        ++interruptions;
      }
    }
    EXPECT_THAT(seen, ElementsAre(0, 1, 2));
    EXPECT_GT(interruptions, 100U);
    EXPECT_THAT(reader.notes().sentences(), IsEmpty());
  }
}

TEST(PcapReader, AgreesWithLibpcap) {
  TemporaryFile file("both.pcap");
  for (const std::uint32_t magic : {test::kMicroseconds, test::kNanoseconds}) {
    for (const bool big : {false, true}) {
      Bytestream content = pcap_header(magic, test::kEthernet, big);
      for (std::uint32_t i = 0; i < 300; ++i) {
        add_record(content, 1'700'000'000 + i, i * 7, filled(60 + i * 11, 3), 60 + i * 12);
      }
      content.save(file.path());
      const std::vector<ReadFrame> ours = read_all(file.path());
      char error[PCAP_ERRBUF_SIZE];
      const std::unique_ptr<pcap_t, void (*)(pcap_t*)> handle(
          pcap_open_offline_with_tstamp_precision(file.path().c_str(), PCAP_TSTAMP_PRECISION_NANO,
                                                  error),
          pcap_close);
      ASSERT_TRUE(handle) << error;
      ASSERT_EQ(ours.size(), 300U);
      for (const ReadFrame& frame : ours) {
        pcap_pkthdr* header = nullptr;
        const unsigned char* data = nullptr;
        ASSERT_EQ(pcap_next_ex(handle.get(), &header, &data), 1);
        EXPECT_EQ(frame.time_ns, header->ts.tv_sec * 1'000'000'000 + header->ts.tv_usec);
        EXPECT_EQ(frame.bytes.size(), header->len);
        EXPECT_TRUE(std::equal(data, data + header->caplen, frame.bytes.begin()));
      }
    }
  }
}

}  // namespace
}  // namespace e1000tlm::link
