// A vhost-user back-end on a device's rings, from the simulation's side.
#include "e1000tlm/link/host/vhost_plane_partner.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/mman.h>

#include "e1000tlm/link/host/vhost_user_partner.h"
#include "testbenches/support/sc_test.h"
#include "testbenches/unit/link/host/vhost_back_end.h"

namespace e1000tlm::link {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace feature = virtio::net::feature;

constexpr std::size_t kMemory = 1U << 16;
constexpr std::uint64_t kWanted = feature::kVersion1 | feature::kMergeableBuffers;

/// A device with two rings in memory that can be shared; notes what it is told.
class Device : public virtio::DataPlaneSeat, public virtio::DataPlaneOwner {
 public:
  Device() : fd_(::memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
    EXPECT_EQ(::ftruncate(fd_.get(), kMemory), 0);
    EXPECT_EQ(::fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_SHRINK), 0);
    void* const at = ::mmap(nullptr, kMemory, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    EXPECT_NE(at, MAP_FAILED);
    bytes_ = {static_cast<std::uint8_t*>(at), kMemory};
    ram_.add(0, bytes_);
    for (unsigned i = 0; i < 2; ++i) {
      queues.push_back({i, virtio::SplitLayout::at(0x1000 * (i + 1), 16), 0});
      rings_.push_back(std::make_unique<virtio::DriverQueue>(ram_));
      EXPECT_TRUE(rings_[i]->start(queues[i].layout, {}));
    }
  }
  ~Device() override { ::munmap(bytes_.data(), bytes_.size()); }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  /// A packet is in the ring that transmits.
  void send(const Octets& content) {
    const virtio::DriverQueue::Buffer buffer{
        0x8000, static_cast<std::uint32_t>(virtio::net::header::kBytes + content.size()), false};
    const Bytes to = ram_.at(buffer.address, buffer.length);
    std::fill_n(to.begin(), virtio::net::header::kBytes, std::uint8_t{0});
    std::copy(content.begin(), content.end(), to.begin() + virtio::net::header::kBytes);
    ASSERT_TRUE(rings_[1]->add({&buffer, 1}));
    rings_[1]->publish();
    plane->notified(1);
  }

  virtio::DataPlaneOwner& take(virtio::DataPlane& taker) override {
    plane = &taker;
    return *this;
  }
  unsigned pairs() const override { return 1; }
  std::uint16_t mtu() const override { return 0; }
  int memory_descriptor() const override { return fd_.get(); }
  Bytes memory() const override { return bytes_; }

  void plane_used(unsigned queue) override { used.push_back(queue); }
  void plane_link(bool up) override { links.push_back(up); }
  void plane_failed(const std::string& why) override { failures.push_back(why); }

  virtio::DataPlane* plane = nullptr;
  std::vector<virtio::DataPlane::Queue> queues;
  std::vector<unsigned> used;
  std::vector<bool> links;
  std::vector<std::string> failures;

 private:
  UniqueFd fd_;
  Bytes bytes_;
  virtio::MappedMemory ram_;
  std::vector<std::unique_ptr<virtio::DriverQueue>> rings_;
};

/// Answers and moves packets in a thread of its own, as a program does.
class LivingBackEnd {
 public:
  explicit LivingBackEnd(UniqueFd socket) : back_end_(std::move(socket)) { start(); }
  explicit LivingBackEnd(const std::string& path) : back_end_(path) { start(); }
  ~LivingBackEnd() { stop(); }

  void stop() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
    back_end_.hang_up();
  }
  std::size_t taken() const { return taken_; }
  /// After stop().
  const std::vector<std::string>& log() const { return back_end_.log; }

 private:
  void start() {
    back_end_.features |= feature::kCsum;
    thread_ = std::thread([this] {
      while (!over_ && back_end_.serve()) {
        if (back_end_.running() && !back_end_.take().empty()) ++taken_;
        std::this_thread::sleep_for(std::chrono::microseconds(200));
      }
    });
  }
  VhostBackEnd back_end_;
  std::atomic<bool> over_{false};
  std::atomic<std::size_t> taken_{0};
  std::thread thread_;
};

struct Bench {
  explicit Bench(const std::string& keys = ",server,wait=off")
      : nic("nic", cable.end(0)), partner(make(keys)) {}

  std::unique_ptr<LinkPartner> make(const std::string& keys) {
    PartnerContext context{"partner"};
    context.seat = &device;
    return vhost_user_kind().make(context, cable.end(1),
                                  PartnerSpec::parse("vhost-user:path=" + path() + keys));
  }
  std::string path() const { return directory.file("vhost"); }

  TemporaryDirectory directory;
  Device device;
  Cable cable{"cable"};
  NicEnd nic;
  std::unique_ptr<LinkPartner> partner;
};

TEST(VhostPlanePartner, TellsTheDeviceOfLinkAndUsedBuffersInSimulation) {
  Bench bench;
  ASSERT_NE(bench.device.plane, nullptr);
  EXPECT_TRUE(bench.partner->live());
  EXPECT_EQ(bench.device.plane->features() & feature::kCsum, 0U) << "nobody knows yet";
  bench.nic.begin();
  EXPECT_THAT(bench.device.links, ElementsAre());
  {
    LivingBackEnd back_end(bench.path());
    ASSERT_TRUE(run_until([&] { return bench.device.links == std::vector<bool>{true}; }));
    EXPECT_NE(bench.device.plane->features() & feature::kCsum, 0U);
    bench.device.plane->start(kWanted, bench.device.queues);
    bench.device.send(Octets(100, 7));
    ASSERT_TRUE(run_until([&] { return !bench.device.used.empty(); }));
    EXPECT_THAT(bench.device.used, ElementsAre(1));
    EXPECT_EQ(back_end.taken(), 1U);
  }
  ASSERT_TRUE(run_until([&] { return bench.device.links == std::vector<bool>{true, false}; }));
  EXPECT_TRUE(bench.partner->live()) << "another may come";
  bench.device.used.clear();
  bench.device.send(Octets(100, 8));
  LivingBackEnd next(bench.path());
  ASSERT_TRUE(run_until([&] { return next.taken() == 1; })) << "it finds what waited";
  bench.device.plane->stop();
  bench.partner->finish();
  next.stop();
  EXPECT_THAT(next.log(), ::testing::Contains(HasSubstr("GET_VRING_BASE index=1")));
  EXPECT_THAT(bench.device.failures, ElementsAre());
  EXPECT_THAT(bench.partner->warnings(), ElementsAre());
}

TEST(VhostPlanePartner, TheOnlyBackEndThatGoesIsToldOf) {
  TemporaryDirectory elsewhere;
  const UniqueFd listener = listen_on({elsewhere.file("vhost"), "", ""});
  std::unique_ptr<LivingBackEnd> back_end;
  std::thread accepts([&] {
    EXPECT_TRUE(is_ready(listener.get(), POLLIN, milliseconds(20'000)));
    back_end =
        std::make_unique<LivingBackEnd>(UniqueFd(::accept(listener.get(), nullptr, nullptr)));
  });
  Device device;
  Cable cable("cable");
  NicEnd nic("nic", cable.end(0));
  PartnerContext context{"partner"};
  context.seat = &device;
  const auto partner = vhost_user_kind().make(
      context, cable.end(1), PartnerSpec::parse("vhost-user:path=" + elsewhere.file("vhost")));
  accepts.join();
  EXPECT_NE(device.plane->features() & feature::kCsum, 0U) << "it has been waited for";
  nic.begin();
  ASSERT_TRUE(run_until([&] { return !device.links.empty(); }));
  EXPECT_TRUE(partner->live());
  e1000tlm::test::expect_report("/e1000tlm/link/host");
  back_end->stop();
  ASSERT_TRUE(run_until([&] { return device.links == std::vector<bool>{true, false}; }));
  EXPECT_FALSE(partner->live());
  EXPECT_THAT(partner->fault(), HasSubstr("has gone (reconnect="));
}

TEST(VhostPlanePartner, WithoutThreadForWhoeverPolls) {
  Bench bench;
  auto& host = dynamic_cast<HostFlush&>(*bench.partner);
  host.use_polling();
  EXPECT_FALSE(bench.partner->live());
  bench.nic.begin();
  LivingBackEnd back_end(bench.path());
  ASSERT_TRUE(run_until([&] {
    host.poll();
    return !bench.device.links.empty();
  }));
  bench.device.plane->start(kWanted, bench.device.queues);
  bench.device.send(Octets(100, 7));
  ASSERT_TRUE(run_until([&] {
    host.poll();
    return !bench.device.used.empty();
  }));
}

TEST(VhostPlanePartner, ASeatIsThereToBeTakenOrNot) {
  Device device;
  Cable cable("cable");
  PartnerContext context{"partner"};
  const auto refusal = [&](const std::string& keys) -> std::string {
    try {
      vhost_user_kind().make(context, cable.end(1), PartnerSpec::parse("vhost-user:" + keys));
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "nothing thrown";
  };
  EXPECT_THAT(refusal("path=x,guest_rings=on"), HasSubstr("needs a virtio-net adapter"));
  context.seat = &device;
  EXPECT_THAT(refusal("path=x,queues=2"), HasSubstr("the device's own affair"));
  EXPECT_THAT(refusal("path=x,wait=off"), HasSubstr("goes with server=on"));
  TemporaryDirectory directory;
  context.name = "own";
  const auto own = vhost_user_kind().make(
      context, cable.end(1),
      PartnerSpec::parse("vhost-user:server,guest_rings=off,path=" + directory.file("vhost")));
  EXPECT_EQ(device.plane, nullptr) << "not taken";
}

}  // namespace
}  // namespace e1000tlm::link
