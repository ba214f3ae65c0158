#include "e1000tlm/e1000/transmit/packet_assembler.h"

#include <cassert>
#include <cstring>

#include "e1000tlm/link/checksum.h"
#include "e1000tlm/link/segment_header.h"

namespace e1000tlm::e1000 {

namespace {

using Fault = AssemblerResult::Fault;

constexpr std::uint32_t kEthernetHeaderBytes = 14;
constexpr std::uint32_t kAddressBytes = 12;
constexpr std::uint32_t kTagBytes = 4;
constexpr std::uint32_t kFcsBytes = link::kFcsBytes;

void insert_context_checksums(Bytes packet, const TxContext& context, std::uint8_t popts,
                              std::uint32_t transport_length) {
  if ((popts & tx_popts::kIxsm) != 0) {
    link::insert_checksum(packet, context.ipcss, context.ipcse, context.ipcso, false);
  }
  if ((popts & tx_popts::kTxsm) != 0) {
    link::insert_checksum(packet, context.tucss, context.tucse, context.tucso, !context.tcp,
                          transport_length);
  }
}

}  // namespace

void PacketAssembler::reset() {
  tso_context_ = checksum_context_ = TxContext{};
  mode_ = Mode::kIdle;
  room_left_ = 0;
  frame_.reset();
  ready_.reset();
}

AssemblerResult PacketAssembler::begin(const TxDescriptor& descriptor, const std::uint8_t* raw,
                                       const AssemblerSettings& settings) {
  assert(!ready_ && "take_frame() was not called");
  const std::uint32_t bytes = descriptor.data_length();
  if (bytes != 0) {
    return mode_ == Mode::kIdle ? begin_packet(descriptor, settings) : continue_packet(bytes);
  }
  if (descriptor.kind == TxDescriptor::Kind::kContext) return begin_context(raw);
  if (descriptor.kind == TxDescriptor::Kind::kReserved) return drop(Fault::kReservedType);
  return {};
}

AssemblerResult PacketAssembler::begin_context(const std::uint8_t* raw) {
  // The packet under way goes before its context does: its segment sizes must never change.
  const AssemblerResult result = in_packet() ? drop(Fault::kContextInPacket) : AssemblerResult{};
  const TxContext context = decode_tx_context(raw);
  (context.tse ? tso_context_ : checksum_context_) = context;
  return result;
}

AssemblerResult PacketAssembler::begin_packet(const TxDescriptor& descriptor,
                                              const AssemblerSettings& settings) {
  settings_ = settings;
  limit_ = std::min(settings.max_packet_bytes, kLongestPacket);
  used_ = 0;
  first_.legacy = descriptor.kind == TxDescriptor::Kind::kLegacy;
  first_.cso = descriptor.cso;
  first_.css = descriptor.css;
  first_.popts = descriptor.popts;
  first_.special = descriptor.special;
  first_.tag = settings.vlan_enable && descriptor.has(tx_cmd::kVle);
  headroom_ = first_.tag ? kTagBytes : 0;
  if (!first_.legacy && descriptor.has(tx_cmd::kTse)) return begin_segments();

  const std::uint32_t bytes = descriptor.data_length();
  if (bytes > limit_) return drop(Fault::kTooLong);
  mode_ = Mode::kPlain;
  target_ = Target::kFrame;
  pool_->make(headroom_ + bytes).swap(frame_);
  write_ = frame_->data() + headroom_;
  room_left_ = bytes;
  return {};
}

AssemblerResult PacketAssembler::begin_segments() {
  const TxContext& context = tso_context_;
  if (context.mss == 0) return drop(Fault::kBadMss);
  if (context.hdrlen < kEthernetHeaderBytes) return drop(Fault::kNoHeader);
  const std::uint32_t longest = std::min<std::uint32_t>(context.mss, context.paylen);
  if (context.hdrlen + longest > limit_) return drop(Fault::kTooLong);
  mode_ = Mode::kSegmenting;
  segments_ = Segments{};
  target_ = Target::kHeader;
  write_ = header_.data();
  room_left_ = context.hdrlen;
  return {};
}

AssemblerResult PacketAssembler::continue_packet(std::uint32_t bytes) {
  if (mode_ != Mode::kPlain) return {};
  if (bytes > limit_ - used_) return drop(Fault::kTooLong);
  extend_frame(bytes);
  return {};
}

AssemblerResult PacketAssembler::drop(Fault fault) {
  if (mode_ == Mode::kDropping) return {};
  mode_ = Mode::kDropping;
  room_left_ = 0;
  frame_.reset();
  AssemblerResult result;
  result.fault = fault;
  return result;
}

void PacketAssembler::extend_frame(std::uint32_t bytes) {
  frame_->resize(headroom_ + used_ + bytes);
  target_ = Target::kFrame;
  write_ = frame_->data() + headroom_ + used_;
  room_left_ = bytes;
}

void PacketAssembler::refill_room() {
  if (mode_ == Mode::kSegmenting && segments_.payload_bytes < tso_context_.paylen) {
    open_segment();
    return;
  }
  target_ = Target::kScratch;
  write_ = scratch_.data();
  room_left_ = static_cast<std::uint32_t>(scratch_.size());
}

void PacketAssembler::account(std::uint32_t bytes) {
  if (bytes == 0) return;
  switch (target_) {
    case Target::kFrame:
      if (room_left_ == 0) {
        close_segment(segments_.payload_bytes + used_ - tso_context_.hdrlen == tso_context_.paylen);
      }
      break;
    case Target::kHeader: segments_.header_bytes += bytes; break;
    case Target::kScratch:
      segments_.excess = true;
      room_left_ = 0;
      break;
  }
}

AssemblerResult PacketAssembler::end(const TxDescriptor& descriptor) {
  if (!descriptor.ends_packet()) return {};
  const Mode mode = mode_;
  mode_ = Mode::kIdle;
  if (mode == Mode::kPlain) return finish_plain(descriptor);
  if (mode == Mode::kSegmenting) return finish_segments();
  room_left_ = 0;
  return {};
}

void PacketAssembler::open_segment() {
  const std::uint32_t payload =
      std::min<std::uint32_t>(tso_context_.mss, tso_context_.paylen - segments_.payload_bytes);
  target_ = Target::kFrame;
  used_ = tso_context_.hdrlen;
  pool_->make(headroom_ + used_ + payload).swap(frame_);
  std::memcpy(frame_->data() + headroom_, header_.data(), used_);
  write_ = frame_->data() + headroom_ + used_;
  room_left_ = payload;
}

void PacketAssembler::close_segment(bool last) {
  const Bytes packet = untagged_packet();
  update_header(packet, last);
  // The seed in the header lacks the length, which differs between segments (manual 3.5.7).
  const std::uint32_t transport_length = used_ - std::min<std::uint32_t>(used_, tso_context_.tucss);
  insert_context_checksums(packet, tso_context_, first_.popts, transport_length);
  segments_.payload_bytes += used_ - tso_context_.hdrlen;
  ++segments_.count;
  room_left_ = 0;
  emit(first_.tag, first_.special, false);
}

void PacketAssembler::update_header(Bytes packet, bool last) const {
  const TxContext& context = tso_context_;
  link::update_segment_header(
      packet, {context.ipv4, context.tcp, context.ipcss, context.tucss, context.hdrlen},
      segments_.count, segments_.payload_bytes, last);
}

AssemblerResult PacketAssembler::finish_segments() {
  AssemblerResult result;
  if (segments_.header_bytes < tso_context_.hdrlen) {
    result.fault = Fault::kNoHeader;
  } else {
    if (!frame_ && segments_.count == 0) open_segment();
    const bool something = frame_ && (used_ > tso_context_.hdrlen || segments_.count == 0);
    if (something) close_segment(true);
  }
  result.tso_complete = result.fault == Fault::kNone && !segments_.excess &&
                        segments_.payload_bytes == tso_context_.paylen;
  result.tso_mismatch = !result.tso_complete;
  frame_.reset();
  room_left_ = 0;
  return result;
}

AssemblerResult PacketAssembler::finish_plain(const TxDescriptor& descriptor) {
  room_left_ = 0;
  constexpr std::uint8_t kShaping = tx_cmd::kIfcs | tx_cmd::kVle | tx_cmd::kIc;
  const std::size_t shortest = settings_.pad_short ? link::kMinFrameBytes : kEthernetHeaderBytes;
  const bool as_it_is = (descriptor.command & kShaping) == tx_cmd::kIfcs && first_.popts == 0 &&
                        used_ == frame_->size() && used_ >= shortest;
  if (!as_it_is) return finish_shaped(descriptor);
  ready_.swap(frame_);
  return {};
}

AssemblerResult PacketAssembler::finish_shaped(const TxDescriptor& descriptor) {
  const bool tag = settings_.vlan_enable && descriptor.has(tx_cmd::kVle);
  // An inserted tag makes the hardware append the FCS (manual 3.3.7.1, VLE).
  const bool carries_fcs = !tag && !descriptor.has(tx_cmd::kIfcs);
  if (used_ < kEthernetHeaderBytes + (carries_fcs ? kFcsBytes : 0)) {
    frame_.reset();
    AssemblerResult result;
    result.fault = Fault::kTooShort;
    return result;
  }
  offload(descriptor);
  emit(tag, descriptor.special, carries_fcs);
  return {};
}

void PacketAssembler::offload(const TxDescriptor& descriptor) {
  if (!first_.legacy) {
    insert_context_checksums(untagged_packet(), checksum_context_, first_.popts, 0);
  } else if (descriptor.kind == TxDescriptor::Kind::kLegacy && descriptor.has(tx_cmd::kIc)) {
    link::insert_checksum(untagged_packet(), first_.css, 0, first_.cso, false);
  }
}

/// Turns the untagged packet in frame_ into the frame to send. The tag comes after the checksums,
/// whose offsets and sums do not count it (manual 3.3.3, note 2), the padding after the tag.
void PacketAssembler::emit(bool tag, std::uint16_t tag_control, bool carries_fcs) {
  std::uint32_t size = used_ + (tag ? kTagBytes : 0);
  if (frame_->size() < size) frame_->resize(size);  // the tag came as a surprise
  std::uint8_t* const data = frame_->data();
  if (tag) {
    if (headroom_ != 0) {
      std::memmove(data, data + kTagBytes, kAddressBytes);
    } else {
      std::memmove(data + kAddressBytes + kTagBytes, data + kAddressBytes, used_ - kAddressBytes);
    }
    store_be16(data + kAddressBytes, settings_.vlan_type);
    store_be16(data + kAddressBytes + 2, tag_control);
  } else if (headroom_ != 0) {
    std::memmove(data, data + headroom_, used_);
  }
  if (carries_fcs) {
    size -= kFcsBytes;
    frame_->carry_fcs(load_le32(data + size));
  }
  const bool pad = settings_.pad_short && !carries_fcs && size < link::kMinFrameBytes;
  const std::uint32_t final_size = pad ? link::kMinFrameBytes : size;
  if (frame_->size() != final_size) frame_->resize(final_size);
  if (pad) std::memset(frame_->data() + size, 0, final_size - size);
  ready_.swap(frame_);
}

}  // namespace e1000tlm::e1000
