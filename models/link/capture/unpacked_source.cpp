#include "e1000tlm/link/capture/unpacked_source.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

namespace e1000tlm::link {
namespace {

constexpr std::size_t kMagicBytes = 6;  // the longest, of xz
constexpr std::size_t kPackedBytes = std::size_t{1} << 16;

[[noreturn]] void damaged(const char* format, const char* reason) {
  throw std::runtime_error(std::string("its ") + format + " compression is damaged: " + reason);
}

/// RFC 1952; several members may follow each other.
class GzipDecoder final : public Decoder {
 public:
  GzipDecoder() {
    constexpr int kGzipWithLargestWindow = 15 + 16;
    if (inflateInit2(&stream_, kGzipWithLargestWindow) != Z_OK) throw std::bad_alloc();
  }
  GzipDecoder(const GzipDecoder&) = delete;
  GzipDecoder& operator=(const GzipDecoder&) = delete;
  ~GzipDecoder() override { inflateEnd(&stream_); }

  void decode(Step& step) override {
    if (complete_) inflateReset(&stream_);
    stream_.next_in = const_cast<Bytef*>(step.in);  // zlib does not write there
    stream_.avail_in = static_cast<uInt>(step.in_size);
    stream_.next_out = step.out;
    stream_.avail_out = static_cast<uInt>(step.out_size);
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      damaged("gzip", stream_.msg != nullptr ? stream_.msg : zError(result));
    }
    complete_ = result == Z_STREAM_END;
    step = {stream_.next_in, stream_.avail_in, stream_.next_out, stream_.avail_out, step.last};
  }
  bool complete() const override { return complete_; }

 private:
  z_stream stream_{};
  bool complete_ = false;
};

class XzDecoder final : public Decoder {
 public:
  XzDecoder() {
    constexpr std::uint64_t kMostMemory = std::uint64_t{256} << 20;
    if (lzma_stream_decoder(&stream_, kMostMemory, LZMA_CONCATENATED) != LZMA_OK) {
      throw std::bad_alloc();
    }
  }
  XzDecoder(const XzDecoder&) = delete;
  XzDecoder& operator=(const XzDecoder&) = delete;
  ~XzDecoder() override { lzma_end(&stream_); }

  void decode(Step& step) override {
    stream_.next_in = step.in;
    stream_.avail_in = step.in_size;
    stream_.next_out = step.out;
    stream_.avail_out = step.out_size;
    const lzma_ret result = lzma_code(&stream_, step.last ? LZMA_FINISH : LZMA_RUN);
    switch (result) {
      case LZMA_OK:
      case LZMA_STREAM_END:
      case LZMA_BUF_ERROR: break;
      case LZMA_MEM_ERROR: throw std::bad_alloc();
      case LZMA_MEMLIMIT_ERROR: damaged("xz", "it needs more than 256 MiB of memory");
      default: damaged("xz", "its checks fail");
    }
    complete_ = result == LZMA_STREAM_END;
    step = {stream_.next_in, stream_.avail_in, stream_.next_out, stream_.avail_out, step.last};
  }
  bool complete() const override { return complete_; }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool complete_ = false;
};

/// RFC 8878.
class ZstdDecoder final : public Decoder {
 public:
  ZstdDecoder() : stream_(ZSTD_createDStream()) {
    if (stream_ == nullptr) throw std::bad_alloc();
  }
  ZstdDecoder(const ZstdDecoder&) = delete;
  ZstdDecoder& operator=(const ZstdDecoder&) = delete;
  ~ZstdDecoder() override { ZSTD_freeDStream(stream_); }

  void decode(Step& step) override {
    ZSTD_inBuffer in{step.in, step.in_size, 0};
    ZSTD_outBuffer out{step.out, step.out_size, 0};
    const std::size_t result = ZSTD_decompressStream(stream_, &out, &in);
    if (ZSTD_isError(result) != 0) damaged("zstd", ZSTD_getErrorName(result));
    complete_ = result == 0;
    step = {step.in + in.pos, step.in_size - in.pos, step.out + out.pos, step.out_size - out.pos,
            step.last};
  }
  bool complete() const override { return complete_; }

 private:
  ZSTD_DStream* stream_;
  bool complete_ = false;
};

}  // namespace

std::unique_ptr<Decoder> find_decoder(ConstBytes first) {
  constexpr std::array<std::uint8_t, 3> kGzip{0x1F, 0x8B, 0x08};
  constexpr std::array<std::uint8_t, kMagicBytes> kXz{0xFD, '7', 'z', 'X', 'Z', 0};
  constexpr std::uint32_t kZstd = 0xFD2FB528;
  constexpr std::uint32_t kZstdSkippable = 0x184D2A50;  // to ...5F
  const auto begins_with = [&](const auto& magic) {
    return first.size() >= magic.size() && std::equal(magic.begin(), magic.end(), first.data());
  };
  if (begins_with(kGzip)) return std::make_unique<GzipDecoder>();
  if (begins_with(kXz)) return std::make_unique<XzDecoder>();
  if (first.size() < sizeof kZstd) return nullptr;
  const std::uint32_t magic = load_le32(first.data());
  if (magic == kZstd || (magic & ~0xFU) == kZstdSkippable) return std::make_unique<ZstdDecoder>();
  return nullptr;
}

UnpackedSource::UnpackedSource(std::unique_ptr<ByteSource> packed)
    : packed_(std::move(packed)), buffer_(kPackedBytes) {}

UnpackedSource::~UnpackedSource() = default;

/// Adds to the packed bytes at hand. False: there are no more.
bool UnpackedSource::fetch() {
  if (begin_ == end_) begin_ = end_ = 0;
  const std::size_t got = packed_->read(buffer_.data() + end_, buffer_.size() - end_);
  end_ += got;
  return got > 0;
}

void UnpackedSource::look() {
  while (end_ < kMagicBytes && !packed_ended_) packed_ended_ = !fetch();
  decoder_ = find_decoder(ConstBytes(buffer_.data(), end_));
  looked_ = true;
}

std::size_t UnpackedSource::pass_on(std::uint8_t* to, std::size_t size) {
  if (begin_ == end_) return packed_ended_ ? 0 : packed_->read(to, size);
  const std::size_t count = std::min(size, end_ - begin_);
  std::memcpy(to, buffer_.data() + begin_, count);
  begin_ += count;
  return count;
}

std::size_t UnpackedSource::read(std::uint8_t* to, std::size_t size) {
  if (!looked_) look();
  if (!decoder_) return pass_on(to, size);
  for (;;) {
    if (begin_ == end_ && !packed_ended_) packed_ended_ = !fetch();
    if (begin_ == end_ && decoder_->complete()) return 0;  // no more came
    Decoder::Step step{buffer_.data() + begin_, end_ - begin_, to, size, packed_ended_};
    decoder_->decode(step);
    begin_ = end_ - step.in_size;
    if (step.out_size < size) return size - step.out_size;
    if (begin_ == end_ && packed_ended_) {
      cut_off_ = !decoder_->complete();
      return 0;
    }
  }
}

void UnpackedSource::rewind() {
  packed_->rewind();
  begin_ = end_ = 0;
  packed_ended_ = cut_off_ = looked_ = false;
}

}  // namespace e1000tlm::link
