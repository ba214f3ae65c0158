#pragma once
/// A vfio-user server: gives one PCI function of the simulation to somebody else's virtual machine.

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <systemc>

#include <poll.h>

#include "e1000tlm/pci/function.h"
#include "e1000tlm/plugs/function_port.h"
#include "e1000tlm/plugs/vfio_user/channel.h"
#include "e1000tlm/plugs/vfio_user/guest_memory.h"
#include "e1000tlm/plugs/vfio_user/interrupts.h"
#include "e1000tlm/plugs/vfio_user/msix_view.h"
#include "e1000tlm/report/guest_counters.h"

namespace e1000tlm::plugs::vfio_user {

/// Where it listens, and for which device.
struct DoorConfig {
  /// Of a UNIX socket.
  std::string path;
  /// Serve the next client when one has gone.
  bool keep = true;
  /// The function's device number on its bus.
  unsigned device = 2;
  /// How messages call it.
  std::string who = "nic 0";
  /// How long (by the wall clock) a client may take to answer what it is asked for its memory, or
  /// to say who it is while another one waits.
  std::chrono::milliseconds answer_limit{5000};
};

/// Takes the place of processor, host bridge and memory: register accesses go straight to the bus,
/// DMA comes from it.
///
/// All is done in serve(), on the simulation's thread, one message after the other, in order; an
/// access takes the time on the bus that it takes, and the answer is sent then. Nothing in serve()
/// waits for the client, and it serves a bounded number of messages, so that others have their
/// turn. DMA to memory without a descriptor does wait, in the process of who asks for it, and never
/// holds an answer back. What the client has not answered in time, or what lies in memory that it
/// takes away meanwhile, ends as a master abort.
///
/// Requests that cannot be understood or fulfilled are answered with an error and change nothing.
/// One client at a time; others wait to be accepted. When one goes, or is dropped for breaking the
/// protocol, its memory and interrupts are forgotten and the device is reset.
class Door : public sc_core::sc_module, private GuestMessages {
 public:
  /// Listens at once. Throws std::invalid_argument or std::runtime_error naming the path and the
  /// reason.
  Door(const sc_core::sc_module_name& name, const DoorConfig& config, pci::Function& function);
  ~Door() override;

  /// Register accesses; bind its socket to Bus::from_host.
  FunctionPort port;
  /// For Bus::to_host.
  GuestMemory memory;
  /// The bus's interrupt lines.
  sc_core::sc_vector<sc_core::sc_in<bool>> pirq;

  /// Adds the descriptors that have something to say to this door.
  void watch(std::vector<pollfd>& fds) const;
  /// Does all that there is to do now. Call it in an SC_THREAD; it may wait.
  void serve();
  /// Has more to do although no descriptor says so.
  bool eager() const { return more_ && !channel_.congested(); }
  /// The only client has gone, and no other is wanted.
  bool over() const { return over_; }
  /// What has gone through it so far.
  platform::GuestCounters counters() const;
  /// Why clients were dropped and requests refused: the last few, for reports.
  const std::vector<std::string>& remarks() const { return remarks_; }

 private:
  SC_HAS_PROCESS(Door);
  using Clock = std::chrono::steady_clock;

  // The client (door.cpp).
  void accept();
  void rest();
  bool silent() const;
  void fail(const std::string& why);
  void break_off(const std::string& why);
  void leave();
  void receive();
  void take_messages();
  void conclude_messages(bool open);
  void remark(const std::string& text);
  bool read_guest(std::uint64_t address, Bytes data) override;
  bool write_guest(std::uint64_t address, ConstBytes data) override;
  struct Exchange;
  bool exchange(std::uint16_t id, Exchange exchange, const Message& message);
  void abandon(std::uint16_t id, Exchange& exchange);
  std::uint16_t take_id();

  // Interrupts (door_messages.cpp).
  void on_line();
  bool on_message(std::uint64_t address, ConstBytes data);
  void write_table(std::uint32_t at, ConstBytes data);
  void arm_messages();
  void arm_message(unsigned vector, bool open);
  void forget_messages();

  // What it asks for (door_requests.cpp).
  void handle(Incoming& message);
  void answered(const Incoming& message);
  void answer(const Incoming& to, const Message& message);
  void refuse(const Incoming& to, const Refusal& refusal);
  void reject(const Incoming& to, const std::string& why);
  void conclude(const Incoming& to, const std::optional<Refusal>& refusal, const Message& message);
  void on(Incoming& m, const Version& request);
  void on(Incoming& m, const DmaMap& request);
  void on(Incoming& m, const DmaUnmap& request);
  void on(Incoming& m, const GetInfo& request);
  void on(Incoming& m, const GetRegionInfo& request);
  void on(Incoming& m, const GetRegionIoFds& request);
  void on(Incoming& m, const GetIrqInfo& request);
  void on(Incoming& m, const SetIrqs& request);
  void on(Incoming& m, const RegionRead& request);
  void on(Incoming& m, const RegionWrite& request);
  void on(Incoming& m, const RegionWriteMulti& request);
  void on(Incoming& m, const Reset& request);

  // Accesses (door_access.cpp).
  std::optional<Refusal> check_range(std::uint32_t region, std::uint64_t offset,
                                     std::uint64_t bytes, bool write) const;
  std::uint64_t region_size(std::uint32_t region) const;
  void read_region(std::uint32_t region, std::uint64_t offset, Bytes data);
  void write_region(std::uint32_t region, std::uint64_t offset, ConstBytes data);

  struct Exchange {
    std::uint64_t address = 0;
    Bytes into;  // reads: where the data goes
    Clock::time_point since = Clock::now();
    bool done = false;
    bool ok = false;
  };

  DoorConfig config_;
  pci::Function& function_;
  link::UniqueFd listener_;
  Channel channel_;
  Clock::time_point accepted_;
  Clock::time_point resting_until_;  // no descriptors were left for a client
  bool resting_ = false;
  bool negotiated_ = false;
  bool more_ = false;  // messages that were read and not handled
  bool over_ = false;
  std::string failure_;  // found where the client cannot be dropped
  MsixView table_;
  Interrupts interrupts_;
  enum class Entry : std::uint8_t { kUnused, kMasked, kOpen };
  std::vector<Entry> entries_;  // of the function's MSI-X table
  bool armed_ = true;           // they are as they should be
  platform::GuestCounters counters_;
  std::vector<std::string> remarks_;
  unsigned losses_ = 0;  // see SharedMapping::losses()
  std::map<std::uint16_t, Exchange> exchanges_;
  std::set<std::uint16_t> abandoned_;  // whose answer may still come
  std::uint16_t next_id_ = 0;
  std::uint32_t most_data_ = kMostData;
  sc_core::sc_event answered_;
};

}  // namespace e1000tlm::plugs::vfio_user
