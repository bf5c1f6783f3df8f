// Files of named tensors in the safetensors format (https://github.com/huggingface/safetensors), without LibTorch.
//
// A file is: the header's length (8 bytes, little endian), the header (JSON: name -> dtype, shape, data_offsets; and
// "__metadata__": text -> text), the tensors' bytes, row-major, little endian, without gaps. A file that breaks any
// rule of the format is a UserError which names the file, the tensor, what was expected and what was found.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dis {

using SafetensorsMetadata = std::map<std::string, std::string>;

/// Bytes of one element of a dtype of the format ("F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8",
/// "BOOL"); 0 when the name is none of these.
std::size_t dtype_size(std::string_view dtype);

/// "F32 [2, 3]", for messages.
std::string describe_tensor(std::string_view dtype, std::span<const std::int64_t> shape);

struct TensorInfo {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;  ///< empty: a scalar
  std::size_t offset = 0;           ///< bytes from the start of the data
  std::size_t bytes = 0;
};

/// A file opened for reading, mapped into memory. All of it except the tensors' values is checked when it is opened.
/// The file must not be shortened while it is open (files of this program never are: they are replaced).
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile&& other) noexcept;
  SafetensorsFile& operator=(SafetensorsFile&& other) noexcept;

  const std::filesystem::path& path() const { return path_; }
  /// In the order of their bytes.
  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  /// nullptr when there is no such tensor.
  const TensorInfo* find(std::string_view name) const;
  /// UserError when there is no such tensor.
  const TensorInfo& at(std::string_view name) const;
  /// The tensor's bytes, valid while this object lives. Files of other programs may place them at any address, so copy
  /// them (memcpy) instead of reading them as numbers; write_safetensors aligns them to their element size.
  std::span<const std::byte> data(const TensorInfo& info) const;
  const SafetensorsMetadata& metadata() const { return metadata_; }

 private:
  void read_header();

  std::filesystem::path path_;
  std::span<const std::byte> mapping_;  // the whole file
  std::size_t data_start_ = 0;
  std::vector<TensorInfo> tensors_;
  std::map<std::string, std::size_t, std::less<>> places_;  // name -> index into tensors_
  SafetensorsMetadata metadata_;
};

/// A tensor to be written: row-major bytes, which must be as many as dtype and shape say.
struct TensorBytes {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;
};

/// Writes a file atomically, tensor by tensor from the given memory. Tensors stand in the given order, except that
/// larger element types come first, which aligns each to its element size. The same arguments give the same bytes.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorBytes> tensors,
                       const SafetensorsMetadata& metadata = {});

/// Whether a file with these first bytes, 9 or more, can be one: the length of its header, below 4 GiB, and a brace.
/// The first byte alone tells nothing: a header of 0x580 bytes begins like a pickle.
bool begins_safetensors(std::string_view first_bytes);

}  // namespace dis
