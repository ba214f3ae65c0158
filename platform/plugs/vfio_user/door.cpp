#include "e1000tlm/plugs/vfio_user/door.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include "e1000tlm/link/host/host_socket.h"
#include "e1000tlm/plugs/vfio_user/shared_mapping.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::plugs::vfio_user {
namespace {

constexpr unsigned kLines = 4;
constexpr std::size_t kMostRemarks = 8;
// Then others have their turn: a client can send faster than it is served.
constexpr unsigned kMostMessagesAtATime = 64;
// Questions that a client has left unanswered until it is given up.
constexpr std::size_t kMostAbandoned = 16;
// Simulated; the limit itself is the wall clock's.
constexpr Time kLookAtTheClock = ms(10);

link::UniqueFd listen(const std::string& path) {
  link::SocketAddress address;
  address.path = path;
  return link::listen_on(address);
}

unsigned vectors(const pci::Function& function) {
  const pci::MsixConfig& msix = function.config().config().msix;
  return msix.offset != 0 ? msix.vectors : 0;
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
      table_(function.config().config().msix),
      interrupts_(function.config().config().msi_offset != 0, vectors(function)),
      entries_(vectors(function)) {
  memory.on_message(
      [this](std::uint64_t address, ConstBytes data) { return on_message(address, data); });
  SC_METHOD(on_line);
  for (auto& line : pirq) sensitive << line;
  dont_initialize();
}

Door::~Door() {
  if (listener_) ::unlink(config_.path.c_str());
}

platform::GuestCounters Door::counters() const {
  platform::GuestCounters counters = counters_;
  counters.intx_signals = interrupts_.intx_signals();
  counters.msi_signals = interrupts_.msi_signals();
  counters.msix_signals = interrupts_.msix_signals();
  return counters;
}

// --- the client ---

void Door::watch(std::vector<pollfd>& fds) const {
  const pollfd newcomers{listener_.get(), POLLIN, 0};
  if (!channel_) {
    if (!over_ && !(resting_ && Clock::now() < resting_until_)) fds.push_back(newcomers);
    return;
  }
  const int events = (channel_.pending() ? POLLOUT : 0) | (channel_.congested() ? 0 : POLLIN);
  fds.push_back({channel_.fd(), static_cast<short>(events), 0});
  if (interrupts_.unmask_fd() >= 0) fds.push_back({interrupts_.unmask_fd(), POLLIN, 0});
  if (silent()) fds.push_back(newcomers);
}

void Door::serve() {
  if (!channel_) {
    accept();
    return;
  }
  if (!failure_.empty()) {
    fail(std::exchange(failure_, {}));
    return;
  }
  if (interrupts_.unmask_fd() >= 0) interrupts_.unmasked();
  if (channel_.pending() && !channel_.flush()) {
    leave();
    return;
  }
  if (!channel_.congested()) receive();
}

void Door::accept() {
  if (over_) return;
  errno = 0;
  link::UniqueFd client = link::accept_from(listener_.get());
  if (!client) {
    if (link::out_of_descriptors(errno)) rest();
    return;
  }
  resting_ = false;
  channel_ = Channel(std::move(client));
  accepted_ = Clock::now();
  negotiated_ = more_ = false;
  failure_.clear();
  port.place();
}

/// The client stays where it is, and so does the listener's readiness.
void Door::rest() {
  if (!std::exchange(resting_, true)) {
    remark("a client has to wait: this process has no descriptors left (see ulimit -n)");
  }
  resting_until_ = Clock::now() + link::kDescriptorRest;
}

/// It has had its time to say who it is.
bool Door::silent() const {
  return !negotiated_ && Clock::now() - accepted_ > config_.answer_limit;
}

void Door::receive() {
  const bool open = more_ || channel_.receive();
  take_messages();
  const unsigned before = std::exchange(losses_, SharedMapping::losses());
  if (failure_.empty() && losses_ != before && memory.regions().lost()) {
    failure_ = "it cut its memory file short";
  }
  conclude_messages(open);
}

void Door::take_messages() {
  more_ = false;
  for (unsigned taken = 0; channel_ && failure_.empty(); ++taken) {
    more_ = taken == kMostMessagesAtATime || channel_.congested();
    if (more_) return;
    auto message = channel_.next();
    if (!message) return;
    ++counters_.messages;
    handle(*message);
  }
}

/// Whether the client may stay. What it has sent before it went is dealt with first.
void Door::conclude_messages(bool open) {
  if (failure_.empty() && !channel_.why().empty()) {
    failure_ = channel_.why();
    const auto& header = channel_.rejected();
    if (header && !header->no_reply) channel_.send(error_reply(*header, EINVAL));
  }
  if (failure_.empty() && silent()) {
    pollfd newcomer{listener_.get(), POLLIN, 0};
    if (::poll(&newcomer, 1, 0) > 0) failure_ = "it does not say who it is, and another one waits";
  }
  if (!failure_.empty()) {
    fail(std::exchange(failure_, {}));
  } else if (!open && !more_) {
    leave();
  }
}

void Door::remark(const std::string& text) {
  if (remarks_.size() == kMostRemarks) remarks_.erase(remarks_.begin());
  remarks_.push_back(text);
}

/// Breaks with the client.
void Door::fail(const std::string& why) {
  ++counters_.dropped;
  remark("a client was dropped: " + why);
  SC_REPORT_WARNING("/e1000tlm/plugs/vfio_user",
                    (config_.who + ": vfio-user client dropped: " + why).c_str());
  leave();
}

/// The same, where the client cannot be left: soon, in serve().
void Door::break_off(const std::string& why) {
  if (failure_.empty()) failure_ = why;
  if (channel_) ::shutdown(channel_.fd(), SHUT_RDWR);  // something to be served
}

/// The device is left as a machine that is switched off leaves it.
void Door::leave() {
  const bool was_client = negotiated_;
  channel_ = Channel();
  negotiated_ = more_ = false;
  interrupts_.clear();
  memory.clear();
  for (auto& [id, exchange] : exchanges_) exchange.done = true;
  abandoned_.clear();
  answered_.notify(sc_core::SC_ZERO_TIME);
  port.forget();
  forget_messages();
  // Whoever only looked whether somebody listens was no client.
  over_ = !config_.keep && was_client;
}

// --- memory by messages ---

std::uint16_t Door::take_id() {
  do {
    ++next_id_;
  } while (exchanges_.count(next_id_) != 0 || abandoned_.count(next_id_) != 0);
  return next_id_;
}

/// Its answer is not waited for any more.
void Door::abandon(std::uint16_t id, Exchange& exchange) {
  exchange.done = true;
  abandoned_.insert(id);
  answered_.notify(sc_core::SC_ZERO_TIME);
  if (abandoned_.size() > kMostAbandoned) {
    break_off("it does not answer what it is asked for its memory");
  }
}

/// Sends a question and waits for the answer.
bool Door::exchange(std::uint16_t id, Exchange question, const Message& message) {
  Exchange& exchange = exchanges_[id] = question;
  ++counters_.dma_messages;
  if (!channel_.send(message)) {
    break_off(channel_.why().empty() ? "its socket is closed" : channel_.why());
  }
  while (!exchange.done) {
    sc_core::wait(to_sc(kLookAtTheClock), answered_);
    if (exchange.done || Clock::now() - exchange.since < config_.answer_limit) continue;
    ++counters_.dma_unanswered;
    remark("the client did not answer a request for its memory in " +
           std::to_string(config_.answer_limit.count()) + " ms: taken for a master abort");
    abandon(id, exchange);
  }
  const bool ok = exchange.ok;
  exchanges_.erase(id);
  return ok;
}

bool Door::read_guest(std::uint64_t address, Bytes data) {
  for (std::size_t done = 0; done < data.size();) {
    if (!channel_) return false;
    const auto bytes =
        static_cast<std::uint32_t>(std::min<std::size_t>(data.size() - done, most_data_));
    const std::uint16_t id = take_id();
    const std::uint64_t at = address + done;
    if (!exchange(id, {at, data.subspan(done, bytes)}, dma_read(id, at, bytes))) return false;
    done += bytes;
  }
  return true;
}

bool Door::write_guest(std::uint64_t address, ConstBytes data) {
  for (std::size_t done = 0; done < data.size();) {
    if (!channel_) return false;
    const std::size_t bytes = std::min<std::size_t>(data.size() - done, most_data_);
    const std::uint16_t id = take_id();
    const std::uint64_t at = address + done;
    if (!exchange(id, {at, {}}, dma_write(id, at, data.subspan(done, bytes)))) return false;
    done += bytes;
  }
  return true;
}

}  // namespace e1000tlm::plugs::vfio_user
