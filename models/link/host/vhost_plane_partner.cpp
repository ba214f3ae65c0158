#include "e1000tlm/link/host/vhost_plane_partner.h"

#include <array>
#include <cerrno>
#include <utility>

#include <poll.h>

#include "e1000tlm/link/host/spec_values.h"

namespace e1000tlm::link {
namespace {

constexpr const char* kReport = "/e1000tlm/link/host";

std::unique_ptr<VhostUserPlane> make_plane(const PartnerContext& context,
                                           const VhostConnection::Settings& connection, bool wait) {
  VhostUserPlaneConfig config;
  config.connection = connection;
  config.wait = wait;
  config.pairs = context.seat->pairs();
  config.mtu = context.seat->mtu();
  config.memory_descriptor = context.seat->memory_descriptor();
  config.memory = context.seat->memory();
  config.stop = context.stop;
  return std::make_unique<VhostUserPlane>(std::move(config));
}

}  // namespace

VhostPlanePartner::VhostPlanePartner(const PartnerContext& context, CableEndIf& end,
                                     const PartnerSpec& spec,
                                     const VhostConnection::Settings& connection, bool wait)
    : LinkPartner(context.name.c_str(), end, spec),
      what_(text_of(spec)),
      pairs_(context.seat->pairs()),
      gate_("gate"),
      plane_(make_plane(context, connection, wait)) {
  owner_ = &context.seat->take(*this);
}

VhostPlanePartner::~VhostPlanePartner() { VhostPlanePartner::finish(); }

void VhostPlanePartner::start_of_simulation() {
  if (polled_ || thread_.joinable()) return;
  gate_.attach();
  thread_ = std::thread([this] { run(); });
}

void VhostPlanePartner::finish() {
  if (thread_.joinable()) {
    stop_ = true;
    wake_.set();
    thread_.join();
    gate_.detach();
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (std::exchange(closed_, true)) return;
  plane_->shut_down();
}

std::vector<std::string> VhostPlanePartner::warnings() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return plane_->warnings();
}

// --- from the back-end ---

void VhostPlanePartner::run() {
  while (!stop_) {
    std::array<pollfd, 2> fds{};
    fds[0] = {wake_.fd(), POLLIN, 0};
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      plane_->serve();
      post_if_news();
      fds[1] = {plane_->over() ? -1 : plane_->fd(), POLLIN, 0};
    }
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
    wake_.clear();
  }
}

/// With mutex_ held.
void VhostPlanePartner::post_if_news() {
  if (polled_ || posted_ || !(plane_->has_news() || (plane_->over() && !told_over_))) return;
  posted_ = true;
  gate_.post([this] { deliver(); });
}

std::size_t VhostPlanePartner::poll() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return 0;
    plane_->serve();
  }
  return deliver();
}

/// Tells the device; so many things.
std::size_t VhostPlanePartner::deliver() {
  VhostUserPlane::News news;
  bool over = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    posted_ = false;
    news = plane_->take_news();
    over = plane_->over() && !std::exchange(told_over_, plane_->over());
    if (over) why_over_ = plane_->why_over();
  }
  if (over) {
    const std::string text = what_ + ": " + why_over_ + "; nobody carries the device's packets";
    SC_REPORT_WARNING(kReport, text.c_str());
  }
  if (news.link) owner_->plane_link(*news.link);
  if (!news.failure.empty()) {
    owner_->plane_failed(news.failure);
  } else {
    for (unsigned queue = 0; queue < 2 * pairs_; ++queue) {
      if (news.used[queue]) owner_->plane_used(queue);
    }
  }
  return news.used.count() + (news.link ? 1 : 0);
}

// --- from the device ---

std::uint64_t VhostPlanePartner::features() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return plane_->features();
}

void VhostPlanePartner::start(std::uint64_t features, gsl::span<const Queue> queues) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return;
  plane_->start(features, queues);
  post_if_news();
}

void VhostPlanePartner::start_queue(const Queue& queue) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return;
  plane_->start_queue(queue);
  post_if_news();
}

std::uint16_t VhostPlanePartner::stop_queue(unsigned queue) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::uint16_t base = plane_->stop_queue(queue);
  post_if_news();
  return base;
}

void VhostPlanePartner::stop() {
  const std::lock_guard<std::mutex> lock(mutex_);
  plane_->stop();
  post_if_news();
}

void VhostPlanePartner::notified(unsigned queue) {
  const std::lock_guard<std::mutex> lock(mutex_);
  plane_->notified(queue);
}

void VhostPlanePartner::set_active_pairs(unsigned pairs) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return;
  plane_->set_active_pairs(pairs);
  post_if_news();
}

}  // namespace e1000tlm::link
