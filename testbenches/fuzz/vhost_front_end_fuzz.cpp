/// Whatever a back-end answers, and whatever is asked of it meanwhile, the front-end's session ends
/// or goes on: what it sends is right by the protocol, it never asks twice without an answer, and
/// what it knows of rings is of rings that there are. The input is a sequence of steps.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <variant>
#include <vector>

#include "e1000tlm/virtio/vhost_front_end.h"

namespace {

using namespace e1000tlm;
using namespace e1000tlm::virtio;
using namespace e1000tlm::virtio::vhost_user;
using State = FrontEnd::State;

constexpr unsigned kPairs = 2;
constexpr std::uint8_t kRings = 2 * kPairs;

void require(bool holds) {
  if (!holds) std::abort();
}

/// The input, byte by byte; zeros behind its end.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}
  bool over() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_[0];
    rest_ = rest_.subspan(1);
    return value;
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value |= std::uint64_t{byte()} << (8 * i);
    return value;
  }

 private:
  ConstBytes rest_;
};

SharedRing ring(std::uint8_t index, std::uint16_t base, bool enabled) {
  return {index, SplitLayout::at(0x1000U * (index + 1U), 64), base, 5, 6, enabled};
}

class Session {
 public:
  explicit Session(const Wishes& wishes) : front_(wishes) {
    front_.log = [](const std::string& line) { require(!line.empty()); };
  }

  void step(Input& input) {
    const std::uint8_t what = input.byte();
    const auto index = static_cast<std::uint8_t>(input.byte() % kRings);
    switch (what % 10) {
      case 0: connect(); break;
      case 1: answer(input, index); break;
      case 2: answer_well(input, index); break;
      case 3: start(index); break;
      case 4: front_.stop(); break;
      case 5:
        if (at_work()) front_.start_ring(ring(index, input.byte(), true));
        break;
      case 6:
        if (at_work()) front_.stop_ring(index);
        break;
      case 7:
        if (at_work()) front_.enable_ring(index, input.byte() % 2 != 0);
        break;
      case 8: front_.disconnected(); break;
      default: send(); break;
    }
    require((front_.state() == State::kBroken) == !front_.why().empty());
  }

 private:
  bool at_work() const {
    return front_.state() == State::kStarting || front_.state() == State::kRunning;
  }
  void connect() {
    front_.connected();
    asked_ = false;
  }
  void start(std::uint8_t rings) {
    if (front_.state() != State::kAgreed && front_.state() != State::kStopped) return;
    std::vector<SharedRing> shared;
    for (std::uint8_t i = 0; i <= rings; ++i) shared.push_back(ring(i, i, i < 2));
    front_.start(front_.features(), {{{0, 0x10000, 0x10000, 0}, 7}}, shared);
  }
  /// All that can be sent before an answer comes.
  void send() {
    while (const FrontEnd::Outgoing* out = front_.next()) {
      require(front_.waiting_for().empty());
      header_ = std::get<Header>(parse_header(ConstBytes(out->bytes)));
      const auto parsed =
          parse_request(Side::kFrontEnd, header_, ConstBytes(out->bytes).subspan(kHeaderBytes),
                        out->descriptors.size());
      require(std::holds_alternative<Payload>(parsed));
      payload_ = std::get<Payload>(parsed);
      front_.sent();
    }
    asked_ = !front_.waiting_for().empty();
  }
  /// Any bytes, as a message.
  void answer(Input& input, std::uint8_t size) {
    Message message(kHeaderBytes + size * 4);
    for (std::uint8_t& byte : message) byte = input.byte();
    const auto header = parse_header(ConstBytes(message));
    if (!std::holds_alternative<Header>(header)) return;
    const auto& told = std::get<Header>(header);
    if (told.size > message.size() - kHeaderBytes) return;
    deliver(told, ConstBytes(message).subspan(kHeaderBytes, told.size), size);
  }
  /// The right kind of answer, with any content.
  void answer_well(Input& input, std::uint8_t ring_index) {
    send();
    if (!asked_) return;
    Payload payload = Number{input.byte() % 4 != 0 ? 0 : input.number()};
    switch (static_cast<Request>(header_.request)) {
      case Request::kGetVringBase: {
        const auto* const about = std::get_if<VringState>(&payload_);
        payload = VringState{input.byte() % 4 != 0 && about != nullptr ? about->index : ring_index,
                             static_cast<std::uint32_t>(input.number())};
        break;
      }
      case Request::kGetFeatures:
      case Request::kGetProtocolFeatures:
      case Request::kGetQueueNum:
      case Request::kGetStatus: payload = Number{input.number()}; break;
      default: break;
    }
    const Message message = encode_reply(header_, payload);
    const auto header = std::get<Header>(parse_header(ConstBytes(message)));
    deliver(header, ConstBytes(message).subspan(kHeaderBytes), 0);
  }
  void deliver(const Header& header, ConstBytes body, std::size_t descriptors) {
    const bool asked = !front_.waiting_for().empty();
    const bool taken = front_.receive(header, body, descriptors);
    require(taken == (front_.state() != State::kBroken));
    require(asked || !taken);  // nobody has asked
    if (front_.state() == State::kStopped) {
      require(!front_.busy());
      front_.base(0);  // ring 0 has always been handed over
    }
  }

  FrontEnd front_;
  Header header_;
  Payload payload_;
  bool asked_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const std::uint8_t kind = input.byte();
  Wishes wishes;
  wishes.features = ~std::uint64_t{0};
  wishes.queue_pairs = (kind & 1) != 0 ? kPairs : 1;
  wishes.mtu = (kind & 2) != 0 ? 1500 : 0;
  if ((kind & 4) != 0) wishes.calls = {3, 4, 5, 6};
  Session session(wishes);
  for (int steps = 0; !input.over() && steps < 4096; ++steps) session.step(input);
  return 0;
}
