#pragma once
/// A controller with memory, PHY, cable and a far end, and no PCI: the smallest thing that runs.

#include <functional>
#include <utility>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

#include <gtest/gtest.h>

#include "models/e1000/controller.h"
#include "models/e1000/descriptors.h"
#include "models/e1000/registers.h"
#include "models/e1000/statistics.h"
#include "models/link/cable.h"
#include "models/link/partner.h"
#include "models/memory/memory.h"
#include "models/phy/m88e1011.h"
#include "models/tlm/sc_time.h"

namespace e1000tlm::e1000::test {

/// The far end of the cable: keeps what arrives, sends what the test wants.
class FarEnd : public link::LinkPartner, public link::FrameSink {
 public:
  FarEnd(const sc_core::sc_module_name& name, link::CableEndIf& end) : LinkPartner(name, end) {
    end_.set_sink(this);
  }

  void receive(link::Arrival arrival) override { received.push_back(std::move(arrival)); }
  Time send(const std::vector<std::uint8_t>& bytes, Time earliest = kTimeZero) {
    return send(link::FramePool::shared().copy({bytes.data(), bytes.size()}), earliest);
  }
  Time send(link::FramePtr frame, Time earliest = kTimeZero) {
    return end_.send(std::move(frame), std::max(earliest, sc_now()));
  }
  std::vector<std::uint8_t> bytes(std::size_t i) const {
    const link::Frame& frame = *received.at(i).frame;
    return {frame.data(), frame.data() + frame.size()};
  }

  std::vector<link::Arrival> received;
};

inline constexpr MacAddress kRigMac{0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

/// Descriptor rings and buffers at fixed places in the rig's memory.
inline constexpr std::uint64_t kTxRing = 0x10000, kRxRing = 0x20000, kTxBuffers = 0x100000,
                               kRxBuffers = 0x400000;

class NicRig : public sc_core::sc_module {
 public:
  explicit NicRig(Part part = Part::k82540em, Time quantum = kTimeZero,
                  const sc_core::sc_module_name& name = "rig")
      : sc_module(name),
        ram("ram", memory::MemoryConfig{16 << 20, ns(60), ns(60), "", true}),
        cable("cable"),
        phy("phy", phy::PhyConfig{1, part_info(part).phy_id2, {}}),
        nic("nic", make_config(part)),
        far("far", cable.end(1)),
        mmio("mmio"),
        io("io") {
    ::tlm::tlm_global_quantum::instance().set(to_sc(quantum));
    nic.dma.socket.bind(ram.socket);
    mmio.bind(nic.mmio);
    io.bind(nic.io);
    nic.irq.bind(irq);
    nic.gmii.bind(phy);
    nic.mdio.bind(phy);
    phy.cable.bind(cable.end(0));
    SC_HAS_PROCESS(NicRig);
    SC_METHOD(on_irq);
    dont_initialize();
    sensitive << irq;
    SC_THREAD(main);
  }

  /// Runs the test's script in a process of the rig, and the simulation until it has ended.
  void run(std::function<void()> script) {
    script_ = std::move(script);
    sc_core::sc_start();
    EXPECT_TRUE(finished_) << "the script did not come to its end";
  }

  std::uint32_t read(std::uint32_t offset) { return access(mmio, true, offset, 0); }
  void write(std::uint32_t offset, std::uint32_t value) { access(mmio, false, offset, value); }
  std::uint32_t io_read(std::uint32_t offset) { return access(io, true, offset, 0); }
  void io_write(std::uint32_t offset, std::uint32_t value) { access(io, false, offset, value); }
  std::uint32_t peek(std::uint32_t offset) {
    std::uint32_t value = 0;
    ::tlm::tlm_generic_payload p;
    fill(p, true, offset, value);
    EXPECT_EQ(mmio->transport_dbg(p), 4U);
    return value;
  }
  static void wait_for(Time t) { sc_core::wait(to_sc(t)); }
  /// Waits until `condition` holds, at most `limit`; false if it did not.
  static bool wait_until(const std::function<bool()>& condition, Time limit, Time step = ns(100)) {
    const Time end = sc_now() + limit;
    while (!condition()) {
      if (sc_now() >= end) return false;
      wait_for(step);
    }
    return true;
  }

  /// Link up as a driver does it; RCTL and TCTL stay off.
  void bring_up() {
    write(reg::kCtrl, read(reg::kCtrl) | ctrl::kSlu);
    ASSERT_TRUE(wait_until([&] { return (read(reg::kStatus) & status::kLu) != 0; }, ms(2000),
                           ms(1)));
    read(reg::kIcr);
  }
  void setup_tx(std::uint32_t entries = 8, std::uint32_t tctl = tctl::kEn | tctl::kPsp) {
    write(reg::kTdbal, kTxRing);
    write(reg::kTdbah, 0);
    write(reg::kTdlen, entries * 16);
    write(reg::kTdh, 0);
    write(reg::kTdt, 0);
    write(reg::kTctl, tctl);
    tx_entries = entries;
  }
  void setup_rx(std::uint32_t entries = 8, std::uint32_t rctl = rctl::kEn | rctl::kBam,
                std::uint32_t tail = 0) {
    write(reg::kRdbal, kRxRing);
    write(reg::kRdbah, 0);
    write(reg::kRdlen, entries * 16);
    write(reg::kRdh, 0);
    for (std::uint32_t i = 0; i < entries; ++i) {
      std::uint8_t* d = rx_descriptor(i);
      std::fill(d, d + 16, std::uint8_t{0});
      store_le64(d, kRxBuffers + i * 16384);
    }
    write(reg::kRdt, 0);
    write(reg::kRctl, rctl);
    write(reg::kRdt, tail != 0 ? tail : entries - 1);
  }
  std::uint8_t* tx_descriptor(std::uint32_t i) { return &ram.bytes()[kTxRing + i * 16]; }
  std::uint8_t* rx_descriptor(std::uint32_t i) { return &ram.bytes()[kRxRing + i * 16]; }
  std::uint8_t* rx_buffer(std::uint32_t i) { return &ram.bytes()[kRxBuffers + i * 16384]; }
  /// Writes a legacy descriptor with its data at the ring's index `i`; does not move the tail.
  void put_legacy(std::uint32_t i, const std::vector<std::uint8_t>& data,
                  std::uint8_t command = tx_cmd::kEop | tx_cmd::kIfcs | tx_cmd::kRs) {
    const std::uint64_t at = kTxBuffers + i * 16384;
    std::copy(data.begin(), data.end(), &ram.bytes()[at]);
    std::uint8_t* d = tx_descriptor(i);
    std::fill(d, d + 16, std::uint8_t{0});
    store_le64(d, at);
    store_le16(d + 8, static_cast<std::uint16_t>(data.size()));
    d[11] = command;
  }

  /// A frame to the rig's station address (or another) with a recognisable payload.
  static std::vector<std::uint8_t> frame(std::size_t size, std::uint8_t mark = 0,
                                         MacAddress to = kRigMac, std::uint16_t type = 0x88B5) {
    std::vector<std::uint8_t> f(size);
    for (std::size_t i = 14; i < size; ++i) f[i] = static_cast<std::uint8_t>(i * 7 + mark);
    std::copy(to.begin(), to.end(), f.begin());
    const MacAddress from{0x02, 0, 0, 0, 0, 1};
    std::copy(from.begin(), from.end(), f.begin() + 6);
    store_be16(&f[12], type);
    return f;
  }

  struct Edge {
    Time at;
    bool level;
  };

  memory::Memory ram;
  link::Cable cable;
  phy::M88E1011 phy;
  Controller nic;
  FarEnd far;
  ::tlm_utils::simple_initiator_socket<NicRig> mmio, io;
  sc_core::sc_signal<bool> irq;
  std::vector<Edge> edges;  // of irq
  std::uint32_t tx_entries = 0;

 private:
  static ControllerConfig make_config(Part part) {
    ControllerConfig config;
    config.part = part;
    config.eeprom = EepromImage::make(part, kRigMac);
    return config;
  }
  static void fill(::tlm::tlm_generic_payload& p, bool is_read, std::uint32_t offset,
                   std::uint32_t& value) {
    p.set_command(is_read ? ::tlm::TLM_READ_COMMAND : ::tlm::TLM_WRITE_COMMAND);
    p.set_address(offset);
    p.set_data_ptr(reinterpret_cast<std::uint8_t*>(&value));
    p.set_data_length(4);
    p.set_streaming_width(4);
    p.set_byte_enable_ptr(nullptr);
    p.set_response_status(::tlm::TLM_INCOMPLETE_RESPONSE);
  }
  std::uint32_t access(::tlm_utils::simple_initiator_socket<NicRig>& socket, bool is_read,
                       std::uint32_t offset, std::uint32_t value) {
    ::tlm::tlm_generic_payload p;
    fill(p, is_read, offset, value);
    sc_core::sc_time delay;
    socket->b_transport(p, delay);
    EXPECT_EQ(p.get_response_status(), ::tlm::TLM_OK_RESPONSE);
    sc_core::wait(delay);
    return value;
  }
  void on_irq() { edges.push_back({sc_now(), irq.read()}); }
  void main() {
    script_();
    finished_ = true;
    sc_core::sc_stop();
  }

  std::function<void()> script_;
  bool finished_ = false;
};

}  // namespace e1000tlm::e1000::test
