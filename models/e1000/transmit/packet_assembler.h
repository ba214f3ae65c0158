#pragma once
/// From descriptors and buffer data to frames: concatenation, checksum offload, segmentation, VLAN
/// tag, padding (manual 3.3 to 3.6, 9). No SystemC.

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "e1000tlm/e1000/dma/descriptors.h"
#include "e1000tlm/link/frame.h"

namespace e1000tlm::e1000 {

/// Register settings that shape packets; taken over at the first descriptor of each packet.
struct AssemblerSettings {
  bool vlan_enable = false;          ///< CTRL.VME
  std::uint16_t vlan_type = 0x8100;  ///< VET
  bool pad_short = false;            ///< TCTL.PSP
  /// Transmit packet buffer (PBA) less its overhead, in bytes; counts descriptor data without an
  /// inserted tag. Cut to what a Frame can hold.
  std::uint32_t max_packet_bytes = 16 * 1024;
};

/// What became of a packet that gave no (or not only) frames; counted by the engine.
struct alignas(std::uint32_t) AssemblerResult {
  enum class Fault : std::uint8_t {
    kNone,
    kTooLong,          ///< longer than the packet buffer, or its TSO segments would be: dropped
    kTooShort,         ///< shorter than an Ethernet header (and the FCS, if it brings one): dropped
    kNoHeader,         ///< TSO: HDRLEN below 14, or EOP before the header was complete: dropped
    kBadMss,           ///< TSO with MSS 0: dropped
    kContextInPacket,  ///< a context descriptor between a packet's data: the packet is dropped
    kReservedType,     ///< DEXT with a reserved DTYP: the packet it belongs to is dropped
  };
  Fault fault = Fault::kNone;
  bool tso_complete = false;  ///< TSCTC: a segmented send ended with exactly PAYLEN bytes
  bool tso_mismatch = false;  ///< TSCTFC: it ended short of or beyond PAYLEN
};

/// Streaming: the engine reads a descriptor, asks for room, DMAs into it, and hands over finished
/// frames at once, so that a long segmented send needs no more memory than one segment.
///
///   result = assembler.begin(descriptor, raw)      every descriptor, in ring order
///   left = descriptor.data_length()
///   while (left) { room = assembler.room(left); dma(room); assembler.commit(room.size()); }
///   result = assembler.end(descriptor)             after its data; finishes the packet on EOP
///
/// Frames appear through `take_frame()` after commit() and end(), at most one each time; it returns
/// nullptr when none is ready. Take it before the next call. Data of dropped packets goes to a
/// scratch room so that DMA (and its time) is the same. No input may make it allocate without
/// bound, loop, or touch memory outside its frames.
///
/// A packet is dropped at most once: its fault is in the result of the begin() or end() at which it
/// was certain, and everything up to and including EOP belongs to it.
///
/// Where fields are taken from (manual 3.3.3.1 and 3.3.7.1, notes): IFCS, IC, VLE and special from
/// the descriptor with EOP; CSS and CSO from the first one; POPTS from the first; in a segmented
/// send VLE and special from the first. Kind of packet and TSE are those of the first descriptor.
/// The first descriptor is the first that moves data: null descriptors between packets do nothing.
///
/// TSO beyond the manual: payload past PAYLEN is fetched and dropped (mismatch); EOP short of it
/// sends what is there as a short last segment (mismatch); a header without payload goes out as it
/// is, in one frame. PAYLEN reached without EOP waits for EOP. Headers may have all the 255 bytes
/// that HDRLEN can say (3.5.9 has room for 240) and be split over descriptors anywhere.
class PacketAssembler {
 public:
  explicit PacketAssembler(link::FramePool& pool) : pool_(&pool) {}

  /// Forget everything, contexts included (reset).
  void reset();

  AssemblerResult begin(const TxDescriptor& descriptor, const std::uint8_t* raw,
                        const AssemblerSettings& settings);
  /// Where the next up to `bytes` bytes of the descriptor's buffer go; never empty for bytes > 0.
  Bytes room(std::uint32_t bytes) {
    if (room_left_ == 0) refill_room();
    return {write_, std::min(bytes, room_left_)};
  }
  /// The first `bytes` bytes of the last room have been written.
  void commit(std::uint32_t bytes) {
    bytes = std::min(bytes, room_left_);
    write_ += bytes;
    room_left_ -= bytes;
    if (target_ == Target::kFrame) used_ += bytes;
    if (mode_ != Mode::kPlain) account(bytes);
  }
  AssemblerResult end(const TxDescriptor& descriptor);
  link::FramePtr take_frame() { return std::move(ready_); }

  /// The descriptor begins and ends a packet of up to `max_packet_bytes` that goes out as it stands
  /// in its buffer: begin() to end() would hand just that over, so they need not be called.
  bool is_whole_frame(const TxDescriptor& descriptor, std::uint32_t max_packet_bytes) const {
    constexpr std::uint8_t kShaping = tx_cmd::kEop | tx_cmd::kIfcs | tx_cmd::kVle | tx_cmd::kIc;
    return mode_ == Mode::kIdle &&
           (descriptor.command & kShaping) == (tx_cmd::kEop | tx_cmd::kIfcs) &&
           descriptor.popts == 0 && descriptor.address != 0 &&
           descriptor.length >= link::kMinFrameBytes && descriptor.length <= max_packet_bytes &&
           descriptor.length <= kLongestPacket;
  }

  /// Between the first data descriptor and EOP.
  bool in_packet() const { return mode_ != Mode::kIdle; }
  const TxContext& tso_context() const { return tso_context_; }
  const TxContext& checksum_context() const { return checksum_context_; }

 private:
  static constexpr std::uint32_t kLongestPacket = link::kMaxFrameBytes - 4;  // room for a tag

  enum class Mode : std::uint8_t { kIdle, kPlain, kSegmenting, kDropping };
  enum class Target : std::uint8_t { kFrame, kHeader, kScratch };

  /// What the packet under way took from its first descriptor.
  struct First {
    bool legacy = false;
    std::uint8_t cso = 0, css = 0, popts = 0;
    bool tag = false;  ///< binding in TSO, else a guess that EOP confirms or corrects
    std::uint16_t special = 0;
  };
  /// Progress of a segmented send.
  struct Segments {
    std::uint32_t header_bytes = 0;   ///< gathered so far
    std::uint32_t payload_bytes = 0;  ///< in segments cut so far
    std::uint32_t count = 0;          ///< segments cut so far
    bool excess = false;              ///< data came after PAYLEN bytes
  };

  AssemblerResult begin_context(const std::uint8_t* raw);
  AssemblerResult begin_packet(const TxDescriptor& descriptor, const AssemblerSettings& settings);
  AssemblerResult begin_segments();
  AssemblerResult continue_packet(std::uint32_t bytes);
  AssemblerResult drop(AssemblerResult::Fault fault);
  /// The part of commit() that plain packets do not need.
  void account(std::uint32_t bytes);
  /// Lets the frame under way hold `bytes` more bytes, which become the room.
  void extend_frame(std::uint32_t bytes);
  void refill_room();
  void open_segment();
  void close_segment(bool last);
  void update_header(Bytes packet, bool last) const;
  AssemblerResult finish_plain(const TxDescriptor& descriptor);
  AssemblerResult finish_shaped(const TxDescriptor& descriptor);
  AssemblerResult finish_segments();
  void offload(const TxDescriptor& descriptor);
  void emit(bool tag, std::uint16_t tag_control, bool carries_fcs);
  Bytes untagged_packet() { return {frame_->data() + headroom_, used_}; }

  link::FramePool* pool_;
  TxContext tso_context_, checksum_context_;

  Mode mode_ = Mode::kIdle;
  Target target_ = Target::kScratch;
  /// Bytes left free at the front of the frame so that inserting the tag moves only the addresses.
  std::uint8_t headroom_ = 0;
  std::uint8_t* write_ = nullptr;
  std::uint32_t room_left_ = 0;  ///< at write_
  std::uint32_t used_ = 0;       ///< bytes of the frame under way, headroom not counted
  std::uint32_t limit_ = 0;      ///< for used_
  link::FramePtr frame_, ready_;
  First first_;
  AssemblerSettings settings_;
  Segments segments_;
  std::array<std::uint8_t, 255> header_{};
  std::array<std::uint8_t, 4096> scratch_{};
};

}  // namespace e1000tlm::e1000
