#include "e1000tlm/tlm/bus_master.h"

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include <systemc>
#include <tlm_utils/simple_target_socket.h>

#include <gtest/gtest.h>

#include "e1000tlm/memory/memory.h"

namespace e1000tlm {
namespace {

/// A master on a memory of 4 KiB with 100 ns read and 40 ns write latency.
class Rig : public sc_core::sc_module {
 public:
  explicit Rig(Time quantum, const sc_core::sc_module_name& name = "rig")
      : sc_module(name),
        memory("memory", memory::MemoryConfig{4096, ns(100), ns(40), "", true}),
        port("port"),
        master(port) {
    ::tlm::tlm_global_quantum::instance().set(to_sc(quantum));
    port.socket.bind(memory.socket);
    SC_HAS_PROCESS(Rig);
    SC_THREAD(main);
  }
  void run(std::function<void()> script) {
    script_ = std::move(script);
    sc_core::sc_start();
    EXPECT_TRUE(finished);
  }

  memory::Memory memory;
  BusMasterPort port;
  BusMaster master;
  bool finished = false;

 private:
  void main() {
    master.time().start();
    script_();
    finished = true;
  }
  std::function<void()> script_;
};

TEST(BusMaster, MovesDataAndWaitsForEachAccessWithoutQuantum) {
  Rig rig(kTimeZero);
  rig.run([&] {
    std::array<std::uint8_t, 8> out{1, 2, 3, 4, 5, 6, 7, 8}, in{};
    EXPECT_EQ(rig.master.write(16, out), BusStatus::kOk);
    EXPECT_EQ(sc_now(), ns(40));
    EXPECT_EQ(rig.master.read(16, in), BusStatus::kOk);
    EXPECT_EQ(sc_now(), ns(140));
    EXPECT_EQ(in, out);
    EXPECT_EQ(rig.master.time().ahead(), kTimeZero);
  });
}

TEST(BusMaster, RunsAheadWithinTheQuantum) {
  Rig rig(us(1));
  rig.run([&] {
    std::array<std::uint8_t, 4> data{};
    for (int i = 0; i < 9; ++i) rig.master.read(0, data);
    EXPECT_EQ(sc_now(), kTimeZero);
    EXPECT_EQ(rig.master.time().now(), ns(900));
    rig.master.read(0, data);
    EXPECT_EQ(sc_now(), ns(1000));
  });
}

TEST(BusMaster, TakesTheSameTimeWithAndWithoutDmi) {
  Rig rig(us(100));
  rig.run([&] {
    std::array<std::uint8_t, 64> data{};
    rig.port.use_dmi(false);
    for (int i = 0; i < 5; ++i) rig.master.write(0, data);
    const Time without = rig.master.time().now();
    rig.port.use_dmi(true);
    for (int i = 0; i < 5; ++i) rig.master.write(0, data);
    EXPECT_EQ(rig.master.time().now(), without * 2);
  });
}

TEST(BusMaster, PaddingIsPartOfTheBurstButNotWritten) {
  Rig rig(kTimeZero);
  rig.run([&] {
    const Bytes memory = rig.memory.bytes();
    std::fill_n(memory.begin(), 64, std::uint8_t{0xEE});
    std::array<std::uint8_t, 13> data{};
    for (const bool dmi : {false, true, true}) {
      rig.port.use_dmi(dmi);
      EXPECT_EQ(rig.master.write(8, data, 3), BusStatus::kOk);
      EXPECT_EQ(memory[7], 0xEE);
      EXPECT_EQ(std::count(memory.begin() + 8, memory.begin() + 21, 0), 13);
      EXPECT_EQ(std::count(memory.begin() + 21, memory.begin() + 64, 0xEE), 43);
      std::fill_n(memory.begin(), 64, std::uint8_t{0xEE});
    }
    EXPECT_EQ(rig.master.write(4096 - 13, data), BusStatus::kOk);
    EXPECT_EQ(rig.master.write(4096 - 13, data, 3), BusStatus::kAddressError) << "all of the burst";
  });
}

TEST(BusMaster, AddressErrorsReadAllOnesAndAreCounted) {
  Rig rig(kTimeZero);
  rig.run([&] {
    std::array<std::uint8_t, 4> data{};
    EXPECT_EQ(rig.master.read(4096, data), BusStatus::kAddressError);
    EXPECT_TRUE(std::all_of(data.begin(), data.end(), [](auto b) { return b == 0xFF; }));
    EXPECT_EQ(rig.master.read(4094, data), BusStatus::kAddressError) << "across the end";
    EXPECT_EQ(rig.master.read(~std::uint64_t{0}, data), BusStatus::kAddressError);
    EXPECT_EQ(rig.master.errors(), 3U);
  });
}

TEST(BusMaster, WithdrawnDmiIsNoLongerUsed) {
  Rig rig(kTimeZero);
  rig.run([&] {
    std::array<std::uint8_t, 4> data{};
    rig.master.read(0, data);
    EXPECT_NE(rig.port.find(0, 4, false), nullptr);
    rig.memory.allow_dmi(false);
    EXPECT_EQ(rig.port.find(0, 4, false), nullptr);
    EXPECT_EQ(rig.master.read(0, data), BusStatus::kOk);
    EXPECT_EQ(rig.port.find(0, 4, false), nullptr);
  });
}

TEST(BusMaster, ACancelledAccessMovesNoData) {
  Rig rig(kTimeZero);
  rig.run([&] {
    std::array<std::uint8_t, 4> data{9, 9, 9, 9};
    rig.master.write(0, data);  // obtains DMI
    sc_core::sc_spawn([&] {
      sc_core::wait(sc_core::sc_time(10, sc_core::SC_NS));
      rig.master.cancel();
    });
    std::array<std::uint8_t, 4> more{7, 7, 7, 7};
    EXPECT_EQ(rig.master.write(0, more), BusStatus::kError);
    EXPECT_EQ(rig.memory.bytes()[0], 9);
  });
}

TEST(BusMaster, DmiWithdrawnDuringAnAccessIsNoErrorOfIt) {
  Rig rig(kTimeZero);
  rig.run([&] {
    std::array<std::uint8_t, 4> first{1, 1, 1, 1}, second{2, 2, 2, 2}, back{};
    rig.master.write(0, first);  // obtains DMI
    for (const bool again : {true, false}) {
      sc_core::sc_spawn([&rig, again] {
        sc_core::wait(sc_core::sc_time(10, sc_core::SC_NS));
        rig.memory.allow_dmi(false);
        rig.memory.allow_dmi(again);
      });
      EXPECT_EQ(rig.master.write(0, second), BusStatus::kOk);
      EXPECT_EQ(rig.memory.bytes()[0], 2);
      EXPECT_EQ(rig.master.read(0, back), BusStatus::kOk);
      EXPECT_EQ(back, second);
    }
    EXPECT_EQ(rig.master.errors(), 0U);
  });
}

/// Grants DMI page by page. The pages lie side by side in the host's memory, or upside down.
class PagedTarget : public sc_core::sc_module {
 public:
  static constexpr std::uint64_t kPage = 64, kPages = 1024;

  PagedTarget(const sc_core::sc_module_name& name, bool upside_down)
      : sc_module(name), upside_down_(upside_down) {
    socket.register_b_transport(this, &PagedTarget::b_transport);
    socket.register_get_direct_mem_ptr(this, &PagedTarget::get_direct_mem_ptr);
  }
  ::tlm_utils::simple_target_socket<PagedTarget> socket{"socket"};
  std::uint64_t transactions = 0, requests = 0;

 private:
  std::uint8_t* at(std::uint64_t address) {
    const std::uint64_t page = address / kPage;
    return &bytes_[(upside_down_ ? kPages - 1 - page : page) * kPage + address % kPage];
  }
  void b_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
    ++transactions;
    for (unsigned i = 0; i < payload.get_data_length(); ++i) {
      std::uint8_t& ours = *at(payload.get_address() + i);
      std::uint8_t& theirs = payload.get_data_ptr()[i];
      payload.is_write() ? ours = theirs : theirs = ours;
    }
    payload.set_dmi_allowed(true);
    payload.set_response_status(::tlm::TLM_OK_RESPONSE);
  }
  bool get_direct_mem_ptr(::tlm::tlm_generic_payload& payload, ::tlm::tlm_dmi& dmi) {
    ++requests;
    const std::uint64_t start = payload.get_address() / kPage * kPage;
    dmi.init();
    dmi.allow_read_write();
    dmi.set_start_address(start);
    dmi.set_end_address(start + kPage - 1);
    dmi.set_dmi_ptr(at(start));
    return true;
  }

  bool upside_down_;
  std::vector<std::uint8_t> bytes_ = std::vector<std::uint8_t>(kPage * kPages);
};

struct PagedBench : public sc_core::sc_module {
  explicit PagedBench(bool upside_down, const sc_core::sc_module_name& name = "bench")
      : sc_module(name), target("paged", upside_down) {
    port.socket.bind(target.socket);
  }
  /// Writes and reads back 8 bytes around every border between two pages.
  void cross_borders(BusMaster& master) {
    for (std::uint64_t page = 1; page < PagedTarget::kPages; ++page) {
      std::array<std::uint8_t, 8> out{}, in{};
      store_le64(out.data(), page * 0x0101'0101);
      EXPECT_EQ(master.write(page * PagedTarget::kPage - 3, out), BusStatus::kOk);
      EXPECT_EQ(master.read(page * PagedTarget::kPage - 3, in), BusStatus::kOk);
      EXPECT_EQ(in, out);
    }
  }
  void run(const std::function<void(BusMaster&)>& script) {
    sc_core::sc_spawn([this, script] {
      BusMaster master(port);
      master.time().start();
      script(master);
    });
    sc_core::sc_start();
  }

  PagedTarget target;
  BusMasterPort port{"port"};
};

TEST(BusMaster, PagesThatLieSideBySideAreOneRegion) {
  PagedBench bench(false);
  bench.run([&](BusMaster& master) {
    bench.cross_borders(master);
    EXPECT_EQ(bench.port.regions(), 1U);
    const std::uint64_t before = bench.target.transactions;
    bench.cross_borders(master);
    EXPECT_EQ(bench.target.transactions, before) << "all by DMI";
  });
}

TEST(BusMaster, PagesThatDoNotAreBoundedInNumber) {
  PagedBench bench(true);
  bench.run([&](BusMaster& master) {
    bench.cross_borders(master);
    EXPECT_EQ(bench.port.regions(), BusMasterPort::kMostRegions);
    const std::uint64_t before = bench.target.requests;
    std::array<std::uint8_t, 8> data{};
    for (int i = 0; i < 1000; ++i) master.read(PagedTarget::kPage - 3, data);
    EXPECT_LE(bench.target.requests, before + 2) << "what has been granted is not asked for again";
    EXPECT_EQ(bench.port.regions(), BusMasterPort::kMostRegions);
  });
}

}  // namespace
}  // namespace e1000tlm
