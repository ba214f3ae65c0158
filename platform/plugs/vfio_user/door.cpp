#include "e1000tlm/plugs/vfio_user/door.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include "e1000tlm/link/host/host_socket.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::plugs::vfio_user {
namespace {

constexpr unsigned kLines = 4;
constexpr std::size_t kMostRemarks = 8;

link::UniqueFd listen(const std::string& path) {
  link::SocketAddress address;
  address.path = path;
  return link::listen_on(address);
}

}  // namespace

Door::Door(const sc_core::sc_module_name& name, const DoorConfig& config, pci::Function& function)
    : sc_module(name),
      to_bus("to_bus"),
      memory("memory", *this),
      pirq("pirq", kLines),
      config_(config),
      function_(function),
      listener_(listen(config.path)),
      view_(function.config().config()) {
  payload_.set_extension(&extension_);
  extension_.device = static_cast<std::uint8_t>(config.device);
  memory.on_message(
      [this](std::uint64_t address, ConstBytes data) { return on_message(address, data); });
  SC_METHOD(on_line);
  for (auto& line : pirq) sensitive << line;
  dont_initialize();
}

Door::~Door() {
  payload_.clear_extension(&extension_);
  if (listener_) ::unlink(config_.path.c_str());
}

// --- the client ---

void Door::watch(std::vector<pollfd>& fds) const {
  if (!channel_) {
    if (!over_) fds.push_back({listener_.get(), POLLIN, 0});
    return;
  }
  const int events = channel_.pending() ? POLLOUT : POLLIN;
  fds.push_back({channel_.fd(), static_cast<short>(events), 0});
  if (interrupts_.unmask_fd() >= 0) fds.push_back({interrupts_.unmask_fd(), POLLIN, 0});
}

void Door::serve() {
  if (!channel_) {
    accept();
    return;
  }
  if (interrupts_.unmask_fd() >= 0) interrupts_.unmasked();
  if (channel_.pending() && !channel_.flush()) {
    leave();
    return;
  }
  // Until it has taken its answers nothing more is read from it.
  if (!channel_.pending()) receive();
}

void Door::accept() {
  if (over_) return;
  link::UniqueFd client = link::accept_from(listener_.get());
  if (!client) return;
  channel_ = Channel(std::move(client));
  negotiated_ = false;
  failure_.clear();
  place();
}

void Door::receive() {
  const bool open = channel_.receive();
  while (channel_ && failure_.empty()) {
    auto message = channel_.next();
    if (!message) break;
    ++statistics_.messages;
    handle(*message);
    if (channel_ && channel_.pending()) break;
  }
  if (failure_.empty() && memory.regions().lost()) failure_ = "it cut its memory file short";
  if (failure_.empty()) failure_ = channel_.why();
  check_patience();
  if (!failure_.empty()) {
    fail(std::exchange(failure_, {}));
  } else if (!open) {
    leave();
  }
}

void Door::check_patience() {
  const auto now = Clock::now();
  const auto late = [&](const auto& entry) {
    return !entry.second.done && now - entry.second.since > config_.answer_limit;
  };
  if (failure_.empty() && std::any_of(exchanges_.begin(), exchanges_.end(), late)) {
    failure_ = "it does not answer what it is asked for its memory";
  }
}

void Door::remark(const std::string& text) {
  if (statistics_.remarks.size() == kMostRemarks) {
    statistics_.remarks.erase(statistics_.remarks.begin());
  }
  statistics_.remarks.push_back(text);
}

/// Breaks with the client.
void Door::fail(const std::string& why) {
  ++statistics_.dropped;
  remark("a client was dropped: " + why);
  SC_REPORT_WARNING("/e1000tlm/plugs/vfio_user",
                    (config_.who + ": vfio-user client dropped: " + why).c_str());
  leave();
}

/// The device is left as a machine that is switched off leaves it.
void Door::leave() {
  const bool was_client = negotiated_;
  channel_ = Channel();
  negotiated_ = false;
  interrupts_.clear();
  memory.clear();
  for (auto& [id, exchange] : exchanges_) exchange.done = true;
  answered_.notify(sc_core::SC_ZERO_TIME);
  view_.reset();
  function_.bus_reset();
  // Whoever only looked whether somebody listens was no client.
  over_ = !config_.keep && was_client;
}

// --- interrupts ---

void Door::on_line() {
  interrupts_.set_level(
      std::any_of(pirq.begin(), pirq.end(), [](const auto& line) { return line.read(); }));
}

bool Door::on_message(std::uint64_t address, ConstBytes data) {
  const pci::ConfigSpace::Msi msi = function_.config().msi();
  if (!msi.enabled || address != msi.address || data.size() != 4) return false;
  if (load_le32(data.data()) != msi.data) return false;
  interrupts_.message();
  return true;
}

// --- memory by messages ---

std::uint16_t Door::take_id() {
  do {
    ++next_id_;
  } while (exchanges_.count(next_id_) != 0);
  return next_id_;
}

/// Sends it and waits for the answer.
bool Door::exchange(Message message) {
  const std::uint16_t id = load_le16(message.data());
  ++statistics_.guest_messages;
  if (!channel_.send(message) && failure_.empty()) {
    failure_ = channel_.why().empty() ? "its socket is closed" : channel_.why();
  }
  while (!exchanges_.at(id).done) sc_core::wait(answered_);
  const bool ok = exchanges_.at(id).ok;
  exchanges_.erase(id);
  return ok;
}

bool Door::read_guest(std::uint64_t address, Bytes data) {
  for (std::size_t done = 0; done < data.size();) {
    if (!channel_) return false;
    const auto bytes =
        static_cast<std::uint32_t>(std::min<std::size_t>(data.size() - done, most_data_));
    const std::uint16_t id = take_id();
    exchanges_[id] = {Clock::now(), false, false, address + done, data.subspan(done, bytes)};
    if (!exchange(dma_read(id, address + done, bytes))) return false;
    done += bytes;
  }
  return true;
}

bool Door::write_guest(std::uint64_t address, ConstBytes data) {
  for (std::size_t done = 0; done < data.size();) {
    if (!channel_) return false;
    const std::size_t bytes = std::min<std::size_t>(data.size() - done, most_data_);
    const std::uint16_t id = take_id();
    exchanges_[id] = {Clock::now(), false, false, address + done, {}};
    if (!exchange(dma_write(id, address + done, data.subspan(done, bytes)))) return false;
    done += bytes;
  }
  return true;
}

}  // namespace e1000tlm::plugs::vfio_user
