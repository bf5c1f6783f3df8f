// Files that are whole or absent: no file of a run is ever written in place.
//
// A file is written under a temporary name ("<name>.<pid>.partial") in its own folder, flushed to the disk, and renamed
// over the old one. When anything fails the temporary file is removed, the old file is as it was, and the UserError
// names the path and the cause. Only files that grow by appending (metrics, events) are written directly.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "dis/core/error.h"

namespace dis {

/// The error of a failed system call: "cannot <action> '<path>': <text of error>", with what to do about a full disk.
UserError file_error(const std::string& action, const std::filesystem::path& path, int error);

/// Owns an open file descriptor.
class Descriptor {
 public:
  /// open(2) with close-on-exec. When it fails: UserError "cannot <action> '<named>': ..."; `named` is `path` when
  /// empty.
  Descriptor(const std::filesystem::path& path, int flags, const std::string& action,
             const std::filesystem::path& named = {});
  ~Descriptor();
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return value_; }
  /// Closes now, and returns errno (0: all well) so that errors which the kernel reports late are seen.
  int close();

 private:
  int value_;
};

/// The whole file, whatever it holds.
std::string read_bytes(const std::filesystem::path& path);

/// The whole of a text file, without the byte order mark that some editors put first. UserError: it cannot be read, is
/// UTF-16, or is a Git LFS pointer.
std::string read_text(const std::filesystem::path& path);

/// UserError when `start`, the first bytes of the file `path`, are those of a Git LFS pointer: what a clone without LFS
/// leaves in the place of a large file.
void refuse_git_lfs_pointer(const std::filesystem::path& path, std::string_view start);

/// A file under construction: write() as often as needed, then commit(). Without commit() nothing remains of it.
/// A symbolic link is followed; a target that exists and is no regular file is a UserError.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  /// Makes the file visible under its name, durably.
  void commit();

 private:
  std::filesystem::path path_;    // as the caller named it, for messages
  std::filesystem::path target_;  // behind symbolic links
  std::filesystem::path temporary_;
  Descriptor descriptor_;
  bool committed_ = false;
};

/// Replaces the file `path` by the given content.
void write_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_atomically(const std::filesystem::path& path, std::string_view text);

/// UserError, as of the writing itself, unless such a file could be written now: for before long work. Leaves nothing.
void try_file(const std::filesystem::path& path);
/// The same for files in a folder that may be missing: then the nearest one above it is tried.
void try_folder(const std::filesystem::path& path);

/// write_atomically() of what has taken long to compute. Where it fails, the text goes into the system's temporary
/// folder (TMPDIR), or, failing that, to stdout; the UserError says so.
void write_or_keep(const std::filesystem::path& path, std::string_view text);

/// Makes the folder and its parents where they are missing.
void ensure_folder(const std::filesystem::path& path);

/// Flushes a folder's list of names to the disk, so that files made or renamed in it survive a crash.
void sync_folder(const std::filesystem::path& path);

/// Makes `link` a symbolic link to `target` (as written, so relative to the folder of `link`); at every moment there
/// is either the old or the new link.
void replace_symlink(const std::filesystem::path& link, const std::filesystem::path& target);

/// Removes temporary files of this module that a killed process left in `folder` (not in its subfolders). Only for
/// folders that no other process is writing to.
void remove_partial_files(const std::filesystem::path& folder);

/// A file that grows. A write that fails (UserError) takes back what it had written of its bytes.
class AppendFile {
 public:
  explicit AppendFile(const std::filesystem::path& path);
  void write(std::string_view bytes);
  void sync();  ///< to the disk

 private:
  std::filesystem::path path_;
  Descriptor descriptor_;
};

/// A text file that grows line by line; every line is handed to the system at once.
class LineWriter {
 public:
  explicit LineWriter(const std::filesystem::path& path) : file_(path) {}
  /// `line` without its end of line.
  void append_line(const std::string& line);
  void sync() { file_.sync(); }  ///< to the disk

 private:
  AppendFile file_;
};

/// Keeps, atomically, the whole lines of a text file for which `keep` holds; a torn last line (one without its end)
/// goes too. Returns how many lines went. A file that does not exist has no lines.
std::size_t truncate_lines(const std::filesystem::path& path, const std::function<bool(std::string_view)>& keep);

}  // namespace dis
