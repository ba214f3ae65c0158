/// Whatever frames come, long packets can be cut into the frames that they were made of.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "e1000tlm/link/checksum.h"
#include "e1000tlm/link/virtio_header.h"
#include "e1000tlm/virtio/coalescer.h"
#include "e1000tlm/virtio/flow_fields.h"

namespace {

using namespace e1000tlm;
using namespace e1000tlm::virtio::net;
using Octets = std::vector<std::uint8_t>;

constexpr std::size_t kStepBytes = 6;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Segments of one TCP flow, and what a step changes in them.
class Sender {
 public:
  explicit Sender(bool ipv4) : ipv4_(ipv4), tcp_(ipv4 ? 34 : 54) {}

  Octets next(const std::uint8_t* step) {
    const std::size_t payload = step[0] % 8 == 0 ? step[1] * 16U : 64U;
    Octets p(tcp_ + 20 + payload, 0x5A);
    store_be16(&p[12], ipv4_ ? 0x0800 : 0x86DD);
    fill_ip(p);
    store_be32(&p[tcp_ + 4], sequence_ + static_cast<std::uint32_t>(step[2] / 64 * step[3]));
    p[tcp_ + 12] = 0x50;
    p[tcp_ + 13] = step[4] % 8 == 0 ? step[5] : std::uint8_t{0x10};
    if (step[4] % 8 == 1) p[step[5] % (tcp_ + 20)] ^= 1;
    sequence_ += static_cast<std::uint32_t>(payload);
    ++id_;
    finish(p);
    if (step[4] % 8 == 2) p.resize(p.size() + step[5] % 8, 0);
    return p;
  }

 private:
  void fill_ip(Octets& p) const {
    const auto length = static_cast<std::uint16_t>(p.size() - 14);
    if (ipv4_) {
      p[14] = 0x45;
      store_be16(&p[16], length);
      store_be16(&p[18], id_);
      store_be16(&p[20], 0x4000);
      p[23] = 6;
    } else {
      p[14] = 0x60;
      store_be16(&p[18], static_cast<std::uint16_t>(length - 40));
      p[20] = 6;
    }
  }
  void finish(Octets& p) const {
    const Bytes packet(p);
    if (ipv4_) {
      store_be16(&p[24], 0);
      link::insert_checksum(packet, 14, 33, 24, false);
    }
    const std::uint32_t pseudo =
        link::ones_sum(ipv4_ ? packet.subspan(26, 8) : packet.subspan(22, 32)) + 6 +
        static_cast<std::uint32_t>(p.size() - tcp_);
    store_be16(&p[tcp_ + 16], 0);
    link::insert_checksum(packet, static_cast<unsigned>(tcp_), 0, static_cast<unsigned>(tcp_ + 16),
                          false, pseudo);
  }

  bool ipv4_;
  std::size_t tcp_;
  std::uint32_t sequence_ = 0xFFFF'F000;
  std::uint16_t id_ = 0xFFF0;
};

/// What is handed over is what came.
void check(Coalescer& coalescer, std::vector<Octets>& held) {
  const Coalescer::Packet packet = coalescer.take();
  require(packet.segments == held.size() && !coalescer.holds());
  if (packet.segments == 1) {
    require(std::equal(packet.frame.begin(), packet.frame.end(), held[0].begin(), held[0].end()));
    held.clear();
    return;
  }
  Octets header(link::kVirtioHeaderBytes), frame(packet.frame.begin(), packet.frame.end());
  packet.header.encode(header);
  link::OffloadFinisher finisher;
  require(finisher.begin(header, frame));
  for (const Octets& segment : held) {
    const ConstBytes again = finisher.next();
    require(!again.empty() && again.size() <= segment.size());
    require(std::equal(again.begin(), again.end(), segment.begin()));
    const auto rest = segment.size() - static_cast<std::size_t>(again.size());
    require(rest <= 8);  // padding
  }
  require(!finisher.more());
  held.clear();
}

void offer(Coalescer& coalescer, std::vector<Octets>& held, const Octets& frame) {
  Coalescer::Result result = coalescer.offer(frame);
  if (result == Coalescer::Result::kOther) {
    check(coalescer, held);
    result = coalescer.offer(frame);
  }
  require(result != Coalescer::Result::kOther);
  if (result == Coalescer::Result::kAlone) return;
  held.push_back(frame);
  if (result == Coalescer::Result::kComplete) check(coalescer, held);
}

}  // namespace

/// The first byte chooses between steps of a sender, and a frame as it is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  Coalescer coalescer;
  coalescer.configure(feature::kGuestTso4 | feature::kGuestTso6);
  std::vector<Octets> held;
  if (data[0] % 4 == 3) {
    const Octets frame(data + 1, data + size);
    symmetric_flow_hash(frame);
    receive_header(frame, feature::kGuestCsum);
    offer(coalescer, held, frame);
  } else {
    Sender sender(data[0] % 2 == 0);
    for (++data, --size; size >= kStepBytes; data += kStepBytes, size -= kStepBytes) {
      offer(coalescer, held, sender.next(data));
    }
  }
  if (coalescer.holds()) check(coalescer, held);
  return 0;
}
