#include "e1000tlm/e1000/transmit/transmit_queue.h"

#include <algorithm>

namespace e1000tlm::e1000 {

void TransmitQueue::grow() {
  std::vector<QueuedFrame> larger(2 * slots_.size());
  for (Number n = oldest_; n != end_; ++n) larger[n & (larger.size() - 1)] = std::move((*this)[n]);
  slots_ = std::move(larger);
  mask_ = slots_.size() - 1;
}

void TransmitQueue::insert(Number number, QueuedFrame&& frame) {
  append();
  for (Number n = end_ - 1; n != number; --n) (*this)[n] = std::move((*this)[n - 1]);
  (*this)[number] = std::move(frame);
  vague_ = std::min(vague_, number);
}

void TransmitQueue::erase(Number number) {
  for (Number n = number + 1; n != end_; ++n) (*this)[n - 1] = std::move((*this)[n]);
  --end_;
  (*this)[end_].frame.reset();
  vague_ = std::min(vague_, number);
}

void TransmitQueue::drop_waiting() {
  for (Number n = waiting_; n != end_; ++n) (*this)[n].frame.reset();
  end_ = vague_ = waiting_;
}

}  // namespace e1000tlm::e1000
