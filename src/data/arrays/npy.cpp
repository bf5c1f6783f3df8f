#include "dis/data/arrays/npy.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"

namespace dis {
namespace {

static_assert(std::endian::native == std::endian::little, "the element types are little endian");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kVersionEnd = 8;     // magic and version
constexpr std::size_t kAlignment = 64;     // where np.save starts the numbers
constexpr std::size_t kGrowthDigits = 21;  // np.save leaves room for the first size to grow to as many digits

struct TypeEntry {
  NpyType type;
  std::string_view name;
  std::size_t size;
};
constexpr std::array<TypeEntry, 3> kTypes{{{NpyType::u1, "|u1", 1}, {NpyType::i4, "<i4", 4}, {NpyType::i8, "<i8", 8}}};

const TypeEntry& entry_of(NpyType type) { return kTypes[static_cast<std::size_t>(type)]; }

/// Text of the file for a message: escaped, and cut to a length that a message can bear.
std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 80;
  return Json(text.substr(0, kMost)).dump(-1, ' ', true, Json::error_handler_t::replace) +
         (text.size() > kMost ? "..." : "");
}

/// Bytes of an array; nothing when a size is negative or they do not fit into 63 bits.
std::optional<std::int64_t> bytes_of(const NpyShape& shape, NpyType type) {
  auto total = static_cast<std::int64_t>(npy_size(type));
  for (const std::int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(total, size, &total)) return std::nullopt;
  }
  return total;
}

/// What a header says.
struct Header {
  std::string type;
  bool fortran_order = false;
  NpyShape shape;
};

/// Reads the header's dict: Python's notation for texts without escapes, True, False and tuples of sizes.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, std::string place) : rest_(text), all_(text), place_(std::move(place)) {}

  Header read() {
    std::optional<std::string> type;
    std::optional<bool> order;
    std::optional<NpyShape> shape;
    expect('{');
    while (!take('}')) {
      const std::string key = text();
      expect(':');
      if (key == "descr" && !type) {
        type = text();
      } else if (key == "fortran_order" && !order) {
        order = boolean();
      } else if (key == "shape" && !shape) {
        shape = tuple();
      } else {
        fail();
      }
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip_spaces();
    if (!rest_.empty() || !type || !order || !shape) fail();
    return {*type, *order, *shape};
  }

 private:
  [[noreturn]] void fail() const {
    throw UserError(place_ +
                    ": expected a header such as {'descr': '|u1', 'fortran_order': False, 'shape': (3, 900), }, "
                    "found " +
                    shown(all_));
  }

  void skip_spaces() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\n')) rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip_spaces();
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail();
  }

  std::string text() {
    const char quote = take('\'') ? '\'' : '"';
    if (quote == '"') expect('"');
    const auto end = rest_.find(quote);
    if (end == std::string_view::npos || rest_.substr(0, end).find('\\') != std::string_view::npos) fail();
    std::string value(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return value;
  }

  bool boolean() {
    skip_spaces();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return value;
    }
    fail();
  }

  NpyShape tuple() {
    NpyShape shape;
    expect('(');
    while (!take(')')) {
      shape.push_back(size());
      if (!take(',')) {
        expect(')');
        if (shape.size() == 1) fail();  // Python: a number in brackets, not a tuple
        break;
      }
    }
    return shape;
  }

  std::int64_t size() {
    skip_spaces();
    const auto digits = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    if (digits == 0 || digits > 18) fail();
    const std::int64_t value = std::stoll(std::string(rest_.substr(0, digits)));
    rest_.remove_prefix(digits);
    return value;
  }

  std::string_view rest_;
  std::string_view all_;
  std::string place_;
};

}  // namespace

std::size_t npy_size(NpyType type) { return entry_of(type).size; }

std::string npy_name(NpyType type) { return std::string(entry_of(type).name); }

std::string npy_shape_text(const NpyShape& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

NpyArray::NpyArray(const std::filesystem::path& path) : name_(path.string()) {
  const Descriptor descriptor(path, O_RDONLY, "read");
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) throw file_error("read", path, errno);
  if (!S_ISREG(status.st_mode)) throw UserError("cannot read '" + name_ + "': it is not a regular file");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size == 0) throw UserError(name_ + ": not a .npy file: it is empty");
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
  if (address == MAP_FAILED) throw file_error("read", path, errno);
  owner_ = {address, [size](const void* mapping) { ::munmap(const_cast<void*>(mapping), size); }};
  bytes_ = {static_cast<const std::byte*>(address), size};
  read_header();
  count_elements();
}

void NpyArray::read_header() {
  const std::string_view file(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
  refuse_git_lfs_pointer(name_, file);
  if (!file.starts_with(kMagic)) {
    throw UserError(name_ + ": not a .npy file: expected it to start with \"\\x93NUMPY\", found " +
                    shown(file.substr(0, kMagic.size())));
  }
  const int version = file.size() < kVersionEnd || file[7] != 0 ? 0 : file[6];
  if (version != 1 && version != 2) {
    throw UserError(name_ + ": expected version 1.0 or 2.0 of the .npy format, found " +
                    (file.size() < kVersionEnd ? std::string("the end of the file")
                                               : std::to_string(static_cast<unsigned char>(file[6])) + "." +
                                                     std::to_string(static_cast<unsigned char>(file[7]))) +
                    "; save the array anew with numpy.save");
  }
  const std::size_t start = kVersionEnd + (version == 1 ? 2 : 4);
  std::size_t length = 0;
  std::memcpy(&length, file.data() + kVersionEnd, std::min(start, file.size()) - kVersionEnd);
  if (file.size() < start || length > file.size() - start) {
    throw UserError(name_ + ": truncated: expected a header of " + std::to_string(length) + " bytes, found " +
                    std::to_string(file.size() - std::min(start, file.size())));
  }
  const Header header = HeaderReader(file.substr(start, length), name_).read();

  const auto* entry = std::ranges::find(kTypes, header.type, &TypeEntry::name);
  if (entry == kTypes.end()) {
    throw UserError(name_ + ": expected numbers of the type |u1, <i4 or <i8, found " + shown(header.type) +
                    "; convert the array with numpy's astype");
  }
  type_ = entry->type;
  shape_ = header.shape;
  if (header.fortran_order && shape_.size() > 1) {
    throw UserError(name_ +
                    ": expected the numbers in C order, found Fortran order; save numpy.ascontiguousarray of it");
  }
  bytes_ = bytes_.subspan(start + length);
  const auto expected = bytes_of(shape_, type_);
  if (!expected || std::cmp_not_equal(*expected, bytes_.size())) {
    throw UserError(name_ + ": " + (expected && std::cmp_less(*expected, bytes_.size()) ? "too long" : "truncated") +
                    ": expected " + (expected ? std::to_string(*expected) : std::string("2^63 or more")) +
                    " bytes after the header, as its shape " + npy_shape_text(shape_) + " of " + npy_name(type_) +
                    " says, found " + std::to_string(bytes_.size()));
  }
}

void NpyArray::count_elements() {
  const auto expected = bytes_of(shape_, type_);
  ensure(expected && std::cmp_equal(*expected, bytes_.size()), "NpyArray", "as many numbers as the shape says");
  size_ = static_cast<std::int64_t>(bytes_.size() / npy_size(type_));
}

std::vector<std::int64_t> NpyArray::numbers() const {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(size_));
  const auto convert = [&]<class T>(T) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      T value;
      std::memcpy(&value, bytes_.data() + i * sizeof(T), sizeof(T));
      numbers[i] = value;
    }
  };
  switch (type_) {
    case NpyType::u1:
      convert(std::uint8_t{});
      break;
    case NpyType::i4:
      convert(std::int32_t{});
      break;
    case NpyType::i8:
      convert(std::int64_t{});
      break;
  }
  return numbers;
}

std::string npy_header(NpyType type, const NpyShape& shape) {
  std::string dict =
      "{'descr': '" + npy_name(type) + "', 'fortran_order': False, 'shape': " + npy_shape_text(shape) + ", }";
  if (!shape.empty()) dict.append(kGrowthDigits - std::to_string(shape[0]).size(), ' ');
  const std::size_t start = kVersionEnd + 2;
  // np.save puts 1 to 64 spaces before the end of line, never none.
  dict.append(kAlignment - (start + dict.size() + 1) % kAlignment, ' ');
  dict += '\n';
  ensure(dict.size() <= 0xFFFF, "npy_header", "a shape whose header fits into version 1.0");
  std::string header(kMagic);
  header += {'\x01', '\x00', static_cast<char>(dict.size() & 0xFF), static_cast<char>(dict.size() >> 8)};
  return header + dict;
}

NpyWriter::NpyWriter(const std::filesystem::path& path, NpyType type, const NpyShape& shape) : file_(path) {
  const auto bytes = bytes_of(shape, type);
  ensure(bytes.has_value(), "NpyWriter", "a shape without negative sizes that fits into 63 bits");
  missing_ = static_cast<std::size_t>(*bytes);
  file_.write(npy_header(type, shape));
}

void NpyWriter::append(std::span<const std::byte> bytes) {
  ensure(bytes.size() <= missing_, "NpyWriter::append", "no more numbers than the shape says");
  file_.write(bytes);
  missing_ -= bytes.size();
}

void NpyWriter::commit() {
  ensure(missing_ == 0, "NpyWriter::commit", "as many numbers as the shape says");
  file_.commit();
}

}  // namespace dis
