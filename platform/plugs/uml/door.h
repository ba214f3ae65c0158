#pragma once
/// A vhost-user back-end: gives one PCI function of the simulation to User-Mode Linux.

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <systemc>

#include <poll.h>

#include "e1000tlm/plugs/function_port.h"
#include "e1000tlm/plugs/uml/pcidev.h"
#include "e1000tlm/plugs/uml/peer.h"
#include "e1000tlm/plugs/vfio_user/guest_memory.h"
#include "e1000tlm/virtio/ring_memory.h"
#include "e1000tlm/virtio/split_ring.h"
#include "e1000tlm/virtio/vhost_user.h"

namespace e1000tlm::plugs::uml {

/// Where it listens, and for which device.
struct DoorConfig {
  /// Of a UNIX socket.
  std::string path;
  /// The function's device number on its bus.
  unsigned device = 2;
  /// How messages call it.
  std::string who = "nic 0";
  /// Interrupts go to the guest at once, whatever it does; otherwise somebody calls interrupt().
  bool prompt = false;
};

/// What has gone through it.
struct DoorStatistics {
  /// Guests that came.
  std::uint64_t guests = 0;
  /// Of these: dropped for breaking the protocol.
  std::uint64_t dropped = 0;
  /// vhost-user messages.
  std::uint64_t messages = 0;
  /// Of registers and configuration space.
  std::uint64_t reads = 0;
  /// Ditto.
  std::uint64_t writes = 0;
  /// PCI commands that make no sense.
  std::uint64_t refused = 0;
  /// Messages of the interrupt line.
  std::uint64_t interrupts = 0;
  /// Messages of MSI.
  std::uint64_t msi_messages = 0;
  /// Messages of MSI-X.
  std::uint64_t msix_messages = 0;
  /// Why guests were dropped and commands refused: the last few, for reports.
  std::vector<std::string> remarks;
};

/// Takes the place of processor, host bridge and memory: commands go to the bus, DMA comes from it
/// straight to the guest's memory, which is a file that both map. What is not in that file (the
/// guest kernel's own image) is an address error, on the bus a master abort.
///
/// A guest's notification (VRING_KICK) is answered when its commands have been done, in order, and
/// their time on the bus has passed. Interrupts are messages for a guest that has no line: one for
/// each rise of the line, and one when the handler has run, has looked at the device, and the line
/// is still up. With MSI and MSI-X each message of the device is one; those that are the same go
/// once while the guest takes none.
///
/// One guest; when it goes, or is dropped for breaking the protocol, its memory is forgotten and
/// the device is reset.
class Door : public sc_core::sc_module, private vfio_user::GuestMessages {
 public:
  /// Listens at once. Throws std::invalid_argument or std::runtime_error naming the path and the
  /// reason.
  Door(const sc_core::sc_module_name& name, const DoorConfig& config, pci::Function& function);
  ~Door() override;

  /// Register accesses; bind its socket to Bus::from_host.
  FunctionPort port;
  /// For Bus::to_host.
  vfio_user::GuestMemory memory;
  /// The bus's interrupt lines.
  sc_core::sc_vector<sc_core::sc_in<bool>> pirq;

  /// Called when a kick has come, before its commands are done.
  void on_kick(std::function<void()> call) { kicked_ = std::move(call); }
  /// Called before a kick is answered, when its commands have been done.
  void on_done(std::function<void()> call) { done_ = std::move(call); }
  /// Notified when an interrupt() is due.
  const sc_core::sc_event& raised() const { return raised_; }

  /// A guest is connected.
  bool connected() const { return static_cast<bool>(guest_); }
  /// The guest has gone, or was dropped.
  bool over() const { return over_; }
  /// Adds the descriptors that have something to say to this door.
  void watch(std::vector<pollfd>& fds) const;
  /// Does what there is to do, in an SC_THREAD; may wait.
  void serve();
  /// The guest is to be sent one.
  bool interrupt_due() const {
    return (due_ || (!messages_.empty() && !starved_)) && guest_ &&
           queues_[kIrqQueue].ring.started();
  }
  /// Sends it. `confirmed`: the guest answers, on confirmation_fd(). False: there is no room for
  /// one now.
  bool interrupt(bool confirmed);
  /// Where the answer to an interrupt comes; negative: the guest is gone.
  int confirmation_fd() const { return requests_.fd(); }
  /// It has come.
  bool confirmed();
  /// Breaks with the guest.
  void fail(const std::string& why);
  /// The guest is not there any more.
  void leave();

  /// So far.
  const DoorStatistics& statistics() const { return statistics_; }
  /// For messages.
  const DoorConfig& config() const { return config_; }

 private:
  SC_HAS_PROCESS(Door);
  using Queue = virtio::DeviceQueue;
  static constexpr std::size_t kCommandQueue = 0, kIrqQueue = 1, kQueues = 2;

  struct QueueState {
    explicit QueueState(virtio::RingMemory& memory) : ring(memory) {}
    virtio::SplitLayout layout;
    std::uint16_t base = 0;
    Queue ring;
  };

  void accept();
  void receive();
  void remark(const std::string& text);
  void on_line();
  bool on_message(std::uint64_t address, ConstBytes data);
  void interrupt_promptly();
  bool send_interrupt(const PciInterrupt& message);
  // There is no memory without a descriptor.
  bool read_guest(std::uint64_t /*address*/, Bytes /*data*/) override { return false; }
  bool write_guest(std::uint64_t /*address*/, ConstBytes /*data*/) override { return false; }

  // What the guest asks for (door_requests.cpp). A text: it breaks the protocol, and how.
  std::string handle(const virtio::vhost_user::Header& header, ConstBytes body);
  std::string perform(const virtio::vhost_user::Header& header,
                      const virtio::vhost_user::Payload& payload, bool& answered);
  std::string answer(const virtio::vhost_user::Header& header, std::uint64_t value);
  std::string map(const virtio::vhost_user::MemoryTable& table);
  std::string place_ring(const virtio::vhost_user::VringAddr& where);
  std::string enable(std::uint32_t index, bool on);
  std::string kick(std::uint32_t index);
  std::uint64_t guest_address(std::uint64_t user_address) const;

  // Its commands (door_commands.cpp).
  std::string do_commands();
  std::uint32_t do_command(const Queue::Chain& chain);
  std::uint32_t reply(const Queue::Chain& chain, ConstBytes data);

  DoorConfig config_;
  pci::Function& function_;
  link::UniqueFd listener_;
  Peer guest_;
  Peer requests_;  // ours to the guest
  bool over_ = false;
  bool orderly_ = false;  // it has taken its rings back
  std::vector<virtio::vhost_user::MemoryRegion> regions_;
  virtio::MappedMemory ring_memory_;
  std::array<QueueState, kQueues> queues_;
  Queue::Chain chain_, irq_chain_;
  std::vector<std::uint8_t> command_, data_;
  bool level_ = false;
  bool due_ = false;
  bool touched_ = false;  // since the last interrupt: by the guest
  bool starved_ = false;  // there was no buffer for an interrupt
  std::deque<pci::InterruptMessage> messages_;
  bool unconfirmed_ = false;
  sc_core::sc_event raised_;
  std::function<void()> kicked_, done_;
  DoorStatistics statistics_;
};

}  // namespace e1000tlm::plugs::uml
