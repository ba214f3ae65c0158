/// Vendor-specific capabilities: what the device behind a function hears and does.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testbenches/unit/pci/pci_bench.h"

namespace e1000tlm::pci::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr unsigned kFirst = 0x40, kWindow = 0x48;

FunctionConfig with_vendor() {
  FunctionConfig config = nic();
  config.vendor = {{kFirst, {1, 2, 3, 4, 5}, {}},
                   {kWindow, {5, 0, 0, 0, 0, 0xAA, 0, 0, 0}, {0, 0xFF, 0, 0, 0, 0, 0xFF}}};
  return config;
}

/// Reads of its window's last four bytes count up.
class Window : public sc_core::sc_module, public VendorCapabilityIf {
 public:
  explicit Window(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {}

  void vendor_read(std::size_t capability, std::size_t first, std::size_t count,
                   Bytes registers) override {
    note("read", capability, first, count);
    if (capability == 1 && first + count > 8) store_le32(&registers[8], ++reads);
  }
  void vendor_written(std::size_t capability, std::size_t first, std::size_t count,
                      ConstBytes registers) override {
    note("written", capability, first, count);
    last.assign(registers.begin(), registers.end());
  }
  void vendor_peek(std::size_t capability, std::size_t first, std::size_t count,
                   Bytes registers) const override {
    if (capability == 1 && first + count > 8) store_le32(&registers[8], reads + 1);
  }

  std::vector<std::string> log;
  std::vector<std::uint8_t> last;
  std::uint32_t reads = 0;

 private:
  void note(const char* what, std::size_t capability, std::size_t first, std::size_t count) {
    log.push_back(std::string(what) + " " + std::to_string(capability) + " " +
                  std::to_string(first) + "+" + std::to_string(count));
  }
};

struct VendorBench : Bench {
  VendorBench() : Bench(make()), window("window") { function(0).vendor(window); }
  static BenchConfig make() {
    BenchConfig config;
    config.cards = {with_vendor()};
    return config;
  }
  /// As a debugger reads all configuration space.
  std::vector<std::uint8_t> debug_read(std::uint64_t offset, unsigned bytes) {
    std::vector<std::uint8_t> data(bytes, 0xEE);
    PciExtension extension;
    extension.space = Space::kConfig;
    extension.device = 2;
    ::tlm::tlm_generic_payload payload;
    payload.set_extension(&extension);
    payload.set_read();
    payload.set_address(offset);
    payload.set_data_ptr(data.data());
    payload.set_data_length(bytes);
    payload.set_streaming_width(bytes);
    data.resize(bridge.pci->transport_dbg(payload));
    payload.clear_extension(&extension);
    return data;
  }
  Window window;
};

TEST(VendorCapabilities, TheDeviceHearsOfAccessesToThem) {
  VendorBench bench;
  bench.run([&] {
    EXPECT_EQ(bench.cpu.config_read(2, kFirst, 4), 0x01084809u);
    bench.cpu.config_read(2, kFirst - 4, 4);
    bench.cpu.config_write(2, kWindow + 4, 0x123456, 4);
    bench.cpu.config_write(2, kWindow + 8, 0x77, 1);
    bench.cpu.config_read(2, cfg::kVendorId, 4);
    EXPECT_THAT(bench.window.log, ElementsAre("read 0 0+4", "written 1 4+4", "written 1 8+1"));
    EXPECT_THAT(bench.window.last, ElementsAre(0x09, 0xDC, 12, 5, 0x56, 0, 0, 0, 0xAA, 0, 0, 0))
        << "only writable bits change";
  });
}

TEST(VendorCapabilities, WhatTheDevicePutsThereIsRead) {
  VendorBench bench;
  bench.run([&] {
    EXPECT_EQ(bench.cpu.config_read(2, kWindow + 8, 4), 1u);
    EXPECT_EQ(bench.cpu.config_read(2, kWindow + 8, 4), 2u);
    EXPECT_EQ(bench.cpu.config_read(2, kWindow + 9, 1), 0u) << "part of it";
    EXPECT_EQ(bench.window.reads, 3u);
    EXPECT_EQ(bench.function(0).config().read(kWindow + 8, 4), 3u) << "kept";
  });
}

TEST(VendorCapabilities, DebugReadsHaveNoSideEffects) {
  VendorBench bench;
  bench.run([&] {
    bench.cpu.config_read(2, kWindow + 8, 4);
    bench.window.log.clear();
    const auto all = bench.debug_read(0, 300);
    ASSERT_EQ(all.size(), 256u);
    EXPECT_EQ(load_le32(&all[kWindow + 8]), 2u) << "what a read would get";
    EXPECT_EQ(all[kFirst + 3], 1);
    const auto part = bench.debug_read(kWindow + 9, 2);
    EXPECT_THAT(part, ElementsAre(0, 0));
    EXPECT_THAT(bench.window.log, IsEmpty());
    EXPECT_EQ(bench.window.reads, 1u);
    EXPECT_EQ(bench.function(0).config().read(kWindow + 8, 4), 1u);
  });
}

TEST(VendorCapabilities, WorkWithoutADevice) {
  Bench bench(VendorBench::make());
  bench.run([&] {
    EXPECT_EQ(bench.cpu.config_read(2, kWindow, 4), 0x050CDC09u);
    bench.cpu.config_write(2, kWindow + 4, 0xFFFFFFFF, 4);
    EXPECT_EQ(bench.cpu.config_read(2, kWindow + 4, 4), 0x000000FFu);
  });
}

}  // namespace
}  // namespace e1000tlm::pci::test
