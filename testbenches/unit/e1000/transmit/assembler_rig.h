#pragma once
/// Runs programs of raw transmit descriptors through a PacketAssembler as the transmit engine does,
/// and judges the frames with checksum code of its own.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

#include "e1000tlm/e1000/transmit/packet_assembler.h"

namespace e1000tlm::e1000::test {

using Content = std::vector<std::uint8_t>;
using Fault = AssemblerResult::Fault;

inline constexpr std::uint8_t kEop = 0x01, kIfcs = 0x02, kIc = 0x04, kTse = 0x04, kRs = 0x08,
                              kDext = 0x20, kVle = 0x40;
inline constexpr std::uint8_t kIxsm = 0x01, kTxsm = 0x02;

struct Step {
  std::array<std::uint8_t, 16> raw{};
  Content data;
};

inline Step step_of(std::size_t length, std::uint8_t command) {
  Step step;
  step.raw[2] = 0x10;  // any address but null
  step.raw[8] = static_cast<std::uint8_t>(length);
  step.raw[9] = static_cast<std::uint8_t>(length >> 8);
  step.raw[11] = command;
  return step;
}

inline Step legacy(Content data, unsigned command, unsigned cso = 0, unsigned css = 0,
                   unsigned special = 0) {
  Step step = step_of(data.size(), static_cast<std::uint8_t>(command));
  step.raw[10] = static_cast<std::uint8_t>(cso);
  step.raw[13] = static_cast<std::uint8_t>(css);
  step.raw[14] = static_cast<std::uint8_t>(special);
  step.raw[15] = static_cast<std::uint8_t>(special >> 8);
  step.data = std::move(data);
  return step;
}

inline Step data(Content content, unsigned command, unsigned popts = 0, unsigned special = 0) {
  Step step = step_of(content.size(), static_cast<std::uint8_t>(kDext | command));
  step.raw[10] = static_cast<std::uint8_t>(0x10 | content.size() >> 16);
  step.raw[13] = static_cast<std::uint8_t>(popts);
  step.raw[14] = static_cast<std::uint8_t>(special);
  step.raw[15] = static_cast<std::uint8_t>(special >> 8);
  step.data = std::move(content);
  return step;
}

inline Step context(const TxContext& c) {
  Step step;
  step.raw = {
      c.ipcss,
      c.ipcso,
      static_cast<std::uint8_t>(c.ipcse),
      static_cast<std::uint8_t>(c.ipcse >> 8),
      c.tucss,
      c.tucso,
      static_cast<std::uint8_t>(c.tucse),
      static_cast<std::uint8_t>(c.tucse >> 8),
      static_cast<std::uint8_t>(c.paylen),
      static_cast<std::uint8_t>(c.paylen >> 8),
      static_cast<std::uint8_t>(c.paylen >> 16),
      static_cast<std::uint8_t>(kDext | (c.tse ? 4 : 0) | (c.ipv4 ? 2 : 0) | (c.tcp ? 1 : 0)),
      0,
      c.hdrlen,
      static_cast<std::uint8_t>(c.mss),
      static_cast<std::uint8_t>(c.mss >> 8)};
  return step;
}

struct Sent {
  Content bytes;
  bool fcs_implied = true;
  std::uint32_t fcs = 0;
  bool operator==(const Sent& other) const {
    return bytes == other.bytes && fcs_implied == other.fcs_implied &&
           (fcs_implied || fcs == other.fcs);
  }
};

/// The engine's side of the protocol. `chunk`: the most bytes it moves at once.
class Rig {
 public:
  AssemblerSettings settings;
  std::uint32_t chunk = 1u << 20;
  std::vector<Sent> sent;
  std::vector<Fault> faults;
  unsigned complete = 0, mismatch = 0;

  /// Returns *this for checks on the spot.
  Rig& run(const std::vector<Step>& program) {
    for (const Step& step : program) run(step);
    return *this;
  }
  Rig& run(const Step& step) {
    const TxDescriptor descriptor = decode_tx(step.raw.data());
    note(assembler_.begin(descriptor, step.raw.data(), settings));
    std::uint32_t done = 0;
    while (done < descriptor.data_length()) {
      const Bytes room = assembler_.room(std::min(descriptor.data_length() - done, chunk));
      if (room.empty()) throw std::logic_error("no room");
      std::memcpy(room.data(), step.data.data() + done, room.size());
      assembler_.commit(static_cast<std::uint32_t>(room.size()));
      done += static_cast<std::uint32_t>(room.size());
      collect();
    }
    note(assembler_.end(descriptor));
    collect();
    return *this;
  }
  void clear() {
    sent.clear();
    faults.clear();
    complete = mismatch = 0;
  }
  PacketAssembler& assembler() { return assembler_; }
  const link::FramePool& pool() const { return pool_; }

 private:
  void note(const AssemblerResult& result) {
    if (result.fault != Fault::kNone) faults.push_back(result.fault);
    complete += result.tso_complete;
    mismatch += result.tso_mismatch;
  }
  void collect() {
    while (const link::FramePtr frame = assembler_.take_frame()) {
      Sent one;
      one.bytes.assign(frame->data(), frame->data() + frame->size());
      one.fcs_implied = frame->fcs_implied();
      if (!one.fcs_implied) one.fcs = frame->fcs();
      sent.push_back(std::move(one));
    }
  }

  link::FramePool pool_;
  PacketAssembler assembler_{pool_};
};

/// Bytes that differ from their neighbours and from those of other seeds.
inline Content pattern(std::size_t size, unsigned seed = 1) {
  Content content(size);
  std::minstd_rand random(seed);
  for (auto& byte : content) byte = static_cast<std::uint8_t>(random() >> 8);
  return content;
}

inline Content slice(const Content& from, std::size_t first, std::size_t count) {
  const auto at = from.begin() + static_cast<std::ptrdiff_t>(first);
  return {at, at + static_cast<std::ptrdiff_t>(count)};
}

inline Content operator+(Content left, const Content& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// Ones-complement sum byte by byte, with the end-around carry taken at once.
inline unsigned bytewise_sum(const Content& bytes, std::size_t from, std::size_t to,
                             unsigned seed = 0) {
  unsigned sum = seed % 0xFFFF;
  for (std::size_t i = from; i < to; ++i) {
    sum += (i - from) % 2 == 0 ? bytes[i] * 256u : bytes[i];
    if (sum >= 0xFFFF) sum -= 0xFFFF;
  }
  return sum;  // 0 stands for FFFF too
}

inline unsigned word(const Content& bytes, std::size_t at) {
  return bytes[at] * 256u + bytes[at + 1];
}

}  // namespace e1000tlm::e1000::test
