#pragma once
/// Frames in a stream of bytes, each after its length as QEMU's -netdev stream and -netdev socket
/// have them. No SystemC.

#include <array>
#include <cstdint>
#include <vector>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::link {

inline constexpr std::size_t kLengthPrefixBytes = 4;  ///< big endian

/// The bytes before a frame of that size.
std::array<std::uint8_t, kLengthPrefixBytes> length_prefix(std::size_t size);

/// Takes frames out of a stream that comes in pieces of any size. Holds one piece more than the
/// longest frame at most, whatever the other side claims.
class LengthPrefixReader {
 public:
  /// QEMU closes a connection that announces more than this (NET_BUFSIZE of net/net.h).
  static constexpr std::size_t kQemuMaxFrame = 4096 + 65536;

  LengthPrefixReader();

  /// Where the next piece goes, at least kPieceBytes; received() says how much of it was filled.
  /// Invalidates frames.
  Bytes room();
  void received(std::size_t bytes) { end_ += bytes; }
  static constexpr std::size_t kPieceBytes = 65536;

  enum class Result : std::uint8_t {
    kFrame,
    kNeedsMore,
    kTooLong,  ///< one frame of more than kMaxFrameBytes; its bytes will be skipped
    kGarbage,  ///< a length that no frame has: the stream is of no use any more
  };
  struct Item {
    Result result = Result::kNeedsMore;
    ConstBytes frame;  ///< kFrame: valid until room() or clear(); may be empty
  };
  Item next();

  /// Inside a frame (or what is skipped of one): the end of the stream cuts it off.
  bool inside() const { return begin_ != end_ || skip_ > 0; }
  /// For another stream.
  void clear();

 private:
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // of what is not yet taken
  std::size_t skip_ = 0;             // bytes to come of a frame that is too long
};

}  // namespace e1000tlm::link
