#pragma once
/// A vhost-user front-end on a socket: one session after the other. No SystemC.

#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "e1000tlm/link/host/chardev.h"
#include "e1000tlm/link/host/host_watch.h"
#include "e1000tlm/link/host/vhost_channel.h"
#include "e1000tlm/virtio/vhost_front_end.h"

namespace e1000tlm::link {

/// Sends what a FrontEnd asks for and gives it the answers, with one back-end after the other as
/// far as the chardev has them. What a back-end does wrong ends its session, never more.
class VhostConnection {
 public:
  /// Whose rings they are.
  class Owner {
   public:
    virtual ~Owner() = default;
    /// The session may have got further, and may be asked for more. Called again until nothing is
    /// left to be sent.
    virtual void vhost_proceeds() = 0;
    /// It has ended: the back-end does not work on rings any more. front() still is as it was.
    virtual void vhost_ends() = 0;
  };
  /// How to come by back-ends, and what becomes of their messages.
  struct Settings {
    ChardevConfig chardev;
    std::string log;  ///< file for the messages, by name; empty: none
  };

  /// How long the first back-end of a client that does not reconnect may take to agree.
  static constexpr std::chrono::milliseconds kPatience{10'000};

  /// `watch` becomes ready when serve() has something to do. It and `owner` must outlive this.
  /// Throws as Chardev does, and std::runtime_error (the log cannot be written).
  VhostConnection(const Settings& settings, virtio::vhost_user::Wishes wishes, const Watch& watch,
                  Owner& owner);

  /// Makes what progress there is to make with the back-end.
  void serve();
  /// serve() until the condition holds or the time is up; true: it holds.
  bool serve_until(const std::function<bool()>& condition, std::chrono::milliseconds span);
  /// Waits for a first back-end until the condition holds: as long as it takes if we listen,
  /// unless `stop` says so; else kPatience. Throws std::runtime_error when the only back-end
  /// refuses, has gone, or lets us wait too long.
  void wait_for_first(const std::function<bool()>& condition, const std::function<bool()>& stop);
  /// Ends the session: the back-end has done this.
  void lose(const std::string& why);
  /// Ends it if there is one; that is no fault.
  void end_session();
  /// A last line in the log.
  void close_log() { log_.close(); }

  /// The session.
  virtio::vhost_user::FrontEnd& front() { return front_; }
  /// Ditto.
  const virtio::vhost_user::FrontEnd& front() const { return front_; }
  /// The back-end works on the rings.
  bool running() const { return front_.state() == virtio::vhost_user::FrontEnd::State::kRunning; }
  /// Somebody is connected.
  explicit operator bool() const { return static_cast<bool>(peer_); }
  /// Its socket.
  int fd() const { return peer_.fd(); }
  /// Others may come.
  bool waits_for_peers() const { return peer_.waits_for_peers(); }
  /// What happened to the last back-end there is, and what to do about it.
  std::string why_closed() const;
  /// What bad back-ends did.
  std::vector<std::string> warnings() const;

 private:
  bool send_messages();
  bool take_messages();

  Settings settings_;
  Owner& owner_;
  virtio::vhost_user::FrontEnd front_;
  VhostChannel channel_;
  const Watch& watch_;
  Chardev peer_;
  std::ofstream log_;
  std::string trouble_;  // what the first bad back-end did
  std::uint64_t troubles_ = 0;
};

}  // namespace e1000tlm::link
