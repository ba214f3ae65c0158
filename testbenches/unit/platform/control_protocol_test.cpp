#include "e1000tlm/plugs/control_protocol.h"

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace e1000tlm::plugs {
namespace {

using Json = nlohmann::json;

ControlRequest request_of(const std::string& line) {
  const ControlLine parsed = parse_control_line(line);
  EXPECT_TRUE(parsed.request) << parsed.error;
  return parsed.request.value_or(ControlRequest{});
}

/// The code and identifier of the error that a line gets.
std::pair<int, Json> error_of(const std::string& line) {
  const ControlLine parsed = parse_control_line(line);
  EXPECT_FALSE(parsed.request) << line;
  const Json json = Json::parse(parsed.error);
  EXPECT_EQ(json.at("jsonrpc"), "2.0");
  EXPECT_FALSE(json.at("error").at("message").get<std::string>().empty());
  return {json.at("error").at("code").get<int>(), json.at("id")};
}

TEST(ControlProtocol, ARequestIsTakenApart) {
  const ControlRequest request = request_of(
      R"({"jsonrpc":"2.0","id":7,"method":"impair","params":{"link":0,"loss":0.5,"dist":"normal","overtake":true}})");
  EXPECT_EQ(request.id, "7");
  EXPECT_EQ(request.method, "impair");
  EXPECT_EQ(request.require("link"), "0");
  EXPECT_EQ(request.require("loss"), "0.5");
  EXPECT_EQ(request.require("dist"), "normal");
  EXPECT_EQ(request.require("overtake"), "on");
  EXPECT_FALSE(request.find("rate"));
  EXPECT_THROW(request.require("rate"), ControlError);
}

TEST(ControlProtocol, IdentifiersComeBackAsTheyWere) {
  EXPECT_EQ(request_of(R"({"jsonrpc":"2.0","id":"a\"b","method":"time"})").id, R"("a\"b")");
  EXPECT_EQ(request_of(R"({"jsonrpc":"2.0","id":1.5,"method":"time"})").id, "1.5");
  const std::string line = control_result(R"("a\"b")", R"({"x":1})");
  EXPECT_EQ(line.back(), '\n');
  EXPECT_EQ(Json::parse(line), (Json{{"jsonrpc", "2.0"}, {"id", "a\"b"}, {"result", {{"x", 1}}}}));
}

TEST(ControlProtocol, ANotificationGetsNoAnswer) {
  const ControlRequest request = request_of(R"({"jsonrpc":"2.0","method":"pause"})");
  EXPECT_EQ(request.id, "");
  EXPECT_EQ(control_result(request.id, "{}"), "");
  EXPECT_EQ(control_error(request.id, ControlError(ControlCode::kFailed, "x")), "");
}

TEST(ControlProtocol, MistakesGetTheCodesOfTheSpecification) {
  EXPECT_EQ(error_of("").first, -32700);
  EXPECT_EQ(error_of("{").first, -32700);
  EXPECT_EQ(error_of("\xff\xfe").first, -32700);
  EXPECT_EQ(error_of("[]").first, -32600);
  EXPECT_EQ(error_of("5").first, -32600);
  EXPECT_EQ(error_of(R"({"id":1,"method":"time"})"), (std::pair<int, Json>{-32600, 1}));
  EXPECT_EQ(error_of(R"({"jsonrpc":2.0,"id":1,"method":"time"})").first, -32600);
  EXPECT_EQ(error_of(R"({"jsonrpc":"2.0","id":null,"method":"time"})").first, -32600);
  EXPECT_EQ(error_of(R"({"jsonrpc":"2.0","id":{},"method":"time"})").first, -32600);
  EXPECT_EQ(error_of(R"({"jsonrpc":"2.0","id":1})").first, -32600);
  EXPECT_EQ(error_of(R"({"jsonrpc":"2.0","id":1,"method":[]})").first, -32600);
  EXPECT_EQ(error_of(R"({"jsonrpc":"2.0","id":1,"method":"x","params":[1]})").first, -32602);
  EXPECT_EQ(error_of(R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"a":{}}})").first, -32602);
  EXPECT_EQ(error_of(R"({"jsonrpc":"2.0","id":1,"method":"x","params":{"a":null}})").first, -32602);
}

TEST(ControlProtocol, DeepNestingIsRefusedAndHarmless) {
  const std::string deep(kMostControlLine, '[');
  EXPECT_EQ(error_of(deep).first, -32700);
  const std::string closed = std::string(8000, '[') + std::string(8000, ']');
  EXPECT_EQ(error_of(closed).first, -32600);
  EXPECT_EQ(error_of(R"({"jsonrpc":"2.0","id":)" + closed + "}").first, -32600);
}

TEST(ControlProtocol, ErrorsAreOneLineWhateverTheyQuote) {
  const std::string line = control_error("1", ControlError(ControlCode::kParams, "a\nb\xff\"c"));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(Json::parse(line).at("error").at("code"), -32602);
}

}  // namespace
}  // namespace e1000tlm::plugs
