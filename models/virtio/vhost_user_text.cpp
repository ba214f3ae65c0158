#include <sstream>

#include "e1000tlm/virtio/vhost_user.h"

namespace e1000tlm::virtio::vhost_user {
namespace {

struct Hex {
  std::uint64_t value;
};
std::ostream& operator<<(std::ostream& out, Hex hex) {
  return out << "0x" << std::hex << hex.value << std::dec;
}

/// Writes the fields of a payload, each after a blank.
struct Fields {
  std::ostream& out;

  void operator()(const None&) const {}
  void operator()(const Number& n) const { out << ' ' << Hex{n.value}; }
  void operator()(const VringState& s) const { out << " index=" << s.index << " num=" << s.num; }
  void operator()(const VringAddr& a) const {
    out << " index=" << a.index << " flags=" << Hex{a.flags} << " desc=" << Hex{a.descriptors}
        << " avail=" << Hex{a.available} << " used=" << Hex{a.used};
  }
  void operator()(const VringFd& f) const {
    out << " index=" << unsigned{f.index};
    if (!f.has_descriptor) out << " without descriptor";
  }
  void operator()(const MemoryTable& t) const {
    out << " regions=" << t.regions.size();
    for (const MemoryRegion& region : t.regions) (*this)(region);
  }
  void operator()(const MemoryRegion& r) const {
    out << " [guest=" << Hex{r.guest_address} << " size=" << Hex{r.size}
        << " user=" << Hex{r.user_address} << " offset=" << Hex{r.offset} << ']';
  }
  void operator()(const Log& l) const {
    out << " size=" << Hex{l.size} << " offset=" << Hex{l.offset};
  }
  void operator()(const Iotlb& i) const {
    out << " type=" << unsigned{i.type} << " iova=" << Hex{i.iova} << " size=" << Hex{i.size};
  }
  void operator()(const Config& c) const {
    out << " offset=" << c.offset << " size=" << c.data.size() << " flags=" << c.flags;
  }
  void operator()(const VringArea& a) const {
    out << " index=" << (a.index_and_flags & 0xFF) << " size=" << Hex{a.size};
  }
  void operator()(const Inflight& i) const {
    out << " size=" << Hex{i.size} << " queues=" << i.queues << " queue_size=" << i.queue_size;
  }
  void operator()(const Opaque& o) const { out << ' ' << o.bytes.size() << " bytes"; }
};

}  // namespace

std::string describe(Side side, const Header& header, const Payload& payload) {
  std::ostringstream out;
  if (header.reply) out << "reply to ";
  out << request_name(side, header.request);
  std::visit(Fields{out}, payload);
  if (header.need_reply) out << " need_reply";
  return out.str();
}

}  // namespace e1000tlm::virtio::vhost_user
