#pragma once
/// Connects a recorder to the probes of a board.

#include <memory>
#include <vector>

#include "e1000tlm/board/board.h"
#include "e1000tlm/trace/frame_path.h"
#include "e1000tlm/trace/nic_tap.h"
#include "e1000tlm/trace/recorder.h"
#include "e1000tlm/trace/scene.h"

namespace e1000tlm::trace {

/// Listens to every probe of a board that is not running yet, and tells the recorder, and the path
/// finder what single frames do. Both, and the board, must outlive the run. Without it, a board
/// does not know that it can be watched.
class Taps : private EventSink {
 public:
  /// Attaches. The recorder gets the events and the ways of frames. `waves`: pins and single
  /// transactions as well, which takes events of the simulation.
  Taps(platform::Board& board, Recorder& recorder, bool waves = false);
  ~Taps() override;
  /// What there is.
  const Scene& scene() const { return scene_; }
  /// Frames whose way was lost; see PathFinder.
  std::uint64_t lost_track() const { return paths_.lost_track(); }

 private:
  class BusTap;
  void tell(const Event& event, bool follow) override;
  void tail(std::uint16_t nic, std::uint32_t tdt, std::uint32_t entries) override;

  Recorder& recorder_;
  PathFinder paths_;
  Scene scene_;
  std::vector<std::unique_ptr<NicTap>> nics_;
  std::vector<std::unique_ptr<BusTap>> buses_;
};

}  // namespace e1000tlm::trace
