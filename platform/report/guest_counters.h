#pragma once
/// What a door for virtual machines counts, and how reports call it.

#include <array>
#include <cstdint>

namespace e1000tlm::platform {

/// Of one door; see kGuestCounters for the names in JSON, and doc/json.md.
struct GuestCounters {
  /// Clients that introduced themselves, one after the other.
  std::uint64_t clients = 0;
  /// Of these (and of others that never said who they are): dropped for breaking the protocol.
  std::uint64_t dropped = 0;
  /// From clients.
  std::uint64_t messages = 0;
  /// Of registers, configuration space and ROM.
  std::uint64_t reads = 0;
  /// Of registers and configuration space.
  std::uint64_t writes = 0;
  /// Requests that could not be fulfilled.
  std::uint64_t refused = 0;
  /// DMA that went by messages, for want of shared memory.
  std::uint64_t dma_messages = 0;
  /// Of these: not answered in time.
  std::uint64_t dma_unanswered = 0;
  /// Asked for by clients.
  std::uint64_t resets = 0;
  /// Signals of the interrupt line.
  std::uint64_t intx_signals = 0;
  /// Signals of message-signalled interrupts: MSI.
  std::uint64_t msi_signals = 0;
  /// Ditto: MSI-X.
  std::uint64_t msix_signals = 0;
};

/// A counter by name.
struct GuestCounter {
  /// In JSON.
  const char* key;
  /// Where it is.
  std::uint64_t GuestCounters::*value;
};

/// All of them, in the order of reports.
inline constexpr std::array kGuestCounters{
    GuestCounter{"clients", &GuestCounters::clients},
    GuestCounter{"dropped", &GuestCounters::dropped},
    GuestCounter{"messages", &GuestCounters::messages},
    GuestCounter{"reads", &GuestCounters::reads},
    GuestCounter{"writes", &GuestCounters::writes},
    GuestCounter{"refused", &GuestCounters::refused},
    GuestCounter{"dma_messages", &GuestCounters::dma_messages},
    GuestCounter{"dma_unanswered", &GuestCounters::dma_unanswered},
    GuestCounter{"resets", &GuestCounters::resets},
    GuestCounter{"intx_signals", &GuestCounters::intx_signals},
    GuestCounter{"msi_signals", &GuestCounters::msi_signals},
    GuestCounter{"msix_signals", &GuestCounters::msix_signals},
};

}  // namespace e1000tlm::platform
