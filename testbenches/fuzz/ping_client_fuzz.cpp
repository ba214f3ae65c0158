/// Whatever comes in, the client of the application ping stays within its steps: it ends or goes on
/// sending frames of possible length, at times that do not run backwards.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "e1000tlm/driver/ping_client.h"

/// Frames after their lengths in two bytes; between them the client sends what it wants to.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using e1000tlm::driver::PingClient;
  e1000tlm::driver::PingSettings settings;
  settings.mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
  PingClient client(settings);
  e1000tlm::Time now = e1000tlm::us(1);
  std::size_t at = 0;
  for (unsigned round = 0; round < 1000 && !client.done(); ++round) {
    for (unsigned i = 0; const auto* frame = client.next(now); ++i) {
      if (frame->size() < 60 || frame->size() > 1514 || i > 8) std::abort();
    }
    if (at + 2 <= size) {
      const std::size_t length = std::size_t{data[at]} << 8U | data[at + 1];
      at += 2;
      const std::size_t bytes = length < size - at ? length : size - at;
      client.receive({data + at, bytes}, now);
      at += bytes;
    }
    now += e1000tlm::ms(400);
  }
  if (!client.done()) std::abort();
  if (client.result().received > client.result().sent) std::abort();
  return 0;
}
