#pragma once
/// Internet checksums (RFC 1071) as offloads of controllers and hosts compute them. No SystemC.

#include <cstdint>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::link {

/// Ones-complement sum of 16-bit big-endian words, folded to 16 bits, not complemented. An odd last
/// byte counts as the high half of a word. `seed` is added in.
std::uint16_t ones_sum(ConstBytes bytes, std::uint32_t seed = 0);

/// Sums bytes start..end (inclusive, 0 = last byte of the packet), the word at `offset` included if
/// it lies there, and stores the complement at `offset`. An end beyond the packet means its last
/// byte. Does nothing and returns false when start or the word at offset lie beyond the packet
/// (manual 3.3.3.1, IC; 3.6, IPCSO) or end lies before start (undefined there). `udp`: a result of
/// 0 is sent as FFFFh (RFC 768). `extra` is added to the sum (the segment length in TSO).
bool insert_checksum(Bytes packet, unsigned start, unsigned end, unsigned offset, bool udp,
                     std::uint32_t extra = 0);

}  // namespace e1000tlm::link
