#include "e1000tlm/link/host/length_prefix.h"

#include <algorithm>

#include "e1000tlm/link/frame.h"

namespace e1000tlm::link {

std::array<std::uint8_t, kLengthPrefixBytes> length_prefix(std::size_t size) {
  return {static_cast<std::uint8_t>(size >> 24), static_cast<std::uint8_t>(size >> 16),
          static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)};
}

LengthPrefixReader::LengthPrefixReader()
    : buffer_(kLengthPrefixBytes + kMaxFrameBytes + kPieceBytes) {}

Bytes LengthPrefixReader::room() {
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
  end_ -= begin_;
  begin_ = 0;
  return Bytes(buffer_).subspan(end_);
}

LengthPrefixReader::Item LengthPrefixReader::next() {
  const std::size_t skipped = std::min(skip_, end_ - begin_);
  begin_ += skipped;
  skip_ -= skipped;
  if (skip_ > 0 || end_ - begin_ < kLengthPrefixBytes) return {};
  const std::uint8_t* prefix = &buffer_[begin_];
  const std::size_t size = std::size_t{prefix[0]} << 24 | std::size_t{prefix[1]} << 16 |
                           std::size_t{prefix[2]} << 8 | prefix[3];
  if (size > kQemuMaxFrame) return {Result::kGarbage, {}};
  if (size > kMaxFrameBytes) {
    begin_ += kLengthPrefixBytes;
    skip_ = size;
    return {Result::kTooLong, {}};
  }
  if (end_ - begin_ < kLengthPrefixBytes + size) return {};
  const ConstBytes frame(prefix + kLengthPrefixBytes, size);
  begin_ += kLengthPrefixBytes + size;
  return {Result::kFrame, frame};
}

void LengthPrefixReader::clear() { begin_ = end_ = skip_ = 0; }

}  // namespace e1000tlm::link
