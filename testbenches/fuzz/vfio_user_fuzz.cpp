/// Whatever a vfio-user client sends, the codec ends: with a request whose parts lie within the
/// message, or a refusal that says why. The input is a stream of messages.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "e1000tlm/plugs/vfio_user/protocol.h"

namespace {

using namespace e1000tlm;
using namespace e1000tlm::plugs::vfio_user;

void require(bool holds) {
  if (!holds) std::abort();
}

bool within(ConstBytes part, ConstBytes whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

bool ends_in_range(std::uint64_t start, std::uint64_t size) {
  return size == 0 || size - 1 <= ~std::uint64_t{0} - start;
}

struct Checks {
  Header header;
  ConstBytes body;

  void operator()(const Version& v) const { require(v.major == 0); }
  void operator()(const DmaMap& m) const {
    require(m.size != 0 && ends_in_range(m.address, m.size) && ends_in_range(m.offset, m.size));
    require(m.readable || m.writable);
  }
  void operator()(const DmaUnmap& u) const {
    require(u.all ? u.size == 0 : u.size != 0 && ends_in_range(u.address, u.size));
    require(unmap_reply(header, body).size() == kHeaderBytes + 24);
  }
  void operator()(const GetInfo&) const {}
  void operator()(const GetRegionInfo&) const {}
  void operator()(const GetRegionIoFds&) const {}
  void operator()(const GetIrqInfo&) const {}
  void operator()(const SetIrqs& s) const {
    require(s.data != SetIrqs::Data::kBool || s.flags.size() == s.count);
  }
  void operator()(const RegionRead& r) const {
    require(r.count != 0 && r.count <= kMostData);
    require(read_reply(header, r).size() == kHeaderBytes + 16 + r.count);
  }
  void operator()(const RegionWrite& w) const {
    require(w.data.size() != 0 && within(w.data, body));
  }
  void operator()(const RegionWriteMulti& m) const {
    require(m.writes.size() <= kMostWrites);
    for (const RegionWrite& w : m.writes) {
      require(w.data.size() >= 1 && w.data.size() <= 8 && within(w.data, body));
    }
  }
  void operator()(const Reset&) const {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ConstBytes rest(data, size);
  while (rest.size() >= kHeaderBytes) {
    const auto parsed = parse_header(rest);
    const auto* header = std::get_if<Header>(&parsed);
    if (header == nullptr) {
      require(!std::get<std::string>(parsed).empty());
      return 0;
    }
    require(header->size >= kHeaderBytes && header->size <= kMostMessage);
    const std::size_t bytes = std::min<std::size_t>(header->size, rest.size());
    const ConstBytes body = rest.subspan(kHeaderBytes, bytes - kHeaderBytes);
    for (const std::size_t descriptors : {0, 1, 9}) {
      const auto request = parse_request(*header, body, descriptors);
      if (const auto* refusal = std::get_if<Refusal>(&request)) {
        require(refusal->error > 0 && !refusal->why.empty());
      } else {
        std::visit(Checks{*header, body}, std::get<Request>(request));
      }
    }
    rest = rest.subspan(bytes);
  }
  return 0;
}
