// A driver's own rings in the hands of back-ends of our own, good and hostile, without a
// simulation.
#include "e1000tlm/link/host/vhost_user_plane.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>

#include "testbenches/unit/link/host/vhost_back_end.h"

namespace e1000tlm::link {
namespace {

using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using SteadyClock = std::chrono::steady_clock;
namespace net = virtio::net;

constexpr std::size_t kMemory = 1U << 20;
constexpr std::uint16_t kSize = 16;
constexpr std::uint64_t kBuffers = 0x8'0000, kBufferBytes = 2048;
constexpr std::uint64_t kWanted =
    net::feature::kVersion1 | net::feature::kMergeableBuffers | net::feature::kEventIndex;

Octets frame(std::size_t size, std::uint8_t first = 1) {
  Octets bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(first + i * 7);
  return bytes;
}

/// A machine's memory, and a driver's side of queues in it.
class Guest {
 public:
  Guest() : fd_(::memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
    EXPECT_EQ(::ftruncate(fd_.get(), kMemory), 0);
    EXPECT_EQ(::fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_SHRINK), 0);
    void* const at = ::mmap(nullptr, kMemory, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    EXPECT_NE(at, MAP_FAILED);
    bytes_ = {static_cast<std::uint8_t*>(at), kMemory};
    memory_.add(0, bytes_);
  }
  ~Guest() { ::munmap(bytes_.data(), bytes_.size()); }
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  int descriptor() const { return fd_.get(); }
  Bytes bytes() const { return bytes_; }
  virtio::MappedMemory& memory() { return memory_; }

  /// The queues of so many pairs, fresh, with a buffer in each that receives.
  std::vector<virtio::DataPlane::Queue> set_up(unsigned pairs) {
    queues_.clear();
    std::vector<virtio::DataPlane::Queue> all;
    virtio::RingOptions options;
    options.event_index = true;
    for (unsigned i = 0; i < 2 * pairs; ++i) {
      queues_.push_back(std::make_unique<virtio::DriverQueue>(memory_));
      all.push_back({i, layout(i), 0});
      EXPECT_TRUE(queues_[i]->start(layout(i), options));
      if (i % 2 == 0) add_receive_buffers(i, 4);
    }
    return all;
  }
  static virtio::SplitLayout layout(unsigned queue) {
    return virtio::SplitLayout::at(0x1000U * (queue + 1), kSize);
  }
  void add_receive_buffers(unsigned queue, int count) {
    for (int i = 0; i < count; ++i) {
      const virtio::DriverQueue::Buffer buffer{next_buffer(), kBufferBytes, true};
      ASSERT_TRUE(queues_[queue]->add({&buffer, 1}));
      addresses_.push_back(buffer.address);
    }
    queues_[queue]->publish();
  }
  void send(unsigned pair, const Octets& content) {
    const virtio::DriverQueue::Buffer buffer{
        next_buffer(), static_cast<std::uint32_t>(net::header::kBytes + content.size()), false};
    const Bytes to = memory_.at(buffer.address, buffer.length);
    std::fill_n(to.begin(), net::header::kBytes, std::uint8_t{0});
    std::copy(content.begin(), content.end(), to.begin() + net::header::kBytes);
    ASSERT_TRUE(queues_[2 * pair + 1]->add({&buffer, 1}));
    queues_[2 * pair + 1]->publish();
  }
  /// Bytes written to the next used buffer; nullopt: there is none.
  std::optional<std::uint32_t> reap(unsigned queue) {
    virtio::DriverQueue::Used used;
    const auto outcome = queues_[queue]->reap(used);
    EXPECT_NE(outcome, virtio::DriverQueue::Reap::kBroken) << to_string(queues_[queue]->fault());
    if (outcome != virtio::DriverQueue::Reap::kUsed) return std::nullopt;
    return used.written;
  }

 private:
  std::uint64_t next_buffer() {
    return kBuffers + (next_buffer_++ % ((kMemory - kBuffers) / kBufferBytes)) * kBufferBytes;
  }
  UniqueFd fd_;
  Bytes bytes_;
  virtio::MappedMemory memory_;
  std::vector<std::unique_ptr<virtio::DriverQueue>> queues_;
  std::vector<std::uint64_t> addresses_;
  std::uint64_t next_buffer_ = 0;
};

struct Bench {
  explicit Bench(unsigned pairs = 1) : plane(config(pairs)) {}

  VhostUserPlaneConfig config(unsigned pairs) {
    VhostUserPlaneConfig made;
    made.connection.chardev.address.path = path();
    made.connection.chardev.server = true;
    made.connection.log = directory.file("log");
    made.wait = false;
    made.pairs = pairs;
    made.memory_descriptor = guest.descriptor();
    made.memory = guest.bytes();
    return made;
  }
  std::string path() const { return directory.file("vhost"); }

  /// Both sides do what there is to do until nothing is left.
  void settle(VhostBackEnd& back_end) {
    for (int quiet = 0; quiet < 3;) {
      const std::size_t before = back_end.log.size();
      serve();
      back_end.serve();
      serve();
      quiet = back_end.log.size() == before ? quiet + 1 : 0;
    }
  }
  void serve() {
    plane.serve();
    const VhostUserPlane::News now = plane.take_news();
    news.used |= now.used;
    if (now.link) news.link = now.link;
    if (!now.failure.empty()) news.failure = now.failure;
  }
  /// What the device is told from here on.
  VhostUserPlane::News fresh() { return std::exchange(news, {}); }
  /// A call that waits for answers, which the back-end gives meanwhile.
  template <class Call>
  void meanwhile(VhostBackEnd& back_end, const Call& call) {
    std::atomic<bool> over{false};
    std::thread answers([&] {
      while (!over && back_end.serve()) std::this_thread::sleep_for(std::chrono::microseconds(50));
    });
    call();
    over = true;
    answers.join();
  }
  void start(unsigned pairs = 1) { plane.start(kWanted, guest.set_up(pairs)); }

  TemporaryDirectory directory;
  Guest guest;
  VhostUserPlane plane;
  VhostUserPlane::News news;
};

/// First words of a log's lines from one on.
std::vector<std::string> names(const std::vector<std::string>& log, std::size_t from = 0) {
  std::vector<std::string> all;
  for (std::size_t i = from; i < log.size(); ++i) {
    all.push_back(log[i].substr(0, log[i].find(' ')));
  }
  return all;
}

void pass_frames(Bench& bench, VhostBackEnd& back_end, unsigned pair = 0) {
  bench.fresh();
  const unsigned receive = 2 * pair, transmit = receive + 1;
  // Nothing is left, and the back-end is asked to tell of the next one.
  EXPECT_EQ(bench.guest.reap(receive), std::nullopt);
  EXPECT_EQ(bench.guest.reap(transmit), std::nullopt);
  bench.guest.send(pair, frame(300));
  bench.plane.notified(transmit);
  EXPECT_GT(back_end.kicks(transmit), 0U);
  EXPECT_EQ(back_end.take(pair), frame(300));
  bench.serve();
  EXPECT_TRUE(bench.fresh().used[transmit]);
  EXPECT_EQ(bench.guest.reap(transmit), 0U);
  EXPECT_TRUE(back_end.give(frame(200), pair));
  bench.serve();
  EXPECT_TRUE(bench.fresh().used[receive]);
  EXPECT_EQ(bench.guest.reap(receive), net::header::kBytes + 200U);
  bench.guest.add_receive_buffers(receive, 1);
}

TEST(VhostUserPlane, DoesWhatADriversStatusDemandsInThatOrder) {
  Bench bench;
  VhostBackEnd back_end(bench.path());
  bench.settle(back_end);
  EXPECT_THAT(names(back_end.log), ElementsAre("SET_OWNER", "GET_FEATURES", "GET_PROTOCOL_FEATURES",
                                               "SET_PROTOCOL_FEATURES", "GET_QUEUE_NUM",
                                               "SET_VRING_CALL", "SET_VRING_CALL"));
  EXPECT_EQ(bench.fresh().link, true);
  std::size_t seen = back_end.log.size();
  bench.start();
  bench.settle(back_end);
  EXPECT_THAT(names(back_end.log, seen),
              ElementsAre("SET_STATUS", "SET_FEATURES", "SET_STATUS", "GET_STATUS", "SET_MEM_TABLE",
                          "SET_VRING_NUM", "SET_VRING_BASE", "SET_VRING_ADDR", "SET_VRING_KICK",
                          "SET_VRING_CALL", "SET_VRING_NUM", "SET_VRING_BASE", "SET_VRING_ADDR",
                          "SET_VRING_KICK", "SET_VRING_CALL", "SET_VRING_ENABLE",
                          "SET_VRING_ENABLE", "SET_STATUS"));
  EXPECT_TRUE(bench.plane.running());
  EXPECT_EQ(back_end.agreed() & ~vhost::feature::kProtocolFeatures, kWanted);
  pass_frames(bench, back_end);

  seen = back_end.log.size();
  bench.meanwhile(back_end, [&] { bench.plane.stop(); });
  EXPECT_THAT(names(back_end.log, seen),
              ElementsAre("SET_VRING_ENABLE", "SET_VRING_ENABLE", "GET_VRING_BASE",
                          "GET_VRING_BASE", "SET_STATUS"));
  EXPECT_FALSE(bench.fresh().link) << "the back-end is still there";
  bench.start();
  bench.settle(back_end);
  pass_frames(bench, back_end);
}

TEST(VhostUserPlane, ADriverMayBeThereFirst) {
  Bench bench;
  EXPECT_EQ(bench.plane.features(), VhostUserPlane::kAnyBackEnd | ~VhostUserPlane::kOfPackets);
  bench.start();
  bench.guest.send(0, frame(99));
  bench.plane.notified(1);
  VhostBackEnd back_end(bench.path());
  bench.settle(back_end);
  EXPECT_TRUE(bench.plane.running());
  EXPECT_EQ(back_end.take(), frame(99));
}

TEST(VhostUserPlane, WhatNobodyHasUsedIsThereForTheNextBackEnd) {
  Bench bench;
  bench.start();
  std::uint16_t used = 0;
  for (int round = 0; round < 4; ++round) {
    VhostBackEnd back_end(bench.path());
    bench.settle(back_end);
    ASSERT_TRUE(bench.plane.running());
    const VhostUserPlane::News news = bench.fresh();
    EXPECT_EQ(news.link, true);
    EXPECT_EQ(news.used.count(), round == 0 ? 0U : 2U) << "who knows what the last one has told";
    EXPECT_THAT(back_end.log,
                Contains("SET_VRING_BASE index=1 num=" + std::to_string(used) + " need_reply"));
    if (round > 0) {
      EXPECT_EQ(back_end.take(), frame(60, 2)) << "taken by the last one and not used";
      EXPECT_EQ(back_end.take(), frame(60, 3)) << "not even taken";
      used += 2;
      EXPECT_EQ(bench.guest.reap(1), 0U);
      EXPECT_EQ(bench.guest.reap(1), 0U);
    }
    pass_frames(bench, back_end);
    ++used;
    for (std::uint8_t i = 1; i <= 3; ++i) bench.guest.send(0, frame(60, i));
    EXPECT_EQ(back_end.take(), frame(60, 1));
    ++used;
    EXPECT_EQ(bench.guest.reap(1), 0U);
    EXPECT_EQ(back_end.keep(), frame(60, 2));
    back_end.hang_up();
    bench.serve();
    EXPECT_EQ(bench.fresh().link, false);
    EXPECT_FALSE(bench.plane.running());
    bench.plane.notified(1);  // nobody is there; nothing happens
  }
  EXPECT_THAT(bench.plane.warnings(), IsEmpty()) << "that one has gone is no fault";
}

TEST(VhostUserPlane, ABackEndMayDieAtAnyByteOfItsAnswers) {
  Bench bench(2);
  std::size_t lives = 0;
  for (std::size_t bytes = 0;; bytes += 5, ++lives) {
    VhostBackEnd back_end(bench.path());
    back_end.most_bytes = bytes;
    if (lives % 2 == 0) bench.start(2);
    bench.settle(back_end);
    if (lives % 2 == 1) bench.start(2);
    bench.settle(back_end);
    bench.meanwhile(back_end, [&] { bench.plane.stop(); });
    if (bench.news.link == true) break;  // it has lived to the end
    bench.fresh();
    back_end.hang_up();
    bench.serve();
    bench.fresh();
  }
  EXPECT_GT(lives, 50U);
  VhostBackEnd good(bench.path());
  bench.settle(good);
  bench.start(2);
  bench.settle(good);
  ASSERT_TRUE(bench.plane.running());
  pass_frames(bench, good);
}

TEST(VhostUserPlane, WhoeverDoesNotGiveRingsBackIsSentAway) {
  Bench bench;
  VhostBackEnd back_end(bench.path());
  bench.settle(back_end);
  bench.start();
  bench.settle(back_end);
  ASSERT_TRUE(bench.plane.running());
  const auto before = SteadyClock::now();
  bench.plane.stop();  // and nobody answers
  EXPECT_LT(SteadyClock::now() - before, milliseconds(10'000));
  bench.serve();
  EXPECT_EQ(bench.fresh().link, false);
  EXPECT_THAT(bench.plane.warnings(), ElementsAre(HasSubstr("does not answer SET_VRING_ENABLE")));
  VhostBackEnd next(bench.path());
  bench.settle(next);
  bench.start();
  bench.settle(next);
  pass_frames(bench, next);
}

TEST(VhostUserPlane, LyingAnswersEndTheSessionAndNothingElse) {
  using vhost::Request;
  Bench bench;
  const std::vector<Request> asked{
      Request::kGetFeatures,    Request::kGetProtocolFeatures, Request::kGetQueueNum,
      Request::kSetVringCall,   Request::kSetFeatures,         Request::kGetStatus,
      Request::kSetMemTable,    Request::kSetVringAddr,        Request::kSetVringKick,
      Request::kSetVringEnable, Request::kGetVringBase};
  std::size_t sessions = 0;
  for (const Request request : asked) {
    for (int lie = 0; lie < 4; ++lie, ++sessions) {
      VhostBackEnd back_end(bench.path());
      back_end.forge = [&](const vhost::Header& to, vhost::Message& bytes) {
        if (to.request != static_cast<std::uint32_t>(request)) return false;
        switch (lie) {
          case 0: bytes[0] ^= 0x40; break;                             // another request's answer
          case 1: bytes[8] = 3; break;                                 // cut off
          case 2: std::fill(bytes.begin(), bytes.end(), 0xFF); break;  // rubbish
          default: bytes.insert(bytes.end(), bytes.begin(), bytes.end()); break;  // twice
        }
        return true;
      };
      bench.settle(back_end);
      bench.start();
      bench.settle(back_end);
      bench.meanwhile(back_end, [&] { bench.plane.stop(); });
      back_end.hang_up();
      bench.serve();
      EXPECT_FALSE(bench.plane.running());
    }
  }
  EXPECT_THAT(bench.plane.warnings(),
              ElementsAre(HasSubstr("and " + std::to_string(sessions - 1) + " more")));
  VhostBackEnd good(bench.path());
  bench.settle(good);
  bench.start();
  bench.settle(good);
  pass_frames(bench, good);
}

TEST(VhostUserPlane, ABackEndThatIsAbleToLessIsNoneForARunningDriver) {
  Bench bench;
  {
    VhostBackEnd back_end(bench.path());
    back_end.features |= net::feature::kHostTso4;
    bench.settle(back_end);
    EXPECT_NE(bench.plane.features() & net::feature::kHostTso4, 0U);
    bench.plane.start(kWanted | net::feature::kHostTso4 | net::feature::kMac,
                      bench.guest.set_up(1));
    bench.settle(back_end);
    EXPECT_EQ(back_end.agreed() & ~vhost::feature::kProtocolFeatures,
              kWanted | net::feature::kHostTso4)
        << "an address is no matter of packets";
  }
  bench.serve();
  bench.fresh();
  VhostBackEnd less(bench.path());
  bench.settle(less);
  EXPECT_FALSE(bench.plane.running());
  EXPECT_FALSE(bench.fresh().link);
  EXPECT_THAT(bench.plane.warnings(),
              ElementsAre(HasSubstr("lacks what the driver has been promised: HOST_TSO4")));
  bench.plane.stop();
  VhostBackEnd again(bench.path());
  bench.settle(again);
  EXPECT_EQ(bench.fresh().link, true) << "another driver may do with less";
  EXPECT_EQ(bench.plane.features() & net::feature::kHostTso4, 0U);

  again.hang_up();
  bench.serve();
  VhostBackEnd old(bench.path());
  old.features &= ~net::feature::kVersion1;
  bench.settle(old);
  EXPECT_FALSE(old.serve()) << "it was sent away";
}

TEST(VhostUserPlane, PairsComeAndGoAsTheDriverUsesThem) {
  Bench bench(4);
  VhostBackEnd back_end(bench.path());
  back_end.pairs = 4;
  bench.settle(back_end);
  bench.plane.start(kWanted | net::feature::kMultiQueue, bench.guest.set_up(4));
  bench.settle(back_end);
  const auto enabled = [&] {
    std::string all;
    for (std::size_t ring = 0; ring < 8; ++ring) all += back_end.enabled(ring) ? '1' : '0';
    return all;
  };
  EXPECT_EQ(enabled(), "11000000");
  bench.plane.set_active_pairs(4);
  bench.settle(back_end);
  EXPECT_EQ(enabled(), "11111111");
  for (unsigned pair = 0; pair < 4; ++pair) pass_frames(bench, back_end, pair);
  bench.plane.set_active_pairs(2);
  bench.settle(back_end);
  EXPECT_EQ(enabled(), "11110000");
  back_end.hang_up();
  bench.serve();
  VhostBackEnd next(bench.path());
  bench.settle(next);
  EXPECT_TRUE(next.enabled(3));
  EXPECT_FALSE(next.enabled(4));
  pass_frames(bench, next, 1);
}

TEST(VhostUserPlane, SingleQueuesStopAndStart) {
  Bench bench;
  VhostBackEnd back_end(bench.path());
  bench.settle(back_end);
  bench.start();
  bench.settle(back_end);
  pass_frames(bench, back_end);
  std::size_t seen = back_end.log.size();
  std::uint16_t base = 0;
  bench.meanwhile(back_end, [&] { base = bench.plane.stop_queue(1); });
  EXPECT_EQ(base, 1);
  EXPECT_THAT(names(back_end.log, seen), ElementsAre("SET_VRING_ENABLE", "GET_VRING_BASE"));
  bench.plane.start_queue({1, Guest::layout(1), base});
  bench.settle(back_end);
  EXPECT_THAT(back_end.log, Contains("SET_VRING_BASE index=1 num=1 need_reply"));
  pass_frames(bench, back_end);
  EXPECT_EQ(bench.plane.stop_queue(5), 0) << "there is none";
  // Gone in the middle: the ring itself tells.
  back_end.most_bytes = 0;
  bench.meanwhile(back_end, [&] { base = bench.plane.stop_queue(1); });
  EXPECT_EQ(base, 2);
}

TEST(VhostUserPlane, RingsOutsideOfMemoryAreTheDriversFault) {
  Bench bench;
  VhostBackEnd back_end(bench.path());
  bench.settle(back_end);
  for (const std::uint64_t address : {std::uint64_t{kMemory - 64}, std::uint64_t{kMemory},
                                      std::uint64_t{1} << 32, ~std::uint64_t{0} - 0xFFF}) {
    std::vector<virtio::DataPlane::Queue> queues = bench.guest.set_up(1);
    queues[1].layout.used = address & ~std::uint64_t{63};
    bench.fresh();
    bench.meanwhile(back_end, [&] { bench.plane.start(kWanted, queues); });
    bench.settle(back_end);
    EXPECT_EQ(bench.fresh().failure, "queue 1: it is not in memory");
    EXPECT_THAT(back_end.log, ::testing::Not(Contains(HasSubstr("SET_VRING_NUM index=1"))));
    bench.meanwhile(back_end, [&] { bench.plane.stop(); });
  }
  std::vector<virtio::DataPlane::Queue> queues = bench.guest.set_up(1);
  queues[0].layout.available += 1;
  queues[1].index = 7;
  bench.meanwhile(back_end, [&] { bench.plane.start(kWanted, queues); });
  bench.settle(back_end);
  EXPECT_THAT(bench.fresh().failure, HasSubstr("queue 0: "));
}

TEST(VhostUserPlane, ARingThatABackEndHasSpoiledIsNotHandedOn) {
  Bench bench;
  bench.start();
  {
    VhostBackEnd back_end(bench.path());
    bench.settle(back_end);
    ASSERT_TRUE(bench.guest.memory().store(Guest::layout(1).used + 2, 0x7000));
  }
  bench.serve();
  EXPECT_EQ(bench.fresh().failure, "queue 1: the back-end has left it with impossible indices");
  VhostBackEnd next(bench.path());
  bench.settle(next);
  EXPECT_THAT(next.log, Contains(HasSubstr("SET_VRING_NUM index=0")));
  EXPECT_THAT(next.log, ::testing::Not(Contains(HasSubstr("SET_VRING_NUM index=1"))));
}

TEST(VhostUserPlane, CallsFromNowhereTellNobody) {
  Bench bench;
  VhostBackEnd back_end(bench.path());
  bench.settle(back_end);
  back_end.call(0);
  bench.serve();
  EXPECT_TRUE(bench.fresh().used.none()) << "no driver";
  bench.start();
  bench.settle(back_end);
  bench.fresh();
  back_end.call(1);
  bench.serve();
  EXPECT_EQ(bench.fresh().used.to_ulong(), 2U);
  back_end.call(0);
  bench.meanwhile(back_end, [&] { bench.plane.stop(); });
  bench.serve();
  EXPECT_TRUE(bench.fresh().used.none()) << "none after the driver has reset the device";
}

TEST(VhostUserPlane, TheLogHasNames) {
  Bench bench;
  VhostBackEnd back_end(bench.path());
  bench.settle(back_end);
  bench.start();
  bench.settle(back_end);
  bench.meanwhile(back_end, [&] { bench.plane.shut_down(); });
  std::ifstream file(bench.directory.file("log"));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text.rfind("> SET_OWNER\n> GET_FEATURES\n< reply to GET_FEATURES 0x", 0), 0U) << text;
  for (const char* line : {"> SET_MEM_TABLE", "> SET_VRING_KICK index=1", "> GET_VRING_BASE",
                           "< reply to GET_VRING_BASE index=1 num=0"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

TEST(VhostUserPlane, AClientWaitsForItsOnlyBackEnd) {
  TemporaryDirectory directory;
  const UniqueFd listener = listen_on({directory.file("vhost"), "", ""});
  std::thread other([&] {
    EXPECT_TRUE(is_ready(listener.get(), POLLIN, milliseconds(20'000)));
    VhostBackEnd back_end(UniqueFd(::accept(listener.get(), nullptr, nullptr)));
    back_end.features |= net::feature::kHostTso6;
    while (back_end.serve()) std::this_thread::sleep_for(milliseconds(1));
  });
  {
    Guest guest;
    VhostUserPlaneConfig config;
    config.connection.chardev.address.path = directory.file("vhost");
    config.memory_descriptor = guest.descriptor();
    config.memory = guest.bytes();
    VhostUserPlane plane(config);
    EXPECT_NE(plane.features() & net::feature::kHostTso6, 0U) << "it has been asked already";
    EXPECT_EQ(plane.take_news().link, true);
    EXPECT_FALSE(plane.over());
    plane.shut_down();
    EXPECT_TRUE(plane.over());
  }
  other.join();
}

}  // namespace
}  // namespace e1000tlm::link
