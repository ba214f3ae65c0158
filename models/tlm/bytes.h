#pragma once
/// Views of bytes, and little/big-endian access to them.

#include <cstdint>
#include <gsl/span>

#include <boost/endian/conversion.hpp>

namespace e1000tlm {

/// Bytes that may be written.
using Bytes = gsl::span<std::uint8_t>;
/// Bytes that may be read.
using ConstBytes = gsl::span<const std::uint8_t>;

// The caller guarantees that the bytes are there; spans are checked where guests can reach.
/// 16 bits, big endian.
inline std::uint16_t load_be16(const std::uint8_t* p) { return boost::endian::load_big_u16(p); }
/// 32 bits, big endian.
inline std::uint32_t load_be32(const std::uint8_t* p) { return boost::endian::load_big_u32(p); }
/// 16 bits, little endian.
inline std::uint16_t load_le16(const std::uint8_t* p) { return boost::endian::load_little_u16(p); }
/// 32 bits, little endian.
inline std::uint32_t load_le32(const std::uint8_t* p) { return boost::endian::load_little_u32(p); }
/// 64 bits, little endian.
inline std::uint64_t load_le64(const std::uint8_t* p) { return boost::endian::load_little_u64(p); }
/// 16 bits, big endian.
inline void store_be16(std::uint8_t* p, std::uint16_t v) { boost::endian::store_big_u16(p, v); }
/// 32 bits, big endian.
inline void store_be32(std::uint8_t* p, std::uint32_t v) { boost::endian::store_big_u32(p, v); }
/// 16 bits, little endian.
inline void store_le16(std::uint8_t* p, std::uint16_t v) { boost::endian::store_little_u16(p, v); }
/// 32 bits, little endian.
inline void store_le32(std::uint8_t* p, std::uint32_t v) { boost::endian::store_little_u32(p, v); }
/// 64 bits, little endian.
inline void store_le64(std::uint8_t* p, std::uint64_t v) { boost::endian::store_little_u64(p, v); }

}  // namespace e1000tlm
