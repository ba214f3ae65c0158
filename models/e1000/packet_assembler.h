#pragma once
/// From descriptors and buffer data to frames: concatenation, checksum offload, segmentation, VLAN
/// tag, padding (manual 3.3 to 3.5, 9). No SystemC.

#include <cstdint>
#include <functional>

#include "models/e1000/descriptors.h"
#include "models/link/frame.h"

namespace e1000tlm::e1000 {

/// Register settings that shape packets; taken over at the first descriptor of each packet.
struct AssemblerSettings {
  bool vlan_enable = false;      ///< CTRL.VME
  std::uint16_t vlan_type = 0x8100;  ///< VET
  bool pad_short = false;        ///< TCTL.PSP
  bool is_82544 = false;
  std::uint32_t max_packet_bytes = 16 * 1024;  ///< transmit packet buffer (PBA) less its overhead
};

/// What became of a packet that gave no (or not only) frames; counted by the engine.
struct AssemblerResult {
  enum class Fault : std::uint8_t {
    kNone,
    kTooLong,         ///< longer than the packet buffer: dropped
    kTooShort,        ///< shorter than an Ethernet header: dropped
    kNoHeader,        ///< TSO: HDRLEN 0, or EOP before the header was complete: dropped
    kBadMss,          ///< TSO with MSS 0: dropped
    kContextInPacket, ///< a context descriptor between a packet's data: the packet is dropped
    kReservedType,    ///< DEXT with a reserved DTYP: the packet it belongs to is dropped
  };
  Fault fault = Fault::kNone;
  bool tso_complete = false;  ///< TSCTC: a segmented send ended with exactly PAYLEN bytes
  bool tso_mismatch = false;  ///< TSCTFC: it ended short of or beyond PAYLEN
};

/// Streaming: the engine reads a descriptor, asks for room, DMAs into it, and hands over finished
/// frames at once, so that a long segmented send needs no more memory than one segment.
///
///   result = assembler.begin(descriptor, raw)      every descriptor, in ring order
///   while (left) { room = assembler.room(left); dma(room); assembler.commit(room.size()); }
///   result = assembler.end(descriptor)             after its data; finishes the packet on EOP
///
/// Frames appear through `take_frame()` after commit() and end(); it returns nullptr when none is
/// ready. Data of dropped packets goes to a scratch room so that DMA (and its time) is the same.
/// No input may make it allocate without bound, loop, or touch memory outside its frames.
class PacketAssembler {
 public:
  explicit PacketAssembler(link::FramePool& pool);

  /// Forget everything, contexts included (reset).
  void reset();

  AssemblerResult begin(const TxDescriptor& descriptor, const std::uint8_t* raw,
                        const AssemblerSettings& settings);
  /// Where the next up to `bytes` bytes of the descriptor's buffer go; never empty for bytes > 0.
  Bytes room(std::uint32_t bytes);
  void commit(std::uint32_t bytes);
  AssemblerResult end(const TxDescriptor& descriptor);
  link::FramePtr take_frame();

  /// Between the first data descriptor and EOP.
  bool in_packet() const;
  const TxContext& tso_context() const;
  const TxContext& checksum_context() const;

 private:
  // implementation's choice
};

}  // namespace e1000tlm::e1000
