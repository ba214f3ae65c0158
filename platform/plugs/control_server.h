#pragma once
/// The socket of the run-time control: clients, lines and their limits. No SystemC.

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "e1000tlm/link/host/host_fd.h"
#include "e1000tlm/plugs/control_protocol.h"
#include "e1000tlm/plugs/stream_endpoint.h"

namespace e1000tlm::plugs {

/// Serves several clients in a thread of its own. Whatever clients do, memory is bounded: there are
/// at most kMostClients, a line has at most kMostControlLine bytes, a client's next request is not
/// looked at before the last one has been answered and the answer taken.
class ControlServer {
 public:
  /// More are turned away with an error.
  static constexpr std::size_t kMostClients = 8;
  /// Which client.
  using Client = std::uint64_t;
  /// Called for each request, on the server's thread. answer() has to follow, for a notification
  /// with nothing.
  using Handler = std::function<void(Client, ControlRequest)>;

  /// Listens; UNIX sockets only for the user who runs it. Throws std::invalid_argument or
  /// std::runtime_error naming the address and the reason.
  ControlServer(const std::string& address, Handler handler);
  /// Sends what is left to be sent, for a moment.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// Requests are served from now on.
  void start();
  /// A line, or nothing, for the client's last request. Any thread.
  void answer(Client client, std::string line);

 private:
  struct Connection {
    Client number;
    link::UniqueFd socket;
    std::string input;
    std::string output;
    bool asked = false;    // a request waits for its answer
    bool closing = false;  // as soon as the output is gone
  };
  struct Answer {
    Client client;
    std::string line;
  };

  void run();
  void accept();
  void take_answers();
  bool serve(Connection& connection, short events);
  bool read(Connection& connection);
  void next_request(Connection& connection);
  static bool write(Connection& connection);
  void flush();

  StreamAddress address_;
  Handler handler_;
  link::UniqueFd listener_;
  link::WakeUp wake_;
  std::list<Connection> connections_;
  Client next_ = 1;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::vector<Answer> answers_;
  std::thread thread_;
};

}  // namespace e1000tlm::plugs
