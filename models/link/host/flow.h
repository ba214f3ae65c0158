#pragma once
/// What host back-ends look up in frames. No SystemC.

#include <cstdint>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::link {

/// The same for all frames of one flow: Ethernet addresses, IP addresses and, of TCP and UDP
/// packets that are no fragments, ports. Any bytes will do; what is not there does not count.
std::uint32_t flow_hash(ConstBytes frame);

/// The queue of `queues` that a frame leaves by: `wanted`, if that is one of them, else the one of
/// its flow.
std::size_t queue_for(std::uint16_t wanted, ConstBytes frame, std::size_t queues);

/// The frame without the bytes that fill it up to the shortest length on a wire, as far as its
/// packet (IPv4, IPv6, ARP) says how long it is.
ConstBytes without_padding(ConstBytes frame);

}  // namespace e1000tlm::link
