#pragma once
/// A vhost-user back-end of our own, scripted: it does what it is told, or lies.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "e1000tlm/link/host/host_socket.h"
#include "e1000tlm/link/host/vhost_channel.h"
#include "e1000tlm/virtio/split_ring.h"
#include "e1000tlm/virtio/vhost_front_end.h"
#include "testbenches/unit/link/host/host_fixture.h"

namespace e1000tlm::link {

namespace vhost = virtio::vhost_user;

/// Its rings are served by the device's side of our own virtqueues.
class VhostBackEnd {
 public:
  /// What it is able to; before serve().
  std::uint64_t features = virtio::ring_feature::kVersion1 | virtio::ring_feature::kEventIndex |
                           vhost::net_feature::kMergeableBuffers | vhost::net_feature::kMultiQueue |
                           vhost::net_feature::kGuestCsum | vhost::net_feature::kGuestTso4 |
                           vhost::feature::kProtocolFeatures;
  std::uint64_t protocol_features = vhost::protocol_feature::kMq |
                                    vhost::protocol_feature::kReplyAck |
                                    vhost::protocol_feature::kStatus;
  std::uint64_t pairs = 8;
  /// Bytes that it sends before it hangs up.
  std::size_t most_bytes = ~std::size_t{0};
  /// Descriptors beside each answer.
  int lying_descriptors = 0;
  /// Takes the place of an answer.
  std::function<bool(const vhost::Header&, vhost::Message&)> forge;

  explicit VhostBackEnd(const std::string& path) : socket_(connect_to({path, "", ""})) {}
  explicit VhostBackEnd(UniqueFd socket) : socket_(std::move(socket)) {}
  ~VhostBackEnd() { unmap(); }
  VhostBackEnd(const VhostBackEnd&) = delete;
  VhostBackEnd& operator=(const VhostBackEnd&) = delete;

  /// Does what has been asked. False: the front-end has gone, or we have.
  bool serve() {
    if (!socket_) return false;
    const bool there = channel_.receive(socket_.get());
    while (auto message = channel_.next()) {
      auto parsed = vhost::parse_request(vhost::Side::kFrontEnd, message->header, message->body,
                                         message->descriptors.size());
      if (auto* why = std::get_if<std::string>(&parsed)) {
        ADD_FAILURE() << *why;
        return false;
      }
      auto& payload = std::get<vhost::Payload>(parsed);
      log.push_back(vhost::describe(vhost::Side::kFrontEnd, message->header, payload));
      if (!obey(message->header, payload, message->descriptors)) return false;
    }
    return there;
  }
  bool running() const { return status_ok && rings_.size() >= 2 && rings_[1].enabled; }
  bool raw(ConstBytes bytes) const {
    return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  void hang_up() { socket_.reset(); }

  /// The next frame that was sent to us, without its header; empty: none.
  Octets take(std::size_t pair = 0) {
    Ring& ring = rings_.at(2 * pair + 1);
    virtio::DeviceQueue::Chain chain;
    const auto popped = ring.queue->pop(chain);
    EXPECT_NE(popped, virtio::DeviceQueue::Pop::kBroken) << to_string(ring.queue->fault());
    if (popped != virtio::DeviceQueue::Pop::kChain) return {};
    Octets bytes(chain.readable_bytes);
    EXPECT_EQ(read_chain(memory_, chain, 0, bytes), bytes.size());
    ring.queue->push(chain.head, 0);
    if (ring.queue->publish()) ring.call.set();
    const auto header = static_cast<std::ptrdiff_t>(header_bytes());
    EXPECT_EQ(Octets(bytes.begin(), bytes.begin() + header), Octets(header_bytes()));
    return {bytes.begin() + header, bytes.end()};
  }
  /// Sends a frame, in as many buffers as it takes. False: there are none.
  bool give(const Octets& frame, std::size_t pair = 0, Octets header = {}) {
    Ring& ring = rings_.at(2 * pair);
    header.resize(header_bytes());
    std::vector<virtio::DeviceQueue::Chain> chains;
    std::size_t room = 0;
    while (room < header.size() + frame.size()) {
      chains.emplace_back();
      if (ring.queue->pop(chains.back()) != virtio::DeviceQueue::Pop::kChain) return false;
      room += chains.back().writable_bytes;
    }
    if (mergeable() && buffers_told == 0) {
      store_le16(header.data() + 10, static_cast<std::uint16_t>(chains.size()));
    } else if (mergeable()) {
      store_le16(header.data() + 10, buffers_told);
    }
    Octets bytes = header;
    bytes.insert(bytes.end(), frame.begin(), frame.end());
    std::size_t done = 0;
    for (const auto& chain : chains) {
      const auto written = write_chain(memory_, chain, 0, ConstBytes(bytes).subspan(done));
      done += *written;
      ring.queue->push(chain.head, static_cast<std::uint32_t>(*written));
    }
    if (ring.queue->publish()) ring.call.set();
    return true;
  }

  /// Memory of a ring, to be written to without rules.
  Bytes memory_at(std::uint64_t address, std::size_t bytes) { return memory_.at(address, bytes); }
  const virtio::SplitLayout& layout(std::size_t ring) { return rings_.at(ring).layout; }
  void call(std::size_t ring) { rings_.at(ring).call.set(); }
  bool enabled(std::size_t ring) const { return ring < rings_.size() && rings_[ring].enabled; }
  /// Times that the driver has told of buffers.
  std::uint64_t kicks(std::size_t ring) const {
    std::uint64_t count = 0;
    if (ring >= rings_.size() || !rings_[ring].kick) return 0;
    return ::read(rings_[ring].kick.get(), &count, sizeof count) == 8 ? count : 0;
  }
  /// Takes a frame and never uses it.
  Octets keep(std::size_t pair = 0) {
    virtio::DeviceQueue::Chain chain;
    if (rings_.at(2 * pair + 1).queue->pop(chain) != virtio::DeviceQueue::Pop::kChain) return {};
    Octets bytes(chain.readable_bytes);
    EXPECT_EQ(read_chain(memory_, chain, 0, bytes), bytes.size());
    return {bytes.begin() + static_cast<std::ptrdiff_t>(header_bytes()), bytes.end()};
  }
  std::uint64_t agreed() const { return agreed_; }

  std::vector<std::string> log;
  bool status_ok = false;
  /// In headers, instead of the true number.
  std::uint16_t buffers_told = 0;

 private:
  /// An eventfd of the other side's.
  struct Signal {
    UniqueFd fd;
    void set() const {
      const std::uint64_t one = 1;
      if (fd) {
        EXPECT_EQ(::write(fd.get(), &one, sizeof one), 8);
      }
    }
  };
  struct Ring {
    virtio::SplitLayout layout;
    Signal call;
    UniqueFd kick;
    bool enabled = false;
    std::uint16_t base = 0;
    std::unique_ptr<virtio::DeviceQueue> queue;
  };

  bool mergeable() const { return (agreed_ & vhost::net_feature::kMergeableBuffers) != 0; }
  std::size_t header_bytes() const {
    return (agreed_ & (virtio::ring_feature::kVersion1 | vhost::net_feature::kMergeableBuffers)) !=
                   0
               ? 12
               : 10;
  }
  Ring& ring(std::size_t index) {
    if (rings_.size() <= index) rings_.resize(index + 1);
    return rings_[index];
  }

  bool answer(const vhost::Header& to, const vhost::Payload& payload) {
    vhost::Message bytes = encode_reply(to, payload);
    if (forge && forge(to, bytes)) {
      if (bytes.empty()) return true;
    }
    const std::size_t size = std::min(bytes.size(), most_bytes);
    most_bytes -= size;
    const std::vector<int> fds(static_cast<std::size_t>(lying_descriptors), 0);
    if (size > 0) channel_.send(socket_.get(), ConstBytes(bytes).first(size), fds);
    if (size == bytes.size()) return true;
    hang_up();
    return false;
  }

  bool obey(const vhost::Header& header, vhost::Payload& payload, std::vector<UniqueFd>& fds) {
    using vhost::Request;
    const auto number = [&] { return std::get<vhost::Number>(payload).value; };
    const auto state = [&] { return std::get<vhost::VringState>(payload); };
    const auto ring_of_fd = [&]() -> Ring& {
      return ring(std::get<vhost::VringFd>(payload).index);
    };
    switch (static_cast<Request>(header.request)) {
      case Request::kGetFeatures: return answer(header, vhost::Number{features});
      case Request::kGetProtocolFeatures: return answer(header, vhost::Number{protocol_features});
      case Request::kGetQueueNum: return answer(header, vhost::Number{pairs});
      case Request::kGetStatus: return answer(header, vhost::Number{status_});
      case Request::kGetVringBase:
        return answer(header, vhost::VringState{state().index, ring(state().index).queue->stop()});
      case Request::kSetFeatures: agreed_ = number(); break;
      case Request::kSetMemTable: map(std::get<vhost::MemoryTable>(payload), fds); break;
      case Request::kSetVringNum:
        ring(state().index).layout.size = static_cast<std::uint16_t>(state().num);
        break;
      case Request::kSetVringBase:
        ring(state().index).base = static_cast<std::uint16_t>(state().num);
        break;
      case Request::kSetVringAddr: {
        const auto& addr = std::get<vhost::VringAddr>(payload);
        virtio::SplitLayout& layout = ring(addr.index).layout;
        layout.descriptors = addr.descriptors;
        layout.available = addr.available;
        layout.used = addr.used;
        break;
      }
      case Request::kSetVringCall: ring_of_fd().call.fd = std::move(fds.at(0)); break;
      case Request::kSetVringKick: start(ring_of_fd(), std::move(fds.at(0))); break;
      case Request::kSetVringEnable:
        ring(state().index).enabled = state().num != 0;
        if ((protocol_features & vhost::protocol_feature::kStatus) == 0) status_ok = true;
        break;
      case Request::kSetStatus:
        status_ = number();
        status_ok = (status_ & 4) != 0;
        break;
      default: break;
    }
    return !header.need_reply || answer(header, vhost::Number{0});
  }

  void start(Ring& ring, UniqueFd kick) {
    ring.kick = std::move(kick);
    ring.queue = std::make_unique<virtio::DeviceQueue>(memory_);
    virtio::RingOptions options;
    options.event_index = (agreed_ & virtio::ring_feature::kEventIndex) != 0;
    EXPECT_TRUE(ring.queue->start(ring.layout, options, ring.base))
        << to_string(ring.queue->fault());
    if ((agreed_ & vhost::feature::kProtocolFeatures) == 0) ring.enabled = status_ok = true;
  }

  void map(const vhost::MemoryTable& table, const std::vector<UniqueFd>& fds) {
    unmap();
    for (std::size_t i = 0; i < table.regions.size(); ++i) {
      const vhost::MemoryRegion& region = table.regions[i];
      void* const at = ::mmap(nullptr, region.size, PROT_READ | PROT_WRITE, MAP_SHARED,
                              fds[i].get(), static_cast<off_t>(region.offset));
      ASSERT_NE(at, MAP_FAILED);
      mapped_.emplace_back(static_cast<std::uint8_t*>(at), region.size);
      memory_.add(region.guest_address, mapped_.back());
      if (region.user_address != region.guest_address) {
        memory_.add(region.user_address, mapped_.back());  // rings are named by these
      }
      EXPECT_NE(::ftruncate(fds[i].get(), 0), 0) << "memory cannot be taken away";
    }
  }
  void unmap() {
    memory_.clear();
    for (const Bytes piece : mapped_) ::munmap(piece.data(), piece.size());
    mapped_.clear();
  }

  UniqueFd socket_;
  VhostChannel channel_;
  virtio::MappedMemory memory_;
  std::vector<Bytes> mapped_;
  std::vector<Ring> rings_;
  std::uint64_t agreed_ = 0, status_ = 0;
};

}  // namespace e1000tlm::link
