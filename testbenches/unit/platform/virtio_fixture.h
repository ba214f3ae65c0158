#pragma once
/// A virtio network device for the driver's tests, with nothing between it and the processor: its
/// registers and queues are the model's, what it does with packets is up to the test.

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>

#include "e1000tlm/driver/cpu.h"
#include "e1000tlm/driver/pci_host.h"
#include "e1000tlm/tlm/sc_time.h"
#include "e1000tlm/virtio/net.h"
#include "e1000tlm/virtio/split_ring.h"
#include "e1000tlm/virtio/transport.h"

namespace e1000tlm::driver {

using FrameBytes = std::vector<std::uint8_t>;

/// Sends every packet back on the pair it came by. Works while a register is written.
class EchoDevice : public virtio::DeviceModel, public virtio::InterruptSink {
 public:
  struct Packet {
    unsigned pair = 0;
    std::size_t pieces = 0;
    FrameBytes header, frame;
  };
  struct Command {
    std::uint8_t command_class = 0, command = 0;
    FrameBytes data;
    bool operator==(const Command& o) const {
      return command_class == o.command_class && command == o.command && data == o.data;
    }
  };

  EchoDevice(virtio::RingMemory& memory, unsigned pairs, std::uint16_t queue_size)
      : pairs_(pairs), memory_(memory), transport_(config(pairs, queue_size), *this, *this) {
    features = virtio::net::feature::kVersion1 | virtio::net::feature::kMac |
               virtio::net::feature::kStatus | virtio::net::feature::kControlQueue |
               virtio::net::feature::kControlRx | virtio::net::feature::kCsum |
               virtio::net::feature::kHostTso4 | virtio::net::feature::kMergeableBuffers |
               virtio::net::feature::kEventIndex | virtio::net::feature::kIndirect;
    if (pairs > 1) features |= virtio::net::feature::kMultiQueue;
    const std::array<std::uint8_t, 6> mac{0x52, 0x54, 0, 1, 2, 3};
    std::copy(mac.begin(), mac.end(), space.begin());
    set_link(true);
    store_le16(&space[virtio::net::config::kMostPairs], static_cast<std::uint16_t>(pairs));
    for (unsigned i = 0; i < 2 * pairs + 1; ++i) {
      queues_.push_back(std::make_unique<virtio::DeviceQueue>(memory_));
    }
  }

  std::uint64_t features = 0;
  std::array<std::uint8_t, virtio::net::config::kBytes> space{};
  bool echo = true;     ///< else what is sent is only recorded
  bool answers = true;  ///< to commands
  std::uint8_t verdict = virtio::net::control::kOk;
  std::uint16_t announced_buffers = 0;  ///< 0: the truth
  std::vector<Packet> packets;
  std::vector<Command> commands;
  std::function<void(bool)> on_level;

  virtio::PciTransport& transport() { return transport_; }
  virtio::DeviceQueue& queue(unsigned index) { return *queues_.at(index); }
  void set_link(bool up) {
    store_le16(&space[virtio::net::config::kStatus], up ? virtio::net::kLinkUp : 0);
    transport_.config_changed();
  }
  /// A packet for the driver; kept until it has buffers.
  void deliver(unsigned pair, const FrameBytes& frame) {
    waiting_[pair].push_back(frame);
    serve_receive(pair);
  }
  std::size_t waiting(unsigned pair) { return waiting_[pair].size(); }

  // --- DeviceModel ---
  std::uint64_t offered_features() const override { return features; }
  bool accept_features(std::uint64_t) override { return true; }
  void driver_ready() override {
    for (unsigned i = 0; i < queues_.size(); ++i) queue_enabled(i);
  }
  void device_reset() override {
    for (auto& queue : queues_) queue->stop();
    waiting_.clear();
  }
  void queue_enabled(unsigned index) override {
    const virtio::QueueSetup& setup = transport_.queue(index);
    if (!setup.enabled) return;
    virtio::RingOptions options;
    options.event_index = agreed(virtio::net::feature::kEventIndex);
    options.indirect = agreed(virtio::net::feature::kIndirect);
    queues_[index]->start(setup.layout, options);
  }
  void queue_reset(unsigned index) override { queues_[index]->stop(); }
  void queue_notified(unsigned index) override {
    if (!transport_.running()) return;
    if (index == control_queue()) return serve_control();
    if (index % 2 == 0) return serve_receive(index / 2);
    serve_transmit(index / 2);
  }
  std::uint8_t config_byte(unsigned offset) const override {
    return offset < space.size() ? space[offset] : 0;
  }
  void write_config(unsigned, std::uint8_t) override {}

  // --- InterruptSink ---
  bool messages_enabled() const override { return false; }
  void send_message(unsigned) override {}
  void set_level(bool asserted) override {
    if (on_level) on_level(asserted);
  }

  bool agreed(std::uint64_t feature) const { return (transport_.features() & feature) != 0; }

 private:
  static virtio::TransportConfig config(unsigned pairs, std::uint16_t size) {
    virtio::TransportConfig config;
    config.queues = 2 * pairs + 1;
    config.queue_size = size;
    config.vectors = 0;
    return config;
  }
  unsigned control_queue() const {
    return agreed(virtio::net::feature::kMultiQueue) ? 2 * pairs_ : 2;
  }
  void done(unsigned index) {
    if (queues_[index]->publish()) transport_.queue_used(index);
  }

  void serve_transmit(unsigned pair) {
    const unsigned index = virtio::net::transmit_queue(pair);
    virtio::DeviceQueue::Chain chain;
    while (queues_[index]->pop(chain) == virtio::DeviceQueue::Pop::kChain) {
      FrameBytes all(chain.readable_bytes);
      virtio::read_chain(memory_, chain, 0, all);
      Packet packet;
      packet.pair = pair;
      packet.pieces = chain.readable.size();
      packet.header.assign(all.begin(), all.begin() + virtio::net::header::kBytes);
      packet.frame.assign(all.begin() + virtio::net::header::kBytes, all.end());
      if (echo) waiting_[pair].push_back(packet.frame);
      packets.push_back(std::move(packet));
      queues_[index]->push(chain.head, 0);
    }
    done(index);
    serve_receive(pair);
  }

  void serve_receive(unsigned pair) {
    auto& frames = waiting_[pair];
    while (!frames.empty() && put(pair, frames.front())) frames.pop_front();
    done(virtio::net::receive_queue(pair));
  }

  bool put(unsigned pair, const FrameBytes& frame) {
    virtio::DeviceQueue& queue = *queues_[virtio::net::receive_queue(pair)];
    FrameBytes all(virtio::net::header::kBytes);
    all.insert(all.end(), frame.begin(), frame.end());
    std::vector<virtio::DeviceQueue::Chain> chains;
    std::size_t room = 0;
    while (room < all.size()) {
      virtio::DeviceQueue::Chain chain;
      if (queue.pop(chain) != virtio::DeviceQueue::Pop::kChain) {
        for (; !chains.empty(); chains.pop_back()) queue.undo_pop();
        return false;
      }
      room += chain.writable_bytes;
      chains.push_back(chain);
    }
    const auto count =
        announced_buffers != 0 ? announced_buffers : static_cast<std::uint16_t>(chains.size());
    store_le16(&all[virtio::net::header::kBuffers], count);
    std::size_t at = 0;
    for (const auto& chain : chains) {
      const std::size_t bytes = std::min<std::size_t>(chain.writable_bytes, all.size() - at);
      virtio::write_chain(memory_, chain, 0, ConstBytes(all.data() + at, bytes));
      queue.push(chain.head, static_cast<std::uint32_t>(bytes));
      at += bytes;
    }
    return true;
  }

  void serve_control() {
    if (!answers) return;
    virtio::DeviceQueue& queue = *queues_[control_queue()];
    virtio::DeviceQueue::Chain chain;
    while (queue.pop(chain) == virtio::DeviceQueue::Pop::kChain) {
      FrameBytes all(chain.readable_bytes);
      virtio::read_chain(memory_, chain, 0, all);
      commands.push_back({all[0], all[1], FrameBytes(all.begin() + 2, all.end())});
      const std::array<std::uint8_t, 1> answer{verdict};
      virtio::write_chain(memory_, chain, 0, answer);
      queue.push(chain.head, 1);
    }
    done(control_queue());
  }

  unsigned pairs_;
  virtio::RingMemory& memory_;
  virtio::PciTransport transport_;
  std::vector<std::unique_ptr<virtio::DeviceQueue>> queues_;
  std::map<unsigned, std::deque<FrameBytes>> waiting_;
};

/// A processor, 8 MiB of RAM and that device as PCI device 3, without a bus.
class VirtioMachine : public sc_core::sc_module {
 public:
  static constexpr unsigned kDevice = 3;
  static constexpr std::uint64_t kRam = 8 << 20;

  explicit VirtioMachine(const sc_core::sc_module_name& name, unsigned pairs = 1,
                         std::uint16_t queue_size = 64)
      : sc_module(name), mem("mem"), io("io"), lines("lines", Cpu::kLines) {
    ::tlm::tlm_global_quantum::instance().set(sc_core::SC_ZERO_TIME);
    memory_.add(0, ram_);
    device = std::make_unique<EchoDevice>(memory_, pairs, queue_size);
    device->on_level = [this](bool on) { lines[pirq_of(kDevice, 1)].write(on); };
    mem.register_b_transport(this, &VirtioMachine::transport);
    mem.register_get_direct_mem_ptr(this, &VirtioMachine::get_dmi);
    mem.register_transport_dbg(this, &VirtioMachine::debug);
    io.register_b_transport(this, &VirtioMachine::port);
    make_space();
    cpu.mem.socket.bind(mem);
    cpu.io.socket.bind(io);
    for (unsigned i = 0; i < Cpu::kLines; ++i) cpu.pirq[i](lines[i]);
  }

  ::tlm_utils::simple_target_socket<VirtioMachine> mem, io;
  sc_core::sc_vector<sc_core::sc_signal<bool>> lines;
  Cpu cpu{"cpu"};
  std::unique_ptr<EchoDevice> device;
  std::array<std::uint8_t, 256> space{};    ///< configuration space
  std::vector<std::uint8_t> status_writes;  ///< to the device's status, in order

  void run(Program& program, Time limit = ms(2'000)) {
    cpu.load(program);
    sc_core::sc_start(to_sc(limit));
  }

 private:
  static constexpr unsigned kBar = 4;

  void make_space() {
    namespace layout = virtio::pci_layout;
    store_le16(&space[0], layout::kVendor);
    store_le16(&space[2], layout::kModernBase + layout::kNetType);
    space[6] = 0x10;  // has capabilities
    space[0x34] = 0x40;
    space[0x3D] = 1;
    unsigned at = 0x40;
    const auto capability = [&](std::uint8_t type, std::uint8_t bar, std::uint32_t offset,
                                std::uint8_t bytes, bool last) {
      space[at] = 0x09;
      space[at + 1] = last ? 0 : static_cast<std::uint8_t>(at + bytes);
      space[at + 2] = bytes;
      space[at + 3] = type;
      space[at + 4] = bar;
      store_le32(&space[at + 8], offset);
      store_le32(&space[at + 12], layout::kPartBytes);
      if (bytes > 16) store_le32(&space[at + 16], layout::kNotifyStep);
      at += bytes;
    };
    capability(layout::kCommonCfg, 7, 0x5000, 16, false);  // a reserved BAR: to be passed over
    capability(layout::kCommonCfg, kBar, layout::kCommonAt, 16, false);
    capability(layout::kIsrCfg, kBar, layout::kIsrAt, 16, false);
    capability(layout::kDeviceCfg, kBar, layout::kDeviceAt, 16, false);
    capability(layout::kNotifyCfg, kBar, layout::kNotifyAt, 20, false);
    capability(layout::kCommonCfg, kBar, 0x9000, 16, true);  // a further one: the first counts
  }

  /// The base that the processor has given to the BAR.
  std::uint64_t base() const { return load_le32(&space[0x10 + 4 * kBar]) & ~15U; }

  void transport(::tlm::tlm_generic_payload& p, sc_core::sc_time& delay) {
    delay += to_sc(ns(10));
    p.set_response_status(::tlm::TLM_OK_RESPONSE);
    if (p.get_address() + p.get_data_length() <= ram_.size()) {
      move(p);
      p.set_dmi_allowed(true);
      return;
    }
    if (p.get_address() < base() || p.get_address() >= base() + virtio::pci_layout::kModernBytes) {
      p.set_response_status(::tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return;
    }
    sc_core::wait(delay);
    delay = sc_core::SC_ZERO_TIME;
    const auto offset = static_cast<std::uint32_t>(p.get_address() - base());
    std::array<std::uint8_t, 4> bytes{};
    if (p.is_write()) {
      std::copy_n(p.get_data_ptr(), p.get_data_length(), bytes.begin());
      if (offset == virtio::pci_layout::common::kStatus) status_writes.push_back(bytes[0]);
      device->transport().write(offset, p.get_data_length(), load_le32(bytes.data()));
    } else {
      store_le32(bytes.data(), device->transport().read(offset, p.get_data_length()));
      std::copy_n(bytes.begin(), p.get_data_length(), p.get_data_ptr());
    }
  }
  void move(::tlm::tlm_generic_payload& p) {
    std::uint8_t* const at = ram_.data() + p.get_address();
    if (p.is_write()) {
      std::copy_n(p.get_data_ptr(), p.get_data_length(), at);
    } else {
      std::copy_n(at, p.get_data_length(), p.get_data_ptr());
    }
  }
  unsigned debug(::tlm::tlm_generic_payload& p) {
    move(p);
    return p.get_data_length();
  }
  bool get_dmi(::tlm::tlm_generic_payload&, ::tlm::tlm_dmi& dmi) {
    dmi.set_start_address(0);
    dmi.set_end_address(ram_.size() - 1);
    dmi.set_dmi_ptr(ram_.data());
    dmi.allow_read_write();
    dmi.set_read_latency(to_sc(ns(10)));
    dmi.set_write_latency(to_sc(ns(10)));
    return true;
  }

  /// Configuration mechanism #1.
  void port(::tlm::tlm_generic_payload& p, sc_core::sc_time&) {
    p.set_response_status(::tlm::TLM_OK_RESPONSE);
    std::uint8_t* const data = p.get_data_ptr();
    if (p.get_address() == 0xCF8) {
      if (p.is_write()) selected_ = load_le32(data);
      return;
    }
    const unsigned offset = (selected_ & 0xFC) + (p.get_address() & 3);
    const bool here = ((selected_ >> 11) & 31) == kDevice;
    for (unsigned i = 0; i < p.get_data_length(); ++i) {
      if (!p.is_write()) {
        data[i] = here ? space.at(offset + i) : 0xFF;
      } else if (here) {
        write_space(offset + i, data[i]);
      }
    }
  }
  void write_space(unsigned offset, std::uint8_t value) {
    constexpr unsigned kLow = 0x10 + 4 * kBar;
    constexpr std::uint32_t kMask = ~(virtio::pci_layout::kModernBytes - 1);
    if (offset >= kLow && offset < kLow + 4) {
      const auto mask = static_cast<std::uint8_t>(kMask >> (8 * (offset - kLow)));
      space[offset] = static_cast<std::uint8_t>((value & mask) | (offset == kLow ? 0xC : 0));
    } else if (offset >= kLow + 4 && offset < kLow + 8) {
      space[offset] = value;
    } else if (offset == 4 || offset == 0x3C) {
      space[offset] = value;
    }
  }

  std::vector<std::uint8_t> ram_ = std::vector<std::uint8_t>(kRam);
  virtio::MappedMemory memory_;
  std::uint32_t selected_ = 0;
};

}  // namespace e1000tlm::driver
