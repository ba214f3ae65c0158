/// Whatever stands in a virtio header and behind it, segments lie within limits and end, and carry
/// the payload once.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "e1000tlm/link/virtio_header.h"

namespace link_ns = e1000tlm::link;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size <= link_ns::kVirtioHeaderBytes) return 0;
  const e1000tlm::ConstBytes header(data, link_ns::kVirtioHeaderBytes);
  std::vector<std::uint8_t> frame(data + link_ns::kVirtioHeaderBytes, data + size);
  link_ns::OffloadFinisher finisher;
  if (!finisher.begin(header, frame)) {
    if (finisher.more() || !finisher.next().empty()) std::abort();
    return 0;
  }
  std::size_t frames = 0;
  while (finisher.more()) {
    const e1000tlm::ConstBytes segment = finisher.next();
    if (segment.empty() || segment.size() > frame.size()) std::abort();
    if (++frames > frame.size()) std::abort();
  }
  if (frames == 0 || !finisher.next().empty()) std::abort();
  return 0;
}
