#pragma once
/// Base64 (RFC 4648 section 4). No SystemC.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::plugs {

/// With padding, without line breaks.
std::string base64_encode(ConstBytes data);

/// Characters outside the alphabet are skipped and padding ends the data, as lenient decoders do;
/// bits that make no whole byte are dropped.
std::vector<std::uint8_t> base64_decode(std::string_view text);

}  // namespace e1000tlm::plugs
