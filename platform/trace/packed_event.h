#pragma once
/// Events as a recorder keeps millions of them. No SystemC.

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "e1000tlm/trace/event.h"

namespace e1000tlm::trace {

/// An event in 40 bytes instead of 56: fewer pages to be cleared, filled and read again.
struct PackedEvent {
  /// As Event has them.
  Time at{}, end{}, asked{};
  /// See Event.
  std::uint64_t value = 0;
  /// See Event.
  std::uint32_t bytes = 0;
  /// All the rest of it, but for Event::busy, by its number.
  std::uint32_t shape = 0;
};

/// Packs and unpacks. What kind of event it is, of which adapter and so on takes few different
/// values, which are kept once each.
class EventPacker {
 public:
  /// Event::busy is not kept.
  PackedEvent pack(const Event& event) {
    return {event.at, event.end, event.asked, event.value, event.bytes, number_of(event)};
  }
  /// What was packed here.
  Event unpack(const PackedEvent& packed) const {
    Event event = shapes_[packed.shape];
    event.at = packed.at;
    event.end = packed.end;
    event.asked = packed.asked;
    event.value = packed.value;
    event.bytes = packed.bytes;
    return event;
  }

 private:
  struct Recent {
    std::uint64_t key = 0;
    std::uint32_t number = 0;
    bool known = false;
  };
  std::uint32_t number_of(const Event& event) {
    const std::uint64_t key = std::uint64_t{event.nic} << 48U | std::uint64_t{event.board} << 32U |
                              std::uint64_t{static_cast<std::uint8_t>(event.kind)} << 24U |
                              std::uint64_t{event.code} << 16U |
                              std::uint64_t{static_cast<std::uint8_t>(event.command)} << 8U |
                              std::uint64_t{static_cast<std::uint8_t>(event.use)};
    constexpr std::uint64_t kSpread = 0x9E37'79B9'7F4A'7C15;
    Recent& recent = recent_[key * kSpread >> (64U - kRecentBits)];
    if (recent.known && recent.key == key) return recent.number;
    const auto next = static_cast<std::uint32_t>(shapes_.size());
    const auto [found, added] = numbers_.try_emplace(key, next);
    if (added) {
      shapes_.push_back(event);
      shapes_.back().busy = {};
    }
    recent = {key, found->second, true};
    return found->second;
  }

  static constexpr unsigned kRecentBits = 8;
  std::vector<Event> shapes_;
  std::unordered_map<std::uint64_t, std::uint32_t> numbers_;
  std::array<Recent, std::size_t{1} << kRecentBits> recent_{};
};

}  // namespace e1000tlm::trace
