#pragma once
/// A guest's clock in memory that it shares with who owns time. No SystemC.
///
/// With it a guest needs no message to say what time it is, when it wants to run, or to hear how
/// far it may go; WAIT and RUN are not answered. Source: Linux, include/uapi/linux/um_timetravel.h,
/// struct um_timetravel_schedshm.

#include <cstdint>
#include <optional>

#include "e1000tlm/link/host/host_fd.h"

namespace e1000tlm::plugs::uml {

/// A file of one guest's own: what it writes there concerns nobody else. It is as untrusted as
/// messages are. Times in nanoseconds.
class SharedClock {
 public:
  /// The guest's number in it, which START's answer tells.
  static constexpr std::uint64_t kGuest = 1;

  /// The guest runs, and it is time 0. Throws std::runtime_error.
  SharedClock();
  ~SharedClock();
  SharedClock(const SharedClock&) = delete;
  SharedClock& operator=(const SharedClock&) = delete;

  /// The file, which nobody can make longer or shorter.
  int fd() const { return file_.get(); }
  /// The guest uses it.
  bool used() const;
  /// What time it is, said by the guest when it runs.
  std::uint64_t time() const;
  /// Ditto, said to it when it waits.
  void set_time(std::uint64_t time);
  /// When the guest wants to run; none: it has not said so.
  std::optional<std::uint64_t> request() const;
  /// It need not ask for times before that one; 0: for all.
  void allow_until(std::uint64_t time);
  /// Who may say what time it is: the guest, or not.
  void set_running(bool guest);

 private:
  struct Layout;
  link::UniqueFd file_;
  Layout* layout_ = nullptr;
};

}  // namespace e1000tlm::plugs::uml
