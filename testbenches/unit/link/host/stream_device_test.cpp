// Options, sockets and descriptors of the stream partner, without a simulation.
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "e1000tlm/link/host/stream_partner.h"
#include "testbenches/support/sanitizer.h"
#include "testbenches/unit/link/host/stream_fixture.h"

namespace e1000tlm::link {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

template <class Exception>
std::string refusal(const std::string& text) {
  try {
    open_stream(stream_config(PartnerSpec::parse(text)));
  } catch (const Exception& error) {
    return error.what();
  }
  return "nothing thrown";
}

TEST(StreamDevice, NoticesATcpSocketThatIsConnectedToItself) {
  const SocketAddress address{"", "127.0.0.1", free_port()};
  const ResolvedAddress self = resolve(address).front();
  const UniqueFd fd(::socket(self.family(), SOCK_STREAM, 0));
  ASSERT_EQ(::bind(fd.get(), self.generic(), self.size), 0);
  ASSERT_EQ(::connect(fd.get(), self.generic(), self.size), 0);
  EXPECT_TRUE(is_connected_to_itself(fd.get()));
  const SocketAddress other{"", "127.0.0.1", free_port()};
  const UniqueFd listener = listen_on(other);
  EXPECT_FALSE(is_connected_to_itself(connect_to(other).get()));
  const TemporaryDirectory directory;
  const SocketAddress local{directory.file("socket"), "", ""};
  const UniqueFd unix_listener = listen_on(local);
  EXPECT_FALSE(is_connected_to_itself(connect_to(local).get()));
}

TEST(StreamDevice, NamesWhatIsWrongWithItsOptions) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("nic");
  using Invalid = std::invalid_argument;
  EXPECT_THAT(refusal<Invalid>("stream:"), HasSubstr("needs the option port="));
  EXPECT_THAT(refusal<Invalid>("stream:host=h"), HasSubstr("needs the option port="));
  EXPECT_THAT(refusal<Invalid>("stream:port=0"), HasSubstr("from 1 to 65535"));
  EXPECT_THAT(refusal<Invalid>("stream:path="), HasSubstr("needs the option path="));
  EXPECT_THAT(refusal<Invalid>("stream:path=x,port=1"), HasSubstr("port=1: does not go with path"));
  EXPECT_THAT(refusal<Invalid>("stream:path=x,server=maybe"), HasSubstr("is none of off, on"));
  EXPECT_THAT(refusal<Invalid>("stream:path=x,server,reconnect=1"),
              HasSubstr("reconnect=1: does not go with server=on"));
  EXPECT_THAT(refusal<Invalid>("stream:path=x,reconnect=-1"), HasSubstr("is not a whole number"));
  EXPECT_THAT(refusal<Invalid>("stream:path=x,client"), HasSubstr("\"client\" has no value"));
  EXPECT_THAT(refusal<Invalid>("stream:server,server,path=x"), HasSubstr("is given twice"));
  EXPECT_THAT(refusal<std::runtime_error>("stream:path=" + path),
              HasSubstr("cannot connect to '" + path + "'"));
  EXPECT_THAT(refusal<std::runtime_error>("stream:host=127.0.0.1,port=" + free_port()),
              HasSubstr("cannot connect to '127.0.0.1:"));
  const auto first = open_stream({{path, "", ""}, true, milliseconds(0)});
  EXPECT_THAT(refusal<std::runtime_error>("stream:server,path=" + path), HasSubstr("is in use"));
}

/// Leaves this process no descriptor that it could open, as long as it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const UniqueFd lowest(::dup(0));
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(lowest.get());
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

/// Serves the device as a host thread does; how often it was woken.
unsigned serve(HostDevice& device, milliseconds span) {
  const auto end = std::chrono::steady_clock::now() + span;
  unsigned wakes = 0;
  while (std::chrono::steady_clock::now() < end) {
    pollfd waiting{device.fd(), POLLIN, 0};
    if (::poll(&waiting, 1, 10) <= 0) continue;
    ++wakes;
    EXPECT_EQ(device.read().outcome, HostDevice::Outcome::kAgain);
  }
  return wakes;
}

TEST(StreamDevice, ReconnectingSurvivesHavingNoDescriptorsLeft) {
  if (!e1000tlm::test::kMayRunOutOfDescriptors) GTEST_SKIP() << "the sanitizer needs descriptors";
  const TemporaryDirectory directory;
  const SocketAddress address{directory.file("nic"), "", ""};
  const auto device = open_stream({address, false, milliseconds(10)});
  {
    const NoDescriptors none;
    EXPECT_LT(serve(*device, milliseconds(200)), 30U);
  }
  const UniqueFd listener = listen_on(address);
  serve(*device, milliseconds(50));
  EXPECT_TRUE(accept_from(listener.get())) << "it goes on trying";
}

TEST(StreamDevice, AServerWithoutDescriptorsRestsAndTakesThePeerLater) {
  if (!e1000tlm::test::kMayRunOutOfDescriptors) GTEST_SKIP() << "the sanitizer needs descriptors";
  const TemporaryDirectory directory;
  const SocketAddress address{directory.file("nic"), "", ""};
  const auto device = open_stream({address, true, milliseconds(0)});
  const UniqueFd peer = connect_to(address);
  {
    const NoDescriptors none;
    EXPECT_LT(serve(*device, milliseconds(350)), 10U);
  }
  serve(*device, milliseconds(250));
  const std::vector<std::uint8_t> frame(60);
  EXPECT_EQ(device->write(frame, milliseconds(0)).outcome, HostDevice::Outcome::kDone);
}

TEST(StreamDevice, HavingNoDescriptorsIsWhatItIsCalled) {
  if (!e1000tlm::test::kMayRunOutOfDescriptors) GTEST_SKIP() << "the sanitizer needs descriptors";
  const SocketAddress address{"", "127.0.0.1", free_port()};
  const std::vector<ResolvedAddress> keep = resolve(address);
  const NoDescriptors none;
  const auto reason = [](const auto& call) {
    try {
      call();
    } catch (const std::runtime_error& error) {
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  EXPECT_THAT(reason([&] { listen_on(address); }), HasSubstr("Too many open files"));
  EXPECT_THAT(reason([&] { connect_to(address); }), HasSubstr("Too many open files"));
}

}  // namespace
}  // namespace e1000tlm::link
