#include "dis/core/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace dis {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPartialSuffix = ".partial";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

fs::path temporary_name(const fs::path& path) {
  return path.string() + "." + std::to_string(::getpid()) + std::string(kPartialSuffix);
}

/// The name behind symbolic links, so that writing through a link leaves the link in place.
fs::path resolved_target(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    throw UserError("cannot write '" + path.string() + "': it exists and is not a regular file");
  }
  if (!fs::is_symlink(fs::symlink_status(path, error))) return path;
  fs::path target = fs::weakly_canonical(path, error);
  return error ? path : target;
}

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

/// Writes all bytes; returns errno, 0 when all were written.
int write_all(int descriptor, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

UserError file_error(const std::string& action, const fs::path& path, int error) {
  std::string cause = std::generic_category().message(error);
  if (error == ENOSPC) {
    cause = "no space left on device; free some space and start again (a training run: with --resume)";
  } else if (error == EDQUOT) {
    cause = "disk quota exceeded; free some space and start again (a training run: with --resume)";
  }
  return UserError("cannot " + action + " '" + path.string() + "': " + cause);
}

Descriptor::Descriptor(const fs::path& path, int flags, const std::string& action, const fs::path& named)
    : value_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {
  if (value_ < 0) throw file_error(action, named.empty() ? path : named, errno);
}

Descriptor::~Descriptor() { close(); }

int Descriptor::close() {
  const int descriptor = std::exchange(value_, -1);
  return descriptor >= 0 && ::close(descriptor) != 0 ? errno : 0;
}

void refuse_git_lfs_pointer(const fs::path& path, std::string_view start) {
  if (!start.starts_with("version https://git-lfs.github.com/spec/")) return;
  throw UserError("cannot read '" + path.string() +
                  "': expected the file itself, found a Git LFS pointer to it; fetch it with `git lfs pull`");
}

std::string read_bytes(const fs::path& path) {
  const Descriptor descriptor(path, O_RDONLY, "read");
  std::string text;
  std::array<char, 1 << 16> buffer;
  for (;;) {
    const ssize_t count = ::read(descriptor.get(), buffer.data(), buffer.size());
    if (count == 0) return text;
    if (count > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      throw file_error("read", path, errno);
    }
  }
}

std::string read_text(const fs::path& path) {
  std::string text = read_bytes(path);
  refuse_git_lfs_pointer(path, text);
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    throw UserError("cannot read '" + path.string() + "': expected text in UTF-8, found UTF-16; save it as UTF-8");
  }
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  return text;
}

AtomicFile::AtomicFile(const fs::path& path)
    : path_(path),
      target_(resolved_target(path)),
      temporary_(temporary_name(target_)),
      descriptor_(temporary_, O_WRONLY | O_CREAT | O_TRUNC, "write", path) {}

AtomicFile::~AtomicFile() {
  if (!committed_) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (const int error = write_all(descriptor_.get(), bytes)) throw file_error("write", path_, error);
}

void AtomicFile::commit() {
  if (::fsync(descriptor_.get()) != 0) throw file_error("write", path_, errno);
  if (const int error = descriptor_.close()) throw file_error("write", path_, error);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) throw file_error("write", path_, errno);
  committed_ = true;
  sync_folder(folder_of(target_));
}

void write_atomically(const fs::path& path, std::span<const std::byte> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void write_atomically(const fs::path& path, std::string_view text) {
  write_atomically(path, std::as_bytes(std::span(text)));
}

void try_file(const fs::path& path) {
  constexpr std::array<std::byte, 4096> kSome{};  // a full disk takes a name, but no bytes
  AtomicFile(path).write(kSome);
}

void try_folder(const fs::path& path) {
  std::error_code error;
  fs::path above = fs::absolute(path);
  while (!fs::exists(above, error) && above.has_relative_path()) above = above.parent_path();
  if (!fs::is_directory(above, error)) throw file_error("make the folder", path, ENOTDIR);
  try {
    try_file(above / ".dis");
  } catch (const UserError& failure) {
    throw UserError("the folder '" + path.string() + "' takes no files: " + failure.what());
  }
}

void write_or_keep(const fs::path& path, std::string_view text) {
  try {
    write_atomically(path, text);
  } catch (const UserError& failure) {
    std::error_code error;
    const auto temporary = fs::temp_directory_path(error);
    const auto elsewhere = temporary / ("dis-" + std::to_string(::getpid()) + "-" + path.filename().string());
    try {
      if (error) throw file_error("write", elsewhere, error.value());
      write_atomically(elsewhere, text);
    } catch (const UserError&) {
      const bool printed = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
      throw UserError(failure.what() + std::string(printed ? "; it was printed instead" : "; it is lost"));
    }
    throw UserError(failure.what() + ("; it was written to '" + elsewhere.string() + "' instead"));
  }
}

void ensure_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw file_error("make the folder", path, error.value());
  if (!fs::is_directory(path, error)) throw file_error("make the folder", path, ENOTDIR);
}

void sync_folder(const fs::path& path) {
  const Descriptor descriptor(path, O_RDONLY | O_DIRECTORY, "open the folder");
  // EINVAL: this file system has no way to flush a folder.
  if (::fsync(descriptor.get()) != 0 && errno != EINVAL) throw file_error("flush the folder", path, errno);
}

void replace_symlink(const fs::path& link, const fs::path& target) {
  const fs::path temporary = temporary_name(link);
  ::unlink(temporary.c_str());
  if (::symlink(target.c_str(), temporary.c_str()) != 0) throw file_error("make the link", link, errno);
  if (::rename(temporary.c_str(), link.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    throw file_error("make the link", link, error);
  }
  sync_folder(folder_of(link));
}

void remove_partial_files(const fs::path& folder) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == kPartialSuffix && (entry.is_symlink(error) || entry.is_regular_file(error))) {
      ::unlink(entry.path().c_str());
    }
  }
}

AppendFile::AppendFile(const fs::path& path) : path_(path), descriptor_(path, O_WRONLY | O_CREAT | O_APPEND, "write") {}

void AppendFile::write(std::string_view bytes) {
  const off_t before = ::lseek(descriptor_.get(), 0, SEEK_END);
  if (const int error = write_all(descriptor_.get(), std::as_bytes(std::span(bytes)))) {
    // A best effort: where it fails too, readers meet a torn last line, which they drop.
    if (before >= 0 && ::ftruncate(descriptor_.get(), before) != 0) errno = 0;
    throw file_error("write", path_, error);
  }
}

void AppendFile::sync() {
  if (::fsync(descriptor_.get()) != 0 && errno != EINVAL) throw file_error("write", path_, errno);
}

void LineWriter::append_line(const std::string& line) {
  ensure(line.find('\n') == std::string::npos, "LineWriter::append_line", "a single line");
  file_.write(line + '\n');
}

std::size_t truncate_lines(const fs::path& path, const std::function<bool(std::string_view)>& keep) {
  std::error_code error;
  if (!fs::exists(path, error)) return 0;
  const std::string text = read_text(path);
  std::string kept;
  std::size_t dropped = 0;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    if (end == std::string::npos) {
      ++dropped;
      break;
    }
    const std::string_view line = std::string_view(text).substr(start, end - start);
    if (keep(line)) {
      kept.append(line).push_back('\n');
    } else {
      ++dropped;
    }
    start = end + 1;
  }
  if (dropped > 0) write_atomically(path, kept);
  return dropped;
}

}  // namespace dis
