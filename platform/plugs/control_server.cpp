#include "e1000tlm/plugs/control_server.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "e1000tlm/link/host/host_socket.h"

namespace e1000tlm::plugs {
namespace {

constexpr std::chrono::milliseconds kLastFlush{200};

std::string refusal(const std::string& why) {
  return control_error("null", ControlError(ControlCode::kFailed, why));
}

}  // namespace

ControlServer::ControlServer(const std::string& address, Handler handler)
    : address_(StreamAddress::parse(address)), handler_(std::move(handler)) {
  if (address_.kind == StreamAddress::Kind::kStdio || !address_.server) {
    throw std::invalid_argument("expected unix:PATH or tcp:HOST:PORT to listen on");
  }
  listener_ = link::listen_on(address_.socket);
  const std::string& path = address_.socket.path;
  if (!path.empty() && ::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0) {
    link::throw_host_error("cannot protect '" + path + "'", errno);
  }
}

ControlServer::~ControlServer() {
  stop_ = true;
  wake_.set();
  if (thread_.joinable()) thread_.join();
  if (listener_ && !address_.socket.path.empty()) ::unlink(address_.socket.path.c_str());
}

void ControlServer::start() {
  thread_ = std::thread([this] { run(); });
}

void ControlServer::answer(Client client, std::string line) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    answers_.push_back({client, std::move(line)});
  }
  wake_.set();
}

void ControlServer::run() {
  bool resting = false;
  while (!stop_) {
    std::vector<pollfd> fds{{wake_.fd(), POLLIN, 0}, {resting ? -1 : listener_.get(), POLLIN, 0}};
    for (const Connection& c : connections_) {
      short events = 0;
      if (!c.output.empty()) events = POLLOUT;
      if (!c.asked && c.output.empty() && !c.closing) events = POLLIN;
      fds.push_back({c.socket.get(), events, 0});
    }
    const int patience = resting ? static_cast<int>(link::kDescriptorRest.count()) : -1;
    if (::poll(fds.data(), fds.size(), patience) < 0 && errno != EINTR) return;
    resting = false;
    if (fds[0].revents != 0) wake_.clear();
    take_answers();
    auto fd = fds.begin() + 2;
    for (auto it = connections_.begin(); it != connections_.end(); ++fd) {
      it = serve(*it, fd->revents) ? std::next(it) : connections_.erase(it);
    }
    if (fds[1].revents != 0) {
      accept();
      resting = link::out_of_descriptors(errno);
    }
  }
  take_answers();
  flush();
}

void ControlServer::accept() {
  errno = 0;
  link::UniqueFd socket = link::accept_from(listener_.get());
  if (!socket) return;
  errno = 0;
  Connection& connection = connections_.emplace_back();
  connection.number = next_++;
  connection.socket = std::move(socket);
  if (connections_.size() <= kMostClients) return;
  connection.output =
      refusal("there are " + std::to_string(kMostClients) + " clients already; close one of them");
  write(connection);
  connections_.pop_back();
  errno = 0;
}

void ControlServer::take_answers() {
  std::vector<Answer> answers;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    answers.swap(answers_);
  }
  for (Answer& answer : answers) {
    for (Connection& connection : connections_) {
      if (connection.number != answer.client) continue;
      connection.output += answer.line;
      connection.asked = false;
      next_request(connection);
    }
  }
}

/// False: the connection is over.
bool ControlServer::serve(Connection& connection, short events) {
  if ((events & POLLIN) != 0 && !read(connection)) return false;
  if ((events & (POLLERR | POLLNVAL)) != 0) return false;
  // A client that hangs up has gone also while a request of its is under way.
  if ((events & POLLHUP) != 0 && (events & POLLIN) == 0) return false;
  if (!write(connection)) return false;
  if (connection.output.empty() && !connection.asked) next_request(connection);
  return !connection.closing || !connection.output.empty();
}

bool ControlServer::read(Connection& connection) {
  std::array<char, 4096> bytes{};
  const ssize_t got = ::recv(connection.socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got == 0) return false;
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  connection.input.append(bytes.data(), static_cast<std::size_t>(got));
  next_request(connection);
  return true;
}

/// Looks at the next line unless there is something to be done first.
void ControlServer::next_request(Connection& connection) {
  while (!connection.asked && connection.output.empty() && !connection.closing) {
    const std::size_t end = connection.input.find('\n');
    if (std::min(end, connection.input.size()) > kMostControlLine) {
      connection.output = refusal("a line is longer than " + std::to_string(kMostControlLine) +
                                  " bytes; the connection ends");
      connection.closing = true;
      connection.input.clear();
      return;
    }
    if (end == std::string::npos) return;
    std::string line = connection.input.substr(0, end);
    connection.input.erase(0, end + 1);
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    ControlLine parsed = parse_control_line(line);
    if (!parsed.request) {
      connection.output = std::move(parsed.error);
      return;
    }
    connection.asked = true;
    handler_(connection.number, std::move(*parsed.request));
  }
}

/// False: the client has gone.
bool ControlServer::write(Connection& connection) {
  while (!connection.output.empty()) {
    const ssize_t sent = ::send(connection.socket.get(), connection.output.data(),
                                connection.output.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    connection.output.erase(0, static_cast<std::size_t>(sent));
  }
  return true;
}

/// Last answers, for clients that take them soon.
void ControlServer::flush() {
  const auto deadline = std::chrono::steady_clock::now() + kLastFlush;
  for (Connection& connection : connections_) {
    while (write(connection) && !connection.output.empty()) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          deadline - std::chrono::steady_clock::now());
      pollfd room{connection.socket.get(), POLLOUT, 0};
      if (left.count() <= 0 || ::poll(&room, 1, static_cast<int>(left.count())) <= 0) break;
    }
  }
}

}  // namespace e1000tlm::plugs
