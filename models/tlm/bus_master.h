#pragma once
/// The bus-master port that models share: local time, DMI, error status.

#include <cstdint>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

#include "e1000tlm/tlm/bytes.h"
#include "e1000tlm/tlm/dma_tariff.h"
#include "e1000tlm/tlm/local_time.h"

namespace e1000tlm {

/// How an access ended. Everything but kOk leaves read data as all ones.
enum class BusStatus : std::uint8_t {
  kOk,
  kAddressError,  ///< nobody claimed the address (PCI: master abort)
  kError,         ///< the target refused (PCI: target abort), or bus mastering is disabled
};

/// Initiator socket with a table of DMI regions. Any number of processes may master through it,
/// each with a BusMaster of its own.
///
/// Regions that lie side by side in the address space and in the host's memory become one, so that
/// a target which grants page by page costs no more than one that grants everything. At most
/// kMostRegions are remembered; a further one takes the place of the oldest.
class BusMasterPort {
 public:
  /// How many regions are remembered at most.
  static constexpr std::size_t kMostRegions = 64;

  /// `name`: of the socket.
  explicit BusMasterPort(const char* name);

  /// To the interconnect.
  ::tlm_utils::simple_initiator_socket<BusMasterPort> socket;

  /// Memory that the interconnect has granted direct access to.
  struct Region {
    /// First address.
    std::uint64_t start = 0;
    /// Last address.
    std::uint64_t end = 0;  // inclusive
    /// Where `start` is in the host's memory.
    std::uint8_t* memory = nullptr;
    /// Reads are allowed.
    bool may_read = false;
    /// Writes are allowed.
    bool may_write = false;
    /// Of each read, if there is no tariff.
    Time read_latency{};  // per access, used when there is no tariff
    /// Of each write, if there is no tariff.
    Time write_latency{};
    /// Prices accesses; nullptr: the interconnect does not know it.
    Tariff* tariff = nullptr;

    /// All of the access is inside and allowed.
    bool covers(std::uint64_t address, std::uint64_t bytes, bool write) const {
      return address >= start && address <= end && bytes - 1 <= end - address &&
             (write ? may_write : may_read);
    }
  };

  /// A region that covers the access, or nullptr. Valid until the calling process waits.
  const Region* find(std::uint64_t address, std::uint64_t bytes, bool write) {
    if (last_->covers(address, bytes, write)) return last_;
    return search(address, bytes, write);
  }
  /// Asks the interconnect for DMI at this address and remembers what it grants; does nothing where
  /// there is DMI already.
  void request_dmi(std::uint64_t address, bool write);
  /// How many regions are remembered.
  std::size_t regions() const { return regions_.size(); }
  /// Off: every access is a transaction (for tests and platforms without DMI).
  void use_dmi(bool on);

 private:
  void invalidate(sc_dt::uint64 start, sc_dt::uint64 end);
  const Region* search(std::uint64_t address, std::uint64_t bytes, bool write);
  void remember(Region region);

  void forget_last() { last_ = &kNoRegion; }

  static const Region kNoRegion;
  std::vector<Region> regions_;
  std::size_t oldest_ = 0;           // which of kMostRegions goes next
  const Region* last_ = &kNoRegion;  // that find() found
  bool use_dmi_ = true;
};

/// One process's hand on a BusMasterPort. Accesses take local time; with quantum 0 each waits
/// until it has ended, so that the data moves when the bus moves it.
///
/// DMI that is withdrawn while an access waits for its end is no error of the access (IEEE 1666
/// 11.2.5): it goes on as a transaction, which costs nothing more where the interconnect knows
/// PaidExtension.
class BusMaster {
 public:
  /// The port must outlive it.
  explicit BusMaster(BusMasterPort& port) : port_(&port) {}
  BusMaster(const BusMaster&) = delete;
  BusMaster& operator=(const BusMaster&) = delete;
  ~BusMaster();

  /// The process's own time.
  LocalTime& time() { return time_; }

  /// Fills `data`; waits as the quantum demands.
  BusStatus read(std::uint64_t address, Bytes data);
  /// `padding`: so many bytes (up to 7) behind the data are part of the burst but not enabled: they
  /// cost time and change nothing.
  BusStatus write(std::uint64_t address, ConstBytes data, std::uint32_t padding = 0);

  /// The short way of an access through DMI with a tariff, loosely timed or looking ahead: books it
  /// and returns the memory that the caller may now read or write, since no other process runs
  /// until this one waits. nullptr: nothing has happened, use read() or write(). Loosely timed the
  /// caller synchronises when time().due().
  std::uint8_t* access_ahead(::tlm::tlm_command command, std::uint64_t address,
                             std::uint32_t bytes) {
    const BusMasterPort::Region* region =
        port_->find(address, bytes, command == ::tlm::TLM_WRITE_COMMAND);
    if (region == nullptr || region->tariff == nullptr) return nullptr;
    if (time_.loosely_timed()) {
      time_.advance_to(region->tariff->book(command, address, bytes, time_.now()).end);
    } else {
      const Time horizon = time_.horizon();
      if (time_.now() >= horizon) return nullptr;
      const Time end = region->tariff->book_before(command, address, bytes, time_.now(), horizon);
      if (end == kTimeNever) return nullptr;
      time_.advance_to(end);
    }
    return region->memory + (address - region->start);
  }

  /// Lets an access that is waiting for its time on the bus end with kError and without moving
  /// data: the device was reset. One that has reached its target already is carried through.
  void cancel() { ++cancellations_; }

  /// Accesses so far that ended with an error.
  std::uint64_t errors() const { return errors_; }

 private:
  /// `moved` of the burst's `bytes` are enabled.
  BusStatus access(::tlm::tlm_command command, std::uint64_t address, std::uint8_t* data,
                   std::uint32_t bytes, std::uint32_t moved);
  enum class Price : std::uint8_t { kDue, kPaid };
  BusStatus transport(::tlm::tlm_command command, std::uint64_t address, std::uint8_t* data,
                      std::uint32_t bytes, std::uint32_t moved, Price price = Price::kDue);

  BusMasterPort* port_;
  LocalTime time_;
  ::tlm::tlm_generic_payload payload_;
  PaidExtension paid_;
  std::uint64_t errors_ = 0;
  std::uint64_t cancellations_ = 0;
};

}  // namespace e1000tlm
