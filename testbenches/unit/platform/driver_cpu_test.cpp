#include <functional>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>

#include <gtest/gtest.h>

#include "e1000tlm/driver/buffers.h"
#include "e1000tlm/driver/cpu.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::driver {
namespace {

/// 4 KiB that answer on both of a Cpu's ports, with or without DMI, 10 ns an access.
class Store : public sc_core::sc_module {
 public:
  Store(const sc_core::sc_module_name& name, bool dmi)
      : sc_module(name), mem("mem"), io("io"), dmi_(dmi) {
    mem.register_b_transport(this, &Store::transport);
    io.register_b_transport(this, &Store::transport);
    mem.register_get_direct_mem_ptr(this, &Store::get_dmi);
    mem.register_transport_dbg(this, &Store::debug);
  }
  ::tlm_utils::simple_target_socket<Store> mem, io;
  std::uint64_t transactions = 0;
  sc_core::sc_time delay;  // with which the last one came
  std::array<std::uint8_t, 4096> bytes{};

 private:
  void move(::tlm::tlm_generic_payload& p) {
    std::uint8_t* at = bytes.data() + p.get_address();
    if (p.is_write()) {
      std::copy_n(p.get_data_ptr(), p.get_data_length(), at);
    } else {
      std::copy_n(at, p.get_data_length(), p.get_data_ptr());
    }
  }
  void transport(::tlm::tlm_generic_payload& p, sc_core::sc_time& delay) {
    ++transactions;
    this->delay = delay;
    delay += to_sc(ns(10));
    if (p.get_address() + p.get_data_length() > bytes.size()) {
      p.set_response_status(::tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return;
    }
    move(p);
    p.set_dmi_allowed(dmi_);
    p.set_response_status(::tlm::TLM_OK_RESPONSE);
  }
  unsigned debug(::tlm::tlm_generic_payload& p) {
    move(p);
    return p.get_data_length();
  }
  bool get_dmi(::tlm::tlm_generic_payload&, ::tlm::tlm_dmi& dmi) {
    dmi.set_start_address(0);
    dmi.set_end_address(bytes.size() - 1);
    dmi.set_dmi_ptr(bytes.data());
    dmi.allow_read_write();
    dmi.set_read_latency(to_sc(ns(10)));
    dmi.set_write_latency(to_sc(ns(10)));
    return dmi_;
  }
  bool dmi_;
};

class Script : public Program {
 public:
  explicit Script(std::function<void()> body) : body_(std::move(body)) {}
  void run() override { body_(); }

 private:
  std::function<void()> body_;
};

struct Machine {
  explicit Machine(bool dmi, Time quantum = kTimeZero) : store("store", dmi), lines("lines", 4) {
    ::tlm::tlm_global_quantum::instance().set(to_sc(quantum));
    cpu.mem.socket.bind(store.mem);
    cpu.io.socket.bind(store.io);
    for (unsigned i = 0; i < Cpu::kLines; ++i) cpu.pirq[i](lines[i]);
  }
  void run(const std::function<void()>& body) {
    Script script(body);
    cpu.load(script);
    sc_core::sc_start(sc_core::sc_time(1, sc_core::SC_MS));
  }
  Store store;
  sc_core::sc_vector<sc_core::sc_signal<bool>> lines;
  Cpu cpu{"cpu"};
};

TEST(Cpu, RamIsReadAndWrittenByDmiAfterTheFirstTransaction) {
  Machine m(true);
  m.run([&] {
    const std::uint32_t value = 0x11223344;
    std::uint32_t back = 0;
    m.cpu.store(0x100, &value, 4);
    for (int i = 0; i < 10; ++i) m.cpu.load(0x100, &back, 4);
    EXPECT_EQ(back, value);
    EXPECT_EQ(m.store.transactions, 1U);
    EXPECT_EQ(m.cpu.time().now(), ns(110)) << "10 ns each, annotated";
    EXPECT_NE(m.cpu.window(0x100, 4), nullptr);
  });
}

TEST(Cpu, WithoutDmiEverythingIsATransaction) {
  Machine m(false);
  m.run([&] {
    const std::uint32_t value = 0x11223344;
    std::uint32_t back = 0;
    m.cpu.store(0x100, &value, 4);
    m.cpu.load(0x100, &back, 4);
    EXPECT_EQ(back, value);
    EXPECT_EQ(m.store.transactions, 2U);
    EXPECT_EQ(m.cpu.window(0x100, 4), nullptr);
    EXPECT_EQ(sc_now(), ns(20));
  });
}

TEST(Cpu, NobodyThereReadsAsAllOnes) {
  Machine m(true);
  m.run([&] { EXPECT_EQ(m.cpu.read32(0x10'0000), 0xFFFF'FFFFU); });
}

TEST(Cpu, PortsAndRegistersShareOneTime) {
  Machine m(false);
  m.run([&] {
    m.cpu.out(0x10, 0xABCD, 2);
    EXPECT_EQ(m.cpu.in(0x10, 1), 0xCDU);
    EXPECT_EQ(m.cpu.read32(0x10), 0xABCDU);
    EXPECT_EQ(m.cpu.time().now(), ns(30));
    EXPECT_EQ(sc_now(), ns(30));
  });
}

TEST(Cpu, WaitsForALineOrUntilATime) {
  Machine m(true);
  bool done = false;
  m.run([&] {
    m.cpu.wait_for_interrupt(us(5));
    EXPECT_EQ(m.cpu.time().now(), us(5));
    m.lines[2].write(true);
    m.cpu.wait_for_interrupt(kTimeNever);
    EXPECT_TRUE(m.cpu.line(2));
    EXPECT_FALSE(m.cpu.line(1));
    EXPECT_EQ(m.cpu.time().now(), us(5) + ns(500)) << "interrupt entry";
    EXPECT_EQ(sc_now(), us(5) + ns(500)) << "waited out in one go with the line";
    done = true;
  });
  EXPECT_TRUE(done);
}

TEST(Cpu, AnInterruptThatComesShortlyBeforeTheDueTimeIsEntered) {
  Machine m(true);
  bool done = false;
  m.run([&] {
    m.lines[1].write(true);
    m.cpu.wait_for_interrupt(ns(100));
    EXPECT_TRUE(m.cpu.line(1));
    EXPECT_EQ(m.cpu.time().now(), ns(500));
    m.lines[1].write(false);
    m.cpu.sleep(us(1));
    m.cpu.wait_for_interrupt(us(5));
    EXPECT_EQ(m.cpu.time().now(), us(5)) << "nothing is left of it";
    done = true;
  });
  EXPECT_TRUE(done);
}

TEST(Cpu, ItDoesNotWaitForWorkOnceAnInterruptHasCome) {
  Machine m(true);
  Script script([&] { m.cpu.wait_for_interrupt(kTimeNever); });
  m.cpu.load(script);
  sc_core::sc_start(sc_core::sc_time(1, sc_core::SC_US));
  EXPECT_TRUE(m.cpu.waiting());
  m.lines[3].write(true);
  sc_core::sc_start(sc_core::sc_time(100, sc_core::SC_NS));
  EXPECT_FALSE(m.cpu.waiting());
  sc_core::sc_start(sc_core::sc_time(1, sc_core::SC_US));
  EXPECT_EQ(m.cpu.time().now(), us(1) + ns(500));
}

/// With quantum 0 the bus waits until the access's time has come, together with what it takes.
TEST(Cpu, ARegisterAccessSetsOutWithTheDelayOfTheWorkBeforeIt) {
  Machine m(false);
  bool done = false;
  m.run([&] {
    m.cpu.time().advance(ns(70));
    m.cpu.write32(0x200, 7);
    EXPECT_EQ(m.store.delay, to_sc(ns(70)));
    EXPECT_EQ(m.cpu.time().now(), ns(80));
    EXPECT_EQ(sc_now(), ns(80));
    done = true;
  });
  EXPECT_TRUE(done);
}

TEST(Cpu, AnAcknowledgedLineThatStaysUpInterruptsAgainWithoutAnEdge) {
  Machine m(true, us(100));
  bool woken = false;
  m.run([&] {
    m.lines[0].write(true);
    m.cpu.wait_for_interrupt(kTimeNever);
    ASSERT_TRUE(m.cpu.line(0));
    m.cpu.acknowledge(0);
    EXPECT_FALSE(m.cpu.line(0)) << "not known before the kernel has run";
    m.cpu.wait_for_interrupt(kTimeNever);
    woken = m.cpu.line(0);
  });
  EXPECT_TRUE(woken);
}

TEST(Cpu, LooselyTimedANearDueTimeCostsNoWait) {
  Machine m(true, us(100));
  m.run([&] {
    m.cpu.wait_for_interrupt(us(50));
    EXPECT_EQ(m.cpu.time().now(), us(50));
    EXPECT_EQ(sc_now(), kTimeZero);
    m.cpu.wait_for_interrupt(us(150));
    EXPECT_EQ(sc_now(), us(150));
  });
}

TEST(Cpu, SleepingLetsDevicesGoOnWhateverTheQuantum) {
  Machine m(true, ms(10));
  m.run([&] {
    m.cpu.sleep(us(50));
    EXPECT_EQ(sc_now(), us(50));
  });
}

TEST(Cpu, PeekTakesNoTime) {
  Machine m(false);
  m.store.bytes[7] = 0x5A;
  m.run([&] {
    std::uint8_t byte = 0;
    EXPECT_TRUE(m.cpu.peek(7, &byte, 1));
    EXPECT_EQ(byte, 0x5A);
    EXPECT_EQ(m.cpu.time().now(), kTimeZero);
    EXPECT_EQ(m.store.transactions, 0U);
  });
}

TEST(RamAllocator, AlignsAndRefusesWhatDoesNotFit) {
  RamAllocator ram(100, 1000);
  EXPECT_EQ(ram.allocate(10, 64), 128U);
  EXPECT_EQ(ram.allocate(1, 64), 192U);
  EXPECT_THROW(ram.allocate(1000, 1), std::runtime_error);
  EXPECT_THROW(ram.allocate(~std::uint64_t{0}, 64), std::runtime_error);
}

TEST(BufferPool, GivesDistinctBuffersAndKnowsWhenAllAreBack) {
  RamAllocator ram(0, 1 << 20);
  BufferPool pool(ram, 2, 2048);
  const std::uint64_t a = pool.take();
  const std::uint64_t b = pool.take();
  EXPECT_GE(a > b ? a - b : b - a, 2048U);
  EXPECT_TRUE(pool.empty());
  pool.give(a);
  EXPECT_FALSE(pool.complete());
  pool.give(b);
  EXPECT_TRUE(pool.complete());
}

}  // namespace
}  // namespace e1000tlm::driver
