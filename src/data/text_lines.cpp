#include "text_lines.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "dis/core/error.h"
#include "dis/core/files.h"

namespace dis {
namespace {

constexpr std::size_t kLongestLine = 1 << 20;

}  // namespace

TextLines::TextLines(std::filesystem::path path)
    : path_(std::move(path)), file_(gzopen(path_.c_str(), "rb"), &gzclose) {
  if (!file_) throw file_error("read", path_, errno);
  gzbuffer(file_.get(), 1 << 18);
}

bool TextLines::next(std::string_view& line) {
  for (;;) {
    const auto end = std::string_view(buffer_).find('\n', first_);
    if (end != std::string_view::npos) {
      line = std::string_view(buffer_).substr(first_, end - first_);
      first_ = end + 1;
      break;
    }
    if (!fill()) {
      line = std::string_view(buffer_).substr(first_);
      first_ = buffer_.size();
      if (line.empty()) return false;
      break;
    }
  }
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (++number_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  return true;
}

std::string TextLines::here() const { return path_.string() + ": line " + std::to_string(number_) + ": "; }

bool TextLines::fill() {
  buffer_.erase(0, first_);
  first_ = 0;
  if (buffer_.size() > kLongestLine) {
    throw UserError(path_.string() + ": line " + std::to_string(number_ + 1) + ": expected at most " +
                    std::to_string(kLongestLine) + " characters, found more: this is no file of puzzles");
  }
  const auto before = buffer_.size();
  buffer_.resize(before + (1 << 18));
  const int read = gzread(file_.get(), buffer_.data() + before, 1 << 18);
  buffer_.resize(before + static_cast<std::size_t>(std::max(read, 0)));
  int error = Z_OK;
  const std::string_view text = gzerror(file_.get(), &error);
  if (read < 0 || error != Z_OK) {
    throw UserError("cannot read '" + path_.string() +
                    "': " + (error == Z_BUF_ERROR ? "it is cut off" : std::string(text)) + "; fetch it again");
  }
  if (number_ == 0 && before == 0) refuse_git_lfs_pointer(path_, buffer_);
  return read > 0;
}

}  // namespace dis
