#include "e1000tlm/traffic/generator.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

namespace e1000tlm::traffic {
namespace {

constexpr std::array<std::uint16_t, 12> kImix{64, 594, 64, 64, 594, 64, 1518, 64, 594, 64, 594, 64};
constexpr std::size_t kMinWire = kMinBytes + kFcsLength, kMaxWire = kMaxBytes + kFcsLength;

void check_size(std::size_t wire_bytes) {
  if (wire_bytes < kMinWire || wire_bytes > kMaxWire) {
    throw std::invalid_argument("frame size " + std::to_string(wire_bytes) + ": expected " +
                                std::to_string(kMinWire) + " to " + std::to_string(kMaxWire) +
                                " bytes including FCS");
  }
}

}  // namespace

SizeMix SizeMix::fixed(std::size_t wire_bytes) {
  check_size(wire_bytes);
  return {Kind::kFixed, wire_bytes, wire_bytes};
}

SizeMix SizeMix::imix() { return {Kind::kImix, 64, 1518}; }

SizeMix SizeMix::uniform(std::size_t min_wire_bytes, std::size_t max_wire_bytes) {
  check_size(min_wire_bytes);
  check_size(max_wire_bytes);
  if (min_wire_bytes > max_wire_bytes) {
    throw std::invalid_argument("frame sizes " + std::to_string(min_wire_bytes) + "-" +
                                std::to_string(max_wire_bytes) + ": the smaller comes first");
  }
  return {Kind::kUniform, min_wire_bytes, max_wire_bytes};
}

SizeMix SizeMix::parse(std::string_view text) {
  if (text == "imix") return imix();
  const std::size_t dash = text.find('-');
  std::size_t smallest = 0;
  std::size_t largest = 0;
  try {
    smallest = parse_size(text.substr(0, dash));
    largest = dash == std::string_view::npos ? smallest : parse_size(text.substr(dash + 1));
  } catch (const std::invalid_argument&) {
    throw std::invalid_argument("frame size '" + std::string(text) +
                                "': expected imix, a size such as 1518 or a range such as 64-1518");
  }
  return dash == std::string_view::npos ? fixed(smallest) : uniform(smallest, largest);
}

std::size_t SizeMix::draw(std::uint64_t sequence, std::mt19937_64& random) const {
  switch (kind_) {
    case Kind::kImix: return kImix[sequence % kImix.size()] - kFcsLength;
    // Plain modulo: the distributions of <random> differ between libraries, runs must not.
    case Kind::kUniform: return min_ + random() % (max_ - min_ + 1) - kFcsLength;
    case Kind::kFixed: break;
  }
  return min_ - kFcsLength;
}

FrameGenerator::FrameGenerator(const GeneratorConfig& config)
    : config_(config), pattern_(config.seed), pacer_(config.rate), random_(config.seed) {
  std::uint8_t* h = header_.data();
  std::copy(config.destination.begin(), config.destination.end(), h);
  std::copy(config.source.begin(), config.source.end(), h + 6);
  store_be16(h + 12, 0x0800);
  store_be16(h + kIpOffset, 0x4500);
  store_be16(h + kIpOffset + 6, 0x4000);  // don't fragment
  store_be16(h + kIpOffset + 8, 0x4011);  // TTL 64, UDP
  const auto host = static_cast<std::uint32_t>(config.stream % 250 + 1);
  store_be32(h + kIpOffset + 12, 0xC0000200U + host);
  store_be32(h + kIpOffset + 16, 0xC6336400U + host);
  store_be16(h + kUdpOffset, static_cast<std::uint16_t>(kFirstPort + config.stream % 16384));
  store_be16(h + kUdpOffset + 2, kDiscardPort);
  ip_sum_ = word_sum(h + kIpOffset, 20);
  udp_sum_ = word_sum(h + kIpOffset + 12, 8) + 17 + word_sum(h + kUdpOffset, 4);
  size_ = config_.sizes.draw(0, random_);
}

void FrameGenerator::write(std::uint8_t* out, Time stamp) {
  const auto sequence = static_cast<std::uint32_t>(sequence_);
  const std::size_t fill = size_ - kFillOffset;
  std::memcpy(out, header_.data(), header_.size());
  std::uint8_t* ip = out + kIpOffset;
  const auto ip_length = static_cast<std::uint16_t>(size_ - kIpOffset);
  const auto id = static_cast<std::uint16_t>(sequence_);
  store_be16(ip + 2, ip_length);
  store_be16(ip + 4, id);
  store_be16(ip + 10, static_cast<std::uint16_t>(~fold(ip_sum_ + ip_length + id)));

  std::uint8_t* payload = out + kStampOffset;
  store_be16(payload, kMagic);
  store_be16(payload + 2, config_.stream);
  store_be32(payload + 4, sequence);
  store_be32(payload + 8, static_cast<std::uint32_t>(stamp.count() >> 32));
  store_be32(payload + 12, static_cast<std::uint32_t>(stamp.count()));
  std::memcpy(out + kFillOffset, pattern_.filler(sequence), fill);

  const auto udp_length = static_cast<std::uint16_t>(size_ - kUdpOffset);
  store_be16(out + kUdpOffset + 4, udp_length);
  // The length counts twice: in the header and in the pseudo header.
  const std::uint16_t sum = fold(udp_sum_ + std::uint64_t{2} * udp_length + word_sum(payload, 16) +
                                 pattern_.sum(sequence, fill));
  store_be16(out + kUdpOffset + 6, sum == 0xFFFF ? 0xFFFF : static_cast<std::uint16_t>(~sum));

  pacer_.sent(size_ + kFcsLength);
  bytes_ += size_;
  ++sequence_;
  size_ = config_.sizes.draw(sequence_, random_);
}

}  // namespace e1000tlm::traffic
