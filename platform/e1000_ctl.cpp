/// A client of e1000-sim's control socket for people and shell scripts.

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <netdb.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

using Json = nlohmann::ordered_json;
using Words = std::vector<std::string>;

constexpr int kFine = 0, kFailed = 1, kUsage = 2;

constexpr const char* kHelp =
    R"(e1000-ctl: looks into a running e1000-sim, and changes what it is connected to.

Usage
  e1000-ctl [-c ADDRESS] [--json] COMMAND [ARGUMENT...]

ADDRESS is what --control of e1000-sim was given, unix:PATH or tcp:HOST:PORT; without -c it is taken
from the environment variable E1000_CONTROL. --json prints the answer as it came.

Commands that only look
  info links|nics|switches        what there is
  stats                           the summary of the run so far, as JSON (doc/json.md)
  time                            simulated time
  read REGISTER [NIC]             a register by its name: CTRL, RAL[0], MTA (the whole array)
  registers [NIC]                 their names
  eeprom [NIC]                    words of the EEPROM
  phy [NIC]                       registers of the PHY
  methods                         what the server understands

Commands that change something
  set_link LINK on|off            as QEMU's set_link
  plug LINK, unplug LINK          the same: the cable goes in, or comes out
  impair LINK KEY=VALUE...        change an impair filter; index=N for another one than the first
  capture_start LINK FILE         record a link to a pcapng file
  capture_stop LINK               stop that
  pause, resume                   hold simulated time, let it go on
  step TIME                       let it go on for so long, such as 10us, and hold it again
  stop                            end the run

LINK is 0, 1 ... (the links of the adapters), or lan/0 (what hangs on switch lan first).
Exit status: 0 fine, 1 the server refused or could not be reached, 2 wrong usage
)";

[[noreturn]] void misuse(const std::string& what) {
  throw std::invalid_argument(what + "; see e1000-ctl --help");
}

/// How the words after a command become parameters.
struct Command {
  const char* name;
  Words required;
  Words optional;
  bool pairs = false;  // KEY=VALUE... follow
};

const std::vector<Command>& commands() {
  static const std::vector<Command> kCommands{{"info", {"what"}, {}},
                                              {"stats", {}, {}},
                                              {"time", {}, {}},
                                              {"read", {"register"}, {"nic"}},
                                              {"registers", {}, {"nic"}},
                                              {"eeprom", {}, {"nic"}},
                                              {"phy", {}, {"nic"}},
                                              {"methods", {}, {}},
                                              {"set_link", {"link", "up"}, {}},
                                              {"plug", {"link"}, {}},
                                              {"unplug", {"link"}, {}},
                                              {"impair", {"link"}, {}, true},
                                              {"capture_start", {"link", "file"}, {}},
                                              {"capture_stop", {"link"}, {}},
                                              {"pause", {}, {}},
                                              {"resume", {}, {}},
                                              {"step", {"time"}, {}},
                                              {"stop", {}, {}}};
  return kCommands;
}

/// The server opens files where it runs: relative names are the client's.
std::string absolute(const std::string& path) {
  if (path.empty() || path.front() == '/' || path == "-") return path;
  std::array<char, 4096> here{};
  if (::getcwd(here.data(), here.size()) == nullptr) return path;
  return std::string(here.data()) + "/" + path;
}

Json parameters(const Command& command, const Words& words) {
  Json params = Json::object();
  Words names = command.required;
  names.insert(names.end(), command.optional.begin(), command.optional.end());
  std::size_t used = 0;
  for (; used < words.size() && used < names.size(); ++used) {
    const std::string& value = words[used];
    params[names[used]] = names[used] == "file" ? absolute(value) : value;
  }
  if (used < command.required.size()) {
    misuse(std::string(command.name) + ": needs " + names[used]);
  }
  for (; used < words.size(); ++used) {
    const std::size_t equals = words[used].find('=');
    if (!command.pairs || equals == std::string::npos) {
      misuse(std::string(command.name) + ": '" + words[used] + "' is one word too many");
    }
    params[words[used].substr(0, equals)] = words[used].substr(equals + 1);
  }
  return params;
}

/// A connected socket that is closed at the end.
class Connection {
 public:
  explicit Connection(const std::string& address) {
    if (address.compare(0, 5, "unix:") == 0) {
      connect_unix(address.substr(5, address.find(',') - 5));
    } else if (address.compare(0, 4, "tcp:") == 0) {
      connect_tcp(address.substr(4, address.find(',') - 4));
    } else {
      misuse("address '" + address + "': expected unix:PATH or tcp:HOST:PORT");
    }
  }
  ~Connection() {
    if (fd_ >= 0) ::close(fd_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send(const std::string& line) const {
    for (std::size_t done = 0; done < line.size();) {
      const ssize_t sent = ::send(fd_, line.data() + done, line.size() - done, MSG_NOSIGNAL);
      if (sent <= 0) throw std::runtime_error("the simulator has closed the connection");
      done += static_cast<std::size_t>(sent);
    }
  }
  std::string line() const {
    std::string text;
    std::array<char, 65536> bytes{};
    while (text.empty() || text.back() != '\n') {
      const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), 0);
      if (got <= 0) throw std::runtime_error("the run has ended before the answer came");
      text.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  void connect_unix(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) misuse("path '" + path + "'");
    std::copy(path.begin(), path.end(), std::begin(address.sun_path));
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect to '" + path + "': " + std::strerror(errno) +
                               "; is e1000-sim running with --control?");
    }
  }
  void connect_tcp(const std::string& host_port) {
    const std::size_t colon = host_port.rfind(':');
    if (colon == std::string::npos) misuse("address tcp:" + host_port + ": no port");
    std::string host = host_port.substr(0, colon);
    if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
    if (host.empty()) host = "127.0.0.1";
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), host_port.substr(colon + 1).c_str(), &hints, &found) != 0) {
      throw std::runtime_error("cannot find '" + host_port + "'");
    }
    for (const addrinfo* it = found; it != nullptr && fd_ < 0; it = it->ai_next) {
      fd_ = ::socket(it->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (::connect(fd_, it->ai_addr, it->ai_addrlen) == 0) continue;
      ::close(fd_);
      fd_ = -1;
    }
    ::freeaddrinfo(found);
    if (fd_ < 0) throw std::runtime_error("cannot connect to '" + host_port + "'");
  }

  int fd_ = -1;
};

// --- for people ---------------------------------------------------------------------------------

std::string hex(std::uint64_t value, int digits) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%0*llx", digits, static_cast<unsigned long long>(value));
  return text.data();
}

/// Tables within a line leave out what is zero or empty.
std::string plain(const Json& value) {
  if (value.is_object()) {
    std::string text;
    for (const auto& [key, item] : value.items()) {
      if (item == 0 || (item.is_object() && item.empty())) continue;
      const std::string inner = plain(item);
      text +=
          (text.empty() ? "" : ", ") + key + " " + (item.is_object() ? "(" + inner + ")" : inner);
    }
    return text.empty() ? "nothing" : text;
  }
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void print_words(const Json& words, const char* unit) {
  constexpr std::size_t kInRow = 8;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i % kInRow == 0) std::cout << (i == 0 ? "" : "\n") << unit << hex(i, 2) << ":";
    std::cout << " " << (words[i].is_null() ? "----" : hex(words[i].get<std::uint64_t>(), 4));
  }
  std::cout << "\n";
}

/// One line for each element, keys that are tables of their own indented below.
void print_list(const Json& list) {
  if (list.empty()) std::cout << "none\n";
  for (const Json& item : list) {
    if (!item.is_object()) {
      std::cout << plain(item) << "\n";
      continue;
    }
    std::string line;
    std::string below;
    for (const auto& [key, value] : item.items()) {
      if (value.is_null() || (value.is_array() && value.empty())) continue;
      if (value.is_array()) {
        for (const Json& element : value) below += "  " + key + " " + plain(element) + "\n";
      } else {
        line += (line.empty() ? "" : "  ") + key + " " + plain(value);
      }
    }
    std::cout << line << "\n" << below;
  }
}

void print(const std::string& command, const Json& result) {
  if (command == "read") {
    for (const auto& [name, value] : result.items()) {
      std::cout << name << " = 0x" << hex(value.get<std::uint64_t>(), 8) << "\n";
    }
  } else if (command == "eeprom") {
    print_words(result.at("words"), "word ");
    std::cout << "checksum " << (result.at("checksum_ok").get<bool>() ? "right" : "wrong") << "\n";
  } else if (command == "phy") {
    print_words(result.at("registers"), "register ");
  } else if (command == "stats") {
    std::cout << result.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
  } else if (result.is_array()) {
    print_list(result);
  } else {
    for (const auto& [key, value] : result.items())
      std::cout << key << ": " << plain(value) << "\n";
  }
}

int ask(const std::string& address, bool as_json, const Words& words) {
  const auto found = std::find_if(commands().begin(), commands().end(),
                                  [&](const Command& c) { return words[0] == c.name; });
  if (found == commands().end()) misuse("unknown command '" + words[0] + "'");
  const Json request = {{"jsonrpc", "2.0"},
                        {"id", 1},
                        {"method", words[0]},
                        {"params", parameters(*found, Words(words.begin() + 1, words.end()))}};
  if (address.empty()) misuse("say where with -c ADDRESS or in E1000_CONTROL");
  const Connection connection(address);
  connection.send(request.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  const std::string line = connection.line();
  const Json answer = Json::parse(line);
  if (answer.contains("error")) {
    if (as_json) std::cout << line;
    throw std::runtime_error(plain(answer.at("error").at("message")));
  }
  if (as_json) {
    std::cout << line;
  } else {
    print(words[0], answer.at("result"));
  }
  return kFine;
}

int run(Words words) {
  const char* const environment = std::getenv("E1000_CONTROL");
  std::string address = environment != nullptr ? environment : "";
  bool as_json = false;
  while (!words.empty() && !words[0].empty() && words[0].front() == '-') {
    if (words[0] == "--help" || words[0] == "-h") {
      std::cout << kHelp;
      return kFine;
    }
    if (words[0] == "--json") {
      as_json = true;
    } else if (words[0] == "-c" && words.size() > 1) {
      address = words[1];
      words.erase(words.begin());
    } else {
      misuse("option '" + words[0] + "'");
    }
    words.erase(words.begin());
  }
  if (words.empty() || words[0].empty()) misuse("no command");
  return ask(address, as_json, words);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(Words(argv + 1, argv + argc));
  } catch (const std::invalid_argument& error) {
    std::cerr << "e1000-ctl: " << error.what() << "\n";
    return kUsage;
  } catch (const std::exception& error) {
    std::cerr << "e1000-ctl: " << error.what() << "\n";
    return kFailed;
  }
}
