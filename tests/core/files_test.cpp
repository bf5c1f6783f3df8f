#include "dis/core/files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "core/temporary_folder.h"
#include "core/user_error.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

/// While it lives, a file cannot grow beyond `bytes`: writes fail with EFBIG, as they do with ENOSPC on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    previous_ = std::signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, previous_);
  }

 private:
  struct rlimit before_ {};
  void (*previous_)(int) = SIG_DFL;
};

TEST(Files, WritesAndReads) {
  const TemporaryFolder folder;
  const std::string text = std::string("one\0two\r\n", 9) + std::string(200'000, 'x');
  write_atomically(folder / "file", text);
  EXPECT_EQ(read_text(folder / "file"), text);
  write_atomically(folder / "file", std::string_view("short"));
  EXPECT_EQ(read_text(folder / "file"), "short");
  EXPECT_EQ(folder.count(), 1) << "no temporary file remains";
  EXPECT_EQ(user_error_of([&] { read_text(folder / "absent"); }),
            "cannot read '" + (folder / "absent").string() + "': No such file or directory");
  EXPECT_TRUE(contains(user_error_of([&] { read_text(folder.path()); }), "Is a directory"));
}

TEST(Files, AFailedWriteLeavesTheOldFile) {
  const TemporaryFolder folder;
  write_atomically(folder / "file", std::string_view("old"));
  {
    const FileSizeLimit limit(4096);
    const std::string message = user_error_of([&] { write_atomically(folder / "file", std::string(100'000, 'x')); });
    EXPECT_EQ(message, "cannot write '" + (folder / "file").string() + "': File too large");
  }
  EXPECT_EQ(read_text(folder / "file"), "old");
  EXPECT_EQ(folder.count(), 1) << "the temporary file is removed";
}

TEST(Files, AnAbandonedWriteLeavesNothing) {
  const TemporaryFolder folder;
  {
    AtomicFile file(folder / "file");
    file.write("half");
    EXPECT_EQ(folder.count(), 1);
    EXPECT_FALSE(fs::exists(folder / "file"));
  }
  EXPECT_EQ(folder.count(), 0);
}

TEST(Files, MessagesNameTheFileAndNotTheTemporaryOne) {
  const TemporaryFolder folder;
  EXPECT_EQ(user_error_of([&] { write_atomically(folder / "absent/file", std::string_view("x")); }),
            "cannot write '" + (folder / "absent/file").string() + "': No such file or directory");
  EXPECT_TRUE(contains(user_error_of([&] { write_atomically(folder.path(), std::string_view("x")); }),
                       "is not a regular file"));
  EXPECT_TRUE(
      contains(user_error_of([] { write_atomically("/dev/null", std::string_view("x")); }), "is not a regular file"));
  EXPECT_TRUE(contains(file_error("write", "a", ENOSPC).what(), "no space left on device; free some space and start"));
}

TEST(Files, ALinkIsWrittenThrough) {
  const TemporaryFolder folder;
  write_atomically(folder / "file", std::string_view("old"));
  fs::create_symlink("file", folder / "link");
  write_atomically(folder / "link", std::string_view("new"));
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_text(folder / "file"), "new");
}

TEST(Files, RespectsTheUmask) {
  const TemporaryFolder folder;
  const mode_t before = ::umask(027);
  write_atomically(folder / "file", std::string_view("x"));
  ::umask(before);
  struct stat status {};
  ASSERT_EQ(::stat((folder / "file").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
}

TEST(Files, EnsureFolder) {
  const TemporaryFolder folder;
  ensure_folder(folder / "a/b/c");
  ensure_folder(folder / "a/b/c");
  EXPECT_TRUE(fs::is_directory(folder / "a/b/c"));
  write_atomically(folder / "file", std::string_view("x"));
  EXPECT_TRUE(contains(user_error_of([&] { ensure_folder(folder / "file"); }), "cannot make the folder"));
  EXPECT_TRUE(contains(user_error_of([&] { ensure_folder(folder / "file/below"); }), "cannot make the folder"));
  sync_folder(folder.path());
  EXPECT_TRUE(contains(user_error_of([&] { sync_folder(folder / "file"); }), "Not a directory"));
}

TEST(Files, ReplaceSymlink) {
  const TemporaryFolder folder;
  replace_symlink(folder / "latest", "100");
  EXPECT_EQ(fs::read_symlink(folder / "latest"), "100");
  replace_symlink(folder / "latest", "200");
  EXPECT_EQ(fs::read_symlink(folder / "latest"), "200");
  EXPECT_EQ(folder.count(), 1);
  ensure_folder(folder / "folder");
  EXPECT_TRUE(contains(user_error_of([&] { replace_symlink(folder / "folder", "x"); }), "cannot make the link"));
  EXPECT_EQ(folder.count(), 2);
}

TEST(Files, RemovePartialFiles) {
  const TemporaryFolder folder;
  write_atomically(folder / "kept", std::string_view("x"));
  write_atomically(folder / "gone.123.partial", std::string_view("x"));
  remove_partial_files(folder.path());
  remove_partial_files(folder / "absent");
  EXPECT_EQ(folder.count(), 1);
  EXPECT_TRUE(fs::exists(folder / "kept"));
}

TEST(LineWriter, AppendsAtOnce) {
  const TemporaryFolder folder;
  {
    LineWriter writer(folder / "lines");
    writer.append_line("one");
    EXPECT_EQ(read_text(folder / "lines"), "one\n");
    writer.sync();
    EXPECT_THROW(writer.append_line("two\nthree"), std::logic_error);
  }
  LineWriter(folder / "lines").append_line("two");
  EXPECT_EQ(read_text(folder / "lines"), "one\ntwo\n");
}

TEST(LineWriter, ErrorsAreTheUsers) {
  EXPECT_TRUE(contains(user_error_of([] { LineWriter("/absent/lines"); }), "cannot write '/absent/lines'"));
  const std::string message = user_error_of([] { LineWriter("/dev/full").append_line("x"); });
  EXPECT_TRUE(contains(message, "cannot write '/dev/full': no space left on device; free some space")) << message;
}

TEST(LineWriter, AFailedLineLeavesNoPart) {
  const TemporaryFolder folder;
  LineWriter writer(folder / "lines");
  writer.append_line("one");
  {
    const FileSizeLimit limit(1000);
    user_error_of([&] { writer.append_line(std::string(2000, 'x')); });
  }
  EXPECT_EQ(read_text(folder / "lines"), "one\n");
  writer.append_line("two");
  EXPECT_EQ(read_text(folder / "lines"), "one\ntwo\n");
}

TEST(TruncateLines, KeepsWhatThePredicateKeeps) {
  const TemporaryFolder folder;
  const auto even = [](std::string_view line) { return (line.back() - '0') % 2 == 0; };
  EXPECT_EQ(truncate_lines(folder / "absent", even), 0U);
  EXPECT_FALSE(fs::exists(folder / "absent"));
  write_atomically(folder / "lines", std::string_view("1\n2\n3\n4\n"));
  EXPECT_EQ(truncate_lines(folder / "lines", even), 2U);
  EXPECT_EQ(read_text(folder / "lines"), "2\n4\n");
  EXPECT_EQ(truncate_lines(folder / "lines", even), 0U);
  EXPECT_EQ(read_text(folder / "lines"), "2\n4\n");
}

TEST(TruncateLines, DropsATornLastLine) {
  const TemporaryFolder folder;
  write_atomically(folder / "lines", std::string_view("one\ntwo"));
  EXPECT_EQ(truncate_lines(folder / "lines", [](std::string_view) { return true; }), 1U);
  EXPECT_EQ(read_text(folder / "lines"), "one\n");
}

}  // namespace
}  // namespace dis
