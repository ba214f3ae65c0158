/// Whatever a capture file holds, the reader ends: with frames that lie within limits, or an error.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "e1000tlm/link/capture/pcap_reader.h"
#include "e1000tlm/link/frame.h"

namespace {

/// Reads it twice; returns a sum of all that was read.
std::uint64_t read_twice(const std::uint8_t* data, std::size_t size, bool with_fcs) {
  using e1000tlm::link::PcapReader;
  std::uint64_t sums[2] = {0, 0};
  try {
    PcapReader reader(
        std::make_unique<e1000tlm::link::MemorySource>(e1000tlm::ConstBytes(data, size)), "capture",
        {with_fcs, true});
    for (std::uint64_t& sum : sums) {
      PcapReader::Record record;
      while (reader.next(record)) {
        if (record.size > e1000tlm::link::kMaxFrameBytes) std::abort();
        if (static_cast<std::size_t>(record.bytes.size()) > record.size) std::abort();
        for (const std::uint8_t byte : record.bytes) sum = sum * 31 + byte;
        sum += record.size + record.number;
      }
      reader.rewind();
    }
  } catch (const std::runtime_error&) {  // it says what is wrong
    return 0;
  }
  if (sums[0] != sums[1]) std::abort();
  return sums[0];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read_twice(data, size, false);
  read_twice(data, size, true);
  return 0;
}
