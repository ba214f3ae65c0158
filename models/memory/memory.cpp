#include "e1000tlm/memory/memory.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::memory {
namespace {

[[noreturn]] void fail(const std::string& file, const char* doing, int error) {
  const std::string what = file.empty() ? "anonymous memory" : "memory file '" + file + "'";
  throw std::runtime_error(what + ": cannot " + doing + ": " +
                           std::generic_category().message(error));
}

/// A file opened for mapping, at least `size` bytes long.
class OpenFile {
 public:
  OpenFile(const std::string& file, std::uint64_t size)
      : fd_(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    if (fd_ < 0) fail(file, "open", errno);
    if (const int error = extend(size)) {
      close(fd_);
      fail(file, ("extend to " + std::to_string(size) + " bytes").c_str(), error);
    }
  }
  ~OpenFile() { close(fd_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int fd() const { return fd_; }

 private:
  int extend(std::uint64_t size) const {
    struct stat info {};
    if (fstat(fd_, &info) != 0) return errno;
    if (static_cast<std::uint64_t>(info.st_size) >= size) return 0;
    return ftruncate(fd_, static_cast<off_t>(size)) == 0 ? 0 : errno;
  }

  int fd_;
};

}  // namespace

Mapping::Mapping(std::uint64_t size, const std::string& file) : size_(size) {
  if (size == 0) fail(file, "map 0 bytes", EINVAL);
  void* at = MAP_FAILED;
  if (file.empty()) {
    at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
              -1, 0);
  } else {
    const OpenFile opened(file, size);
    at = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, opened.fd(), 0);
  }
  if (at == MAP_FAILED) {
    fail(file, ("map " + std::to_string(size) + " bytes").c_str(), errno);
  }
  data_ = static_cast<std::uint8_t*>(at);
}

Mapping::~Mapping() { munmap(data_, size_); }

Memory::Memory(const sc_core::sc_module_name& name, const MemoryConfig& config)
    : sc_core::sc_module(name),
      socket("socket"),
      config_(config),
      mapping_(config.size, config.file),
      read_latency_(to_sc(config.read_latency)),
      write_latency_(to_sc(config.write_latency)) {
  socket.register_b_transport(this, &Memory::b_transport);
  socket.register_transport_dbg(this, &Memory::transport_dbg);
  socket.register_get_direct_mem_ptr(this, &Memory::get_direct_mem_ptr);
}

void Memory::allow_dmi(bool allow) {
  if (config_.dmi && !allow) socket->invalidate_direct_mem_ptr(0, config_.size - 1);
  config_.dmi = allow;
}

void Memory::b_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const std::uint64_t address = payload.get_address();
  const std::uint32_t length = payload.get_data_length();
  const std::uint32_t extent = std::min(length, payload.get_streaming_width());
  if (payload.get_command() == ::tlm::TLM_IGNORE_COMMAND) {
    payload.set_response_status(::tlm::TLM_OK_RESPONSE);
    return;
  }
  if (extent == 0) {  // IEEE 1666 14.11: nothing is transferred with TLM_IGNORE_COMMAND only
    payload.set_response_status(::tlm::TLM_BURST_ERROR_RESPONSE);
    return;
  }
  if (payload.get_byte_enable_ptr() != nullptr && payload.get_byte_enable_length() == 0) {
    payload.set_response_status(::tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    return;
  }
  if (address >= config_.size || extent > config_.size - address) {
    payload.set_response_status(::tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return;
  }
  if (payload.get_byte_enable_ptr() != nullptr || extent < length) {
    transfer_piecewise(payload);
  } else if (payload.is_write()) {
    std::memcpy(mapping_.data() + address, payload.get_data_ptr(), length);
  } else {
    std::memcpy(payload.get_data_ptr(), mapping_.data() + address, length);
  }
  delay += payload.is_write() ? write_latency_ : read_latency_;
  payload.set_dmi_allowed(config_.dmi);
  payload.set_response_status(::tlm::TLM_OK_RESPONSE);
}

/// Byte by byte: honours byte enables, which repeat, and streaming, where the address does.
void Memory::transfer_piecewise(::tlm::tlm_generic_payload& payload) {
  std::uint8_t* memory = mapping_.data() + payload.get_address();
  std::uint8_t* data = payload.get_data_ptr();
  const std::uint8_t* enables = payload.get_byte_enable_ptr();
  const std::uint32_t period = payload.get_byte_enable_length();
  const std::uint32_t width = payload.get_streaming_width();
  for (std::uint32_t i = 0; i < payload.get_data_length(); ++i) {
    if (enables != nullptr && enables[i % period] != TLM_BYTE_ENABLED) continue;
    if (payload.is_write()) {
      memory[i % width] = data[i];
    } else {
      data[i] = memory[i % width];
    }
  }
}

unsigned Memory::transport_dbg(::tlm::tlm_generic_payload& payload) {
  const std::uint64_t address = payload.get_address();
  if (address >= config_.size) return 0;
  const std::uint32_t length = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(payload.get_data_length(), config_.size - address));
  if (payload.is_write()) {
    std::memcpy(mapping_.data() + address, payload.get_data_ptr(), length);
  } else if (payload.is_read()) {
    std::memcpy(payload.get_data_ptr(), mapping_.data() + address, length);
  } else {
    return 0;
  }
  return length;
}

bool Memory::get_direct_mem_ptr(::tlm::tlm_generic_payload& payload, ::tlm::tlm_dmi& dmi) {
  dmi.init();
  dmi.allow_read_write();
  if (payload.get_address() >= config_.size) {  // denied from there on
    dmi.set_start_address(config_.size);
    return false;
  }
  dmi.set_start_address(0);
  dmi.set_end_address(config_.size - 1);
  if (!config_.dmi) return false;
  dmi.set_dmi_ptr(mapping_.data());
  dmi.set_read_latency(read_latency_);
  dmi.set_write_latency(write_latency_);
  return true;
}

}  // namespace e1000tlm::memory
