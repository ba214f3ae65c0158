/// Whatever a stream's other end sends, in pieces of whatever size: frames lie within limits, and
/// as much comes out as went in.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "e1000tlm/link/frame.h"
#include "e1000tlm/link/host/length_prefix.h"

/// The first byte is the size of a piece, the rest the stream.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using Reader = e1000tlm::link::LengthPrefixReader;
  if (size == 0) return 0;
  const std::size_t piece = std::size_t{data[0]} + 1;
  Reader reader;
  std::size_t taken = 0;
  for (std::size_t at = 1; at < size; at += piece) {
    const std::size_t bytes = std::min(piece, size - at);
    std::copy_n(data + at, bytes, reader.room().begin());
    reader.received(bytes);
    for (;;) {
      const Reader::Item item = reader.next();
      if (item.result == Reader::Result::kNeedsMore) break;
      if (item.result == Reader::Result::kGarbage) return 0;
      if (item.result == Reader::Result::kTooLong) continue;
      if (item.frame.size() > e1000tlm::link::kMaxFrameBytes) std::abort();
      taken += e1000tlm::link::kLengthPrefixBytes + item.frame.size();
      if (taken > size) std::abort();
    }
  }
  return 0;
}
