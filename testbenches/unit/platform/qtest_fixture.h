#pragma once
/// A board and a client for the tests of the qtest door.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <systemc>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "e1000tlm/link/host/host_fd.h"
#include "e1000tlm/plugs/qtest_backend.h"
#include "e1000tlm/plugs/qtest_door.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::plugs {

inline constexpr std::uint64_t kRamBytes = 4096;
inline constexpr std::uint64_t kWork = 0xf0000000;  // write: work for so many ns, then interrupt 11
inline constexpr std::uint64_t kAck = 0xf0000004;   // write: takes interrupt 11 away
inline constexpr std::uint64_t kTimer = 0xf0000008;  // write: interrupt 9 after so many ns
inline constexpr std::uint64_t kDone = 0xf000000c;   // read: works done

/// Some RAM, one register file, and a record of who was called when.
class FakeBackend : public sc_core::sc_module, public QTestBackend {
 public:
  explicit FakeBackend(const sc_core::sc_module_name& name) : sc_module(name) {
    SC_HAS_PROCESS(FakeBackend);
    SC_METHOD(work_done);
    sensitive << work_;
    dont_initialize();
    SC_METHOD(timer_expired);
    sensitive << timer_;
    dont_initialize();
  }

  bool mem_read(std::uint64_t address, Bytes data) override {
    log.emplace_back("read");
    if (address == kDone && data.size() == 4) {
      store_le32(data.data(), done);
      return true;
    }
    if (address >= kRamBytes || data.size() > kRamBytes - address) return false;
    std::copy_n(ram.begin() + static_cast<std::ptrdiff_t>(address), data.size(), data.begin());
    return true;
  }
  bool mem_write(std::uint64_t address, ConstBytes data) override {
    log.emplace_back("write");
    if (address >= kWork) {
      write_register(address, load_le32(data.data()));
      return true;
    }
    if (address >= kRamBytes || data.size() > kRamBytes - address) return false;
    std::copy(data.begin(), data.end(), ram.begin() + static_cast<std::ptrdiff_t>(address));
    return true;
  }
  bool io_read(std::uint16_t port, unsigned size, std::uint32_t& value) override {
    if (ports.count(port) == 0) return false;
    value = ports[port] | (size == 1 ? 0xab00 : 0);  // rubbish beyond the access
    return true;
  }
  bool io_write(std::uint16_t port, unsigned, std::uint32_t value) override {
    ports[port] = value;
    return true;
  }
  bool busy() const override { return busy_; }
  std::size_t poll_hosts() override {
    log.emplace_back("poll");
    const std::size_t taken = frames_from_hosts.exchange(0);
    if (taken > 0) write_register(kWork, 1000);
    return taken;
  }
  bool flush_hosts(std::chrono::milliseconds timeout) override {
    log.emplace_back("flush");
    flush_timeouts.push_back(timeout);
    if (flushes_to_fail == 0) return true;
    --flushes_to_fail;
    return false;
  }
  void on_irq(std::function<void(unsigned, bool)> changed) override { irq_ = std::move(changed); }
  std::vector<QTestDevice> devices() const override {
    return {{"/machine/board/ioapic", 24}, {"/machine/peripheral/e1000", 0}};
  }

  std::vector<std::uint8_t> ram = std::vector<std::uint8_t>(kRamBytes);
  std::map<std::uint16_t, std::uint32_t> ports;
  std::vector<std::string> log;
  std::vector<std::chrono::milliseconds> flush_timeouts;
  std::uint32_t done = 0;
  Time done_at{};
  std::atomic<std::size_t> frames_from_hosts{0};
  std::atomic<unsigned> flushes_to_fail{0};

 private:
  void write_register(std::uint64_t address, std::uint32_t value) {
    if (address == kWork) {
      busy_ = true;
      work_.notify(to_sc(ns(value)));
    } else if (address == kAck) {
      irq_(11, false);
    } else if (address == kTimer) {
      timer_.notify(to_sc(ns(value)));
    }
  }
  void work_done() {
    busy_ = false;
    ++done;
    done_at = sc_now();
    irq_(11, true);
  }
  void timer_expired() { irq_(9, true); }

  sc_core::sc_event work_;
  sc_core::sc_event timer_;
  bool busy_ = false;
  std::function<void(unsigned, bool)> irq_;
};

/// A client; all of its calls may block.
class Client {
 public:
  explicit Client(const std::string& path) {
    const sockaddr_un address = link::unix_address(path);
    fd_ = link::UniqueFd(::socket(AF_UNIX, SOCK_STREAM, 0));
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  explicit Client(link::UniqueFd fd) : fd_(std::move(fd)) {}

  bool send(const std::string& text) const {
    std::size_t sent = 0;
    while (sent < text.size()) {
      const ssize_t size = ::send(fd_.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (size <= 0) return false;
      sent += static_cast<std::size_t>(size);
    }
    return true;
  }
  int fd() const { return fd_.get(); }
  std::string line() {
    std::string text;
    char c = 0;
    while (::recv(fd_.get(), &c, 1, 0) == 1 && c != '\n') text += c;
    return text;
  }
  /// The answer; interrupt lines before it are collected.
  std::string operator()(const std::string& command) {
    send(command + '\n');
    std::string text = line();
    for (; text.rfind("IRQ ", 0) == 0; text = line()) interrupts.push_back(text);
    return text;
  }
  std::vector<std::string> interrupts;

 private:
  link::UniqueFd fd_;
};

/// A door on the fake board, at a socket of a directory of its own.
class QTestDoorTest : public ::testing::Test {
 protected:
  QTestDoorTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "e1000tlm-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    config.address = "unix:" + path();
  }
  ~QTestDoorTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  std::string path() const { return directory_ + "/qtest"; }

  /// Runs the simulation until it stops by itself, with the program talking to it.
  void run(const std::function<void(Client&)>& program) {
    QTestDoor door("door", backend, config);
    std::thread thread([&] {
      Client client(path());
      program(client);
    });
    sc_core::sc_start();
    thread.join();
    EXPECT_EQ(sc_core::sc_get_status(), sc_core::SC_STOPPED);
  }

  FakeBackend backend{"backend"};
  QTestConfig config;

 private:
  std::string directory_;
};

}  // namespace e1000tlm::plugs
