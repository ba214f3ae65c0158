#pragma once
/// Compressed captures, unpacked while they are read. No SystemC.

#include <cstdint>
#include <memory>
#include <vector>

#include "e1000tlm/link/capture/byte_source.h"

namespace e1000tlm::link {

/// One compressed format.
class Decoder {
 public:
  /// What is still to be read, and still free to be written.
  struct Step {
    const std::uint8_t* in;
    std::size_t in_size;
    std::uint8_t* out;
    std::size_t out_size;
    bool last;  ///< nothing comes behind `in`
  };
  virtual ~Decoder() = default;
  /// Goes as far as input and room allow. Throws std::runtime_error if the data is damaged.
  virtual void decode(Step& step) = 0;
  /// What has been read may end here.
  virtual bool complete() const = 0;
};

/// The bytes of another source; unpacked if they are gzip, xz or zstd data (one stream or several
/// behind each other), which their first bytes tell.
class UnpackedSource final : public ByteSource {
 public:
  explicit UnpackedSource(std::unique_ptr<ByteSource> packed);
  ~UnpackedSource() override;

  std::size_t read(std::uint8_t* to, std::size_t size) override;
  bool can_rewind() const override { return packed_->can_rewind(); }
  void rewind() override;
  bool cut_off() const override { return cut_off_; }

 private:
  void look();
  bool fetch();
  std::size_t pass_on(std::uint8_t* to, std::size_t size);

  std::unique_ptr<ByteSource> packed_;
  std::unique_ptr<Decoder> decoder_;  // none: the bytes are not compressed
  bool looked_ = false;
  std::vector<std::uint8_t> buffer_;  // of packed bytes
  std::size_t begin_ = 0, end_ = 0;
  bool packed_ended_ = false;
  bool cut_off_ = false;
};

/// By the first bytes of a file; nullptr: not compressed, or in no known way.
std::unique_ptr<Decoder> find_decoder(ConstBytes first);

}  // namespace e1000tlm::link
