// Arrays of integers in numpy's .npy format (numpy/lib/format.py): read by mapping the file, written row by row.
//
// A file is: "\x93NUMPY", the version (1.0 or 2.0), the header's length (2 or 4 bytes), the header (a Python dict with
// 'descr', 'fortran_order' and 'shape'), the numbers in C order, little endian, without anything behind them. Element
// types are '|u1', '<i4' and '<i8'. Any other file is a UserError that names it, what was expected and what was found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "dis/core/files.h"

namespace dis {

enum class NpyType { u1, i4, i8 };

/// Bytes of one element.
std::size_t npy_size(NpyType type);
/// As the header names it: "|u1", "<i4", "<i8".
std::string npy_name(NpyType type);

template <class T>
constexpr NpyType npy_type_of() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return NpyType::u1;
  if constexpr (std::is_same_v<T, std::int32_t>) return NpyType::i4;
  if constexpr (std::is_same_v<T, std::int64_t>) return NpyType::i8;
}

using NpyShape = std::vector<std::int64_t>;

/// "(960,)", "(3, 900)", as Python writes a tuple.
std::string npy_shape_text(const NpyShape& shape);

/// An array that is not changed any more: mapped from a file, or in memory. Copies share the numbers.
class NpyArray {
 public:
  /// Maps a file; all of it but the numbers is checked. The file must not be shortened while the array is in use (files
  /// of this program never are: they are replaced).
  explicit NpyArray(const std::filesystem::path& path);
  /// Numbers in memory, as many as the shape says; `name` stands for them in messages.
  template <class T>
  NpyArray(std::string name, NpyShape shape, std::vector<T> numbers)
      : NpyArray(std::move(name), npy_type_of<T>(), std::move(shape),
                 std::make_shared<const std::vector<T>>(std::move(numbers))) {}

  const std::string& name() const { return name_; }  ///< the file's path
  NpyType type() const { return type_; }
  const NpyShape& shape() const { return shape_; }
  std::int64_t size() const { return size_; }  ///< number of elements

  /// Row-major. Files of other programs may place them at any address: copy elements (memcpy) out of it.
  std::span<const std::byte> bytes() const { return bytes_; }
  /// All elements; for the small arrays.
  std::vector<std::int64_t> numbers() const;

 private:
  template <class T>
  NpyArray(std::string name, NpyType type, NpyShape shape, std::shared_ptr<const std::vector<T>> numbers)
      : name_(std::move(name)),
        type_(type),
        shape_(std::move(shape)),
        bytes_(std::as_bytes(std::span(*numbers))),
        owner_(std::move(numbers)) {
    count_elements();
  }
  void read_header();
  void count_elements();

  std::string name_;
  NpyType type_ = NpyType::u1;
  NpyShape shape_;
  std::int64_t size_ = 0;
  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> owner_;
};

/// The first bytes of a file, byte for byte as numpy's np.save writes them (numpy 1.23 and later).
std::string npy_header(NpyType type, const NpyShape& shape);

/// Writes a file whose shape is known beforehand: append() as often as needed, then commit(), which makes the file
/// visible. Without commit() nothing remains of it.
class NpyWriter {
 public:
  NpyWriter(const std::filesystem::path& path, NpyType type, const NpyShape& shape);
  void append(std::span<const std::byte> bytes);
  /// All elements must have been appended.
  void commit();

 private:
  AtomicFile file_;
  std::size_t missing_;  // bytes
};

}  // namespace dis
