#include "e1000tlm/plugs/control_protocol.h"

#include <nlohmann/json.hpp>

namespace e1000tlm::plugs {
namespace {

using Json = nlohmann::ordered_json;

std::string one_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_of(const std::string& key, const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "on" : "off";
  if (value.is_number()) return one_line(value);
  throw ControlError(ControlCode::kParams,
                     "parameter " + key + ": expected a string, a number, true or false");
}

/// As an identifier may be (JSON-RPC 2.0, 4), without null, which is discouraged there.
bool is_identifier(const Json& id) { return id.is_string() || id.is_number(); }

ControlRequest to_request(const Json& json, const std::string& id) {
  ControlRequest request;
  request.id = id;
  const auto method = json.find("method");
  if (method == json.end() || !method->is_string()) {
    throw ControlError(ControlCode::kInvalid, "a request needs a \"method\", which is a string");
  }
  request.method = method->get<std::string>();
  const auto params = json.find("params");
  if (params == json.end()) return request;
  if (!params->is_object()) {
    throw ControlError(ControlCode::kParams, "\"params\" must be an object: {\"key\": value}");
  }
  for (const auto& [key, value] : params->items()) request.params[key] = text_of(key, value);
  return request;
}

std::string error_line(const std::string& id, const ControlError& error) {
  const Json body = {{"code", static_cast<int>(error.code)}, {"message", error.what()}};
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"error":)" + one_line(body) + "}\n";
}

}  // namespace

const std::string& ControlRequest::require(const std::string& key) const {
  const auto found = params.find(key);
  if (found != params.end()) return found->second;
  throw ControlError(ControlCode::kParams, method + ": needs the parameter \"" + key + "\"");
}

std::optional<std::string> ControlRequest::find(const std::string& key) const {
  const auto found = params.find(key);
  return found == params.end() ? std::nullopt : std::make_optional(found->second);
}

ControlLine parse_control_line(std::string_view line) {
  std::string id = "null";
  try {
    const Json json = Json::parse(line.begin(), line.end(), nullptr, false);
    if (json.is_discarded()) throw ControlError(ControlCode::kParse, "the line is no JSON");
    if (!json.is_object()) {
      throw ControlError(ControlCode::kInvalid,
                         "expected one request, {\"jsonrpc\": \"2.0\", ...}, a line");
    }
    const auto given = json.find("id");
    const bool notification = given == json.end();
    if (!notification && !is_identifier(*given)) {
      throw ControlError(ControlCode::kInvalid, "\"id\" must be a string or a number");
    }
    if (!notification) id = one_line(*given);
    if (json.value("jsonrpc", Json()) != "2.0") {
      throw ControlError(ControlCode::kInvalid, "expected \"jsonrpc\": \"2.0\"");
    }
    return {to_request(json, notification ? std::string() : id), {}};
  } catch (const ControlError& error) {
    return {std::nullopt, error_line(id, error)};
  }
}

std::string control_result(const std::string& id, const std::string& result) {
  if (id.empty()) return {};
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":)" + result + "}\n";
}

std::string control_error(const std::string& id, const ControlError& error) {
  return id.empty() ? std::string() : error_line(id, error);
}

}  // namespace e1000tlm::plugs
