#include "e1000tlm/plugs/base64.h"

namespace e1000tlm::plugs {
namespace {
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}

std::string base64_encode(ConstBytes data) {
  std::string text;
  text.reserve((data.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < data.size(); i += 3) {
    const std::size_t left = data.size() - i;
    std::uint32_t group = std::uint32_t{data[i]} << 16;
    if (left > 1) group |= std::uint32_t{data[i + 1]} << 8;
    if (left > 2) group |= data[i + 2];
    text += kAlphabet[group >> 18];
    text += kAlphabet[group >> 12 & 63];
    text += left > 1 ? kAlphabet[group >> 6 & 63] : '=';
    text += left > 2 ? kAlphabet[group & 63] : '=';
  }
  return text;
}

std::vector<std::uint8_t> base64_decode(std::string_view text) {
  std::vector<std::uint8_t> data;
  data.reserve(text.size() / 4 * 3 + 3);
  std::uint32_t bits = 0;
  unsigned count = 0;  // of bits not yet delivered
  for (const char c : text) {
    if (c == '=') break;
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) continue;
    bits = (bits << 6 | static_cast<std::uint32_t>(digit)) & 0xfff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      data.push_back(static_cast<std::uint8_t>(bits >> count));
    }
  }
  return data;
}

}  // namespace e1000tlm::plugs
