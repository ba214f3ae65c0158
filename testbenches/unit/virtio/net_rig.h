#pragma once
/// A virtio network device behind a PCI function, with bus, host bridge, memory, cable and a far
/// end, and a driver whose own work costs no time.

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

#include <gtest/gtest.h>

#include "e1000tlm/link/cable.h"
#include "e1000tlm/link/partner.h"
#include "e1000tlm/memory/memory.h"
#include "e1000tlm/pci/bus.h"
#include "e1000tlm/pci/function.h"
#include "e1000tlm/pci/host_bridge.h"
#include "e1000tlm/tlm/sc_time.h"
#include "e1000tlm/virtio/net_device.h"
#include "e1000tlm/virtio/net_probes.h"
#include "e1000tlm/virtio/packet_header.h"
#include "e1000tlm/virtio/pci_layout.h"
#include "e1000tlm/virtio/split_ring.h"

namespace e1000tlm::virtio::test {

using Frame = std::vector<std::uint8_t>;

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
  Time send(const Frame& bytes, std::uint16_t queue = link::kNoQueue) {
    link::FramePtr frame = link::FramePool::shared().copy({bytes.data(), bytes.size()});
    frame->queue = queue;
    ++sent;
    return end_.send(std::move(frame), sc_now());
  }
  bool nic_ready() const { return end_.partner_ready(); }
  link::CableEndIf& end() { return end_; }
  Frame bytes(std::size_t i) const {
    const link::Frame& frame = *received.at(i).frame;
    return {frame.data(), frame.data() + frame.size()};
  }

  std::vector<link::Arrival> received;
  std::uint64_t sent = 0;
};

/// An Ethernet frame to the rig's device that differs by its number.
inline Frame frame_of(std::size_t size, unsigned number = 0) {
  Frame frame{0x52, 0x54, 0, 0x12, 0x34, 0x56, 2, 0, 0, 0, 0, 1, 0x88, 0xB5};
  for (std::size_t i = frame.size(); i < size; ++i) {
    frame.push_back(static_cast<std::uint8_t>(i * 7 + number * 13));
  }
  return frame;
}

struct NetRigOptions {
  NetDeviceConfig device{};
  Time quantum = kTimeZero;
  Time lookahead = kTimeZero;
  bool bus_master = true;  ///< set_up() enables it
  pci::BusConfig bus{};
};

/// RAM of 16 MiB at 0, the card's modern registers at kBar.
class NetRig : public sc_core::sc_module {
 public:
  static constexpr std::uint64_t kRam = 16U << 20, kBar = 0xFE000000, kMsixBar = 0xFE010000;
  static constexpr std::uint32_t kLegacyPort = 0xC000;
  static constexpr std::uint64_t kRings = 0x100000, kBuffers = 0x400000, kBufferBytes = 4096;

  explicit NetRig(const NetRigOptions& options = {}, const sc_core::sc_module_name& name = "rig")
      : sc_module(name),
        ram("ram", memory::MemoryConfig{kRam, {}, {}, "", true}),
        bridge("bridge", bridge_config()),
        bus("bus", options.bus),
        function("function", pci_profile(options.device)),
        cable("cable"),
        nic("nic", options.device),
        far("far", cable.end(1)),
        cpu("cpu"),
        io("io"),
        options_(options) {
    ::tlm::tlm_global_quantum::instance().set(to_sc(options.quantum));
    cpu.bind(bridge.cpu);
    io.bind(bridge.io);
    bridge.memory.bind(ram.socket);
    bridge.pci.bind(bus.from_host);
    bus.to_host.bind(bridge.dma);
    function.bar[pci_layout::kModernBar].bind(nic.registers);
    if (options.device.interface == NetInterface::kTransitional) {
      function.bar[pci_layout::kLegacyBar].bind(nic.legacy);
    }
    nic.dma.socket.bind(function.dma);
    nic.irq(irq);
    function.irq(irq);
    function.events(nic);
    function.vendor(nic);
    nic.messages(function);
    nic.wire(cable.end(0));
    device_number = bus.attach(function);
    for (unsigned i = 0; i < 4; ++i) bus.pirq[i](pirq[i]);
    nic.set_lookahead(options.lookahead);
    driver_memory.add(0, ram.bytes());
    SC_HAS_PROCESS(NetRig);
    SC_THREAD(main);
    SC_METHOD(on_irq);
    dont_initialize();
    sensitive << irq;
  }

  /// Runs the test's script in a process of the rig, and the simulation until it has ended.
  void run(std::function<void()> script) {
    script_ = std::move(script);
    sc_core::sc_start();
    EXPECT_TRUE(finished_) << "the script did not come to its end";
  }

  // --- what a driver does on the bus ---
  std::uint32_t read(std::uint32_t offset, unsigned bytes = 4) {
    return access(cpu, true, kBar + offset, 0, bytes);
  }
  void write(std::uint32_t offset, std::uint32_t value, unsigned bytes = 4) {
    access(cpu, false, kBar + offset, value, bytes);
  }
  void write_at(std::uint64_t address, std::uint32_t value) {
    access(cpu, false, address, value, 4);
  }
  void config_write(unsigned reg, std::uint32_t value, unsigned bytes = 4) {
    access(io, false, 0xCF8, 0x80000000 | device_number << 11 | (reg & 0xFC), 4);
    access(io, false, 0xCFC + (reg & 3), value, bytes);
  }
  std::uint32_t config_read(unsigned reg, unsigned bytes = 4) {
    access(io, false, 0xCF8, 0x80000000 | device_number << 11 | (reg & 0xFC), 4);
    return access(io, true, 0xCFC + (reg & 3), 0, bytes);
  }
  std::uint32_t port_read(std::uint32_t offset, unsigned bytes) {
    return access(io, true, kLegacyPort + offset, 0, bytes);
  }
  void port_write(std::uint32_t offset, std::uint32_t value, unsigned bytes) {
    access(io, false, kLegacyPort + offset, value, bytes);
  }

  std::uint32_t common(unsigned offset, unsigned bytes) {
    return read(pci_layout::kCommonAt + offset, bytes);
  }
  void set_common(unsigned offset, std::uint32_t value, unsigned bytes) {
    write(pci_layout::kCommonAt + offset, value, bytes);
  }
  std::uint32_t device_config(unsigned offset, unsigned bytes) {
    return read(pci_layout::kDeviceAt + offset, bytes);
  }
  std::uint8_t isr() { return static_cast<std::uint8_t>(read(pci_layout::kIsrAt, 1)); }

  void set_bus_master(bool on) {
    std::uint16_t command = pci::command::kIo | pci::command::kMemory;
    if (on) command |= pci::command::kMaster;
    config_write(pci::cfg::kCommand, command, 2);
  }
  /// BARs and command register.
  void set_up() {
    config_write(0x10, kLegacyPort);
    config_write(0x14, kMsixBar);
    config_write(0x20, kBar);
    config_write(0x24, 0);
    config_write(pci::cfg::kLatencyTimer, 255, 1);
    set_bus_master(options_.bus_master);
  }
  std::uint64_t offered() {
    set_common(pci_layout::common::kDeviceFeatureSelect, 0, 4);
    std::uint64_t features = common(pci_layout::common::kDeviceFeature, 4);
    set_common(pci_layout::common::kDeviceFeatureSelect, 1, 4);
    return features | std::uint64_t{common(pci_layout::common::kDeviceFeature, 4)} << 32;
  }
  std::uint8_t status() {
    return static_cast<std::uint8_t>(common(pci_layout::common::kStatus, 1));
  }
  void set_status(std::uint8_t value) { set_common(pci_layout::common::kStatus, value, 1); }

  /// Features, queues and DRIVER_OK, as a driver goes about it. `pairs` of queues and, with
  /// VIRTIO_NET_F_CTRL_VQ, the control queue.
  void start(std::uint64_t features, unsigned pairs = 1) {
    using namespace device_status;
    features |= net::feature::kVersion1;
    set_status(0);
    queues.clear();
    set_status(kAcknowledge);
    set_status(kAcknowledge | kDriver);
    for (unsigned half = 0; half < 2; ++half) {
      set_common(pci_layout::common::kDriverFeatureSelect, half, 4);
      set_common(pci_layout::common::kDriverFeature,
                 static_cast<std::uint32_t>(features >> (32 * half)), 4);
    }
    set_status(kAcknowledge | kDriver | kFeaturesOk);
    ASSERT_NE(status() & kFeaturesOk, 0) << "the device refuses these features";
    this->features = features;
    if (vectors) set_common(pci_layout::common::kConfigVector, 0, 2);
    for (unsigned queue = 0; queue < 2 * pairs; ++queue) enable(queue);
    if ((features & net::feature::kControlQueue) != 0) enable(control_queue());
    set_status(kAcknowledge | kDriver | kFeaturesOk | kDriverOk);
  }
  unsigned control_queue() const {
    return (features & net::feature::kMultiQueue) != 0 ? 2 * nic.config().queue_pairs : 2;
  }
  SplitLayout layout_of(unsigned queue) const {
    const std::uint16_t size = nic.config().queue_size;
    return SplitLayout::at(kRings + queue * 0x8000, size);
  }
  void enable(unsigned queue) {
    namespace at = pci_layout::common;
    const SplitLayout layout = layout_of(queue);
    auto& made = queues[queue] = std::make_unique<DriverQueue>(driver_memory);
    RingOptions ring;
    ring.event_index = (features & net::feature::kEventIndex) != 0;
    ring.indirect = (features & net::feature::kIndirect) != 0;
    ASSERT_TRUE(made->start(layout, ring));
    set_common(at::kQueueSelect, queue, 2);
    for (const auto& [reg, address] : {std::pair{at::kQueueDescriptors, layout.descriptors},
                                       std::pair{at::kQueueAvailable, layout.available},
                                       std::pair{at::kQueueUsed, layout.used}}) {
      set_common(reg, static_cast<std::uint32_t>(address), 4);
      set_common(reg + 4, static_cast<std::uint32_t>(address >> 32), 4);
    }
    if (vectors) set_common(at::kQueueVector, queue + 1, 2);
    set_common(at::kQueueEnable, 1, 2);
  }
  void notify(unsigned queue) {
    ++kicks;
    write(pci_layout::kNotifyAt + pci_layout::kNotifyStep * queue, queue, 2);
  }

  // --- buffers ---
  std::size_t header_bytes() const { return net::header_bytes(features); }
  DriverQueue& queue(unsigned index) { return *queues.at(index); }
  /// Buffers for frames: `count` pieces of `bytes`.
  void supply(unsigned pair, unsigned count, std::uint32_t bytes = 2048) {
    const unsigned index = net::receive_queue(pair);
    for (unsigned i = 0; i < count; ++i) {
      const std::uint64_t at = allocate(bytes);
      const DriverQueue::Buffer piece{at, bytes, true};
      const auto head = queue(index).add({&piece, 1});
      ASSERT_TRUE(head.has_value());
      rx_buffers[{index, *head}] = at;
    }
    if (queue(index).publish()) notify(index);
  }
  /// A frame for the wire; true: the device has been (or has to be) told.
  bool put(unsigned pair, const Frame& frame, const std::vector<std::uint8_t>& header = {},
           bool tell = true) {
    const unsigned index = net::transmit_queue(pair);
    const std::uint64_t at = allocate(header_bytes() + frame.size());
    std::fill_n(&ram.bytes()[at], header_bytes(), std::uint8_t{0});
    std::copy(header.begin(), header.end(), &ram.bytes()[at]);
    std::copy(frame.begin(), frame.end(), &ram.bytes()[at + header_bytes()]);
    const std::array<DriverQueue::Buffer, 2> pieces{
        DriverQueue::Buffer{at, static_cast<std::uint32_t>(header_bytes()), false},
        DriverQueue::Buffer{at + header_bytes(), static_cast<std::uint32_t>(frame.size()), false}};
    EXPECT_TRUE(queue(index).add(pieces).has_value());
    const bool wanted = queue(index).publish();
    if (wanted && tell) notify(index);
    return wanted;
  }
  /// Frames that the driver finds in a pair's receive queue now, put together again.
  std::vector<Frame> reap(unsigned pair) {
    std::vector<Frame> frames;
    const unsigned index = net::receive_queue(pair);
    DriverQueue::Used used;
    while (queue(index).reap(used) == DriverQueue::Reap::kUsed) {
      const Frame first = taken(index, used);
      EXPECT_GE(first.size(), header_bytes());
      headers.emplace_back(first.begin(), first.begin() + static_cast<int>(header_bytes()));
      Frame frame(first.begin() + static_cast<int>(header_bytes()), first.end());
      const unsigned buffers = load_le16(first.data() + net::header::kBuffers);
      for (unsigned i = 1; i < buffers; ++i) {
        EXPECT_EQ(queue(index).reap(used), DriverQueue::Reap::kUsed);
        const Frame more = taken(index, used);
        frame.insert(frame.end(), more.begin(), more.end());
      }
      frames.push_back(std::move(frame));
    }
    return frames;
  }
  /// Packets that the device has given back from a transmit queue.
  unsigned reap_sent(unsigned pair) {
    unsigned count = 0;
    DriverQueue::Used used;
    while (queue(net::transmit_queue(pair)).reap(used) == DriverQueue::Reap::kUsed) ++count;
    return count;
  }
  /// Carries out a control command; the device's answer, nullopt if there was none in time.
  std::optional<std::uint8_t> control(const std::vector<std::uint8_t>& command) {
    const std::uint64_t at = allocate(command.size() + 1);
    std::copy(command.begin(), command.end(), &ram.bytes()[at]);
    ram.bytes()[at + command.size()] = 0xEE;
    const std::array<DriverQueue::Buffer, 2> pieces{
        DriverQueue::Buffer{at, static_cast<std::uint32_t>(command.size()), false},
        DriverQueue::Buffer{at + command.size(), 1, true}};
    EXPECT_TRUE(queue(control_queue()).add(pieces).has_value());
    if (queue(control_queue()).publish()) notify(control_queue());
    DriverQueue::Used used;
    const bool done = wait_until(
        [&] { return queue(control_queue()).reap(used) == DriverQueue::Reap::kUsed; }, us(100));
    if (!done) return std::nullopt;
    return ram.bytes()[at + command.size()];
  }

  static void wait_for(Time t) { sc_core::wait(to_sc(t)); }
  static bool wait_until(const std::function<bool()>& condition, Time limit, Time step = ns(500)) {
    const Time end = sc_now() + limit;
    while (!condition()) {
      if (sc_now() >= end) return false;
      wait_for(step);
    }
    return true;
  }
  std::uint64_t all_drops() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(NetDrop::kCount); ++i) {
      sum += nic.drops(static_cast<NetDrop>(i));
    }
    return sum;
  }
  /// All reasons that begin with rx, or tx.
  std::uint64_t drops_of(std::string_view direction) const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kNetDropNames.size(); ++i) {
      if (kNetDropNames[i].substr(0, 2) == direction) sum += nic.drops(static_cast<NetDrop>(i));
    }
    return sum;
  }
  std::uint64_t rx_frames() const {
    std::uint64_t sum = 0;
    for (unsigned i = 0; i < nic.config().queue_pairs; ++i) sum += nic.counters(i).rx_frames;
    return sum;
  }
  std::uint64_t tx_frames() const {
    std::uint64_t sum = 0;
    for (unsigned i = 0; i < nic.config().queue_pairs; ++i) sum += nic.counters(i).tx_frames;
    return sum;
  }

  memory::Memory ram;
  pci::HostBridge bridge;
  pci::Bus bus;
  pci::Function function;
  link::Cable cable;
  NetDevice nic;
  FarEnd far;
  ::tlm_utils::simple_initiator_socket<NetRig> cpu;
  ::tlm_utils::simple_initiator_socket<NetRig> io;
  sc_core::sc_signal<bool> irq;
  std::array<sc_core::sc_signal<bool>, 4> pirq;
  MappedMemory driver_memory;
  std::uint64_t features = 0;
  std::map<unsigned, std::unique_ptr<DriverQueue>> queues;
  std::map<std::pair<unsigned, std::uint16_t>, std::uint64_t> rx_buffers;
  std::vector<Frame> headers;  // of reaped frames
  std::vector<Time> irq_edges;
  bool vectors = false;  // MSI-X: 0 for the configuration, n + 1 for queue n
  unsigned kicks = 0;
  unsigned device_number = 0;

 private:
  static pci::HostBridgeConfig bridge_config() {
    pci::HostBridgeConfig config;
    config.ram_bytes = kRam;
    return config;
  }
  template <class Socket>
  std::uint32_t access(Socket& socket, bool is_read, std::uint64_t address, std::uint32_t value,
                       unsigned bytes) {
    std::array<std::uint8_t, 4> data{};
    store_le32(data.data(), value);
    ::tlm::tlm_generic_payload payload;
    payload.set_command(is_read ? ::tlm::TLM_READ_COMMAND : ::tlm::TLM_WRITE_COMMAND);
    payload.set_address(address);
    payload.set_data_ptr(data.data());
    payload.set_data_length(bytes);
    payload.set_streaming_width(bytes);
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    socket->b_transport(payload, delay);
    EXPECT_EQ(payload.get_response_status(), ::tlm::TLM_OK_RESPONSE);
    sc_core::wait(delay);
    return load_le32(data.data());
  }
  std::uint64_t allocate(std::size_t bytes) {
    const std::uint64_t at = kBuffers + next_buffer_;
    next_buffer_ += (bytes + 63) / 64 * 64;
    if (kBuffers + next_buffer_ > kRam - 0x20000) next_buffer_ = 0;
    return at;
  }
  Frame taken(unsigned index, const DriverQueue::Used& used) {
    const std::uint64_t at = rx_buffers.at({index, used.head});
    return {&ram.bytes()[at], &ram.bytes()[at] + used.written};
  }
  void on_irq() {
    if (irq.read()) irq_edges.push_back(sc_now());
  }
  void main() {
    script_();
    finished_ = true;
    sc_core::sc_stop();
  }

  NetRigOptions options_;
  std::function<void()> script_;
  bool finished_ = false;
  std::uint64_t next_buffer_ = 0;
};

}  // namespace e1000tlm::virtio::test
