#pragma once
/// What a bad line does to which frame, and when: decided from a seed. No SystemC.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "e1000tlm/link/wire.h"
#include "e1000tlm/tlm/time.h"

namespace e1000tlm::link {

/// Loss in bursts: a line that is good or bad, and changes with a frame (E. N. Gilbert 1960, E. O.
/// Elliott 1963). A burst lasts 1/recover frames on average; the line is bad for
/// fail / (fail + recover) of the frames.
struct GilbertElliott {
  double fail = 0;       ///< chance that the line turns bad with a frame
  double recover = 1;    ///< chance that it turns good again
  double loss_bad = 1;   ///< chance that a frame is lost while it is bad
  double loss_good = 0;  ///< ditto while it is good
};

/// How jitter is distributed.
enum class JitterKind : std::uint8_t {
  kUniform,  ///< from -jitter to +jitter
  kNormal,   ///< jitter is the standard deviation (sum of 12 uniform numbers, so within 6 of it)
  kExponential,  ///< jitter is the mean of what is added to the delay
  kPareto,       ///< ditto, with a heavy tail (shape 3, which has a finite variance)
};
/// As users write them, by JitterKind.
inline constexpr std::array<std::string_view, 4> kJitterNames{"uniform", "normal", "exponential",
                                                              "pareto"};

/// Frames by their number, counted from 1.
struct FrameRange {
  std::uint64_t first = 0;  ///< of them
  std::uint64_t last = 0;   ///< inclusive
};

/// What one direction of a line does. The defaults do nothing.
struct ImpairConfig {
  double loss = 0;                      ///< chance that a frame is lost, independently of others
  std::optional<GilbertElliott> burst;  ///< loss in bursts, beside `loss`
  std::vector<FrameRange> lose;         ///< these frames are lost, ascending
  double corrupt = 0;                   ///< chance that one bit of a frame is inverted
  bool mend_fcs = false;                ///< a corrupted frame's FCS is made right: damage that only
                                        ///< higher layers notice
  double duplicate = 0;                 ///< chance that a frame comes twice
  double reorder = 0;                   ///< chance that a frame is overtaken
  unsigned depth = 1;                   ///< by so many frames, 1 or more
  Time wait = ms(10);                   ///< or, where fewer follow, that it is so late
  Time delay{};                         ///< of each frame
  Time jitter{};                        ///< see JitterKind
  JitterKind distribution = JitterKind::kUniform;  ///< of jitter
  bool overtake = false;                           ///< jitter may let frames overtake each other
  std::uint64_t rate = 0;                ///< bit/s, preamble and gap included; 0: that of the wire
  std::size_t queue_bytes = 256 * 1024;  ///< that wait for `rate` at most
  Time from{};                           ///< all of this begins with frames that start then
  Time until = kTimeNever;               ///< and ends before frames that start then
  std::uint64_t seed = 1;                ///< of chance
};

/// Why a frame did not get through.
enum class ImpairLoss : std::uint8_t {
  kLoss,      ///< ImpairConfig::loss
  kBurst,     ///< ImpairConfig::burst
  kChosen,    ///< ImpairConfig::lose
  kRate,      ///< no room in the queue of ImpairConfig::rate
  kOverflow,  ///< more is held back than there is room for
  kLinkLost,  ///< held back when the link went
  kCount,
};
/// As the summary has them, by ImpairLoss.
inline constexpr std::array<std::string_view, static_cast<std::size_t>(ImpairLoss::kCount)>
    kImpairLossNames{"impair_loss", "impair_burst",    "impair_chosen",
                     "impair_rate", "impair_overflow", "impair_link_lost"};

/// What has happened in one direction so far.
struct ImpairStatistics {
  std::uint64_t frames = 0;  ///< that came in
  /// By ImpairLoss.
  std::array<std::uint64_t, static_cast<std::size_t>(ImpairLoss::kCount)> lost{};
  std::uint64_t corrupted = 0;   ///< not those that were lost
  std::uint64_t duplicated = 0;  ///< ditto
  std::uint64_t set_aside = 0;   ///< to be overtaken
  std::uint64_t delayed = 0;     ///< that went on later than they came
};

/// Decides. Chance is a function of the seed, the frame's number and the kind of damage alone: the
/// same frames are lost whatever else is configured or changed in between, in both accuracies.
/// Burst loss alone also depends on the frames before.
class Impairment {
 public:
  /// `stream` tells directions with the same seed apart.
  explicit Impairment(const ImpairConfig& config, unsigned stream = 0);

  /// What becomes of a frame.
  struct Verdict {
    std::optional<ImpairLoss> lost;           ///< nullopt: it goes on
    std::optional<std::size_t> inverted_bit;  ///< counted from the first byte's lowest bit
    bool twice = false;                       ///< it comes twice
    bool aside = false;                       ///< it waits until others have overtaken it
    Time start{};                             ///< first bit of the preamble, out
  };
  /// Of the next frame: its first bit comes in at `start`, and it has this many bytes from
  /// destination address to FCS. Frames come in the order of their starts.
  Verdict decide(Time start, std::size_t wire_bytes, Speed speed);

  /// From the next frame on; their numbers go on. Throws std::invalid_argument as check() does.
  void change(const ImpairConfig& config);
  /// As last given.
  const ImpairConfig& config() const { return config_; }
  /// So far.
  const ImpairStatistics& statistics() const { return statistics_; }
  /// A frame that decide() let through has been lost all the same.
  void lose(ImpairLoss reason) { ++statistics_.lost[static_cast<std::size_t>(reason)]; }

  /// Throws std::invalid_argument naming the value that is out of its range.
  static void check(const ImpairConfig& config);

 private:
  std::uint64_t draw(std::uint64_t frame, unsigned purpose) const;
  bool chance(double probability, std::uint64_t frame, unsigned purpose) const;
  std::optional<ImpairLoss> loss_of(std::uint64_t frame);
  bool shape(Time& start, std::size_t wire_bytes, Speed speed);
  Time late(std::uint64_t frame) const;

  ImpairConfig config_;
  unsigned stream_;
  ImpairStatistics statistics_;
  bool bad_ = false;         // state of GilbertElliott
  Time free_{};              // the shaped line has sent everything
  std::uint64_t carry_ = 0;  // of free_, in fractions of a picosecond
  Time last_out_{};          // start of the frame decided last
};

}  // namespace e1000tlm::link
