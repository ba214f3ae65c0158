/// Whatever one side of a vhost-user socket sends, the codec ends: with a payload that can be sent
/// again and then is the same, or a text that says why not. The input is a stream of messages.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <variant>

#include "e1000tlm/virtio/vhost_user.h"

namespace {

using namespace e1000tlm;
using namespace e1000tlm::virtio::vhost_user;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const Payload& payload) {
  if (const auto* table = std::get_if<MemoryTable>(&payload)) {
    require(table->regions.size() <= kMostRegions);
    for (const MemoryRegion& region : table->regions) {
      require(region.size != 0 && region.size - 1 <= ~std::uint64_t{0} - region.guest_address);
    }
  }
  if (const auto* config = std::get_if<Config>(&payload)) {
    require(config->offset + config->data.size() <= kMostConfig);
  }
}

/// What was understood is understood again, and means the same.
void check_again(const Header& header, const Payload& payload, std::size_t descriptors) {
  const Message message = encode(static_cast<Request>(header.request), payload, header.need_reply);
  const auto again = parse_header(ConstBytes(message));
  require(std::holds_alternative<Header>(again));
  const auto body = ConstBytes(message).subspan(kHeaderBytes);
  const auto parsed = parse_request(Side::kFrontEnd, std::get<Header>(again), body, descriptors);
  require(std::holds_alternative<Payload>(parsed));
  require(describe(Side::kFrontEnd, header, payload) ==
          describe(Side::kFrontEnd, header, std::get<Payload>(parsed)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ConstBytes rest(data, size);
  Header asked;
  while (rest.size() >= kHeaderBytes) {
    const auto parsed = parse_header(rest);
    const auto* header = std::get_if<Header>(&parsed);
    if (header == nullptr) {
      require(!std::get<std::string>(parsed).empty());
      return 0;
    }
    require(header->size <= kMostPayload);
    // A message that ends early is not looked at before the rest is there.
    if (rest.size() - kHeaderBytes < header->size) return 0;
    const ConstBytes body = rest.subspan(kHeaderBytes, header->size);
    for (const std::size_t descriptors : {0, 1, 2, 8}) {
      for (const Side side : {Side::kFrontEnd, Side::kBackEnd}) {
        const auto request = parse_request(side, *header, body, descriptors);
        if (const auto* why = std::get_if<std::string>(&request)) {
          require(!why->empty());
          continue;
        }
        check(std::get<Payload>(request));
        require(!describe(side, *header, std::get<Payload>(request)).empty());
        if (side == Side::kFrontEnd) check_again(*header, std::get<Payload>(request), descriptors);
      }
      const auto reply = parse_reply(Side::kFrontEnd, asked, *header, body, descriptors);
      if (const auto* payload = std::get_if<Payload>(&reply)) check(*payload);
    }
    if (!header->reply) asked = *header;
    rest = rest.subspan(kHeaderBytes + header->size);
  }
  return 0;
}
