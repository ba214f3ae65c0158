#include "e1000tlm/plugs/qtest_door.h"

#include <functional>
#include <thread>

#include <gmock/gmock.h>

#include "testbenches/unit/platform/qtest_fixture.h"

namespace e1000tlm::plugs {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

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

}  // namespace
}  // namespace e1000tlm::plugs
