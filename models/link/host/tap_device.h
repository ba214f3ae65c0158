#pragma once
/// A tap interface of a Linux host, or several queues of one. No SystemC.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "e1000tlm/link/host/host_device.h"

namespace e1000tlm::link {

/// How to come by a tap interface: by its name, by descriptors that somebody else has opened, or
/// from a helper that makes one on a bridge.
struct TapConfig {
  std::string ifname;              ///< the interface to make or to join
  std::vector<std::string> fds;    ///< or numbers of open descriptors, one for each queue
  std::string helper, bridge;      ///< or a helper program, and the bridge it is to use
  std::string script, downscript;  ///< run when it is made and when it is given back; empty: none
  std::optional<std::uint64_t> sndbuf;  ///< bytes on the way at most; 0: no limit; unset: as it is
  bool vnet_hdr = false;                ///< the host leaves segmentation and checksums to us
  unsigned queues = 1;                  ///< of an interface by name
  std::string control = "/dev/net/tun";
};

/// Throws std::invalid_argument (impossible name or descriptor) or std::runtime_error (no
/// /dev/net/tun, no permission, interface busy, script failed), naming the interface.
std::unique_ptr<HostDevice> open_tap(const TapConfig& config);

}  // namespace e1000tlm::link
