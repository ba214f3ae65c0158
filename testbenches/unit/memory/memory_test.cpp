/// Memory: IEEE 1666 transport rules, latency, DMI, files.

#include "e1000tlm/memory/memory.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

#include <gtest/gtest.h>

#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::memory {
namespace {

class Initiator : public sc_core::sc_module {
 public:
  explicit Initiator(const sc_core::sc_module_name& name)
      : sc_core::sc_module(name), socket("socket") {
    socket.register_invalidate_direct_mem_ptr(this, &Initiator::invalidate);
  }

  ::tlm::tlm_response_status access(::tlm::tlm_generic_payload& payload) {
    delay = sc_core::SC_ZERO_TIME;
    payload.set_response_status(::tlm::TLM_INCOMPLETE_RESPONSE);
    socket->b_transport(payload, delay);
    return payload.get_response_status();
  }

  ::tlm_utils::simple_initiator_socket<Initiator> socket;
  sc_core::sc_time delay;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> invalidated;

 private:
  void invalidate(sc_dt::uint64 start, sc_dt::uint64 end) { invalidated.emplace_back(start, end); }
};

struct Bench {
  explicit Bench(const MemoryConfig& config) : memory("memory", config), initiator("initiator") {
    initiator.socket.bind(memory.socket);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
  }
  Memory memory;
  Initiator initiator;
};

MemoryConfig small() {
  MemoryConfig config;
  config.size = 4096;
  config.read_latency = ns(30);
  config.write_latency = ns(20);
  return config;
}

void fill(::tlm::tlm_generic_payload& payload, ::tlm::tlm_command command, std::uint64_t address,
          std::uint8_t* data, unsigned length) {
  payload.set_command(command);
  payload.set_address(address);
  payload.set_data_ptr(data);
  payload.set_data_length(length);
  payload.set_streaming_width(length);
}

TEST(Memory, ReadsBackWhatWasWrittenAndTakesItsLatency) {
  Bench bench(small());
  std::array<std::uint8_t, 5> out{1, 2, 3, 4, 5}, in{};
  ::tlm::tlm_generic_payload payload;
  fill(payload, ::tlm::TLM_WRITE_COMMAND, 1001, out.data(), 5);
  EXPECT_EQ(bench.initiator.access(payload), ::tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(from_sc(bench.initiator.delay), ns(20));
  EXPECT_TRUE(payload.is_dmi_allowed());
  fill(payload, ::tlm::TLM_READ_COMMAND, 1001, in.data(), 5);
  EXPECT_EQ(bench.initiator.access(payload), ::tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(from_sc(bench.initiator.delay), ns(30));
  EXPECT_EQ(in, out);
  EXPECT_EQ(bench.memory.bytes()[1000], 0);
  EXPECT_EQ(bench.memory.bytes()[1006], 0);
}

TEST(Memory, RefusesAddressesThatReachBeyondItsEnd) {
  Bench bench(small());
  std::array<std::uint8_t, 4> data{9, 9, 9, 9};
  ::tlm::tlm_generic_payload payload;
  fill(payload, ::tlm::TLM_WRITE_COMMAND, 4093, data.data(), 4);
  EXPECT_EQ(bench.initiator.access(payload), ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(bench.memory.bytes()[4095], 0) << "nothing is transferred";
  fill(payload, ::tlm::TLM_WRITE_COMMAND, ~std::uint64_t{0}, data.data(), 4);
  EXPECT_EQ(bench.initiator.access(payload), ::tlm::TLM_ADDRESS_ERROR_RESPONSE);
  fill(payload, ::tlm::TLM_WRITE_COMMAND, 4092, data.data(), 4);
  EXPECT_EQ(bench.initiator.access(payload), ::tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(bench.memory.bytes()[4095], 9);
}

TEST(Memory, HonoursByteEnablesThatRepeat) {
  Bench bench(small());
  std::array<std::uint8_t, 6> data{1, 2, 3, 4, 5, 6};
  std::array<std::uint8_t, 2> enables{TLM_BYTE_DISABLED, TLM_BYTE_ENABLED};
  ::tlm::tlm_generic_payload payload;
  fill(payload, ::tlm::TLM_WRITE_COMMAND, 16, data.data(), 6);
  payload.set_byte_enable_ptr(enables.data());
  payload.set_byte_enable_length(2);
  EXPECT_EQ(bench.initiator.access(payload), ::tlm::TLM_OK_RESPONSE);
  const std::vector<std::uint8_t> got(bench.memory.bytes().begin() + 16,
                                      bench.memory.bytes().begin() + 22);
  EXPECT_EQ(got, (std::vector<std::uint8_t>{0, 2, 0, 4, 0, 6}));
  data.fill(0xEE);
  payload.set_command(::tlm::TLM_READ_COMMAND);
  EXPECT_EQ(bench.initiator.access(payload), ::tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(data, (std::array<std::uint8_t, 6>{0xEE, 2, 0xEE, 4, 0xEE, 6}));
  payload.set_byte_enable_length(0);
  EXPECT_EQ(bench.initiator.access(payload), ::tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
}

TEST(Memory, StreamingComesBackToItsStart) {
  Bench bench(small());
  std::array<std::uint8_t, 6> data{1, 2, 3, 4, 5, 6};
  ::tlm::tlm_generic_payload payload;
  fill(payload, ::tlm::TLM_WRITE_COMMAND, 4094, data.data(), 6);
  payload.set_streaming_width(2);
  EXPECT_EQ(bench.initiator.access(payload), ::tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(bench.memory.bytes()[4094], 5);
  EXPECT_EQ(bench.memory.bytes()[4095], 6);
  payload.set_command(::tlm::TLM_READ_COMMAND);
  EXPECT_EQ(bench.initiator.access(payload), ::tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(data, (std::array<std::uint8_t, 6>{5, 6, 5, 6, 5, 6}));
  payload.set_streaming_width(0);
  EXPECT_EQ(bench.initiator.access(payload), ::tlm::TLM_BURST_ERROR_RESPONSE);
}

TEST(Memory, ZeroLengthIsAnErrorAndIgnoreIsNot) {
  Bench bench(small());
  std::uint8_t byte = 7;
  ::tlm::tlm_generic_payload payload;
  fill(payload, ::tlm::TLM_WRITE_COMMAND, 0, &byte, 0);
  EXPECT_EQ(bench.initiator.access(payload), ::tlm::TLM_BURST_ERROR_RESPONSE);
  payload.set_command(::tlm::TLM_IGNORE_COMMAND);
  EXPECT_EQ(bench.initiator.access(payload), ::tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(bench.memory.bytes()[0], 0);
}

TEST(Memory, DebugTransportIsClippedAndTakesNoTime) {
  Bench bench(small());
  std::array<std::uint8_t, 8> data{1, 2, 3, 4, 5, 6, 7, 8};
  ::tlm::tlm_generic_payload payload;
  fill(payload, ::tlm::TLM_WRITE_COMMAND, 4091, data.data(), 8);
  EXPECT_EQ(bench.initiator.socket->transport_dbg(payload), 5u);
  EXPECT_EQ(bench.memory.bytes()[4095], 5);
  fill(payload, ::tlm::TLM_READ_COMMAND, 4096, data.data(), 8);
  EXPECT_EQ(bench.initiator.socket->transport_dbg(payload), 0u);
}

TEST(Memory, GrantsDmiUntilItIsSwitchedOff) {
  Bench bench(small());
  ::tlm::tlm_generic_payload payload;
  fill(payload, ::tlm::TLM_READ_COMMAND, 100, nullptr, 0);
  ::tlm::tlm_dmi dmi;
  ASSERT_TRUE(bench.initiator.socket->get_direct_mem_ptr(payload, dmi));
  EXPECT_EQ(dmi.get_start_address(), 0u);
  EXPECT_EQ(dmi.get_end_address(), 4095u);
  EXPECT_TRUE(dmi.is_read_write_allowed());
  EXPECT_EQ(from_sc(dmi.get_read_latency()), ns(30));
  EXPECT_EQ(from_sc(dmi.get_write_latency()), ns(20));
  dmi.get_dmi_ptr()[100] = 42;
  EXPECT_EQ(bench.memory.bytes()[100], 42);

  payload.set_address(4096);
  EXPECT_FALSE(bench.initiator.socket->get_direct_mem_ptr(payload, dmi));
  EXPECT_EQ(dmi.get_start_address(), 4096u) << "what is denied does not include the memory";

  bench.memory.allow_dmi(false);
  ASSERT_EQ(bench.initiator.invalidated.size(), 1u);
  EXPECT_EQ(bench.initiator.invalidated[0], (std::pair<std::uint64_t, std::uint64_t>{0, 4095}));
  payload.set_address(100);
  EXPECT_FALSE(bench.initiator.socket->get_direct_mem_ptr(payload, dmi));
  std::uint8_t byte = 0;
  fill(payload, ::tlm::TLM_READ_COMMAND, 100, &byte, 1);
  bench.initiator.access(payload);
  EXPECT_FALSE(payload.is_dmi_allowed());
}

TEST(Memory, MapsAFileThatOthersSee) {
  const std::string file = ::testing::TempDir() + "e1000tlm_memory_test.bin";
  {
    std::ofstream out(file, std::ios::binary);
    out << "abc";
  }
  MemoryConfig config = small();
  config.file = file;
  {
    Bench bench(config);
    EXPECT_EQ(bench.memory.bytes()[1], 'b') << "content is kept";
    EXPECT_EQ(bench.memory.bytes()[4095], 0) << "the file is extended";
    bench.memory.bytes()[2] = 'Z';
    std::ifstream in(file, std::ios::binary);
    std::string head(3, ' ');
    in.read(head.data(), 3);
    EXPECT_EQ(head, "abZ");
  }
  EXPECT_EQ(std::filesystem::file_size(file), 4096u);
  std::filesystem::remove(file);
}

TEST(Memory, NamesTheFileThatCannotBeMapped) {
  for (const char* file : {"/nonexistent-directory/ram", "/"}) {
    try {
      const Mapping mapping(4096, file);
      FAIL() << file;
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find(file), std::string::npos) << error.what();
    }
  }
  EXPECT_THROW(Mapping(0, ""), std::runtime_error);
}

TEST(Memory, HugeMemoryCostsNothingUntilTouched) {
  const Mapping mapping(std::uint64_t{1} << 33, "");
  mapping.data()[(std::uint64_t{1} << 33) - 1] = 1;
  EXPECT_EQ(mapping.data()[0], 0);
}

}  // namespace
}  // namespace e1000tlm::memory
