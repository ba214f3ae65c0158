#pragma once
/// A controller with memory, PHY, cable and a far end, and no PCI: the smallest thing that runs.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

#include <gtest/gtest.h>

#include "e1000tlm/e1000/controller.h"
#include "e1000tlm/e1000/dma/descriptors.h"
#include "e1000tlm/e1000/registers/registers.h"
#include "e1000tlm/e1000/registers/statistics.h"
#include "e1000tlm/link/cable.h"
#include "e1000tlm/link/partner.h"
#include "e1000tlm/memory/memory.h"
#include "e1000tlm/pci/extension.h"
#include "e1000tlm/pci/function.h"
#include "e1000tlm/phy/m88e1011.h"
#include "e1000tlm/tlm/sc_time.h"

namespace e1000tlm::e1000::test {

/// The far end of the cable: keeps what arrives, sends what the test wants.
class FarEnd : public link::LinkPartner, public link::FrameSink {
 public:
  FarEnd(const sc_core::sc_module_name& name, link::CableEndIf& end) : LinkPartner(name, end) {
    end_.set_sink(this);
  }

  void receive(link::Arrival arrival) override { received.push_back(std::move(arrival)); }
  bool take_back(Time, std::size_t) override {
    received.pop_back();
    return true;
  }
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
                               kRxBuffers = 0x800000;

/// What the exact times in the tests follow from.
inline constexpr Time kMemoryLatency = ns(60), kPropagation = ns(50), kInterruptLatency = ns(30);
/// Preamble to FCS of a frame of `size` bytes without FCS, at a gigabit.
constexpr Time wire_time(std::size_t size) {
  return ns(8) * static_cast<std::int64_t>(8 + size + 4);
}

/// For the names of tests.
inline std::string quantum_name(Time quantum) {
  return "Quantum" + std::to_string(quantum / ns(1)) + "ns";
}

/// A bus that spends its time inside the transaction, as targets may: data moves at its end.
class WaitingBus : public sc_core::sc_module {
 public:
  WaitingBus(const sc_core::sc_module_name& name, Time time)
      : sc_module(name), target("target"), initiator("initiator"), time_(time) {
    target.register_b_transport(this, &WaitingBus::b_transport);
  }

  ::tlm_utils::simple_target_socket<WaitingBus> target;
  ::tlm_utils::simple_initiator_socket<WaitingBus> initiator;

  struct Access {
    std::uint64_t address;
    std::uint32_t bytes;  // with those that are not enabled
  };
  std::vector<Access> writes;

 private:
  void b_transport(::tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    if (payload.is_write()) writes.push_back({payload.get_address(), payload.get_data_length()});
    sc_core::wait(delay + to_sc(time_));
    delay = sc_core::SC_ZERO_TIME;
    initiator->b_transport(payload, delay);
  }

  Time time_;
};

struct RigOptions {
  Part part = Part::k82540em;
  Time quantum = kTimeZero;
  Time memory_latency = kMemoryLatency;  ///< of every access
  bool dmi = true;
  Time waiting_bus = kTimeZero;  ///< not zero: a WaitingBus before the memory, no DMI
  bool behind_function = false;  ///< DMA goes through a pci::Function, off at power-up
  bool reset_port = false;       ///< `rst` drives the controller's, or the function's, reset
  BusStraps straps{};
  std::function<void(ControllerConfig&)> adjust{};
};

class NicRig : public sc_core::sc_module {
 public:
  explicit NicRig(Part part = Part::k82540em, Time quantum = kTimeZero)
      : NicRig(RigOptions{part, quantum}) {}
  explicit NicRig(const RigOptions& options, const sc_core::sc_module_name& name = "rig")
      : sc_module(name),
        ram("ram", memory::MemoryConfig{16 << 20, options.memory_latency, options.memory_latency,
                                        "", options.dmi}),
        cable("cable", link::CableConfig{kPropagation}),
        phy("phy", phy_profile(options.part)),
        nic("nic", make_config(options)),
        far("far", cable.end(1)),
        mmio("mmio"),
        io("io"),
        pci_config("pci_config") {
    ::tlm::tlm_global_quantum::instance().set(to_sc(options.quantum));
    if (options.behind_function) {
      function = std::make_unique<pci::Function>("function", pci_profile(nic.config()));
      nic.dma.socket.bind(function->dma);
      function->initiator.bind(ram.socket);
      function->irq.bind(irq);
      function->intx.bind(intx);
      function->events.bind(nic);
      function->pme.bind(pme);
      nic.pme.bind(*function);
      pci_config.bind(function->target);
    } else if (options.waiting_bus != kTimeZero) {
      bus = std::make_unique<WaitingBus>("bus", options.waiting_bus);
      nic.dma.socket.bind(bus->target);
      bus->initiator.bind(ram.socket);
    } else {
      nic.dma.socket.bind(ram.socket);
    }
    if (options.reset_port) {
      if (function) {
        function->reset.bind(rst);
      } else {
        nic.reset.bind(rst);
      }
    }
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
    p.set_streaming_width(0);  // debug transport does not know it
    EXPECT_EQ(mmio->transport_dbg(p), 4U);
    return value;
  }
  /// Behind a function only.
  void config_write(std::uint32_t offset, std::uint32_t value) {
    ::tlm::tlm_generic_payload p;
    fill(p, false, offset, value);
    pci::PciExtension extension;
    extension.space = pci::Space::kConfig;
    p.set_extension(&extension);
    sc_core::sc_time delay;
    pci_config->b_transport(p, delay);
    p.clear_extension(&extension);
    EXPECT_EQ(p.get_response_status(), ::tlm::TLM_OK_RESPONSE);
    sc_core::wait(delay);
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
    ASSERT_TRUE(
        wait_until([&] { return (read(reg::kStatus) & status::kLu) != 0; }, ms(2000), ms(1)));
    read(reg::kIcr);
  }
  void setup_tx(std::uint32_t entries = 8, std::uint32_t tctl = tctl::kEn | tctl::kPsp,
                std::uint32_t head = 0) {
    write(reg::kTctl, tctl & ~tctl::kEn);
    write(reg::kTdbal, kTxRing);
    write(reg::kTdbah, 0);
    write(reg::kTdlen, entries * 16);
    write(reg::kTdh, head);
    write(reg::kTdt, head);
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

  void put_context(std::uint32_t i, const TxContext& c, std::uint8_t extra_command = 0) {
    std::uint8_t* d = tx_descriptor(i);
    d[0] = c.ipcss;
    d[1] = c.ipcso;
    store_le16(d + 2, c.ipcse);
    d[4] = c.tucss;
    d[5] = c.tucso;
    store_le16(d + 6, c.tucse);
    std::uint32_t command = tx_cmd::kDext | extra_command;
    if (c.tse) command |= tx_cmd::kTse;
    if (c.ipv4) command |= tx_cmd::kContextIpv4;
    if (c.tcp) command |= tx_cmd::kContextTcp;
    store_le32(d + 8, c.paylen | command << 24);
    d[12] = 0;
    d[13] = c.hdrlen;
    store_le16(d + 14, c.mss);
  }
  /// A data descriptor for `length` bytes at `address`.
  void put_data(std::uint32_t i, std::uint64_t address, std::uint32_t length, std::uint8_t command,
                std::uint8_t popts = 0, std::uint16_t special = 0) {
    std::uint8_t* d = tx_descriptor(i);
    store_le64(d, address);
    store_le32(d + 8, length | 1U << 20 | std::uint32_t{command} << 24 | tx_cmd::kDext << 24);
    d[12] = 0;
    d[13] = popts;
    store_le16(d + 14, special);
  }
  /// Puts bytes into a transmit buffer; returns their address.
  std::uint64_t put_buffer(std::uint32_t i, const std::vector<std::uint8_t>& data) {
    const std::uint64_t at = kTxBuffers + i * 16384;
    std::copy(data.begin(), data.end(), &ram.bytes()[at]);
    return at;
  }
  bool tx_done(std::uint32_t i) { return (tx_descriptor(i)[12] & tx_status::kDd) != 0; }
  bool rx_done(std::uint32_t i) { return (rx_descriptor(i)[12] & rx_status::kDd) != 0; }
  std::uint16_t rx_length(std::uint32_t i) { return load_le16(rx_descriptor(i) + 8); }
  std::uint8_t rx_status_of(std::uint32_t i) { return rx_descriptor(i)[12]; }
  std::uint8_t rx_errors_of(std::uint32_t i) { return rx_descriptor(i)[13]; }
  std::vector<std::uint8_t> rx_data(std::uint32_t i, std::size_t size) {
    return {rx_buffer(i), rx_buffer(i) + size};
  }
  /// Reads (and clears) a statistics register.
  std::uint32_t counter(Counter c) { return read(offset_of(c)); }
  std::uint64_t dropped(Drop reason) const { return nic.drops()[reason]; }
  /// Writes a PHY register through MDIC and waits for it.
  void phy_write(unsigned number, std::uint16_t value) {
    write(reg::kMdic, value | number << mdic::kRegShift | 1 << mdic::kPhyShift | mdic::kOpWrite);
    EXPECT_TRUE(wait_until([&] { return (read(reg::kMdic) & mdic::kReady) != 0; }, us(100), us(1)));
  }
  std::uint16_t phy_read(unsigned number) {
    write(reg::kMdic, number << mdic::kRegShift | 1 << mdic::kPhyShift | mdic::kOpRead);
    EXPECT_TRUE(wait_until([&] { return (read(reg::kMdic) & mdic::kReady) != 0; }, us(100), us(1)));
    return static_cast<std::uint16_t>(read(reg::kMdic));
  }

  /// A frame to the rig's station address (or another) with a recognisable payload; `size` >= 14.
  static std::vector<std::uint8_t> frame(std::size_t size, std::uint8_t mark = 0,
                                         MacAddress to = kRigMac, std::uint16_t type = 0x88B5) {
    std::vector<std::uint8_t> f;
    f.reserve(size);
    for (std::size_t i = 0; i < size; ++i) f.push_back(static_cast<std::uint8_t>(i * 7 + mark));
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
  ::tlm_utils::simple_initiator_socket_optional<NicRig> pci_config;
  std::unique_ptr<pci::Function> function;
  std::unique_ptr<WaitingBus> bus;
  sc_core::sc_signal<bool> irq, intx, pme;
  sc_core::sc_signal<bool> rst{"rst"};
  std::vector<Edge> edges;  // of irq
  std::uint32_t tx_entries = 0;

 private:
  static ControllerConfig make_config(const RigOptions& options) {
    ControllerConfig config;
    config.part = options.part;
    config.eeprom = EepromImage::make(options.part, kRigMac);
    config.straps = options.straps;
    if (options.adjust) options.adjust(config);
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
