#pragma once
/// The far end of a virtio device whose packets a vhost-user back-end carries.

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "e1000tlm/link/host/host_fd.h"
#include "e1000tlm/link/host/host_flush.h"
#include "e1000tlm/link/host/vhost_user_plane.h"
#include "e1000tlm/link/partner.h"
#include "e1000tlm/tlm/async_gate.h"
#include "e1000tlm/virtio/data_plane.h"

namespace e1000tlm::link {

/// Partner kind "vhost-user" with guest_rings=on: no frame passes the cable. The driver's rings are
/// handed over as they are, and a thread listens to the back-end's socket and to what it says of
/// used buffers. What it does with memory costs no simulated time.
class VhostPlanePartner : public LinkPartner, public HostFlush, private virtio::DataPlane {
 public:
  /// Takes the seat of `context`. Throws as VhostUserPlane does.
  VhostPlanePartner(const PartnerContext& context, CableEndIf& end, const PartnerSpec& spec,
                    const VhostConnection::Settings& connection, bool wait);
  ~VhostPlanePartner() override;

  bool live() const override { return !polled_ && !told_over_; }
  void finish() override;
  unsigned queues() const override { return pairs_; }
  std::string fault() const override { return told_over_ ? why_over_ : ""; }
  std::vector<std::string> warnings() const override;

  void use_polling() override { polled_ = true; }
  std::size_t poll() override;
  bool releasing() const override { return false; }
  bool flush(std::chrono::milliseconds) override { return true; }

 private:
  std::uint64_t features() const override;
  void start(std::uint64_t features, gsl::span<const Queue> queues) override;
  void start_queue(const Queue& queue) override;
  std::uint16_t stop_queue(unsigned queue) override;
  void stop() override;
  void notified(unsigned queue) override;
  void set_active_pairs(unsigned pairs) override;

  void start_of_simulation() override;
  void run();
  void post_if_news();
  std::size_t deliver();

  std::string what_;
  unsigned pairs_;
  AsyncGate gate_;
  WakeUp wake_;
  bool polled_ = false;
  virtio::DataPlaneOwner* owner_ = nullptr;

  mutable std::mutex mutex_;               // for all below
  std::unique_ptr<VhostUserPlane> plane_;  // never null
  bool told_over_ = false;                 // the user knows that no back-end will come
  std::string why_over_;                   // that, set once
  bool posted_ = false;                    // deliver() is on its way
  bool closed_ = false;                    // finish() was called

  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace e1000tlm::link
