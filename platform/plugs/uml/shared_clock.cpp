#include "e1000tlm/plugs/uml/shared_clock.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "e1000tlm/link/host/host_socket.h"

namespace e1000tlm::plugs::uml {
namespace {

constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kShares = 1;   // capability: time in this memory
constexpr std::uint32_t kWantsTo = 1;  // flag: run at the time asked for
constexpr std::size_t kHeaderBytes = 4096;
constexpr std::size_t kClientBytes = 128;
constexpr std::uint16_t kClients = 2;  // ourselves and the guest
constexpr std::size_t kBytes = 8192;

template <class T>
T load(const T& from) {
  return __atomic_load_n(&from, __ATOMIC_ACQUIRE);
}
template <class T>
void store(T& to, T value) {
  __atomic_store_n(&to, value, __ATOMIC_RELEASE);
}

}  // namespace

struct SharedClock::Layout {
  struct Client {
    std::uint32_t capabilities, flags;
    std::uint64_t request, name;
    std::array<std::uint8_t, kClientBytes - 24> unused;
  };
  std::uint32_t version, bytes;
  std::uint64_t free_until, time;
  std::uint16_t running, clients;
  std::array<std::uint8_t, kHeaderBytes - 28> unused;
  std::array<Client, kClients> client;
};

SharedClock::SharedClock()
    : file_(::memfd_create("e1000-tlm-time", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
  static_assert(sizeof(Layout) == kHeaderBytes + kClients * kClientBytes &&
                sizeof(Layout) <= kBytes);
  void* memory = MAP_FAILED;
  if (file_ && ::ftruncate(file_.get(), kBytes) == 0 &&
      ::fcntl(file_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
    memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
  }
  if (memory == MAP_FAILED) link::throw_host_error("simulated time for guests", errno);
  layout_ = static_cast<Layout*>(memory);  // zeros
  layout_->version = kVersion;
  layout_->bytes = sizeof(Layout);
  layout_->clients = kClients;
  layout_->client[0].capabilities = kShares;
  layout_->running = kGuest;
}

SharedClock::~SharedClock() { ::munmap(layout_, kBytes); }

bool SharedClock::used() const {
  return (load(layout_->client[kGuest].capabilities) & kShares) != 0;
}

std::uint64_t SharedClock::time() const { return load(layout_->time); }

void SharedClock::set_time(std::uint64_t time) { store(layout_->time, time); }

std::optional<std::uint64_t> SharedClock::request() const {
  const Layout::Client& guest = layout_->client[kGuest];
  if ((load(guest.flags) & kWantsTo) == 0) return std::nullopt;
  return load(guest.request);
}

void SharedClock::allow_until(std::uint64_t time) { store(layout_->free_until, time); }

void SharedClock::set_running(bool guest) {
  store(layout_->running, static_cast<std::uint16_t>(guest ? kGuest : 0));
}

}  // namespace e1000tlm::plugs::uml
