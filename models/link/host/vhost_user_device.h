#pragma once
/// A vhost-user back-end as a device that carries frames. No SystemC.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "e1000tlm/link/host/chardev.h"
#include "e1000tlm/link/host/host_device.h"
#include "e1000tlm/link/host/host_watch.h"
#include "e1000tlm/link/host/vhost_connection.h"
#include "e1000tlm/link/host/vhost_queues.h"

namespace e1000tlm::link {

/// How to come by a back-end, and what is wanted of it.
struct VhostUserConfig {
  ChardevConfig chardev;
  VhostQueuesConfig queues;
  bool mergeable = true;    ///< frames from the back-end may take several buffers
  bool event_index = true;  ///< notices are asked for by index
  bool offload = false;     ///< the back-end leaves segmentation and checksums to us
  std::uint16_t mtu = 0;    ///< to be told to the back-end; 0: none
  bool wait = false;        ///< a server: somebody must be there before anything begins
  std::string log;          ///< file for the messages, by name; empty: none
  /// While waiting: whether to give up.
  std::function<bool()> stop{};
};

/// One back-end after the other, as far as the chardev has them. A client that does not reconnect,
/// and a server that waits, have agreed with theirs when the constructor returns.
class VhostUserDevice : public HostDevice, private VhostConnection::Owner {
 public:
  /// How long it may take at the end to use what was sent, and then to stop.
  static constexpr std::chrono::milliseconds kLastUse{300}, kLastAnswers{1'000};

  /// Throws std::invalid_argument or std::runtime_error as Chardev does, and when the only
  /// back-end refuses, has gone, or lets us wait too long.
  explicit VhostUserDevice(VhostUserConfig config);

  int fd() const override { return watch_.fd(); }
  bool poll_tells_room() const override { return false; }
  ReadResult read() override;
  WriteResult write(ConstBytes frame, std::chrono::milliseconds wait) override;
  WriteResult write_by(std::uint16_t queue, ConstBytes frame,
                       std::chrono::milliseconds wait) override;
  unsigned queues() const override { return config_.queues.pairs; }
  std::string why_closed() const override { return connection_.why_closed(); }
  std::string shut_down() override;
  std::uint64_t unsent() override;
  std::vector<std::string> warnings() const override { return connection_.warnings(); }

  /// The back-end works on our rings.
  bool running() const { return connection_.running(); }

 private:
  void vhost_proceeds() override;
  void vhost_ends() override;
  std::optional<ReadResult> received();
  HostDevice::WriteResult without_session() const;
  void use_up(std::chrono::milliseconds span);

  VhostUserConfig config_;
  Watch watch_;
  VhostQueues queues_;
  Leftover leftover_{watch_};
  VhostConnection connection_;
  bool kicked_ = false;  // the back-end has been told to start the rings
  unsigned reads_ = 0;
  std::uint64_t lost_ = 0;  // frames that a back-end had and did not use, not yet told
};

}  // namespace e1000tlm::link
