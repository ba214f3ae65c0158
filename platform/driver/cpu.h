#pragma once
/// The processor that native software runs on: memory, ports and interrupt lines, all by TLM.

#include <array>
#include <cstdint>
#include <cstring>

#include <systemc>

#include "e1000tlm/tlm/bus_master.h"
#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/tlm/local_time.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::driver {

/// Software for a Cpu. run() is the whole program; when it returns the processor halts.
class Program {
 public:
  virtual ~Program() = default;
  virtual void run() = 0;
};

struct CpuTiming {
  /// From an interrupt line's edge to the handler's first instruction.
  Time interrupt_entry = ns(500);
};

/// One core that runs one program in an SC_THREAD with a local time (see LocalTime). Everything but
/// the ports may only be called from that program.
///
/// RAM is reached through DMI where the platform grants it (each access then takes the latency that
/// came with the grant, annotated and not waited for) and by transactions where not.
class Cpu : public sc_core::sc_module {
 public:
  static constexpr unsigned kLines = 4;

  explicit Cpu(const sc_core::sc_module_name& name, const CpuTiming& timing = {});

  BusMasterPort mem;                              ///< memory and memory-mapped registers
  BusMasterPort io;                               ///< port space
  sc_core::sc_vector<sc_core::sc_in<bool>> pirq;  ///< PIRQ A..D, true = asserted

  /// Before simulation starts. The program must outlive the simulation.
  void load(Program& program) { program_ = &program; }

  LocalTime& time() { return memory_.time(); }

  // --- device registers: little-endian words by transaction; all ones when nobody answers ---
  std::uint32_t read32(std::uint64_t address);
  void write32(std::uint64_t address, std::uint32_t value);
  /// Ditto of 1, 2 or 4 bytes.
  std::uint32_t read(std::uint64_t address, unsigned bytes);
  void write(std::uint64_t address, std::uint32_t value, unsigned bytes);
  /// Port accesses of 1, 2 or 4 bytes.
  std::uint32_t in(std::uint16_t port, unsigned bytes = 4);
  void out(std::uint16_t port, std::uint32_t value, unsigned bytes = 4);

  // --- RAM ---
  void load(std::uint64_t address, void* data, std::uint32_t bytes) {
    const BusMasterPort::Region* region = mem.find(address, bytes, false);
    if (region == nullptr || region->tariff != nullptr) return slow_load(address, data, bytes);
    std::memcpy(data, region->memory + (address - region->start), bytes);
    time().advance(region->read_latency);
  }
  void store(std::uint64_t address, const void* data, std::uint32_t bytes) {
    const BusMasterPort::Region* region = mem.find(address, bytes, true);
    if (region == nullptr || region->tariff != nullptr) return slow_store(address, data, bytes);
    std::memcpy(region->memory + (address - region->start), data, bytes);
    time().advance(region->write_latency);
  }
  /// Direct access without time, for bulk data; nullptr without DMI. Valid until the program does
  /// anything that may wait (registers, sleep).
  std::uint8_t* window(std::uint64_t address, std::uint32_t bytes);
  /// A look at RAM from outside the program: no time, no side effect. False if it cannot be had.
  bool peek(std::uint64_t address, void* data, std::uint32_t bytes);

  // --- waiting ---
  void sleep(Time span);
  /// Asserted, as far as the program can know: after acknowledge() only what is seen once the
  /// kernel has run again, since a device needs at least a delta cycle to take its request back.
  bool line(unsigned pirq_line) const {
    return pirq[pirq_line].read() && acknowledged_[pirq_line] != sc_core::sc_delta_count();
  }
  /// The program has asked the devices on this line what they want.
  void acknowledge(unsigned pirq_line) { acknowledged_[pirq_line] = sc_core::sc_delta_count(); }
  /// Returns when an interrupt line is asserted or local time has reached `until`.
  void wait_for_interrupt(Time until);
  /// In wait_for_interrupt() without an interrupt pending.
  bool waiting() const { return waiting_ && edge_ == kTimeNever; }

 private:
  void thread();
  void on_line();
  void before_register_access();
  void let_dma_end();
  bool any_line() const;
  bool acknowledged_now() const;
  void slow_load(std::uint64_t address, void* data, std::uint32_t bytes);
  void slow_store(std::uint64_t address, const void* data, std::uint32_t bytes);

  CpuTiming timing_;
  BusMaster memory_{mem};
  BusMaster ports_{io};
  Program* program_ = nullptr;
  sc_core::sc_event interrupt_;
  std::array<sc_dt::uint64, kLines> acknowledged_{};  // delta count at that time
  bool waiting_ = false;
  Time edge_ = kTimeNever;  // of a line, while waiting: the handler begins interrupt_entry later
};

}  // namespace e1000tlm::driver
