#include "e1000tlm/link/capture/byte_source.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lzma.h>
#include <pthread.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "e1000tlm/link/capture/unpacked_source.h"
#include "testbenches/unit/link/capture/capture_fixture.h"
#include "testbenches/unit/link/capture/read_all.h"

namespace e1000tlm::link {
namespace {

using test::error_of;
using ::testing::HasSubstr;
using Data = std::vector<std::uint8_t>;

/// Bytes that can be packed, but not to nothing.
Data sample(std::size_t size) {
  Data data(size);
  std::uint32_t state = 1;
  for (std::uint8_t& byte : data) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::uint8_t>(state >> 28);
  }
  return data;
}

Data gzip(Data data) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  Data packed(deflateBound(&stream, data.size()) + 64);
  stream.next_in = data.data();
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

Data xz(const Data& data) {
  Data packed(lzma_stream_buffer_bound(data.size()));
  std::size_t size = 0;
  EXPECT_EQ(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, nullptr, data.data(), data.size(),
                                    packed.data(), &size, packed.size()),
            LZMA_OK);
  packed.resize(size);
  return packed;
}

Data zstd(const Data& data) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(),
                                                                     ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  Data packed(ZSTD_compressBound(data.size()));
  packed.resize(
      ZSTD_compress2(context.get(), packed.data(), packed.size(), data.data(), data.size()));
  return packed;
}

struct Packer {
  const char* name;
  Data (*pack)(const Data&);
};
Data pack_gzip(const Data& data) { return gzip(data); }
constexpr Packer kPackers[] = {{"gzip", pack_gzip}, {"xz", xz}, {"zstd", zstd}};

/// Hands its bytes on in small pieces, as pipes do.
class PieceSource final : public ByteSource {
 public:
  PieceSource(Data data, std::size_t piece)
      : data_(std::move(data)), source_(data_), piece_(piece) {}
  std::size_t read(std::uint8_t* to, std::size_t size) override {
    return source_.read(to, std::min(size, piece_));
  }
  bool can_rewind() const override { return true; }
  void rewind() override { source_.rewind(); }

 private:
  Data data_;
  MemorySource source_;
  std::size_t piece_;
};

Data read_to_end(ByteSource& source) {
  Data all;
  Data buffer(1000);
  while (const std::size_t got = source.read(buffer.data(), buffer.size())) {
    all.insert(all.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(got));
  }
  return all;
}

UnpackedSource unpacked(const Data& packed, std::size_t piece = 4096) {
  return UnpackedSource(std::make_unique<PieceSource>(packed, piece));
}

TEST(UnpackedSource, GivesOtherBytesAsTheyAre) {
  for (const std::size_t size : {0U, 1U, 5U, 6U, 7U, 100'000U}) {
    UnpackedSource source = unpacked(sample(size), 3);
    EXPECT_EQ(read_to_end(source), sample(size));
    EXPECT_FALSE(source.cut_off());
    source.rewind();
    EXPECT_EQ(read_to_end(source), sample(size));
  }
}

TEST(UnpackedSource, UnpacksOneStreamOrSeveral) {
  for (const Packer& packer : kPackers) {
    SCOPED_TRACE(packer.name);
    const Data data = sample(300'000);
    Data packed = packer.pack(data);
    ASSERT_LT(packed.size(), data.size());
    for (const std::size_t piece : {1U, 7U, 1'000'000U}) {
      UnpackedSource source = unpacked(packed, piece);
      EXPECT_EQ(read_to_end(source), data);
      EXPECT_FALSE(source.cut_off());
      source.rewind();
      EXPECT_EQ(read_to_end(source), data) << "again";
    }
    const Data more = packer.pack({1, 2, 3});
    packed.insert(packed.end(), more.begin(), more.end());
    UnpackedSource source = unpacked(packed);
    Data both = data;
    both.insert(both.end(), {1, 2, 3});
    EXPECT_EQ(read_to_end(source), both);
    EXPECT_FALSE(source.cut_off());
  }
}

TEST(UnpackedSource, GivesWhatCanBeUnpackedOfDataThatEndsEarly) {
  for (const Packer& packer : kPackers) {
    SCOPED_TRACE(packer.name);
    const Data data = sample(600'000);
    Data packed = packer.pack(data);
    packed.resize(packed.size() / 2);
    UnpackedSource source = unpacked(packed);
    const Data got = read_to_end(source);
    EXPECT_TRUE(source.cut_off());
    EXPECT_GT(got.size(), data.size() / 4);
    EXPECT_TRUE(std::equal(got.begin(), got.end(), data.begin()));
  }
}

TEST(UnpackedSource, SaysThatCompressionIsDamaged) {
  for (const Packer& packer : kPackers) {
    SCOPED_TRACE(packer.name);
    Data packed = packer.pack(sample(300'000));
    for (std::size_t i = packed.size() / 2; i < packed.size() / 2 + 64; ++i) packed[i] ^= 0x5A;
    UnpackedSource source = unpacked(packed);
    EXPECT_THAT(error_of([&] { read_to_end(source); }),
                HasSubstr(std::string("its ") + packer.name + " compression is damaged"));
  }
}

TEST(PcapReader, ReadsPackedCapturesAndWhatIsWholeOfPackedOnesThatAreCut) {
  test::Bytestream content = test::pcap_header();
  for (std::uint32_t i = 0; i < 2000; ++i) test::add_record(content, i, 0, sample(600));
  for (const Packer& packer : kPackers) {
    SCOPED_TRACE(packer.name);
    Data packed = packer.pack(content.bytes());
    const test::ReadCapture whole(packed);
    EXPECT_EQ(whole.frames.size(), 2000U);
    EXPECT_TRUE(whole.sentences().empty());
    packed.resize(packed.size() - 8);
    const test::ReadCapture cut(packed);
    EXPECT_GT(cut.frames.size(), 100U);
    EXPECT_EQ(cut.count(Oddity::kCutOff), 1U);
  }
}

TEST(ByteWindow, SkipsMoreThanItHoldsAndSaysWhereItIs) {
  const Data data = sample(1'000'000);
  ByteWindow window(std::make_unique<PieceSource>(data, 777));
  ASSERT_NE(window.need(10), nullptr);
  window.skip(500'000);
  EXPECT_EQ(window.offset(), 500'000U);
  const std::uint8_t* bytes = window.need(300'000);  // more than its first size
  ASSERT_NE(bytes, nullptr);
  EXPECT_TRUE(std::equal(bytes, bytes + 300'000, data.begin() + 500'000));
  window.consume(300'000);
  EXPECT_EQ(window.need(200'001), nullptr);
  EXPECT_TRUE(window.cut_off());
  ASSERT_NE(window.need(200'000), nullptr);
  window.consume(200'000);
  EXPECT_EQ(window.need(1), nullptr);
  EXPECT_FALSE(window.cut_off());
  window.skip(1);
  EXPECT_EQ(window.need(1), nullptr);
  EXPECT_TRUE(window.cut_off());
}

TEST(FileSource, AWaitForAPipeEndsWhenItIsToStop) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  static std::atomic<bool> stop{false};
  std::signal(SIGUSR1, [](int) { stop = true; });
  FileSource source("/proc/self/fd/" + std::to_string(ends[0]), [] { return stop.load(); });
  std::thread other([self = pthread_self()] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    pthread_kill(self, SIGUSR1);
  });
  std::uint8_t byte = 0;
  EXPECT_THROW(source.read(&byte, 1), ReadInterrupted);
  other.join();
  EXPECT_THROW(source.read(&byte, 1), ReadInterrupted) << "also if the signal came before";
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  EXPECT_EQ(source.read(&byte, 1), 1U);
  EXPECT_EQ(byte, 'x');
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace e1000tlm::link
