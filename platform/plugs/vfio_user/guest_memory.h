#pragma once
/// A client's memory as the target of DMA.

#include <cstdint>
#include <functional>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>

#include "e1000tlm/plugs/vfio_user/guest_regions.h"

namespace e1000tlm::plugs::vfio_user {

/// How memory without a descriptor is reached. Calls may wait. False: it cannot be.
class GuestMessages {
 public:
  virtual ~GuestMessages() = default;
  /// Fills `data`.
  virtual bool read_guest(std::uint64_t address, Bytes data) = 0;
  /// Ditto the other way.
  virtual bool write_guest(std::uint64_t address, ConstBytes data) = 0;
};

/// Regions come and go while the simulation runs; DMI is granted region by region and withdrawn
/// before a region goes. Since whoever holds DMI uses it without waiting in between, nobody uses a
/// region when unmap() returns. What is not mapped, or not for this kind of access, is an address
/// error, and nothing is transferred: on the bus a master abort.
class GuestMemory : public sc_core::sc_module {
 public:
  /// `messages` must outlive it.
  GuestMemory(const sc_core::sc_module_name& name, GuestMessages& messages);

  /// From the bus.
  ::tlm_utils::simple_target_socket<GuestMemory> socket;

  /// See GuestRegions.
  std::optional<Refusal> map(const DmaMap& request, const link::UniqueFd& file);
  /// Ditto.
  std::optional<Refusal> unmap(const DmaUnmap& request);
  /// Everything goes.
  void clear();
  /// See GuestRegions.
  const GuestRegions& regions() const { return regions_; }
  /// Asked of each write first: true if it was an interrupt message.
  void on_message(std::function<bool(std::uint64_t address, ConstBytes data)> call) {
    interrupt_ = std::move(call);
  }

 private:
  void b_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(::tlm::tlm_generic_payload& payload);
  bool get_direct_mem_ptr(::tlm::tlm_generic_payload& payload, ::tlm::tlm_dmi& dmi);
  bool covered(std::uint64_t address, std::uint64_t bytes, bool write) const;
  bool transfer(::tlm::tlm_generic_payload& payload);
  bool move(bool write, std::uint64_t address, std::uint8_t* data, std::size_t bytes);

  GuestMessages& messages_;
  GuestRegions regions_;
  std::function<bool(std::uint64_t, ConstBytes)> interrupt_;
};

}  // namespace e1000tlm::plugs::vfio_user
