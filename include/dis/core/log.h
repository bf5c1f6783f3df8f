// Messages to the person who runs the program: lines on stderr, and, while a run has one, lines in its log file.
//
// Messages go out as they are; warnings and errors start with "warning: " and "error: ". The file's lines also carry
// the local time. A stderr that is gone (a closed pipe or terminal) harms nothing: the file says so, once. All
// functions may be called from any thread.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace dis {

void log_info(const std::string& message);
void log_warn(const std::string& message);
void log_error(const std::string& message);

/// From now on messages are also appended to the file `path`; a file that was in use before is closed. UserError when
/// it cannot be opened. A message that cannot be written (a full disk) is reported once on stderr, never thrown.
void log_to_file(const std::filesystem::path& path);
void log_close_file();

/// From now on only errors are reported, and progress (progress.h) is silent: of several ranks one speaks for all.
void log_errors_only();
bool log_speaks();

/// Sets what is called before a message goes to stderr, and returns what was set before: a progress bar uses it to
/// clear its line. It must not log.
std::function<void()> exchange_before_message(std::function<void()> before);

}  // namespace dis
