#pragma once
/// RAM behind a TLM target socket.

#include <cstdint>
#include <string>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>

#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::memory {

/// Size, times and backing of a Memory.
struct MemoryConfig {
  /// In bytes.
  std::uint64_t size = 64u << 20;
  Time read_latency{};  ///< per access
  /// The same of writes.
  Time write_latency{};
  /// Empty: anonymous memory, zeroed, that costs the host nothing until touched. Else a file that
  /// is mapped shared (created and extended to `size` if need be), so that others see what the
  /// simulation writes and the other way round.
  std::string file;
  /// Grant direct access.
  bool dmi = true;
};

/// `size` bytes of host memory: anonymous, or a shared mapping of a file.
class Mapping {
 public:
  /// Throws std::runtime_error naming the file and the reason.
  Mapping(std::uint64_t size, const std::string& file);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  /// Its first byte.
  std::uint8_t* data() const { return data_; }

 private:
  std::uint64_t size_;
  std::uint8_t* data_ = nullptr;
};

/// Addresses from 0 to size-1; others get an address error, also when only a part of the access
/// reaches beyond, and then nothing is transferred. Byte enables, streaming width, debug transport
/// and DMI per IEEE 1666.
class Memory : public sc_core::sc_module {
 public:
  /// Throws std::runtime_error naming the file and reason if it cannot be mapped.
  Memory(const sc_core::sc_module_name& name, const MemoryConfig& config);

  /// Where accesses come in.
  ::tlm_utils::simple_target_socket<Memory> socket;

  /// In bytes.
  std::uint64_t size() const { return config_.size; }
  /// The content, for loaders and tests.
  Bytes bytes() { return {mapping_.data(), static_cast<Bytes::size_type>(config_.size)}; }
  /// Switching DMI off withdraws what was granted.
  void allow_dmi(bool allow);

 private:
  void b_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(::tlm::tlm_generic_payload& payload);
  bool get_direct_mem_ptr(::tlm::tlm_generic_payload& payload, ::tlm::tlm_dmi& dmi);
  void transfer_piecewise(::tlm::tlm_generic_payload& payload);

  MemoryConfig config_;
  Mapping mapping_;
  sc_core::sc_time read_latency_;
  sc_core::sc_time write_latency_;
};

}  // namespace e1000tlm::memory
