#include "testbenches/timing/forked.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <systemc>

#include <sys/wait.h>
#include <unistd.h>

namespace e1000tlm::timing {
namespace {

bool write_all(int file, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = write(file, text.data() + done, text.size() - done);
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

std::string read_all(int file) {
  std::string text;
  std::array<char, 65536> part{};
  for (;;) {
    const ssize_t n = read(file, part.data(), part.size());
    if (n <= 0) return text;
    text.append(part.data(), static_cast<std::size_t>(n));
  }
}

[[noreturn]] void be_child(int file, const std::function<nlohmann::json()>& simulate) {
  nlohmann::json answer;
  try {
    answer["result"] = simulate();
  } catch (const std::exception& failure) {
    answer = {{"error", failure.what()}};
  }
  // No destructors: the kernel's objects die with the process.
  std::_Exit(write_all(file, answer.dump()) ? 0 : 1);
}

}  // namespace

nlohmann::json in_child(const std::function<nlohmann::json()>& simulate) {
  std::array<int, 2> ends{};
  std::fflush(stdout);
  if (pipe(ends.data()) != 0) throw std::runtime_error("pipe failed");
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) be_child(ends[1], simulate);
  close(ends[1]);
  const std::string text = read_all(ends[0]);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) throw std::runtime_error("the simulation's process died");
  const nlohmann::json answer = nlohmann::json::parse(text);
  if (answer.contains("error")) throw std::runtime_error(answer["error"].get<std::string>());
  return answer["result"];
}

}  // namespace e1000tlm::timing
