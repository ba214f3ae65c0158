#pragma once
/// Capture files, read. No SystemC.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "e1000tlm/link/capture/byte_source.h"
#include "e1000tlm/link/capture/capture_notes.h"
#include "e1000tlm/link/capture/capture_records.h"
#include "e1000tlm/tlm/bytes.h"

namespace e1000tlm::link {

/// The Ethernet frames of a capture, one after the other in file order, read as they are asked for:
/// memory does not grow with the file, and a pipe can still be written while it is read.
///
/// Reads pcap (2.4) and pcapng, any byte order and precision, pcapng with several interfaces and
/// sections, plain or packed by gzip, xz or zstd. Packets of interfaces that are not Ethernet and
/// frames longer than kMaxFrameBytes (segments captured before segmentation offload) are left out;
/// a file that ends within a record counts as ending before it. That and what else is odd is
/// counted: see notes().
class PcapReader {
 public:
  struct Options {
    /// The last four bytes of every frame are its FCS. A file can say so itself.
    bool with_fcs = false;
    /// Time stamps matter: impossible ones are errors, those that go back are noted.
    bool timed = true;
  };
  struct Record {
    std::int64_t time_ns = 0;  ///< since 1970
    ConstBytes bytes;          ///< what was captured, without FCS; valid until the next call
    std::size_t size = 0;      ///< of the frame without FCS; if more than `bytes`: zeros follow
    std::optional<std::uint32_t> fcs;
    std::uint64_t number = 0;  ///< of the record in the file, from 1
    std::uint64_t offset = 0;  ///< of its first byte in the (unpacked) file
  };

  /// Opens a file, or "-": standard input. Waits for the first bytes of a pipe. All members throw
  /// std::runtime_error naming file and position and what is wrong: missing, unreadable, no
  /// capture, not Ethernet, damaged, impossible times; or ReadInterrupted, with which nothing is
  /// lost.
  explicit PcapReader(const std::string& path) : PcapReader(path, Options{}) {}
  PcapReader(const std::string& path, Options options, StopReading stop = {});
  /// Any bytes, called `name` in messages.
  PcapReader(std::unique_ptr<ByteSource> source, std::string name, Options options);
  PcapReader(const PcapReader&) = delete;
  PcapReader& operator=(const PcapReader&) = delete;

  /// False: there are no more.
  bool next(Record& record);
  /// False: a pipe or the like. It can be read once, and next() waits for what is written.
  bool can_rewind() const { return window_.can_rewind(); }
  /// Back to the first frame. Precondition: can_rewind().
  void rewind();

  /// "capture file NAME", for messages.
  const std::string& name() const { return name_; }
  /// Of what has been read so far, counted once although it may be read again.
  const CaptureNotes& notes() const { return notes_; }
  /// The end has been seen: notes() are complete.
  bool complete() const { return complete_; }
  /// Frames left out for their length, in all passes.
  std::uint64_t oversized() const { return oversized_; }

 private:
  bool next_raw(RawRecord& raw);
  bool take(const RawRecord& raw, Record& record);
  void take_time(const RawRecord& raw, Record& record);
  void end_of_pass();
  void note(Oddity oddity) {
    if (!complete_) notes_.add(oddity, number_, offset_);
  }
  [[noreturn]] void fail(const std::string& reason) const;

  std::string name_;
  Options options_;
  ByteWindow window_;
  std::unique_ptr<RecordParser> parser_;
  CaptureNotes notes_;
  bool complete_ = false;
  std::uint64_t number_ = 0;  // of the last record
  std::uint64_t offset_ = 0;
  std::uint64_t oversized_ = 0;
  std::uint32_t other_link_type_ = 0;
  std::int64_t latest_ns_ = 0;
};

}  // namespace e1000tlm::link
