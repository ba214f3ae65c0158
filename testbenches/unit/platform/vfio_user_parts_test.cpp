/// Guest memory and interrupts of the vfio-user door, by themselves.

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "e1000tlm/plugs/vfio_user/channel.h"
#include "e1000tlm/plugs/vfio_user/event_signal.h"
#include "e1000tlm/plugs/vfio_user/guest_regions.h"
#include "e1000tlm/plugs/vfio_user/interrupts.h"
#include "e1000tlm/plugs/vfio_user/msix_view.h"

namespace e1000tlm::plugs::vfio_user {
namespace {

using link::UniqueFd;

constexpr std::uint64_t kPage = 4096;

UniqueFd memory_file(std::uint64_t bytes) {
  UniqueFd file(::memfd_create("test", MFD_CLOEXEC));
  EXPECT_EQ(::ftruncate(file.get(), static_cast<off_t>(bytes)), 0);
  return file;
}

DmaMap piece(std::uint64_t address, std::uint64_t size, std::uint64_t offset = 0) {
  DmaMap map;
  map.readable = map.writable = true;
  map.address = address;
  map.size = size;
  map.offset = offset;
  return map;
}

DmaUnmap without(std::uint64_t address, std::uint64_t size) { return {address, size, false}; }

int count_gone(GuestRegions& regions, const DmaUnmap& request, int& error) {
  int gone = 0;
  const auto refusal = regions.unmap(request, [&](const GuestRegion&) { ++gone; });
  error = refusal ? refusal->error : 0;
  return gone;
}

TEST(VfioUserRegions, SeveralPiecesOfAFile) {
  const UniqueFd file = memory_file(4 * kPage);
  ASSERT_EQ(::pwrite(file.get(), "low", 3, 0), 3);
  ASSERT_EQ(::pwrite(file.get(), "high", 4, 2 * kPage), 4);
  GuestRegions regions;
  ASSERT_FALSE(regions.map(piece(0x1000, kPage), file));
  ASSERT_FALSE(regions.map(piece(5ULL << 30, kPage, 2 * kPage), file));
  EXPECT_EQ(std::memcmp(regions.find(0x1000)->at(0x1000), "low", 3), 0);
  EXPECT_EQ(std::memcmp(regions.find(5ULL << 30)->at(5ULL << 30), "high", 4), 0);
  EXPECT_EQ(regions.find(0xFFF), nullptr);
  EXPECT_EQ(regions.find(0x2000), nullptr);
}

TEST(VfioUserRegions, OverlapsAndLiesAreRefused) {
  const UniqueFd file = memory_file(2 * kPage);
  GuestRegions regions;
  ASSERT_FALSE(regions.map(piece(kPage, 2 * kPage), file));
  EXPECT_EQ(regions.map(piece(2 * kPage, 1), file)->error, EEXIST);
  EXPECT_EQ(regions.map(piece(0, kPage + 1), file)->error, EEXIST);
  EXPECT_EQ(regions.map(piece(1 << 20, 3 * kPage), file)->error, EINVAL) << "longer than its file";
  EXPECT_EQ(regions.map(piece(1 << 20, kPage, 2 * kPage), file)->error, EINVAL);
  int pipes[2];
  ASSERT_EQ(::pipe(pipes), 0);
  const UniqueFd in(pipes[0]);
  const UniqueFd out(pipes[1]);
  EXPECT_EQ(regions.map(piece(1 << 20, kPage), in)->error, EINVAL);
  EXPECT_EQ(regions.size(), 1U);
}

TEST(VfioUserRegions, OnlyWholePiecesGo) {
  GuestRegions regions;
  for (const std::uint64_t at : {0, 1, 2}) {
    ASSERT_FALSE(regions.map(piece(at * kPage, kPage), UniqueFd()));
  }
  int error = 0;
  EXPECT_EQ(count_gone(regions, without(0, kPage / 2), error), 0);
  EXPECT_EQ(error, EINVAL);
  EXPECT_EQ(count_gone(regions, without(16 * kPage, kPage), error), 0);
  EXPECT_EQ(error, ENOENT);
  EXPECT_EQ(count_gone(regions, without(0, 2 * kPage), error), 2);
  EXPECT_EQ(error, 0);
  EXPECT_EQ(count_gone(regions, {0, 0, true}, error), 1);
  EXPECT_EQ(regions.size(), 0U);
}

TEST(VfioUserRegions, AFileCutShortBecomesZeros) {
  const UniqueFd file = memory_file(2 * kPage);
  GuestRegions regions;
  ASSERT_FALSE(regions.map(piece(0, 2 * kPage), file));
  std::uint8_t* memory = regions.find(0)->at(0);
  memory[kPage] = 1;
  EXPECT_FALSE(regions.lost());
  ASSERT_EQ(::ftruncate(file.get(), 0), 0);
  EXPECT_EQ(static_cast<volatile std::uint8_t*>(memory)[kPage], 0);
  EXPECT_TRUE(regions.lost());
}

class VfioUserInterruptsTest : public testing::Test {
 protected:
  std::optional<Refusal> set(Irq kind, SetIrqs::Data data, SetIrqs::Action action,
                             std::uint32_t count = 1, int fd = -1, std::uint32_t start = 0) {
    SetIrqs request;
    request.data = data;
    request.action = action;
    request.index = static_cast<std::uint32_t>(kind);
    request.start = start;
    request.count = count;
    request.flags.assign(data == SetIrqs::Data::kBool ? count : 0, 1);
    std::vector<UniqueFd> fds;
    for (std::uint32_t i = 0; fd >= 0 && i < count; ++i) fds.emplace_back(::dup(fd));
    return interrupts_.set(request, std::move(fds));
  }
  /// How often it was signalled since.
  std::uint64_t signals() const {
    std::uint64_t count = 0;
    return ::read(event_.get(), &count, sizeof count) > 0 ? count : 0;
  }

  using Data = SetIrqs::Data;
  using Action = SetIrqs::Action;
  UniqueFd event_{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  static constexpr unsigned kVectors = 3;
  Interrupts interrupts_{true, kVectors};
};

TEST_F(VfioUserInterruptsTest, ALevelIsMaskedUntilTheClientUnmasks) {
  ASSERT_FALSE(set(Irq::kIntx, Data::kEventFd, Action::kTrigger, 1, event_.get()));
  interrupts_.set_level(true);
  EXPECT_EQ(signals(), 1U);
  interrupts_.set_level(false);
  interrupts_.set_level(true);
  EXPECT_EQ(signals(), 0U);
  ASSERT_FALSE(set(Irq::kIntx, Data::kNone, Action::kUnmask));
  EXPECT_EQ(signals(), 1U) << "it is still high";
  interrupts_.set_level(false);
  ASSERT_FALSE(set(Irq::kIntx, Data::kNone, Action::kUnmask));
  EXPECT_EQ(signals(), 0U);
}

TEST_F(VfioUserInterruptsTest, TheLevelBeforeTheEventFd) {
  interrupts_.set_level(true);
  ASSERT_FALSE(set(Irq::kIntx, Data::kEventFd, Action::kTrigger, 1, event_.get()));
  EXPECT_EQ(signals(), 1U);
}

TEST_F(VfioUserInterruptsTest, DisabledByTheCommandRegister) {
  ASSERT_FALSE(set(Irq::kIntx, Data::kEventFd, Action::kTrigger, 1, event_.get()));
  interrupts_.disable_intx(true);
  interrupts_.set_level(true);
  EXPECT_EQ(signals(), 0U);
  interrupts_.disable_intx(false);
  EXPECT_EQ(signals(), 1U);
}

TEST_F(VfioUserInterruptsTest, MessagesWaitForTheirEventFd) {
  interrupts_.message();
  ASSERT_FALSE(set(Irq::kMsi, Data::kEventFd, Action::kTrigger, 1, event_.get()));
  EXPECT_EQ(signals(), 1U);
  interrupts_.message();
  interrupts_.message();
  EXPECT_EQ(signals(), 2U);
  ASSERT_FALSE(set(Irq::kMsi, Data::kNone, Action::kTrigger, 0));
  interrupts_.message();
  EXPECT_EQ(signals(), 0U);
}

TEST_F(VfioUserInterruptsTest, WhatThereIsNot) {
  EXPECT_TRUE(set(Irq::kMsix, Data::kEventFd, Action::kTrigger, 4, event_.get()));
  EXPECT_TRUE(set(Irq::kMsix, Data::kEventFd, Action::kTrigger, 1, event_.get(), kVectors));
  EXPECT_TRUE(set(Irq::kMsix, Data::kEventFd, Action::kTrigger, ~0U, -1, 1));
  EXPECT_TRUE(set(Irq::kMsix, Data::kEventFd, Action::kTrigger, 0, -1, 1));
  EXPECT_TRUE(set(Irq::kMsix, Data::kEventFd, Action::kMask, 1, event_.get()));
  EXPECT_TRUE(set(Irq::kMsix, Data::kEventFd, Action::kTrigger, 1, STDERR_FILENO));
  for (unsigned i = 0; i < kVectors; ++i) EXPECT_FALSE(interrupts_.open(i)) << i;
  EXPECT_EQ(interrupts_.count(Irq::kMsix), kVectors);
  Interrupts without;
  EXPECT_EQ(without.count(Irq::kMsix), 0U);
  EXPECT_EQ(without.count(Irq::kMsi), 0U);
  EXPECT_TRUE(set(Irq::kIntx, Data::kEventFd, Action::kTrigger, 2, event_.get()));
  EXPECT_TRUE(set(Irq::kMsi, Data::kNone, Action::kMask));
  EXPECT_TRUE(set(Irq::kIntx, Data::kEventFd, Action::kTrigger, 1, STDERR_FILENO));
}

TEST_F(VfioUserInterruptsTest, EachVectorHasItsEventFd) {
  const UniqueFd other(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  ASSERT_FALSE(set(Irq::kMsix, Data::kEventFd, Action::kTrigger, 2, event_.get(), 1));
  ASSERT_FALSE(set(Irq::kMsix, Data::kEventFd, Action::kTrigger, 1, other.get(), 0));
  interrupts_.message(2);
  interrupts_.message(1);
  EXPECT_EQ(signals(), 2U);
  EXPECT_EQ(take_events(other.get()), std::nullopt);
  interrupts_.message(0);
  EXPECT_EQ(take_events(other.get()), 1U);
  EXPECT_EQ(interrupts_.msix_signals(), 3U);
  EXPECT_EQ(interrupts_.msi_signals(), 0U);
  ASSERT_FALSE(set(Irq::kMsix, Data::kBool, Action::kTrigger, 2, -1, 1));
  EXPECT_EQ(signals(), 2U) << "the client tries its own ends";
}

TEST_F(VfioUserInterruptsTest, VectorsAreOpenWithAnEventFdAndNoMask) {
  EXPECT_FALSE(interrupts_.open(1));
  interrupts_.message(1);  // was under way when it was closed
  ASSERT_FALSE(set(Irq::kMsix, Data::kNone, Action::kMask, 1, -1, 1));
  ASSERT_FALSE(set(Irq::kMsix, Data::kEventFd, Action::kTrigger, 1, event_.get(), 1));
  EXPECT_FALSE(interrupts_.open(1));
  EXPECT_EQ(signals(), 0U);
  ASSERT_FALSE(set(Irq::kMsix, Data::kNone, Action::kUnmask, kVectors));
  EXPECT_TRUE(interrupts_.open(1));
  EXPECT_EQ(signals(), 1U);
  interrupts_.mask(1, true);
  interrupts_.message(1);
  interrupts_.message(1);
  interrupts_.mask(1, false);
  EXPECT_EQ(signals(), 1U);
  ASSERT_FALSE(set(Irq::kMsix, Data::kEventFd, Action::kTrigger, kVectors));  // none: all go
  EXPECT_FALSE(interrupts_.open(1));
  ASSERT_FALSE(set(Irq::kMsix, Data::kEventFd, Action::kTrigger, 1, event_.get(), 1));
  ASSERT_FALSE(set(Irq::kMsix, Data::kNone, Action::kTrigger, 0));
  EXPECT_FALSE(interrupts_.open(1));
  ASSERT_FALSE(set(Irq::kMsix, Data::kEventFd, Action::kTrigger, 1, event_.get(), 1));
  interrupts_.clear();
  EXPECT_FALSE(interrupts_.open(1));
}

TEST(VfioUserMsixView, KeepsWhatTheClientWrites) {
  MsixView view({0x40, 2, {4, 0x100}, {4, 0x800}});
  EXPECT_EQ(view.inside(4, 0xFF), std::nullopt);
  EXPECT_EQ(view.inside(0, 0x100), std::nullopt);
  EXPECT_EQ(view.inside(4, 0x120), std::nullopt);
  EXPECT_EQ(view.inside(4, 0x11F), 31U);
  EXPECT_TRUE(view.masked(1));
  EXPECT_EQ(view.write(16, 0x55), std::nullopt);
  EXPECT_EQ(view.read(16), 0x55);
  EXPECT_EQ(view.write(28, 0xFE), 1U);
  EXPECT_FALSE(view.masked(1));
  EXPECT_EQ(view.read(28), 0) << "reserved bits";
  EXPECT_EQ(view.write(29, 0xFF), std::nullopt);
  EXPECT_EQ(view.read(29), 0);
  view.reset();
  EXPECT_TRUE(view.masked(1));
  EXPECT_EQ(view.read(16), 0);
  const MsixView none({});
  EXPECT_EQ(none.inside(0, 0), std::nullopt);
}

TEST(VfioUserEventSignal, NeverWaits) {
  const UniqueFd event(::eventfd(0, EFD_CLOEXEC));  // blocking
  EventSignal signal;
  for (int i = 0; i < 10; ++i) signal.send(event.get());
  EXPECT_EQ(take_events(event.get()), 10U);
  EXPECT_EQ(take_events(event.get()), std::nullopt);
  const std::uint64_t full = ~std::uint64_t{0} - 1;
  ASSERT_EQ(::write(event.get(), &full, sizeof full), static_cast<ssize_t>(sizeof full));
  for (int i = 0; i < 10; ++i) signal.send(event.get());
  EXPECT_GE(take_events(event.get()).value_or(0), full);
}

TEST(VfioUserChannel, DescriptorsBelongToTheirMessage) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const UniqueFd peer(ends[0]);
  Channel channel{UniqueFd(ends[1])};
  Header header;
  header.command = 13;
  const Message plain = empty_reply(header);
  const UniqueFd event(::eventfd(0, EFD_CLOEXEC));
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  iovec piece{const_cast<std::uint8_t*>(plain.data()), plain.size()};
  msghdr with_fd{};
  with_fd.msg_iov = &piece;
  with_fd.msg_iovlen = 1;
  with_fd.msg_control = control;
  with_fd.msg_controllen = sizeof control;
  cmsghdr* c = CMSG_FIRSTHDR(&with_fd);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(sizeof(int));
  const int fd = event.get();
  std::memcpy(CMSG_DATA(c), &fd, sizeof fd);
  ASSERT_GT(::send(peer.get(), plain.data(), plain.size(), 0), 0);
  ASSERT_GT(::sendmsg(peer.get(), &with_fd, 0), 0);
  ASSERT_GT(::send(peer.get(), plain.data(), plain.size(), 0), 0);
  std::vector<std::size_t> descriptors;
  while (descriptors.size() < 3) {
    ASSERT_TRUE(channel.receive());
    while (auto message = channel.next()) descriptors.push_back(message->descriptors.size());
  }
  EXPECT_EQ(descriptors, (std::vector<std::size_t>{0, 1, 0}));
}

}  // namespace
}  // namespace e1000tlm::plugs::vfio_user
