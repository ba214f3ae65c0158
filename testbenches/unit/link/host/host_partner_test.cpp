// What all partners that reach the host have in common, with a device of our own.
#include "e1000tlm/link/host/host_partner.h"

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "testbenches/support/sc_test.h"
#include "testbenches/unit/link/host/host_fixture.h"

namespace e1000tlm::link {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

/// What a device was given, and what it gives: frames by their first byte of payload, and queues.
struct Script {
  using Marked = std::pair<unsigned, std::uint16_t>;
  std::vector<Marked> written;
  std::deque<Marked> to_read;
  unsigned busy = 0;  // so many writes find no room
};

class ScriptedDevice : public HostDevice {
 public:
  ScriptedDevice(Script& script, unsigned queues) : script_(script), queues_(queues) {}
  int fd() const override { return wake_.fd(); }
  bool poll_tells_room() const override { return false; }
  ReadResult read() override {
    if (script_.to_read.empty()) return {Outcome::kAgain, {}, nullptr};
    const auto [number, queue] = script_.to_read.front();
    script_.to_read.pop_front();
    frame_ = numbered_frame(number);
    return {Outcome::kDone, frame_, nullptr, 1, queue};
  }
  WriteResult write(ConstBytes frame, milliseconds wait) override {
    return write_by(kNoQueue, frame, wait);
  }
  WriteResult write_by(std::uint16_t queue, ConstBytes frame, milliseconds) override {
    if (script_.busy > 0) {
      --script_.busy;
      return {Outcome::kAgain, nullptr};
    }
    script_.written.emplace_back(number_of({frame.begin(), frame.end()}), queue);
    return {Outcome::kDone, nullptr};
  }
  unsigned queues() const override { return queues_; }

 private:
  Script& script_;
  unsigned queues_;
  WakeUp wake_;
  Octets frame_;
};

struct Bench {
  explicit Bench(unsigned queues)
      : nic("nic", cable.end(0)),
        partner("partner", cable.end(1), PartnerSpec{},
                std::make_unique<ScriptedDevice>(script, queues), us(10)) {
    partner.use_polling();
    nic.begin();
  }
  void send(unsigned number, std::uint16_t queue) {
    FramePtr frame = FramePool::shared().copy(numbered_frame(number));
    frame->queue = queue;
    const Time in = cable.end(0).send(std::move(frame), sc_now()) + us(1);
    sc_core::sc_start(to_sc(in - sc_now()));
  }

  Script script;
  Cable cable{"cable"};
  NicEnd nic;
  HostPartner partner;
};

TEST(HostPartner, AFramesQueueReachesTheDeviceAlsoWhenItHadToWait) {
  Bench bench(4);
  EXPECT_EQ(bench.partner.queues(), 4U);
  bench.send(1, 3);
  bench.send(2, kNoQueue);
  bench.script.busy = 1;
  bench.send(3, 2);
  bench.send(4, 0);
  EXPECT_TRUE(bench.partner.flush(milliseconds(1000)));
  EXPECT_THAT(bench.script.written, ElementsAre(std::pair(1, 3), std::pair(2, kNoQueue),
                                                std::pair(3, 2), std::pair(4, 0)));
}

TEST(HostPartner, AFrameCarriesTheQueueByWhichItCame) {
  Bench bench(4);
  bench.script.to_read = {{1, 2}, {2, 0}, {3, kNoQueue}, {4, 3}};
  EXPECT_EQ(bench.partner.poll(), 4U);
  sc_core::sc_start(20, sc_core::SC_US);
  EXPECT_EQ(bench.nic.received.size(), 4U);
  EXPECT_THAT(bench.nic.queues, ElementsAre(2, 0, kNoQueue, 3));
}

TEST(HostPartner, TheThreadKeepsEachFramesQueue) {
  Script script;
  script.to_read = {{1, 1}, {2, 0}, {3, 1}};
  Cable cable("cable");
  NicEnd nic("nic", cable.end(0));

  /// Always readable.
  class Ready : public ScriptedDevice {
   public:
    explicit Ready(Script& s) : ScriptedDevice(s, 2) { ready_.set(); }
    int fd() const override { return ready_.fd(); }

   private:
    WakeUp ready_;
  };
  HostPartner partner("partner", cable.end(1), PartnerSpec{}, std::make_unique<Ready>(script),
                      us(10));
  nic.begin();
  EXPECT_TRUE(run_until([&] { return nic.received.size() == 3; }));
  EXPECT_THAT(nic.queues, ElementsAre(1, 0, 1));
  partner.finish();
}

}  // namespace
}  // namespace e1000tlm::link
