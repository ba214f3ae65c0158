/// How clients come to the qtest door, stay and go.
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "e1000tlm/link/host/host_socket.h"
#include "e1000tlm/plugs/qtest_door.h"
#include "testbenches/support/sanitizer.h"
#include "testbenches/support/sc_test.h"
#include "testbenches/unit/platform/qtest_fixture.h"

namespace e1000tlm::plugs {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

TEST_F(QTestDoorTest, AClientThatReadsNoAnswersAndGoesEndsTheSimulation) {
  run([](Client& qtest) {
    std::string many;
    for (int i = 0; i < 2000; ++i) many += "read 0 4096\n";
    qtest.send(many);
    std::this_thread::sleep_for(milliseconds(50));
  });
}

TEST_F(QTestDoorTest, KeepOnServesOneClientAfterTheOther) {
  config.keep = true;
  QTestDoor door("door", backend, config);
  std::thread thread([&] {
    {
      Client first(path());
      EXPECT_EQ(first("irq_intercept_in ioapic"), "OK");
      EXPECT_EQ(first("clock_step 10"), "OK 10");
      first.send("half a li");
    }
    {
      Client second(path());
      EXPECT_EQ(second("writel 0xf0000000 1"), "OK");
      EXPECT_TRUE(second.interrupts.empty());
      EXPECT_EQ(second("irq_intercept_in ioapic"), "OK");
      EXPECT_EQ(second("clock_step 10"), "OK 20");
    }
    door.stop();
  });
  sc_core::sc_start();
  thread.join();
  EXPECT_EQ(door.commands(), 5U);
}

TEST_F(QTestDoorTest, AClientThatTakesNoAnswersMakesRoomForTheNext) {
  test::expect_report("/e1000tlm/plugs/qtest");
  config.keep = true;
  config.stall_limit = milliseconds(20);
  QTestDoor door("door", backend, config);
  std::thread thread([&] {
    const Client stuck(path());
    const timeval patience{5, 0};
    ::setsockopt(stuck.fd(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    std::string many;
    for (int i = 0; i < 2000; ++i) many += "read 0 4096\n";
    stuck.send(many);
    Client second(path());
    EXPECT_EQ(second("endianness"), "OK little");
    door.stop();
  });
  sc_core::sc_start();
  thread.join();
}

TEST_F(QTestDoorTest, AClientThatTakesItsTimeKeepsItsPlaceWhileNobodyWaits) {
  config.stall_limit = milliseconds(5);
  run([](Client& qtest) {
    std::string many;
    for (int i = 0; i < 200; ++i) many += "read 0 4096\n";
    qtest.send(many);
    std::this_thread::sleep_for(milliseconds(60));
    for (int i = 0; i < 200; ++i) EXPECT_EQ(qtest.line().size(), 5U + 8192U);
  });
}

/// The thread sanitizer keeps several bytes for each of the program's.
#ifdef __SANITIZE_THREAD__
constexpr long kMemoryFactor = 4;
#else
constexpr long kMemoryFactor = 1;
#endif

TEST_F(QTestDoorTest, AnEndlessLineTakesNoMoreMemoryThanTheLongestOne) {
  config.keep = true;
  QTestDoor door("door", backend, config);
  std::thread thread([&] {
    {
      const Client endless(path());
      const std::string chunk(1 << 20, 'x');
      for (int i = 0; i < 400; ++i) endless.send(chunk);
    }
    {
      Client second(path());
      EXPECT_EQ(second("endianness"), "OK little");
    }
    door.stop();
  });
  sc_core::sc_start();
  thread.join();
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  // Its buffer grows by doubling, so that two of them exist for a moment.
  EXPECT_LT(usage.ru_maxrss, kMemoryFactor * static_cast<long>(4 * kQTestMaxLine / 1024));
}

TEST_F(QTestDoorTest, StopEndsTheWaitForAClient) {
  QTestDoor door("door", backend, config);
  std::thread thread([&] {
    std::this_thread::sleep_for(milliseconds(20));
    door.stop();
  });
  sc_core::sc_start();
  thread.join();
  EXPECT_EQ(sc_core::sc_get_status(), sc_core::SC_STOPPED);
}

TEST_F(QTestDoorTest, StopEndsTheWaitForACommand) {
  QTestDoor door("door", backend, config);
  std::thread thread([&] {
    Client client(path());
    EXPECT_EQ(client("clock_step 1"), "OK 1");
    door.stop();
    EXPECT_EQ(client.line(), "");  // the door hangs up
  });
  sc_core::sc_start();
  thread.join();
}

TEST_F(QTestDoorTest, ConnectsToAListeningClientWithServerOff) {
  link::UniqueFd listener = link::bind_unix_socket(path(), SOCK_STREAM);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  config.address += ",server=off";
  QTestDoor door("door", backend, config);
  std::thread thread([&] {
    Client qtest(link::UniqueFd(::accept(listener.get(), nullptr, nullptr)));
    EXPECT_EQ(qtest("clock_step 3"), "OK 3");
  });
  sc_core::sc_start();
  thread.join();
}

TEST_F(QTestDoorTest, AnAddressWithServerOffHasOneClientOnly) {
  link::UniqueFd listener = link::bind_unix_socket(path(), SOCK_STREAM);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  config.address += ",server=off";
  config.keep = true;  // there is nobody to wait for
  QTestDoor door("door", backend, config);
  std::thread thread([&] {
    Client qtest(link::UniqueFd(::accept(listener.get(), nullptr, nullptr)));
    EXPECT_EQ(qtest("endianness"), "OK little");
  });
  sc_core::sc_start();
  thread.join();
  EXPECT_EQ(door.commands(), 1U);
}

/// A TCP port that was free a moment ago.
std::string free_port() {
  link::UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  return std::to_string(ntohs(address.sin_port));
}

TEST_F(QTestDoorTest, ListensOnTcpToo) {
  const link::SocketAddress address{"", "127.0.0.1", free_port()};
  config.address = "tcp:127.0.0.1:" + address.port + ",server,wait=off";
  QTestDoor door("door", backend, config);
  std::thread thread([&] {
    Client qtest(link::connect_to(address));
    EXPECT_EQ(qtest("clock_step 3"), "OK 3");
  });
  sc_core::sc_start();
  thread.join();
}

TEST_F(QTestDoorTest, ConnectsByTcpToo) {
  const link::SocketAddress address{"", "127.0.0.1", free_port()};
  const link::UniqueFd listener = link::listen_on(address);
  config.address = "tcp::" + address.port + ",server=off";
  QTestDoor door("door", backend, config);
  std::thread thread([&] {
    Client qtest(link::accept_from(listener.get()));
    EXPECT_EQ(qtest("clock_step 3"), "OK 3");
  });
  sc_core::sc_start();
  thread.join();
}

TEST(StreamConnection, OfTwoPipesBlocksNobody) {
  ASSERT_NE(std::signal(SIGPIPE, SIG_IGN), SIG_ERR);
  int to[2];
  int from[2];
  ASSERT_EQ(::pipe(to), 0);
  ASSERT_EQ(::pipe(from), 0);
  const link::UniqueFd writer(to[1]);
  link::UniqueFd reader(from[0]);
  const StreamConnection connection{link::UniqueFd(to[0]), link::UniqueFd(from[1])};
  ASSERT_EQ(::write(writer.get(), "hello", 5), 5);
  std::array<char, 16> data{};
  EXPECT_EQ(connection.read(data.data(), data.size()), 5);
  const std::string much(1 << 20, 'x');
  ssize_t taken = 0;
  while ((taken = connection.write(much)) > 0) continue;
  EXPECT_EQ(taken, -1);
  EXPECT_EQ(errno, EAGAIN);
  reader.reset();
  EXPECT_EQ(connection.write(much), -1);
  EXPECT_EQ(errno, EPIPE);
}

TEST_F(QTestDoorTest, RemovesItsSocketInTheEnd) {
  {
    QTestDoor door("door", backend, config);
    EXPECT_TRUE(std::filesystem::exists(path()));
  }
  EXPECT_FALSE(std::filesystem::exists(path()));
}

template <class Exception>
std::string refusal(const std::string& address) {
  try {
    const StreamEndpoint endpoint(address);
  } catch (const Exception& error) {
    return error.what();
  }
  return "nothing thrown";
}

TEST_F(QTestDoorTest, NamesWhatIsWrongWithAnAddress) {
  EXPECT_THAT(refusal<std::invalid_argument>("serial:1"), HasSubstr("'serial:1': unknown kind"));
  EXPECT_THAT(refusal<std::invalid_argument>("unix:"), HasSubstr("no path"));
  EXPECT_THAT(refusal<std::invalid_argument>("tcp:localhost"), HasSubstr("no port"));
  EXPECT_THAT(refusal<std::invalid_argument>("unix:x,wait=now"), HasSubstr("neither on nor off"));
  EXPECT_THAT(refusal<std::invalid_argument>("unix:x,nowait"),
              HasSubstr("unknown option 'nowait'"));
  EXPECT_THAT(refusal<std::invalid_argument>("stdio,keep=on"), HasSubstr("unknown kind"));
  for (const char* port : {"0", "65536", "x", "123456", "-1"}) {
    EXPECT_THAT(refusal<std::invalid_argument>("tcp:h:" + std::string(port)),
                HasSubstr("is no port from 1 to 65535"));
  }
  EXPECT_THAT(refusal<std::invalid_argument>("unix:" + std::string(200, 'x')),
              HasSubstr("is too long"));
  EXPECT_THAT(refusal<std::runtime_error>("unix:/proc/no/socket"), HasSubstr("/proc/no/socket"));
  EXPECT_THAT(refusal<std::runtime_error>("unix:" + path() + ",server=off"),
              HasSubstr("cannot connect to '" + path() + "'"));
  const StreamEndpoint first("unix:" + path());
  EXPECT_THAT(refusal<std::runtime_error>("unix:" + path()), HasSubstr("is in use"));
}

TEST(StreamAddress, IsTakenApart) {
  const StreamAddress local = StreamAddress::parse("unix:/tmp/a:b,server=off");
  EXPECT_EQ(local.kind, StreamAddress::Kind::kUnix);
  EXPECT_EQ(local.socket.path, "/tmp/a:b");
  EXPECT_FALSE(local.server);
  EXPECT_TRUE(local.keep);
  const StreamAddress commas = StreamAddress::parse("unix:/tmp/a,,b,,,server,wait=off,keep=off");
  EXPECT_EQ(commas.socket.path, "/tmp/a,b,");
  EXPECT_TRUE(commas.server);
  EXPECT_FALSE(commas.keep);
  const StreamAddress remote = StreamAddress::parse("tcp:[::1]:1234");
  EXPECT_EQ(remote.kind, StreamAddress::Kind::kTcp);
  EXPECT_EQ(remote.socket.path, "");
  EXPECT_EQ(remote.socket.host, "::1");
  EXPECT_EQ(remote.socket.port, "1234");
  EXPECT_TRUE(remote.server);
  EXPECT_EQ(StreamAddress::parse("tcp::1").socket.host, "");
  EXPECT_EQ(StreamAddress::parse("stdio").kind, StreamAddress::Kind::kStdio);
}

TEST(StreamEndpoint, RestsWhileThereIsNoDescriptorForAClient) {
  if (!e1000tlm::test::kMayRunOutOfDescriptors) GTEST_SKIP() << "the sanitizer needs descriptors";
  const std::string path = ::testing::TempDir() + "endpoint_" + std::to_string(::getpid());
  StreamEndpoint endpoint("unix:" + path);
  const link::WakeUp interrupt;
  const link::UniqueFd client = link::connect_to({path, "", ""});
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(link::UniqueFd(::dup(0)).get());
  ::setrlimit(RLIMIT_NOFILE, &none);
  std::thread helper([&] {
    std::this_thread::sleep_for(milliseconds(300));
    ::setrlimit(RLIMIT_NOFILE, &before);
  });
  timespec start{}, end{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
  EXPECT_TRUE(endpoint.accept(interrupt.fd())) << "as soon as there is one again";
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
  helper.join();
  const double used = static_cast<double>(end.tv_sec - start.tv_sec) +
                      static_cast<double>(end.tv_nsec - start.tv_nsec) * 1e-9;
  EXPECT_LT(used, 0.1) << "seconds of a processor";
}

}  // namespace
}  // namespace e1000tlm::plugs
