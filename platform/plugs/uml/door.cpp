#include "e1000tlm/plugs/uml/door.h"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include "e1000tlm/link/host/host_socket.h"

namespace e1000tlm::plugs::uml {
namespace {

namespace vhost = virtio::vhost_user;

constexpr unsigned kLines = 4;
constexpr std::size_t kMostRemarks = 8;
// Of different messages that wait for buffers of the guest.
constexpr std::size_t kMostMessages = pci::kMostMsixVectors;

link::UniqueFd listen(const std::string& path) {
  link::SocketAddress address;
  address.path = path;
  return link::listen_on(address);
}

}  // namespace

Door::Door(const sc_core::sc_module_name& name, const DoorConfig& config, pci::Function& function)
    : sc_module(name),
      port("port", function, config.device),
      memory("memory", *this),
      pirq("pirq", kLines),
      config_(config),
      function_(function),
      listener_(listen(config.path)),
      queues_{QueueState(ring_memory_), QueueState(ring_memory_)} {
  memory.on_message(
      [this](std::uint64_t address, ConstBytes data) { return on_message(address, data); });
  SC_METHOD(on_line);
  for (auto& line : pirq) sensitive << line;
  dont_initialize();
  if (config.prompt) {
    SC_THREAD(interrupt_promptly);
  }
}

Door::~Door() {
  if (listener_) ::unlink(config_.path.c_str());
}

void Door::watch(std::vector<pollfd>& fds) const {
  if (over_) return;
  fds.push_back({guest_ ? guest_.fd() : listener_.get(), POLLIN, 0});
}

void Door::serve() {
  if (over_) return;
  if (!guest_) {
    accept();
  } else {
    receive();
  }
}

void Door::accept() {
  link::UniqueFd client = link::accept_from(listener_.get());
  if (!client) return;
  guest_ = Peer(std::move(client));
  orderly_ = false;
  ++statistics_.guests;
  port.reset();
}

void Door::receive() {
  const bool open = guest_.receive();
  while (guest_) {
    const ConstBytes input = guest_.input();
    if (input.size() < vhost::kHeaderBytes) break;
    const auto parsed = vhost::parse_header(input);
    if (const auto* why = std::get_if<std::string>(&parsed)) return fail(*why);
    const auto& header = std::get<vhost::Header>(parsed);
    const std::size_t bytes = vhost::kHeaderBytes + header.size;
    if (bytes > Peer::kMostInput) return fail("a message that is too long");
    if (input.size() < bytes) break;
    ++statistics_.messages;
    const std::string why = handle(header, input.subspan(vhost::kHeaderBytes, header.size));
    if (!why.empty()) return fail(why);
    if (guest_) guest_.drop(bytes);
  }
  if (guest_ && memory.regions().lost()) return fail("it cut its memory file short");
  if (guest_ && !open) leave();
}

void Door::remark(const std::string& text) {
  if (statistics_.remarks.size() == kMostRemarks) {
    statistics_.remarks.erase(statistics_.remarks.begin());
  }
  statistics_.remarks.push_back(text);
}

void Door::fail(const std::string& why) {
  ++statistics_.dropped;
  remark("the guest was dropped: " + why);
  SC_REPORT_WARNING("/e1000tlm/plugs/uml",
                    (config_.who + ": User-Mode Linux dropped: " + why).c_str());
  orderly_ = true;
  leave();
}

/// The device is left as a machine that is switched off leaves it.
void Door::leave() {
  if (!guest_) return;
  if (!orderly_) remark("the guest has gone without letting go of its adapter");
  guest_ = Peer();
  requests_ = Peer();
  over_ = true;
  due_ = unconfirmed_ = false;
  messages_.clear();
  for (QueueState& queue : queues_) queue.ring.stop();
  ring_memory_.clear();
  regions_.clear();
  memory.clear();
  port.reset();
  raised_.notify(sc_core::SC_ZERO_TIME);
}

// --- interrupts ---

void Door::on_line() {
  const bool before = std::exchange(
      level_, std::any_of(pirq.begin(), pirq.end(), [](auto& line) { return line.read(); }));
  if (level_ == before) return;
  // A line that has gone down again before anybody was told has no interrupt.
  due_ = level_;
  if (due_) raised_.notify(sc_core::SC_ZERO_TIME);
}

/// One that the guest has not taken yet stands for all that say the same.
bool Door::on_message(std::uint64_t address, ConstBytes data) {
  const auto& message = function_.message_under_way();
  if (!message || data.size() != 4 || address != message->address ||
      load_le32(data.data()) != message->data) {
    return false;
  }
  const auto same = [&](const pci::InterruptMessage& other) {
    return other.address == message->address && other.data == message->data;
  };
  if (!guest_ || std::any_of(messages_.begin(), messages_.end(), same)) return true;
  if (messages_.size() == kMostMessages) {
    remark("interrupt messages were lost: the guest does not take them");
    return true;
  }
  messages_.push_back(*message);
  if (interrupt_due()) raised_.notify(sc_core::SC_ZERO_TIME);
  return true;
}

void Door::interrupt_promptly() {
  for (;;) {
    while (interrupt_due()) interrupt(false);
    sc_core::wait(raised_);
  }
}

bool Door::interrupt(bool confirmed) {
  if (due_ && port.intx_disabled()) due_ = false;
  if (due_) {
    if (!send_interrupt(intx_message(port.pin()))) return false;
    due_ = touched_ = false;
    ++statistics_.interrupts;
  } else if (!messages_.empty()) {
    const pci::InterruptMessage message = messages_.front();
    const unsigned bytes = message.vector ? 4 : 2;
    if (!send_interrupt(msi_message(message.address, message.data, bytes))) return false;
    messages_.pop_front();
    ++(message.vector ? statistics_.msix_messages : statistics_.msi_messages);
  } else {
    return false;
  }
  const vhost::VringState call{static_cast<std::uint32_t>(kIrqQueue), 0};
  unconfirmed_ = confirmed;
  const auto bytes = vhost::encode(vhost::BackendRequest::kVringCall, call, confirmed);
  if (!requests_.send(bytes)) leave();
  return static_cast<bool>(guest_);
}

/// Puts it into a buffer. False: there is none, or the guest has gone.
bool Door::send_interrupt(const PciInterrupt& message) {
  Queue& ring = queues_[kIrqQueue].ring;
  const Queue::Pop popped = ring.pop(irq_chain_);
  if (popped != Queue::Pop::kChain) {
    // It comes again with the next buffer.
    if (popped == Queue::Pop::kBroken) fail(virtio::to_string(ring.fault()));
    due_ = false;
    starved_ = true;
    return false;
  }
  const auto written = virtio::write_chain(ring_memory_, irq_chain_, 0, message);
  if (!written || !ring.push(irq_chain_.head, static_cast<std::uint32_t>(*written))) {
    fail("a buffer for interrupts that is not in memory");
    return false;
  }
  ring.publish();
  starved_ = false;
  return true;
}

bool Door::confirmed() {
  if (!unconfirmed_) return true;
  if (!requests_.receive()) {
    leave();
    return true;
  }
  const ConstBytes input = requests_.input();
  if (input.size() < vhost::kHeaderBytes) return false;
  const auto parsed = vhost::parse_header(input);
  if (const auto* why = std::get_if<std::string>(&parsed)) {
    fail("answer to an interrupt: " + *why);
    return true;
  }
  const auto& header = std::get<vhost::Header>(parsed);
  if (input.size() < vhost::kHeaderBytes + header.size) return false;
  requests_.drop(vhost::kHeaderBytes + header.size);
  unconfirmed_ = false;
  return true;
}

}  // namespace e1000tlm::plugs::uml
