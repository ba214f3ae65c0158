#include "platform/plugs/qtest_door.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "models/link/host_socket.h"
#include "testbenches/support/sc_test.h"
#include "testbenches/unit/platform/qtest_fixture.h"

namespace e1000tlm::plugs {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class QTestDoorTest : public ::testing::Test {
 protected:
  QTestDoorTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "e1000tlm-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    config.address = "unix:" + path();
  }
  ~QTestDoorTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  std::string path() const { return directory_ + "/qtest"; }

  /// Runs the simulation until it stops by itself, with the program talking to it.
  void run(const std::function<void(Client&)>& program) {
    QTestDoor door("door", backend, config);
    std::thread thread([&] {
      Client client(path());
      program(client);
    });
    sc_core::sc_start();
    thread.join();
    EXPECT_EQ(sc_core::sc_get_status(), sc_core::SC_STOPPED);
  }

  FakeBackend backend{"backend"};
  QTestConfig config;

 private:
  std::string directory_;
};

TEST_F(QTestDoorTest, CarriesAccessesOutAndAnswersThem) {
  run([](Client& qtest) {
    EXPECT_EQ(qtest("writel 0x10 0x12345678"), "OK");
    EXPECT_EQ(qtest("readl 0x10"), "OK 0x0000000012345678");
    EXPECT_EQ(qtest("readb 0x11"), "OK 0x0000000000000056");
    EXPECT_EQ(qtest("readw 0x12"), "OK 0x0000000000001234");
    EXPECT_EQ(qtest("writeq 0x18 0x1122334455667788"), "OK");
    EXPECT_EQ(qtest("readq 0x18"), "OK 0x1122334455667788");
    EXPECT_EQ(qtest("writeb 0x1f 0xff"), "OK");
    EXPECT_EQ(qtest("read 0x18 8"), "OK 0x88776655443322ff");
    EXPECT_EQ(qtest("write 0x20 3 0x010203"), "OK");
    EXPECT_EQ(qtest("b64read 0x20 3"), "OK AQID");
    EXPECT_EQ(qtest("b64write 0x21 1 /w=="), "OK");
    EXPECT_EQ(qtest("memset 0x30 2 0x5a"), "OK");
    EXPECT_EQ(qtest("read 0x20 18"), "OK 0x01ff03" + std::string(26, '0') + "5a5a");
    EXPECT_EQ(qtest("outl 0xcf8 0x80001000"), "OK");
    EXPECT_EQ(qtest("inl 0xcf8"), "OK 0x80001000");
    EXPECT_EQ(qtest("outb 0x80 0x7f"), "OK");
    EXPECT_EQ(qtest("inb 0x80"), "OK 0x007f");
    EXPECT_EQ(qtest("endianness"), "OK little");
  });
}

TEST_F(QTestDoorTest, ReadsThatNobodyAnswersAreAllOnes) {
  run([](Client& qtest) {
    EXPECT_EQ(qtest("readl 0xe0000000"), "OK 0x00000000ffffffff");
    EXPECT_EQ(qtest("readb 0xe0000000"), "OK 0x00000000000000ff");
    EXPECT_EQ(qtest("readq 0xe0000000"), "OK 0xffffffffffffffff");
    EXPECT_EQ(qtest("read 0xe0000000 3"), "OK 0xffffff");
    EXPECT_EQ(qtest("inb 0x55"), "OK 0x00ff");
    EXPECT_EQ(qtest("inw 0x55"), "OK 0xffff");
    EXPECT_EQ(qtest("inl 0x55"), "OK 0xffffffff");
    EXPECT_EQ(qtest("writel 0xe0000000 1"), "OK");
  });
}

TEST_F(QTestDoorTest, TimeMovesByTheClockCommandsOnly) {
  run([](Client& qtest) {
    std::this_thread::sleep_for(milliseconds(10));
    EXPECT_EQ(qtest("clock_step 1000"), "OK 1000");
    EXPECT_EQ(qtest("readl 0"), "OK 0x0000000000000000");
    EXPECT_EQ(qtest("clock_step 5"), "OK 1005");
    EXPECT_EQ(qtest("clock_set 2000"), "OK 2000");
    EXPECT_EQ(qtest("clock_set 2000"), "OK 2000");
    EXPECT_EQ(qtest("clock_set 1999"), "FAIL 2000");
    EXPECT_EQ(qtest("clock_step 0"), "FAIL could not advance time");
    EXPECT_EQ(qtest("clock_step -1"), "FAIL could not advance time");
    EXPECT_EQ(qtest("clock_step 9223372036854775807"), "FAIL could not advance time");
    EXPECT_EQ(qtest("clock_set 9223372036854775807"), "FAIL 2000");
    EXPECT_EQ(qtest("clock_set -1"), "FAIL 2000");
  });
  EXPECT_EQ(sc_now(), us(2));
}

TEST_F(QTestDoorTest, LongStepsOverNothingTakeNoTime) {
  run([](Client& qtest) {
    for (int day = 1; day <= 50; ++day) {
      EXPECT_EQ(qtest("clock_step 86400000000000"),
                "OK " + std::to_string(86'400'000'000'000LL * day));
    }
    EXPECT_EQ(qtest("clock_step 864000000000000"), "FAIL could not advance time");
  });
}

TEST_F(QTestDoorTest, WorkThatACommandStartsIsDoneBeforeItsAnswer) {
  run([](Client& qtest) {
    EXPECT_EQ(qtest("irq_intercept_in ioapic"), "OK");
    EXPECT_EQ(qtest("writel 0xf0000000 5000"), "OK");
    EXPECT_THAT(qtest.interrupts, ElementsAre("IRQ raise 11"));
    EXPECT_EQ(qtest("readl 0xf000000c"), "OK 0x0000000000000001");
  });
  EXPECT_EQ(backend.done_at, us(5));
}

TEST_F(QTestDoorTest, StepsUseUpTheLeadThatWorkHasTaken) {
  config.keep = false;
  Time after_first{};
  QTestDoor door("door", backend, config);
  std::thread thread([&] {
    Client qtest(path());
    EXPECT_EQ(qtest("writel 0xf0000000 5000"), "OK");
    EXPECT_EQ(qtest("clock_step 1000"), "OK 1000");
    after_first = door.clock();  // the door waits for a command now
    EXPECT_EQ(qtest("clock_step 3999"), "OK 4999");
    EXPECT_EQ(qtest("clock_step 2"), "OK 5001");
  });
  sc_core::sc_start();
  thread.join();
  EXPECT_EQ(after_first, us(1));
  EXPECT_EQ(sc_now(), ns(5001));
  EXPECT_EQ(door.commands(), 4U);
}

TEST_F(QTestDoorTest, TimersWaitForTheClock) {
  run([](Client& qtest) {
    EXPECT_EQ(qtest("irq_intercept_in ioapic"), "OK");
    EXPECT_EQ(qtest("writel 0xf0000008 10000"), "OK");
    EXPECT_EQ(qtest("clock_step 9999"), "OK 9999");
    EXPECT_TRUE(qtest.interrupts.empty());
    EXPECT_EQ(qtest("clock_step 1"), "OK 10000");
    EXPECT_THAT(qtest.interrupts, ElementsAre("IRQ raise 9"));
  });
}

TEST_F(QTestDoorTest, AStepWithoutANumberGoesToTheNextDeadline) {
  run([](Client& qtest) {
    EXPECT_EQ(
        qtest("clock_step"),
        "FAIL cannot advance clock to the next deadline because there is no pending deadline");
    EXPECT_EQ(qtest("irq_intercept_in ioapic"), "OK");
    EXPECT_EQ(qtest("writel 0xf0000008 777"), "OK");
    EXPECT_EQ(qtest("clock_step"), "OK 777");
    EXPECT_THAT(qtest.interrupts, ElementsAre("IRQ raise 9"));
  });
}

TEST_F(QTestDoorTest, WorkGetsTimeUpToItsLimitOnly) {
  config.settle_limit = ms(1);
  run([](Client& qtest) {
    EXPECT_EQ(qtest("writel 0xf0000000 1000001"), "OK");  // 1 ns too long
    EXPECT_EQ(qtest("readl 0xf000000c"), "OK 0x0000000000000000");
    EXPECT_EQ(qtest("clock_step 1000001"), "OK 1000001");
    EXPECT_EQ(qtest("readl 0xf000000c"), "OK 0x0000000000000001");
  });
}

TEST_F(QTestDoorTest, WithoutSettlingWorkWaitsForTheClock) {
  config.settle = false;
  run([](Client& qtest) {
    EXPECT_EQ(qtest("writel 0xf0000000 100"), "OK");
    EXPECT_EQ(qtest("readl 0xf000000c"), "OK 0x0000000000000000");
    EXPECT_EQ(qtest("clock_step 100"), "OK 100");
    EXPECT_EQ(qtest("readl 0xf000000c"), "OK 0x0000000000000001");
  });
  EXPECT_EQ(sc_now(), ns(100));
}

TEST_F(QTestDoorTest, ReportsInterruptsOnlyWhenTheyAreInterceptedAndChange) {
  run([](Client& qtest) {
    EXPECT_EQ(qtest("writel 0xf0000000 1"), "OK");
    EXPECT_EQ(qtest("writel 0xf0000004 0"), "OK");
    EXPECT_EQ(qtest("irq_intercept_in nobody"), "FAIL Unknown device");
    EXPECT_TRUE(qtest.interrupts.empty());
    EXPECT_EQ(qtest("irq_intercept_in /machine/board/ioapic"), "OK");
    EXPECT_EQ(qtest("irq_intercept_in ioapic"), "OK");
    EXPECT_EQ(qtest("irq_intercept_out e1000"), "FAIL IRQ intercept already enabled");
    EXPECT_EQ(qtest("writel 0xf0000004 0"), "OK");  // is low already
    EXPECT_EQ(qtest("writel 0xf0000000 1"), "OK");
    EXPECT_EQ(qtest("writel 0xf0000000 1"), "OK");  // is high already
    EXPECT_EQ(qtest("writel 0xf0000004 0"), "OK");
    EXPECT_THAT(qtest.interrupts, ElementsAre("IRQ raise 11", "IRQ lower 11"));
  });
}

TEST_F(QTestDoorTest, InterceptionFailsWhereQemuLetsItFail) {
  run([](Client& qtest) {
    EXPECT_EQ(qtest("irq_intercept_in nobody name"), "FAIL Unknown device");
    EXPECT_EQ(qtest("irq_intercept_in /machine/unattached/ioapic"), "FAIL Unknown device");
    EXPECT_EQ(qtest("irq_intercept_in ioapic name"),
              "FAIL Interception of named in-GPIOs not yet supported");
    EXPECT_EQ(qtest("irq_intercept_in e1000"), "FAIL No intercepts installed");
    EXPECT_EQ(qtest("irq_intercept_out e1000"), "FAIL No intercepts installed");
    EXPECT_EQ(qtest("irq_intercept_out ioapic name"), "FAIL No intercepts installed");
  });
}

TEST_F(QTestDoorTest, OutputsOfTheInterruptControllerAreInterceptedInVain) {
  run([](Client& qtest) {
    EXPECT_EQ(qtest("irq_intercept_out ioapic"), "OK");
    EXPECT_EQ(qtest("irq_intercept_in ioapic"), "OK");  // the same device: not done again
    EXPECT_EQ(qtest("writel 0xf0000000 1"), "OK");
    EXPECT_TRUE(qtest.interrupts.empty());
  });
}

TEST_F(QTestDoorTest, AnInputMayBeForced) {
  run([](Client& qtest) {
    EXPECT_EQ(qtest("set_irq_in nobody unnamed-gpio-in 11 1"), "FAIL Unknown device");
    EXPECT_EQ(qtest("set_irq_in ioapic unnamed-gpio-in 24 1"), "FAIL No such input");
    EXPECT_EQ(qtest("set_irq_in ioapic unnamed-gpio-in -1 1"), "FAIL No such input");
    EXPECT_EQ(qtest("set_irq_in ioapic name 1 1"), "FAIL No such input");
    EXPECT_EQ(qtest("set_irq_in e1000 unnamed-gpio-in 0 1"), "FAIL No such input");
    EXPECT_EQ(qtest("irq_intercept_in ioapic"), "OK");
    EXPECT_EQ(qtest("set_irq_in ioapic unnamed-gpio-in 11 1"), "OK");
    EXPECT_EQ(qtest("writel 0xf0000000 1"), "OK");  // raises what is raised
    EXPECT_EQ(qtest("set_irq_in ioapic unnamed-gpio-in 23 1"), "OK");
    EXPECT_EQ(qtest("set_irq_in ioapic unnamed-gpio-in 11 0"), "OK");
    EXPECT_THAT(qtest.interrupts, ElementsAre("IRQ raise 11", "IRQ raise 23", "IRQ lower 11"));
  });
}

TEST_F(QTestDoorTest, InterruptLinesComeBeforeTheAnswerOfTheCommandThatCausesThem) {
  run([](Client& qtest) {
    qtest.send(
        "irq_intercept_in ioapic\nwritel 0xf0000008 500\nclock_step 1000\n"
        "writel 0xf0000000 1\nwritel 0xf0000004 0\n");
    for (const char* expected :
         {"OK", "OK", "IRQ raise 9", "OK 1000", "IRQ raise 11", "OK", "IRQ lower 11", "OK"}) {
      EXPECT_EQ(qtest.line(), expected);
    }
  });
}

TEST_F(QTestDoorTest, HostsAreAskedBeforeACommandAndServedBeforeItsAnswer) {
  run([](Client& qtest) { EXPECT_EQ(qtest("writel 0 1"), "OK"); });
  EXPECT_THAT(backend.log, ElementsAre("poll", "write", "flush"));
}

TEST_F(QTestDoorTest, FramesFromHostsAreInMemoryBeforeTheCommandLooks) {
  backend.frames_from_hosts = 1;  // makes work for 1 us
  run([](Client& qtest) { EXPECT_EQ(qtest("readl 0xf000000c"), "OK 0x0000000000000001"); });
}

TEST_F(QTestDoorTest, HostsAreAskedWhileTheClockSteps) {
  run([](Client& qtest) {
    EXPECT_EQ(qtest("writel 0xf0000008 5000000"), "OK");
    EXPECT_EQ(qtest("clock_step 5000000"), "OK 5000000");
  });
  // Before each of the two commands, and once in the step, which has one event only.
  EXPECT_EQ(std::count(backend.log.begin(), backend.log.end(), "poll"), 3);
}

TEST_F(QTestDoorTest, AHostThatTakesNoFramesDelaysAnswersOnceAndIsTriedAgain) {
  config.flush_limit = milliseconds(30);
  backend.flushes_to_fail = 4;
  run([this](Client& qtest) {
    EXPECT_EQ(qtest("writel 0 1"), "OK");
    EXPECT_EQ(qtest("writel 0 1"), "OK");
    while (backend.flushes_to_fail > 0) std::this_thread::sleep_for(milliseconds(1));
    std::this_thread::sleep_for(milliseconds(20));
    EXPECT_EQ(qtest("writel 0 1"), "OK");
  });
  ASSERT_GE(backend.flush_timeouts.size(), 5U);
  EXPECT_EQ(backend.flush_timeouts.front(), milliseconds(30));
  EXPECT_EQ(backend.flush_timeouts[1], milliseconds(0));
  EXPECT_EQ(backend.flush_timeouts.back(), milliseconds(30));  // all is well again
}

TEST_F(QTestDoorTest, HostileLinesAreAnsweredOneByOne) {
  run([](Client& qtest) {
    EXPECT_EQ(qtest("frobnicate"), "FAIL Unknown command 'frobnicate'");
    EXPECT_EQ(qtest(""), "FAIL Unknown command ''");
    EXPECT_EQ(qtest("read 0 0xffffffffffffffff"),
              "FAIL Size 18446744073709551615 is more than the limit of 67108864 bytes");
    EXPECT_EQ(qtest("write 0 1 0x"), "ERR invalid argument size");
    EXPECT_EQ(qtest(std::string(100'000, '\xff')).substr(0, 20), "FAIL Unknown command");
    EXPECT_EQ(qtest("memset 0xff0 0x4000000 1"), "OK");  // beyond RAM
    EXPECT_EQ(qtest("readl 0"), "OK 0x0000000000000000");
    qtest.send("readl 0\nreadl 0\nread");  // the last line never ends
    EXPECT_EQ(qtest.line(), "OK 0x0000000000000000");
    EXPECT_EQ(qtest.line(), "OK 0x0000000000000000");
  });
}

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
  EXPECT_LT(usage.ru_maxrss, static_cast<long>(4 * kQTestMaxLine / 1024));
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

}  // namespace
}  // namespace e1000tlm::plugs
