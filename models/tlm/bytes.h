#pragma once
/// Views of bytes, and little/big-endian access to them.

#include <cstdint>
#include <gsl/span>

#include <boost/endian/conversion.hpp>

namespace e1000tlm {

using Bytes = gsl::span<std::uint8_t>;
using ConstBytes = gsl::span<const std::uint8_t>;

// The caller guarantees that the bytes are there; spans are checked where guests can reach.
inline std::uint16_t load_be16(const std::uint8_t* p) { return boost::endian::load_big_u16(p); }
inline std::uint32_t load_be32(const std::uint8_t* p) { return boost::endian::load_big_u32(p); }
inline std::uint16_t load_le16(const std::uint8_t* p) { return boost::endian::load_little_u16(p); }
inline std::uint32_t load_le32(const std::uint8_t* p) { return boost::endian::load_little_u32(p); }
inline std::uint64_t load_le64(const std::uint8_t* p) { return boost::endian::load_little_u64(p); }
inline void store_be16(std::uint8_t* p, std::uint16_t v) { boost::endian::store_big_u16(p, v); }
inline void store_be32(std::uint8_t* p, std::uint32_t v) { boost::endian::store_big_u32(p, v); }
inline void store_le16(std::uint8_t* p, std::uint16_t v) { boost::endian::store_little_u16(p, v); }
inline void store_le32(std::uint8_t* p, std::uint32_t v) { boost::endian::store_little_u32(p, v); }
inline void store_le64(std::uint8_t* p, std::uint64_t v) { boost::endian::store_little_u64(p, v); }

}  // namespace e1000tlm
