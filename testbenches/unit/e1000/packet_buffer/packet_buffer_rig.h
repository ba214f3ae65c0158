#pragma once
/// Reads FIFO pointers and the packet buffer memory window, and fills the FIFOs.

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <vector>

#include "e1000tlm/e1000/packet_buffer/packet_buffer.h"
#include "testbenches/unit/e1000/nic_rig.h"

namespace e1000tlm::e1000::test {

using Octets = std::vector<std::uint8_t>;

/// Start of the transmit FIFO with the PBA of power-up, in bytes and in words.
inline constexpr std::uint32_t kTxBase = 48 * 1024, kTxWord = kTxBase / 8;
inline constexpr std::uint8_t kSilent = tx_cmd::kEop | tx_cmd::kIfcs;

struct Pointers {
  std::uint32_t head, tail, head_saved, tail_saved, packets;
  bool operator==(const Pointers& o) const {
    return head == o.head && tail == o.tail && head_saved == o.head_saved &&
           tail_saved == o.tail_saved && packets == o.packets;
  }
};
inline std::ostream& operator<<(std::ostream& out, const Pointers& p) {
  return out << std::hex << "H " << p.head << " T " << p.tail << " HS " << p.head_saved << " TS "
             << p.tail_saved << " packets " << p.packets << std::dec;
}

/// Read twice: debug accesses first.
inline Pointers pointers(NicRig& rig, std::uint32_t head) {
  const Pointers peeked{rig.peek(head), rig.peek(head + 8), rig.peek(head + 16),
                        rig.peek(head + 24), rig.peek(head + 32)};
  const Pointers read{rig.read(head), rig.read(head + 8), rig.read(head + 16), rig.read(head + 24),
                      rig.read(head + 32)};
  EXPECT_EQ(peeked, read);
  return read;
}
inline Pointers rx_pointers(NicRig& rig) { return pointers(rig, reg::kRdfh); }
inline Pointers tx_pointers(NicRig& rig) { return pointers(rig, reg::kTdfh); }

/// `size` bytes of the memory from byte `offset` on, going round in the region `base` .. `end`.
inline Octets window(NicRig& rig, bool debug, std::uint32_t offset, std::size_t size,
                     std::uint32_t base = 0, std::uint32_t end = kPacketBufferBytes) {
  Octets bytes;
  while (bytes.size() < size) {
    const std::uint32_t dword = debug ? rig.peek(reg::kPbm + offset) : rig.read(reg::kPbm + offset);
    for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(dword >> (8 * i)));
    offset += 4;
    if (offset == end) offset = base;
  }
  bytes.resize(size);
  return bytes;
}
inline Octets peek_window(NicRig& rig, std::uint32_t offset, std::size_t size) {
  return window(rig, true, offset, size);
}
inline Octets read_window(NicRig& rig, std::uint32_t offset, std::size_t size) {
  return window(rig, false, offset, size);
}

/// With the FCS that goes with it, as the receive FIFO holds it.
inline Octets with_fcs(Octets bytes) {
  const std::uint32_t fcs = link::ethernet_fcs({bytes.data(), bytes.size()});
  bytes.resize(bytes.size() + 4);
  store_le32(&bytes[bytes.size() - 4], fcs);
  return bytes;
}

/// Receiver on, ring set up, and no descriptor yet.
inline void starve(NicRig& rig, std::uint32_t rctl = rctl::kEn | rctl::kBam) {
  rig.write(reg::kRctl, 0);
  rig.setup_rx(8, 0);
  rig.write(reg::kRdt, 0);
  rig.write(reg::kRctl, rctl);
}
inline void reset(NicRig& rig) {
  rig.write(reg::kCtrl, rig.read(reg::kCtrl) | ctrl::kRst);
  NicRig::wait_for(us(2));
}
inline void queue(NicRig& rig, std::uint32_t from, const std::vector<Octets>& frames) {
  std::uint32_t i = from;
  for (const Octets& frame : frames) rig.put_legacy(i++, frame, kSilent);
  rig.write(reg::kTdt, i);
}

}  // namespace e1000tlm::e1000::test
