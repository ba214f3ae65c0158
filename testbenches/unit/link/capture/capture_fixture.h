#pragma once
/// Capture files put together byte by byte, good and bad, for tests.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::link::test {

/// A path of its own for each process, removed at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& name)
      : path_((std::filesystem::temp_directory_path() /
               ("e1000tlm-" + std::to_string(getpid()) + '-' + name))
                  .string()) {}
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Bytes appended field by field, in either byte order.
class Bytestream {
 public:
  explicit Bytestream(bool big_endian = false) : big_(big_endian) {}
  Bytestream& u16(std::uint16_t v) { return number(v, 2); }
  Bytestream& u32(std::uint32_t v) { return number(v, 4); }
  Bytestream& raw(const std::vector<std::uint8_t>& v) {
    for (const std::uint8_t byte : v) bytes_.push_back(byte);
    return *this;
  }
  Bytestream& cut(std::size_t size) {
    bytes_.resize(bytes_.size() - size);
    return *this;
  }
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }
  void save(const std::string& path) const {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes_.data()),
               static_cast<std::streamsize>(bytes_.size()));
  }

 private:
  Bytestream& number(std::uint32_t v, int size) {
    for (int i = 0; i < size; ++i) {
      bytes_.push_back(static_cast<std::uint8_t>(v >> (8 * (big_ ? size - 1 - i : i))));
    }
    return *this;
  }
  bool big_;
  std::vector<std::uint8_t> bytes_;
};

inline constexpr std::uint32_t kMicroseconds = 0xA1B2C3D4;
inline constexpr std::uint32_t kNanoseconds = 0xA1B23C4D;
inline constexpr std::uint32_t kEthernet = 1;

inline Bytestream pcap_header(std::uint32_t magic = kMicroseconds, std::uint32_t type = kEthernet,
                              bool big_endian = false) {
  Bytestream file(big_endian);
  file.u32(magic).u16(2).u16(4).u32(0).u32(0).u32(262144).u32(type);
  return file;
}

inline void add_record(Bytestream& file, std::uint32_t seconds, std::uint32_t fraction,
                       const std::vector<std::uint8_t>& captured, std::uint32_t original) {
  file.u32(seconds).u32(fraction).u32(static_cast<std::uint32_t>(captured.size())).u32(original);
  file.raw(captured);
}
inline void add_record(Bytestream& file, std::uint32_t seconds, std::uint32_t fraction,
                       const std::vector<std::uint8_t>& frame) {
  add_record(file, seconds, fraction, frame, static_cast<std::uint32_t>(frame.size()));
}

inline std::uint32_t swapped(std::uint32_t v) {
  return v << 24 | (v & 0xFF00) << 8 | (v >> 8 & 0xFF00) | v >> 24;
}

/// A pcapng file put together block by block, each in the byte order of its section.
class PcapngFile {
 public:
  using Content = std::vector<std::uint8_t>;

  explicit PcapngFile(bool big_endian = false) { section(big_endian); }
  PcapngFile& section(bool big_endian) {
    big_ = big_endian;
    Bytestream body(big_);
    body.u32(0x1A2B3C4D).u16(1).u16(0).u32(0xFFFFFFFF).u32(0xFFFFFFFF);
    return block(0x0A0D0D0A, body);
  }
  PcapngFile& interface(std::uint16_t link_type = kEthernet, std::uint32_t snap_length = 0,
                        const Content& options = {}) {
    Bytestream body(big_);
    body.u16(link_type).u16(0).u32(snap_length).raw(options);
    return block(1, body);
  }
  /// An option of one byte, with the end of options behind it.
  Content option(std::uint16_t code, std::uint8_t value) const {
    Bytestream option(big_);
    option.u16(code).u16(1).raw({value, 0, 0, 0}).u32(0);
    return option.bytes();
  }
  PcapngFile& packet(std::uint32_t interface, std::uint64_t ticks, const Content& captured,
                     std::uint32_t original) {
    Bytestream body(big_);
    body.u32(interface).u32(static_cast<std::uint32_t>(ticks >> 32));
    body.u32(static_cast<std::uint32_t>(ticks));
    body.u32(static_cast<std::uint32_t>(captured.size())).u32(original).raw(captured);
    return block(6, body);
  }
  PcapngFile& packet(std::uint32_t interface, std::uint64_t ticks, const Content& frame) {
    return packet(interface, ticks, frame, static_cast<std::uint32_t>(frame.size()));
  }
  PcapngFile& block(std::uint32_t type, const Bytestream& body) {
    Content content = body.bytes();
    content.resize((content.size() + 3) / 4 * 4);
    const auto length = static_cast<std::uint32_t>(content.size() + 12);
    Bytestream all(big_);
    all.u32(type).u32(length).raw(content).u32(length);
    file_.raw(all.bytes());
    return *this;
  }
  bool big_endian() const { return big_; }
  Bytestream& file() { return file_; }

 private:
  bool big_ = false;
  Bytestream file_;
};

/// A frame of which every byte is `fill`.
inline std::vector<std::uint8_t> filled(std::size_t size, std::uint8_t fill) {
  return std::vector<std::uint8_t>(size, fill);
}

}  // namespace e1000tlm::link::test
