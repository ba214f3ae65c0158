#include "e1000tlm/plugs/vfio_user/shared_mapping.h"

#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace e1000tlm::plugs::vfio_user {

std::atomic<SharedMapping::Slot*> SharedMapping::slots{nullptr};
std::atomic<unsigned> SharedMapping::lost_so_far{0};
std::atomic<std::size_t> SharedMapping::mappings{0};
std::atomic<std::uint64_t> SharedMapping::mapped_bytes{0};

/// Puts the handler there once, for the whole process; signals that are none of ours go to whoever
/// had it before.
struct BusErrorHandler {
  BusErrorHandler() {
    struct sigaction action {};
    action.sa_sigaction = [](int signal, siginfo_t* info, void* context) {
      SharedMapping::on_bus_error(signal, info, context);
    };
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &before());
  }
  static struct sigaction& before() {
    static struct sigaction old {};
    return old;
  }
};

/// Async-signal-safe: loads of atomics, and one system call.
void SharedMapping::on_bus_error(int signal, void* info, void* context) {
  auto* details = static_cast<siginfo_t*>(info);
  const auto at = reinterpret_cast<std::uintptr_t>(details->si_addr);
  for (Slot* slot = slots; slot != nullptr; slot = slot->next) {
    const std::uintptr_t start = slot->start;
    const std::size_t bytes = slot->bytes;
    if (start == 0 || at < start || at - start >= bytes) continue;
    // The address is one of ours, mapped until now.
    void* place = reinterpret_cast<void*>(start);  // NOLINT(performance-no-int-to-ptr)
    if (::mmap(place, bytes, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) == MAP_FAILED) {
      break;
    }
    slot->lost = true;
    ++lost_so_far;
    return;
  }
  const struct sigaction& before = BusErrorHandler::before();
  if ((before.sa_flags & SA_SIGINFO) != 0 && before.sa_sigaction != nullptr) {
    before.sa_sigaction(signal, details, context);
    return;
  }
  std::signal(SIGBUS, SIG_DFL);  // the access is tried again, and ends the process
}

/// Slots stay for ever, as the handler may look at them at any time; they are used again.
SharedMapping::Slot* SharedMapping::take_slot(std::uintptr_t start, std::size_t bytes) {
  Slot* slot = slots;
  while (slot != nullptr && slot->bytes != 0) slot = slot->next;
  if (slot == nullptr) {
    slot = new Slot;  // NOLINT(cppcoreguidelines-owning-memory): see above
    slot->next = slots;
    slot->bytes = bytes;
    slots = slot;
  }
  slot->lost = false;
  slot->bytes = bytes;
  slot->start = start;
  return slot;
}

SharedMapping::SharedMapping(const link::UniqueFd& file, std::uint64_t offset, std::uint64_t size,
                             bool writable) {
  static const BusErrorHandler handler;
  struct stat status {};
  if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    throw std::invalid_argument("its descriptor is no memory file");
  }
  const auto length = static_cast<std::uint64_t>(status.st_size);
  if (offset > length || size > length - offset) {
    throw std::invalid_argument("its descriptor's file has " + std::to_string(length) +
                                " bytes, and it begins at " + std::to_string(offset) + " with " +
                                std::to_string(size));
  }
  if (mappings >= kMostMappings || mapped_bytes + size > kMostBytes) {
    throw std::invalid_argument("this process has mapped as much of its clients as it can");
  }
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::uint64_t lead = offset % page;
  const int protection = PROT_READ | (writable ? PROT_WRITE : 0);
  void* at = ::mmap(nullptr, size + lead, protection, MAP_SHARED | MAP_NORESERVE, file.get(),
                    static_cast<off_t>(offset - lead));
  if (at == MAP_FAILED) {
    throw std::invalid_argument("its descriptor cannot be mapped: " +
                                std::generic_category().message(errno));
  }
  slot_ = take_slot(reinterpret_cast<std::uintptr_t>(at), size + lead);
  data_ = static_cast<std::uint8_t*>(at) + lead;
  ++mappings;
  mapped_bytes += size + lead;
}

SharedMapping::~SharedMapping() {
  void* at = reinterpret_cast<void*>(slot_->start.load());  // NOLINT(performance-no-int-to-ptr)
  const std::size_t bytes = slot_->bytes;
  slot_->start = 0;
  ::munmap(at, bytes);
  slot_->bytes = 0;
  --mappings;
  mapped_bytes -= bytes;
}

}  // namespace e1000tlm::plugs::vfio_user
