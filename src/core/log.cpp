#include "dis/core/log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>
#include <utility>

#include "dis/core/error.h"

namespace dis {
namespace {

class Log {
 public:
  void write(spdlog::level::level_enum level, const std::string& message) {
    const std::lock_guard lock(mutex_);
    if (level < lowest_) return;
    if (before_) before_();
    console_.log(level, message);
    if (!file_) return;
    file_->log(level, message);
    if (std::ferror(stderr) != 0 && !std::exchange(alone_, true)) {
      file_->log(spdlog::level::info, "nobody reads stderr any more: messages stand here only");
    }
  }

  void open(const std::filesystem::path& path) {
    const std::lock_guard lock(mutex_);
    try {
      auto sink = std::make_shared<spdlog::sinks::basic_file_sink_st>(path.string());
      file_ = std::make_unique<spdlog::logger>("file", std::move(sink));
    } catch (const spdlog::spdlog_ex& error) {
      throw UserError("cannot write the log file '" + path.string() + "': " + error.what());
    }
    file_->set_pattern("%Y-%m-%d %H:%M:%S.%e %v");
    file_->flush_on(spdlog::level::trace);
    file_->set_error_handler([reported = false](const std::string& error) mutable {
      if (!std::exchange(reported, true)) std::fprintf(stderr, "warning: the log file: %s\n", error.c_str());
    });
  }

  void errors_only() { lowest_ = spdlog::level::err; }
  bool speaks() const { return lowest_ == spdlog::level::info; }

  void close() {
    const std::lock_guard lock(mutex_);
    file_.reset();
  }

  std::function<void()> exchange_before(std::function<void()> before) {
    const std::lock_guard lock(mutex_);
    return std::exchange(before_, std::move(before));
  }

  Log() : console_("stderr", std::make_shared<spdlog::sinks::stderr_sink_st>()) {
    console_.set_pattern("%v");
    console_.set_error_handler([](const std::string&) {});  // stderr is gone: there is nobody left to tell
  }

 private:
  std::mutex mutex_;
  std::function<void()> before_;
  std::atomic<spdlog::level::level_enum> lowest_ = spdlog::level::info;
  spdlog::logger console_;
  bool alone_ = false;  // the file is all that takes messages
  std::unique_ptr<spdlog::logger> file_;
};

Log& the_log() {
  static Log log;
  return log;
}

}  // namespace

void log_info(const std::string& message) { the_log().write(spdlog::level::info, message); }
void log_warn(const std::string& message) { the_log().write(spdlog::level::warn, "warning: " + message); }
void log_error(const std::string& message) { the_log().write(spdlog::level::err, "error: " + message); }
void log_to_file(const std::filesystem::path& path) { the_log().open(path); }
void log_errors_only() { the_log().errors_only(); }
bool log_speaks() { return the_log().speaks(); }
void log_close_file() { the_log().close(); }
std::function<void()> exchange_before_message(std::function<void()> before) {
  return the_log().exchange_before(std::move(before));
}

}  // namespace dis
