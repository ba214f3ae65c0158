#pragma once
/// The packet buffer memory on chip: its two FIFOs, where frames lie in them, and their bytes
/// (manual 13.4.16, 13.8). No SystemC.

#include <cstddef>
#include <cstdint>
#include <gsl/span>
#include <optional>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::e1000 {

/// Of every part modelled here (manual 13.4.16: TXA = 64 - RXA).
inline constexpr std::uint32_t kPacketBufferBytes = 64 * 1024;
/// FIFOs consist of 64-bit words, in which their pointers count (manual 13.8.1).
inline constexpr std::uint32_t kFifoWordBytes = 8;

/// What `bytes` bytes of a frame take up in a FIFO: whole words.
constexpr std::uint32_t fifo_bytes(std::size_t bytes) {
  return (static_cast<std::uint32_t>(bytes) + kFifoWordBytes - 1) & ~(kFifoWordBytes - 1);
}

/// A FIFO's part of the packet buffer memory, in bytes.
struct FifoRegion {
  std::uint32_t base = 0;
  std::uint32_t bytes = 0;
};

struct PacketBufferSplit {
  FifoRegion receive, transmit;
};

/// The first PBA.RXA KiB belong to the receive FIFO, the rest to the transmit FIFO (manual
/// 13.4.16). RXA beyond what there is takes everything.
constexpr PacketBufferSplit split_packet_buffer(std::uint32_t pba) {
  const std::uint32_t wanted = (pba & 0x7F) * 1024;
  const std::uint32_t receive = wanted < kPacketBufferBytes ? wanted : kPacketBufferBytes;
  return {{0, receive}, {receive, kPacketBufferBytes - receive}};
}

/// What RDFH, RDFT, RDFHS, RDFTS and RDFPC show, or the same of the transmit FIFO: 64-bit words
/// from the start of the packet buffer memory, and packets.
///
/// Data is taken out at the head and put in at the tail. The saved pointers stand at the start of
/// the packet that is being taken out or put in.
struct FifoPointers {
  std::uint32_t head = 0, tail = 0, head_saved = 0, tail_saved = 0, packets = 0;
};

/// Bytes of a frame in a FIFO. Its position counts the bytes (of whole words) that were ever put
/// in, as PacketFifo::entered() does.
struct FifoContent {
  std::uint64_t position = 0;
  ConstBytes bytes;
};

/// One FIFO: how full it is, and where in the memory its frames lie. It only counts; the frames
/// themselves are the MAC's. Their bytes are copied to the memory while *recording*, which nothing
/// but the packet buffer memory window needs.
class PacketFifo {
 public:
  /// `memory`: the packet buffer memory, kPacketBufferBytes as little-endian dwords.
  explicit PacketFifo(gsl::span<std::uint32_t> memory) : memory_(memory) {}

  /// Empties the FIFO and gives it its place; its pointers then stand at the start. Recording ends,
  /// and the memory keeps what it holds.
  void reset(FifoRegion region);

  std::uint32_t capacity() const { return region_.bytes; }
  /// Bytes in use.
  std::uint32_t occupied() const { return occupied_; }
  bool has_room(std::uint32_t bytes) const { return occupied_ + bytes <= region_.bytes; }
  /// A packet of `bytes` bytes, a multiple of kFifoWordBytes, is put in or has been taken out.
  void enter(std::uint32_t bytes) {
    occupied_ += bytes;
    entered_ += bytes;
  }
  void leave(std::uint32_t bytes) { occupied_ -= bytes; }

  /// Bytes put in so far: the position of the next frame.
  std::uint64_t entered() const { return entered_; }
  /// The FIFO being empty: the next frame goes to this word of the memory, or to the start of the
  /// FIFO's region if the word is not in it.
  void move_to(std::uint32_t word);
  /// The word of the memory at a position.
  std::uint32_t word_at(std::uint64_t position) const;

  bool recording() const { return recording_; }
  void record() { recording_ = attended_ = true; }
  /// Somebody wants to know of every frame that enters.
  void watch() { watched_ = attended_ = true; }
  /// It is recorded or watched.
  bool attended() const { return attended_; }
  /// Writes a frame's bytes to the memory, whole words, filled up with zeros.
  void store(const FifoContent& content);
  /// Ditto for the frame that is about to enter.
  void store_next(ConstBytes bytes);
  /// The dword of the memory at byte `offset`, if it belongs to this frame.
  std::optional<std::uint32_t> dword_of(const FifoContent& content, std::uint32_t offset) const;

 private:
  /// Bytes from the region's start.
  std::uint32_t place_of(std::uint64_t position) const {
    return region_.bytes == 0 ? 0 : static_cast<std::uint32_t>(position % region_.bytes);
  }

  gsl::span<std::uint32_t> memory_;
  FifoRegion region_;
  std::uint32_t occupied_ = 0;
  std::uint64_t entered_ = 0;
  bool recording_ = false;
  bool watched_ = false;
  bool attended_ = false;
};

}  // namespace e1000tlm::e1000
