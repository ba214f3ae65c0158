#pragma once
/// The packet buffer for diagnostics: FIFO pointers, packet counts and the window to the memory
/// (manual 13.8).

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "e1000tlm/e1000/core.h"
#include "e1000tlm/e1000/packet_buffer/packet_buffer.h"

namespace e1000tlm::e1000 {

/// Who fills or drains a FIFO together with its MAC; the DMA engine.
class FifoUser {
 public:
  virtual ~FifoUser() = default;
  virtual PacketFifo& fifo() = 0;
  virtual const PacketFifo& fifo() const = 0;
  /// Where the pointers stand at `now`.
  virtual FifoPointers fifo_pointers(Time now) const = 0;
  /// Switched off, and with nothing in the FIFO nor on its way to it.
  virtual bool fifo_at_rest(Time now) const = 0;
  /// What lies in the FIFO, oldest first, as far as it is known; see PacketBufferRegisters.
  virtual std::vector<FifoContent> fifo_contents() const = 0;
};

/// Pointers are worked out when they are looked at. They are absolute: those of the transmit FIFO
/// start at PBA.RXA * 128, as drivers expect. A changed PBA moves the FIFOs at the next reset (rule
/// RST-6).
///
/// Software may write pointers and counts while the FIFO is at rest: they then read as written, and
/// the next frame goes to where the tail points. At other times writes are ignored.
///
/// The window (PBM) shows what software wrote, and frames. Frames that have left stay visible only
/// from the first access after a reset on, because keeping them costs a copy of each frame; until
/// then a frame is visible while it waits, and no more once it is on the wire. What software writes
/// into a waiting frame's bytes shows in the window, but the frame itself does not change. A packet
/// that is still being put together moves the tail; its bytes appear when it is whole. Debug
/// accesses see the same and are not such a first access.
class PacketBufferRegisters {
 public:
  PacketBufferRegisters(Core& core, FifoUser& receive, FifoUser& transmit);

  /// After the FIFOs were reset.
  void reset();

 private:
  struct Half {
    FifoUser* user = nullptr;
    std::uint32_t head = 0;  ///< offset of RDFH or TDFH; the other four follow 8 bytes apart
    /// The registers show what was written while the FIFO's count of bytes is this.
    std::optional<std::uint64_t> written_at{};
  };
  using Pointer = std::uint32_t FifoPointers::*;

  template <Half PacketBufferRegisters::*kHalf>
  void connect();
  template <Half PacketBufferRegisters::*kHalf, Pointer kPointer>
  std::uint32_t view(std::uint32_t index, std::uint32_t stored) const;
  template <Half PacketBufferRegisters::*kHalf, Pointer kPointer>
  void written(std::uint32_t index, std::uint32_t value);
  static bool shows_written(const Half& half) {
    return half.written_at == half.user->fifo().entered();
  }
  void store_pointers(const Half& half, const FifoPointers& pointers);

  std::uint32_t window_view(std::uint32_t index, std::uint32_t stored) const;
  void window_read(std::uint32_t index);
  void window_written(std::uint32_t index, std::uint32_t value);
  void record();
  /// When the access that is looked at takes place.
  Time now() const { return core_.now(); }

  Core& core_;
  Half receive_, transmit_;
};

}  // namespace e1000tlm::e1000
