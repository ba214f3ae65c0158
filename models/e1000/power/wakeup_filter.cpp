#include "e1000tlm/e1000/power/wakeup_filter.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "e1000tlm/e1000/receive/link_header.h"
#include "e1000tlm/e1000/registers/registers.h"

namespace e1000tlm::e1000 {
namespace {

constexpr std::size_t kHeaderBytes = kLinkHeaderBytes;
constexpr std::size_t kAddressBytes = 6, kSynchronisation = 6, kMagicCopies = 16;
constexpr std::size_t kArpBytes = 28, kIpv4Bytes = 20, kIpv6Bytes = 40;
constexpr unsigned kReceiveAddresses = 16;
constexpr std::uint16_t kTypeIpv4 = 0x0800, kTypeArp = 0x0806, kTypeIpv6 = 0x86DD;
constexpr std::uint32_t kRahCompared = rah::kAv | 3U << 16 | 0xFFFF;
constexpr std::uint32_t kIpv6Valid = 1U << 16;

bool is_broadcast(const std::uint8_t* destination) {
  return load_le32(destination) == 0xFFFFFFFF && load_le16(destination + 4) == 0xFFFF;
}

bool is_receive_address(const std::uint32_t* ra, const std::uint8_t* destination) {
  const std::uint32_t low = load_le32(destination), high = load_le16(destination + 4);
  for (unsigned i = 0; i < kReceiveAddresses; ++i) {
    if (ra[2 * i] == low && (ra[2 * i + 1] & kRahCompared) == (rah::kAv | high)) return true;
  }
  return false;
}

bool is_our_ipv4(const WakeupView& view, const std::uint8_t* address) {
  const std::uint32_t wanted = load_le32(address);
  for (unsigned i = 0; i < kWakeupIpv4Addresses; ++i) {
    if ((view.ipav >> i & 1) != 0 && view.ip4at[2 * i] == wanted) return true;
  }
  return false;
}

bool is_our_ipv6(const WakeupView& view, const std::uint8_t* address) {
  if ((view.ipav & kIpv6Valid) == 0) return false;
  for (unsigned i = 0; i < 4; ++i) {
    if (load_le32(address + 4 * i) != view.ip6at[i]) return false;
  }
  return true;
}

/// Manual 6.4.3.1.5.
bool is_arp_request(const WakeupView& view, const LinkPayload& payload) {
  // Ethernet, IPv4, their address lengths, request.
  constexpr std::array<std::uint8_t, 8> kRequest{0, 1, 0x08, 0x00, 6, 4, 0, 1};
  constexpr std::size_t kTarget = 24;
  return payload.type == kTypeArp && payload.bytes.size() >= kArpBytes &&
         std::equal(kRequest.begin(), kRequest.end(), payload.bytes.data()) &&
         is_our_ipv4(view, payload.bytes.data() + kTarget);
}

/// Manual 6.4.3.1.6.
bool is_directed_ipv4(const WakeupView& view, const LinkPayload& payload) {
  constexpr std::size_t kDestination = 16;
  if (payload.type != kTypeIpv4 || payload.bytes.size() < kIpv4Bytes) return false;
  const std::uint8_t first = payload.bytes[0];
  return first >> 4 == 4 && (first & 0xF) >= 5 &&
         is_our_ipv4(view, payload.bytes.data() + kDestination);
}

/// Manual 6.4.3.2. Its table has type 0800h for the older parts, which no IPv6 packet has.
bool is_directed_ipv6(const WakeupView& view, const LinkPayload& payload) {
  constexpr std::size_t kDestination = 24;
  return payload.type == kTypeIpv6 && payload.bytes.size() >= kIpv6Bytes &&
         payload.bytes[0] >> 4 == 6 && is_our_ipv6(view, payload.bytes.data() + kDestination);
}

/// The address begins with the first byte that is not FFh, however many came before it
/// (manual 6.4.3.1.4).
bool is_magic(const std::uint32_t* ra, ConstBytes frame) {
  std::array<std::uint8_t, kMagicCopies * kAddressBytes> copies{};
  for (std::size_t i = 0; i < kMagicCopies; ++i) {
    store_le32(&copies[kAddressBytes * i], ra[0]);
    store_le16(&copies[kAddressBytes * i + 4], static_cast<std::uint16_t>(ra[1]));
  }
  const std::uint8_t* const end = frame.data() + frame.size();
  const std::uint8_t* at = frame.data() + kHeaderBytes;
  while (static_cast<std::size_t>(end - at) >= kSynchronisation + copies.size()) {
    const void* found = std::memchr(at, 0xFF, static_cast<std::size_t>(end - at));
    if (found == nullptr) return false;
    const auto* first = static_cast<const std::uint8_t*>(found);
    at = std::find_if(first, end, [](std::uint8_t byte) { return byte != 0xFF; });
    if (static_cast<std::size_t>(at - first) >= kSynchronisation &&
        static_cast<std::size_t>(end - at) >= copies.size() &&
        std::equal(copies.begin(), copies.end(), at)) {
      return true;
    }
  }
  return false;
}

/// Manual 6.4.3.3, 13.6.9.
bool passes_flexible(const WakeupView& view, unsigned filter, ConstBytes frame) {
  const std::size_t length = view.fflt[2 * filter];
  if (frame.size() < length) return false;
  const std::size_t compared = std::min<std::size_t>(length, kFlexibleBytes);
  for (std::size_t i = 0; i < compared; ++i) {
    const bool masked = (view.ffmt[2 * i] >> filter & 1) != 0;
    if (masked && frame[i] != (view.ffvt[2 * i] >> (8 * filter) & 0xFF)) return false;
  }
  return true;
}

std::uint32_t address_matches(const WakeupView& view, const std::uint8_t* destination) {
  if (is_broadcast(destination)) return wake::kBc;
  std::uint32_t matched = is_receive_address(view.address.ra, destination) ? wake::kEx : 0;
  if ((destination[0] & 1) == 0) return matched;
  const unsigned hash = multicast_hash(destination, view.address.rctl >> rctl::kMoShift & 3);
  const bool hit = (view.address.mta[hash >> 5] >> (hash & 31) & 1) != 0;
  // Linux has RCTL.MPE stand for "any multicast" (rule PM-6).
  if (hit || (view.address.rctl & rctl::kMpe) != 0) matched |= wake::kMc;
  return matched;
}

std::uint32_t payload_matches(const WakeupView& view, ConstBytes frame, std::uint32_t addressed) {
  const LinkPayload payload = link_payload(frame, view.address.vet);
  if ((addressed & wake::kBc) != 0) return is_arp_request(view, payload) ? wake::kArp : 0;
  if ((addressed & wake::kEx) == 0) return 0;
  if (is_directed_ipv4(view, payload)) return wake::kIpv4;
  return is_directed_ipv6(view, payload) ? wake::kIpv6 : 0;
}

}  // namespace

std::uint32_t wakeup_matches(const WakeupView& view, ConstBytes frame) {
  if (frame.size() < kHeaderBytes) return 0;
  const std::uint32_t addressed = address_matches(view, frame.data());
  const FilterVerdict verdict = filter(view.address, frame);
  const bool passed =
      verdict == FilterVerdict::kAcceptExact || verdict == FilterVerdict::kAcceptInexact;
  std::uint32_t matched = 0;
  if (passed) {
    matched = addressed;
    if ((view.enabled & (wake::kArp | wake::kIpv4 | wake::kIpv6)) != 0) {
      matched |= payload_matches(view, frame, addressed);
    }
    for (unsigned i = 0; i < kFlexibleFilters; ++i) {
      const std::uint32_t bit = wake::kFlex0 << i;
      if ((view.enabled & bit) != 0 && passes_flexible(view, i, frame)) matched |= bit;
    }
  }
  const bool broadcast = view.broadcast_magic && (addressed & wake::kBc) != 0 &&
                         verdict == FilterVerdict::kRejectAddress;
  if ((view.enabled & wake::kMag) != 0 && (passed || broadcast) &&
      is_magic(view.address.ra, frame)) {
    matched |= wake::kMag;
  }
  return matched & view.enabled;
}

}  // namespace e1000tlm::e1000
