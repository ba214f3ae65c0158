#pragma once
/// RAM behind a TLM target socket.

#include <cstdint>
#include <memory>
#include <string>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>

#include "models/tlm/bytes.h"
#include "models/tlm/time.h"

namespace e1000tlm::memory {

struct MemoryConfig {
  std::uint64_t size = 64u << 20;
  Time read_latency{};   ///< per access
  Time write_latency{};
  /// Empty: anonymous memory, zeroed. Else a file that is mapped shared (created and extended to
  /// `size` if need be), so that others see what the simulation writes and the other way round.
  std::string file;
  bool dmi = true;
};

/// Addresses from 0 to size-1; others get an address error. Byte enables, streaming width, debug
/// transport and DMI per IEEE 1666.
class Memory : public sc_core::sc_module {
 public:
  /// Throws std::runtime_error naming the file and reason if it cannot be mapped.
  Memory(const sc_core::sc_module_name& name, const MemoryConfig& config);
  ~Memory() override;

  ::tlm_utils::simple_target_socket<Memory> socket;

  std::uint64_t size() const { return config_.size; }
  /// The content, for loaders and tests.
  Bytes bytes();
  /// Switching DMI off withdraws what was granted.
  void allow_dmi(bool allow);

 private:
  void b_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(::tlm::tlm_generic_payload& payload);
  bool get_direct_mem_ptr(::tlm::tlm_generic_payload& payload, ::tlm::tlm_dmi& dmi);

  class Storage;
  MemoryConfig config_;
  std::unique_ptr<Storage> storage_;
};

}  // namespace e1000tlm::memory
