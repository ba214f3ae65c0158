#include "e1000tlm/plugs/qtest_protocol.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "e1000tlm/plugs/base64.h"

namespace e1000tlm::plugs {
namespace {

using Kind = QTestCommand::Kind;
using Octets = std::vector<std::uint8_t>;

QTestCommand command(const std::string& line) {
  QTestParsed parsed = parse_qtest(line);
  if (auto* answer = std::get_if<std::string>(&parsed)) {
    ADD_FAILURE() << line << " -> " << *answer;
    return {};
  }
  return std::get<QTestCommand>(parsed);
}

std::string answer(const std::string& line) {
  QTestParsed parsed = parse_qtest(line);
  if (auto* text = std::get_if<std::string>(&parsed)) return *text;
  return "a command";
}

TEST(QTestProtocol, AccessesCarryTheirWidth) {
  const struct {
    const char* line;
    Kind kind;
    unsigned width;
    std::uint64_t address;
    std::uint64_t value;
  } cases[] = {
      {"readb 0x10", Kind::kRead, 1, 0x10, 0},
      {"readw 16", Kind::kRead, 2, 16, 0},
      {"readl 020", Kind::kRead, 4, 16, 0},
      {"readq 0xfffffffffffffff8", Kind::kRead, 8, 0xfffffffffffffff8, 0},
      {"writeb 0x1 0x1ff", Kind::kWrite, 1, 1, 0xff},
      {"writew 0x2 65537", Kind::kWrite, 2, 2, 1},
      {"writel 0xfebc0000 0xDEADBEEF", Kind::kWrite, 4, 0xfebc0000, 0xdeadbeef},
      {"writel 0 -1", Kind::kWrite, 4, 0, 0xffffffff},
      {"writeq 8 0x0123456789abcdef", Kind::kWrite, 8, 8, 0x0123456789abcdef},
      {"inb 0x80", Kind::kIn, 1, 0x80, 0},
      {"inw 0xcfc", Kind::kIn, 2, 0xcfc, 0},
      {"inl 0xffff", Kind::kIn, 4, 0xffff, 0},
      {"outb 0xcf8 0x180", Kind::kOut, 1, 0xcf8, 0x80},
      {"outw 1 2", Kind::kOut, 2, 1, 2},
      {"outl 0xcf8 0x80001010", Kind::kOut, 4, 0xcf8, 0x80001010},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.line);
    const QTestCommand parsed = command(c.line);
    EXPECT_EQ(parsed.kind, c.kind);
    EXPECT_EQ(parsed.width, c.width);
    EXPECT_EQ(parsed.address, c.address);
    EXPECT_EQ(parsed.value, c.value);
  }
}

TEST(QTestProtocol, BlocksCarryTheirBytes) {
  EXPECT_EQ(command("read 0x100 0x40").kind, Kind::kReadHex);
  EXPECT_EQ(command("read 0x100 0x40").size, 0x40U);
  EXPECT_EQ(command("b64read 0 3").kind, Kind::kReadBase64);
  EXPECT_EQ(command("write 0x20 3 0x0aFF10").kind, Kind::kWriteBlock);
  EXPECT_EQ(command("write 0x20 3 0x0aFF10").address, 0x20U);
  EXPECT_EQ(command("write 0x20 3 0x0aFF10").data, (Octets{0x0a, 0xff, 0x10}));
  EXPECT_EQ(command("b64write 0x20 3 AQID").data, (Octets{1, 2, 3}));
  EXPECT_EQ(command("memset 0x20 4 0x1ab").data, (Octets{0xab, 0xab, 0xab, 0xab}));
  EXPECT_TRUE(command("memset 0x20 0 1").data.empty());
  EXPECT_EQ(command("b64read 0 0").size, 0U);
}

TEST(QTestProtocol, DataOfAnotherSizeIsCutOrFilled) {
  EXPECT_EQ(command("write 0 4 0x01020").data, (Octets{1, 2, 0, 0}));  // half a byte does not count
  EXPECT_EQ(command("write 0 1 0x0102").data, (Octets{1}));
  EXPECT_EQ(command("b64write 0 2 AQID").data, (Octets{1, 2}));
  EXPECT_EQ(command("b64write 0 9 AQID").data, (Octets{1, 2, 3}));
  EXPECT_EQ(answer("write 0 1 0x"), "ERR invalid argument size\n");
  EXPECT_EQ(answer("b64write 0 1 AQ"), "ERR invalid argument size\n");
}

TEST(QTestProtocol, ClockAndInterceptCommands) {
  EXPECT_EQ(command("clock_step").kind, Kind::kClockStep);
  EXPECT_FALSE(command("clock_step").nanoseconds);
  EXPECT_EQ(command("clock_step 1000").nanoseconds, 1000);
  EXPECT_EQ(command("clock_step -5").nanoseconds, -5);
  EXPECT_EQ(command("clock_set 0x10").kind, Kind::kClockSet);
  EXPECT_EQ(command("clock_set 0x10").nanoseconds, 16);
  EXPECT_EQ(command("irq_intercept_in ioapic").kind, Kind::kInterceptIn);
  EXPECT_EQ(command("irq_intercept_in ioapic").device, "ioapic");
  EXPECT_FALSE(command("irq_intercept_in ioapic").pins);
  EXPECT_EQ(command("irq_intercept_out /machine/x name").kind, Kind::kInterceptOut);
  EXPECT_EQ(command("irq_intercept_out /machine/x name").device, "/machine/x");
  EXPECT_EQ(command("irq_intercept_out /machine/x name").pins, "name");
  EXPECT_EQ(command("endianness").kind, Kind::kEndianness);
  const QTestCommand forced = command("set_irq_in ioapic unnamed-gpio-in 3 -2");
  EXPECT_EQ(forced.kind, Kind::kSetIrq);
  EXPECT_FALSE(forced.pins);
  EXPECT_EQ(forced.pin, 3);
  EXPECT_EQ(forced.level, -2);
  EXPECT_EQ(command("set_irq_in ioapic sparkle 3 1").pins, "sparkle");
  EXPECT_EQ(answer("set_irq_in ioapic unnamed-gpio-in 3 0x80000000"),
            "FAIL Invalid number '0x80000000'\n");
  EXPECT_EQ(answer("module_load a b"), "FAIL\n");
  EXPECT_EQ(answer("module_load a"), "FAIL Missing argument of 'module_load'\n");
}

TEST(QTestProtocol, DevicesAreNamedByTheirPathOrItsEnd) {
  constexpr const char* kPath = "/machine/i440fx/ioapic";
  for (const char* name : {"ioapic", "i440fx/ioapic", "machine/i440fx/ioapic", kPath}) {
    EXPECT_TRUE(names_device(name, kPath)) << name;
  }
  for (const char* name : {"", "/", "apic", "/ioapic", "x/ioapic", "/machine/unattached/ioapic",
                           "i440fx", "ioapic/", "/x/machine/i440fx/ioapic"}) {
    EXPECT_FALSE(names_device(name, kPath)) << name;
  }
}

TEST(QTestProtocol, UnknownCommandsAreNamed) {
  EXPECT_EQ(answer("frobnicate 1 2"), "FAIL Unknown command 'frobnicate'\n");
  EXPECT_EQ(answer(""), "FAIL Unknown command ''\n");
  EXPECT_EQ(answer(" readl 0"), "FAIL Unknown command ''\n");
  EXPECT_EQ(answer("readx 0"), "FAIL Unknown command 'readx'\n");
  EXPECT_EQ(answer("inq 0"), "FAIL Unknown command 'inq'\n");
  EXPECT_EQ(answer("READL 0"), "FAIL Unknown command 'READL'\n");
  EXPECT_EQ(answer(std::string(1000, 'x')),
            "FAIL Unknown command '" + std::string(256, 'x') + "'\n");
  EXPECT_EQ(answer(std::string("\0\xff", 2)), std::string("FAIL Unknown command '\0\xff'\n", 26));
}

TEST(QTestProtocol, BadArgumentsAreAnsweredAndNeverFatal) {
  const struct {
    const char* line;
    const char* expected;
  } cases[] = {
      {"readl", "FAIL Missing argument of 'readl'\n"},
      {"readl ", "FAIL Missing argument of 'readl'\n"},
      {"writel 0", "FAIL Missing argument of 'writel'\n"},
      {"write 0 1", "FAIL Missing argument of 'write'\n"},
      {"memset 0 1", "FAIL Missing argument of 'memset'\n"},
      {"outb 1", "FAIL Missing argument of 'outb'\n"},
      {"clock_set", "FAIL Missing argument of 'clock_set'\n"},
      {"irq_intercept_in", "FAIL Missing argument of 'irq_intercept_in'\n"},
      {"readl 12z", "FAIL Invalid number '12z'\n"},
      {"readl 0x", "FAIL Invalid number '0x'\n"},
      {"readl 08", "FAIL Invalid number '08'\n"},
      {"readl -", "FAIL Invalid number '-'\n"},
      {"readl 0x10000000000000000", "FAIL Invalid number '0x10000000000000000'\n"},
      {"clock_step 9223372036854775808", "FAIL Invalid number '9223372036854775808'\n"},
      {"inb 0x10000", "FAIL Port address is more than 0xffff\n"},
      {"read 0 0", "FAIL Cannot read 0 bytes\n"},
      {"read 0 67108865", "FAIL Size 67108865 is more than the limit of 67108864 bytes\n"},
      {"memset 0 0xffffffffffffffff 0",
       "FAIL Size 18446744073709551615 is more than the limit of 67108864 bytes\n"},
      {"read 0xffffffffffffffff 2", "FAIL Range leaves the address space\n"},
      {"readl 0xfffffffffffffffd", "FAIL Range leaves the address space\n"},
      {"write 0 0x8000000000000000 0x00",
       "FAIL Size 9223372036854775808 is more than the limit of 67108864 bytes\n"},
      {"write 0 0x8000000000000000 0x", "ERR invalid argument size\n"},
      {"b64write 0 0x8000000000000000 A", "ERR invalid argument size\n"},
      {"b64read 0 0x8000000000000000",
       "FAIL Size 9223372036854775808 is more than the limit of 67108864 bytes\n"},
      {"write 0 2 0x01zz", "FAIL Invalid hexadecimal data\n"},
  };
  for (const auto& c : cases) EXPECT_EQ(answer(c.line), c.expected) << c.line;
}

TEST(QTestProtocol, AnswersAreWordedAsQemuDoes) {
  EXPECT_EQ(qtest_ok(), "OK\n");
  EXPECT_EQ(qtest_value(0x8086), "OK 0x0000000000008086\n");
  EXPECT_EQ(qtest_value(~0ULL), "OK 0xffffffffffffffff\n");
  EXPECT_EQ(qtest_port(0x1), "OK 0x0001\n");
  EXPECT_EQ(qtest_port(0x100e8086), "OK 0x100e8086\n");
  EXPECT_EQ(qtest_hex(Octets{0x00, 0xa5, 0x0f}), "OK 0x00a50f\n");
  EXPECT_EQ(qtest_base64(Octets{1, 2, 3}), "OK AQID\n");
  EXPECT_EQ(qtest_base64(Octets{}), "OK \n");
  EXPECT_EQ(qtest_clock(1000), "OK 1000\n");
  EXPECT_EQ(qtest_fail("Unknown device"), "FAIL Unknown device\n");
  EXPECT_EQ(qtest_irq(11, true), "IRQ raise 11\n");
  EXPECT_EQ(qtest_irq(11, false), "IRQ lower 11\n");
}

// The examples of RFC 4648 section 10.
TEST(Base64, FollowsTheRfc) {
  const struct {
    std::string plain;
    std::string coded;
  } cases[] = {{"", ""},
               {"f", "Zg=="},
               {"fo", "Zm8="},
               {"foo", "Zm9v"},
               {"foob", "Zm9vYg=="},
               {"fooba", "Zm9vYmE="},
               {"foobar", "Zm9vYmFy"}};
  for (const auto& c : cases) {
    const Octets plain(c.plain.begin(), c.plain.end());
    EXPECT_EQ(base64_encode(plain), c.coded);
    EXPECT_EQ(base64_decode(c.coded), plain);
  }
  EXPECT_EQ(base64_encode(Octets{0xfb, 0xff}), "+/8=");
  EXPECT_EQ(base64_decode("+/8="), (Octets{0xfb, 0xff}));
  EXPECT_EQ(base64_decode("*Z\ng=!"), (Octets{'f'}));
}

TEST(QTestLines, AreCutFromAnyChunks) {
  QTestLines lines;
  lines.append("readl 0\nwri");
  EXPECT_EQ(lines.next()->text, "readl 0");
  EXPECT_FALSE(lines.next());
  lines.append("tel 0 1");
  EXPECT_FALSE(lines.next());
  lines.append("\n\nclock_step\r\nrest");
  EXPECT_EQ(lines.next()->text, "writel 0 1");
  EXPECT_EQ(lines.next()->text, "");
  EXPECT_EQ(lines.next()->text, "clock_step");
  EXPECT_FALSE(lines.next());
}

TEST(QTestLines, OverlongLinesAreReportedAndSkipped) {
  QTestLines lines(8);
  lines.append("12345678\n123456789\nok\n");
  EXPECT_FALSE(lines.next()->too_long);
  EXPECT_TRUE(lines.next()->too_long);
  EXPECT_EQ(lines.next()->text, "ok");
  for (int i = 0; i < 100; ++i) {
    lines.append("12345");
    EXPECT_FALSE(lines.next());
  }
  lines.append("\nok\n");
  EXPECT_TRUE(lines.next()->too_long);
  EXPECT_EQ(lines.next()->text, "ok");
}

}  // namespace
}  // namespace e1000tlm::plugs
