#pragma once
/// The flash memory on the card: image, file, and the 8-bit wide device (manual 7). No SystemC.

#include <array>
#include <cstdint>
#include <gsl/span>
#include <string>
#include <vector>

#include "e1000tlm/tlm/time.h"

namespace e1000tlm::e1000 {

/// 64, 128, 256 or 512 KiB: what the controllers can address (manual 4.1, 7).
class FlashImage {
 public:
  /// Smallest size.
  static constexpr std::uint32_t kLeastBytes = 64 << 10;
  /// Largest size.
  static constexpr std::uint32_t kMostBytes = 512 << 10;
  /// One of the four sizes.
  static bool is_size(std::uint64_t bytes);

  /// Erased: all FFh. Throws std::invalid_argument for any other size.
  explicit FlashImage(std::uint32_t bytes);
  /// Raw bytes. Throws std::runtime_error naming the file and what is wrong.
  static FlashImage load(const std::string& path);
  /// Throws std::runtime_error naming the file if it cannot be written completely.
  void save(const std::string& path) const;

  /// In bytes.
  std::uint32_t size() const { return static_cast<std::uint32_t>(bytes_.size()); }
  /// The contents.
  gsl::span<std::uint8_t> bytes() { return bytes_; }
  /// Ditto.
  gsl::span<const std::uint8_t> bytes() const { return bytes_; }

  /// The same bytes.
  bool operator==(const FlashImage& other) const { return bytes_ == other.bytes_; }

 private:
  std::vector<std::uint8_t> bytes_;
};

/// Typical times of the SST39VF512/010/020/040, 70 ns grade (data sheet).
struct FlashTiming {
  Time access = ns(70);  ///< of one byte, read or written
  /// Programming one byte.
  Time byte_program = us(14);
  /// Erasing 4 KiB.
  Time sector_erase = ms(18);
  /// Erasing everything.
  Time chip_erase = ms(70);
};

/// An SST39VF512, 010, 020 or 040 by the size of the image. Intel's manual leaves the device open
/// (8 bits wide, "such as the Atmel AT49LV010"); this family exists in every size that the
/// controllers address, and its commands are those of JEDEC's standard that Atmel's and AMD's
/// devices of the time share: unlock by AAh at 5555h and 55h at 2AAAh (address bits 14:0 count),
/// then at 5555h
///
///   A0h        the next write programs a byte: ones become zeros, zeros stay
///   80h        and after a second unlock 10h at 5555h (erase all) or 30h in a 4 KiB sector
///   90h        identification: even addresses read BFh (SST), odd ones D4h to D7h
///   F0h        back to reading; F0h anywhere does as well
///
/// While it programs or erases, reads at any address show status: bit 7 the complement of what is
/// being programmed (0 when erasing), bit 6 toggles from read to read; writes are ignored. Anything
/// else abandons a sequence. Identification must be left before bytes are programmed or erased.
///
/// The contents change when an operation starts; its time only keeps them from being read. Times
/// are simulated and must not go back.
class JedecFlash {
 public:
  /// What one sector erase clears.
  static constexpr std::uint32_t kSectorBytes = 4096;

  /// `image` must outlive the device; it is changed by programming and erasing.
  explicit JedecFlash(FlashImage& image, const FlashTiming& timing = {});

  /// Addresses wrap at the end of the device.
  std::uint8_t read(std::uint32_t address, Time now);
  /// Commands, and bytes to be programmed.
  void write(std::uint32_t address, std::uint8_t value, Time now);
  /// Programming or erasing.
  bool busy(Time now) const { return now < busy_until_; }
  /// End of the operation under way or of the last one.
  Time busy_until() const { return busy_until_; }
  /// As given.
  const FlashTiming& timing() const { return timing_; }

 private:
  enum class Step : std::uint8_t {  // what has been written so far
    kNothing,
    kUnlock1,       // AAh
    kUnlocked,      // AAh, 55h
    kProgram,       // ... A0h
    kErase,         // ... 80h
    kEraseUnlock1,  // ... 80h, AAh
    kEraseUnlocked
  };

  Step next(std::uint32_t address, std::uint8_t value, Time now);
  Step command(std::uint8_t value);
  void program(std::uint32_t address, std::uint8_t value, Time now);
  void erase(std::uint32_t first, std::uint32_t bytes, Time until);

  FlashImage& image_;
  FlashTiming timing_;
  Step step_ = Step::kNothing;
  bool identifying_ = false;
  bool toggle_ = false;
  std::uint8_t polled_ = 0;  // bit 7 of the status
  Time busy_until_ = kTimeZero;
};

}  // namespace e1000tlm::e1000
