#include "e1000tlm/link/host/host_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace e1000tlm::link {
namespace {

/// What posix_spawn() does to descriptors.
class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  /// Duplicating a descriptor to itself takes its close-on-exec flag away.
  void keep(int fd) { ::posix_spawn_file_actions_adddup2(&actions_, fd, fd); }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

}  // namespace

pid_t start_program(const std::vector<std::string>& arguments, int keep) {
  std::vector<char*> argv;
  for (const std::string& text : arguments) argv.push_back(const_cast<char*>(text.c_str()));
  argv.push_back(nullptr);
  FileActions actions;
  if (keep >= 0) actions.keep(keep);
  pid_t process = 0;
  const int error =
      ::posix_spawnp(&process, argv.front(), actions.get(), nullptr, argv.data(), environ);
  if (error != 0) throw_host_error("cannot start '" + arguments.front() + "'", error);
  return process;
}

std::string wait_for_program(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) return "cannot be waited for";
  }
  if (WIFEXITED(status)) {
    const int code = WEXITSTATUS(status);
    return code == 0 ? std::string() : "ended with status " + std::to_string(code);
  }
  return "was killed by signal " + std::to_string(WTERMSIG(status));
}

std::string run_interface_script(const std::string& script, const std::string& interface) {
  try {
    const std::string end = wait_for_program(start_program({script, interface}));
    return end.empty() ? end : "script '" + script + "' for " + interface + " " + end;
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

UniqueFd receive_descriptor(int socket) {
  char byte = 0;
  iovec part{&byte, 1};
  // The kernel fills the padding as well: there is room for a second one.
  constexpr std::size_t kRoom = CMSG_SPACE(sizeof(int));
  alignas(cmsghdr) std::array<char, kRoom> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  const cmsghdr* const header = got < 0 ? nullptr : CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
    return {};
  }
  std::array<int, (kRoom - CMSG_LEN(0)) / sizeof(int)> numbers{};
  const std::size_t count =
      std::min(numbers.size(), (header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
  std::memcpy(numbers.data(), CMSG_DATA(header), count * sizeof(int));
  std::array<UniqueFd, numbers.size()> fds;
  for (std::size_t i = 0; i < count; ++i) fds[i] = UniqueFd(numbers[i]);
  return count == 1 && (message.msg_flags & MSG_CTRUNC) == 0 ? std::move(fds[0]) : UniqueFd();
}

UniqueFd run_bridge_helper(const std::string& helper, const std::string& bridge) {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw_host_error("cannot make a socket pair for the bridge helper", errno);
  }
  UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  const std::string fd = "--fd=" + std::to_string(theirs.get());
  const std::string br = "--br=" + bridge;
  const bool command = helper.find_first_of(" \t") != std::string::npos;
  const bool names_bridge = helper.find("--br=") != std::string::npos;
  const std::vector<std::string> arguments =
      command
          ? std::vector<std::string>{"/bin/sh", "-c",
                                     helper + " --use-vnet " + fd + (names_bridge ? "" : " " + br)}
          : std::vector<std::string>{helper, "--use-vnet", fd, br};
  const pid_t process = start_program(arguments, theirs.get());
  theirs.reset();
  UniqueFd device = receive_descriptor(ours.get());
  const std::string end = wait_for_program(process);
  if (device && end.empty()) return device;
  throw std::runtime_error("bridge helper '" + helper + "' gave no device on bridge '" + bridge +
                           "'" + (end.empty() ? "" : ": it " + end) +
                           " (the bridge must exist and be allowed in /etc/qemu/bridge.conf)");
}

}  // namespace e1000tlm::link
