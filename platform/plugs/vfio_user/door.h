#pragma once
/// A vfio-user server: gives one PCI function of the simulation to somebody else's virtual machine.

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

#include <poll.h>

#include "e1000tlm/pci/extension.h"
#include "e1000tlm/pci/function.h"
#include "e1000tlm/plugs/vfio_user/channel.h"
#include "e1000tlm/plugs/vfio_user/config_view.h"
#include "e1000tlm/plugs/vfio_user/guest_memory.h"
#include "e1000tlm/plugs/vfio_user/interrupts.h"

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
  /// How long a client may take to answer what it is asked for its memory.
  std::chrono::milliseconds answer_limit{5000};
};

/// What has gone through it.
struct DoorStatistics {
  /// That introduced themselves.
  std::uint64_t clients = 0;
  /// For breaking the protocol.
  std::uint64_t dropped = 0;
  /// From clients.
  std::uint64_t messages = 0;
  /// Of registers, configuration space and ROM.
  std::uint64_t reads = 0;
  /// Ditto.
  std::uint64_t writes = 0;
  /// Requests that the door could not fulfil.
  std::uint64_t refused = 0;
  /// Accesses to guest memory by messages.
  std::uint64_t guest_messages = 0;
  /// By clients.
  std::uint64_t resets = 0;
  /// Why clients were dropped and requests refused: the last few, for reports.
  std::vector<std::string> remarks;
};

/// Takes the place of processor, host bridge and memory: register accesses go straight to the bus,
/// DMA comes from it.
///
/// All is done in serve(), on the simulation's thread, one message after the other, in order; an
/// access takes the time on the bus that it takes, and the answer is sent then. Nothing in serve()
/// waits for the client. DMA to memory without a descriptor does, in the process of who asks for
/// it, and never holds an answer back.
///
/// One client at a time; others wait to be accepted. When one goes, or is dropped for breaking the
/// protocol, its memory and interrupts are forgotten and the device is reset.
class Door : public sc_core::sc_module, private GuestMessages {
 public:
  /// Listens at once. Throws std::invalid_argument or std::runtime_error naming the path and the
  /// reason.
  Door(const sc_core::sc_module_name& name, const DoorConfig& config, pci::Function& function);
  ~Door() override;

  /// To Bus::from_host.
  ::tlm_utils::simple_initiator_socket<Door> to_bus;
  /// For Bus::to_host.
  GuestMemory memory;
  /// The bus's interrupt lines.
  sc_core::sc_vector<sc_core::sc_in<bool>> pirq;

  /// Adds the descriptors that have something to say to this door.
  void watch(std::vector<pollfd>& fds) const;
  /// Does all that there is to do now. Call it in an SC_THREAD; it may wait.
  void serve();
  /// The only client has gone, and no other is wanted.
  bool over() const { return over_; }
  /// So far.
  const DoorStatistics& statistics() const { return statistics_; }
  /// Ditto.
  const Interrupts& interrupts() const { return interrupts_; }

 private:
  SC_HAS_PROCESS(Door);
  using Clock = std::chrono::steady_clock;

  // The client (door.cpp).
  void accept();
  void fail(const std::string& why);
  void leave();
  void receive();
  void check_patience();
  void remark(const std::string& text);
  void on_line();
  bool on_message(std::uint64_t address, ConstBytes data);
  bool read_guest(std::uint64_t address, Bytes data) override;
  bool write_guest(std::uint64_t address, ConstBytes data) override;
  bool exchange(Message message);
  std::uint16_t take_id();

  // What it asks for (door_requests.cpp).
  void handle(Incoming& message);
  void answered(const Incoming& message);
  void answer(const Incoming& to, const Message& message);
  void refuse(const Incoming& to, const Refusal& refusal);
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
  void write_config(unsigned offset, ConstBytes data);
  std::uint32_t config_dword(unsigned offset);
  void access(bool write, pci::Space space, std::uint64_t address, Bytes data);
  bool placed(const ConfigView::Register& wanted) const;
  void place();

  struct Exchange {
    Clock::time_point since;
    bool done = false;
    bool ok = false;
    std::uint64_t address = 0;
    Bytes into;  // reads: where the data goes
  };

  DoorConfig config_;
  pci::Function& function_;
  link::UniqueFd listener_;
  Channel channel_;
  bool negotiated_ = false;
  bool over_ = false;
  std::string failure_;  // found where the client cannot be dropped
  ConfigView view_;
  Interrupts interrupts_;
  DoorStatistics statistics_;
  std::map<std::uint16_t, Exchange> exchanges_;
  std::uint16_t next_id_ = 0;
  std::uint32_t most_data_ = kMostData;
  sc_core::sc_event answered_;
  ::tlm::tlm_generic_payload payload_;
  pci::PciExtension extension_;
};

}  // namespace e1000tlm::plugs::vfio_user
