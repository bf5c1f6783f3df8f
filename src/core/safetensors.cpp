#include "dis/core/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"

namespace dis {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little endian");

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeader = 100'000'000;  // the limit of the reference implementation
constexpr const char* kMetadataKey = "__metadata__";

constexpr std::array<std::pair<std::string_view, std::size_t>, 10> kDtypes{{{"F64", 8},
                                                                            {"I64", 8},
                                                                            {"F32", 4},
                                                                            {"I32", 4},
                                                                            {"F16", 2},
                                                                            {"BF16", 2},
                                                                            {"I16", 2},
                                                                            {"I8", 1},
                                                                            {"U8", 1},
                                                                            {"BOOL", 1}}};

/// Bytes of a tensor; false when they do not fit into 63 bits or a size is negative.
bool count_bytes(std::span<const std::int64_t> shape, std::size_t element, std::size_t& bytes) {
  std::int64_t total = static_cast<std::int64_t>(element);
  for (const std::int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(total, size, &total)) return false;
  }
  bytes = static_cast<std::size_t>(total);
  return true;
}

bool is_count(const Json& json) {
  return json.is_number_unsigned() &&
         json.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
}

/// What was found, cut to a length that a message can bear.
std::string found(const Json& json) { return ", found " + in_message(json, 120); }

TensorInfo read_entry(const std::string& file, const std::string& name, const Json& entry) {
  const std::string where = file + ": tensor \"" + name + "\": ";
  if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") || !entry.contains("shape") ||
      !entry.contains("data_offsets")) {
    throw UserError(where + "expected an object with dtype, shape and data_offsets" + found(entry));
  }
  TensorInfo info;
  info.name = name;

  const Json& dtype = entry["dtype"];
  if (!dtype.is_string() || dtype_size(dtype.get_ref<const std::string&>()) == 0) {
    throw UserError(where + "expected a dtype out of F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL" + found(dtype));
  }
  info.dtype = dtype.get<std::string>();

  const Json& shape = entry["shape"];
  if (!shape.is_array() || !std::all_of(shape.begin(), shape.end(), is_count)) {
    throw UserError(where + "expected a list of sizes as its shape" + found(shape));
  }
  info.shape = shape.get<std::vector<std::int64_t>>();

  const Json& offsets = entry["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 || !is_count(offsets[0]) || !is_count(offsets[1]) ||
      offsets[0].get<std::size_t>() > offsets[1].get<std::size_t>()) {
    throw UserError(where + "expected data_offsets [begin, end] with begin <= end" + found(offsets));
  }
  info.offset = offsets[0].get<std::size_t>();
  info.bytes = offsets[1].get<std::size_t>() - info.offset;

  std::size_t expected = 0;
  if (!count_bytes(info.shape, dtype_size(info.dtype), expected) || expected != info.bytes) {
    throw UserError(where + describe_tensor(info.dtype, info.shape) + " does not fit its data_offsets, which span " +
                    std::to_string(info.bytes) + " bytes");
  }
  return info;
}

}  // namespace

std::size_t dtype_size(std::string_view dtype) {
  for (const auto& [name, size] : kDtypes) {
    if (name == dtype) return size;
  }
  return 0;
}

std::string describe_tensor(std::string_view dtype, std::span<const std::int64_t> shape) {
  std::string text = std::string(dtype) + " [";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : path_(path) {
  const Descriptor descriptor(path, O_RDONLY, "read");
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0) throw file_error("read", path, errno);
  if (!S_ISREG(status.st_mode)) throw UserError("cannot read '" + path.string() + "': it is not a regular file");
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size < kLengthBytes) {
    throw UserError(path.string() + ": truncated: expected at least 8 bytes, found " + std::to_string(size));
  }
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
  if (address == MAP_FAILED) throw file_error("read", path, errno);
  mapping_ = {static_cast<const std::byte*>(address), size};
  try {
    read_header();
  } catch (...) {
    ::munmap(address, size);
    throw;
  }
}

SafetensorsFile::~SafetensorsFile() {
  if (!mapping_.empty()) ::munmap(const_cast<std::byte*>(mapping_.data()), mapping_.size());
}

SafetensorsFile::SafetensorsFile(SafetensorsFile&& other) noexcept
    : path_(std::move(other.path_)),
      mapping_(std::exchange(other.mapping_, {})),
      data_start_(other.data_start_),
      tensors_(std::move(other.tensors_)),
      places_(std::move(other.places_)),
      metadata_(std::move(other.metadata_)) {}

SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(mapping_, other.mapping_);
  std::swap(data_start_, other.data_start_);
  std::swap(tensors_, other.tensors_);
  std::swap(places_, other.places_);
  std::swap(metadata_, other.metadata_);
  return *this;
}

void SafetensorsFile::read_header() {
  const std::string file = path_.string();
  refuse_git_lfs_pointer(path_, {reinterpret_cast<const char*>(mapping_.data()), mapping_.size()});
  std::uint64_t length = 0;
  std::memcpy(&length, mapping_.data(), kLengthBytes);
  if (length > kMaxHeader) {
    throw UserError(file + ": not a safetensors file: expected a header of at most " + std::to_string(kMaxHeader) +
                    " bytes, found the length " + std::to_string(length));
  }
  if (length > mapping_.size() - kLengthBytes) {
    throw UserError(file + ": truncated: expected a header of " + std::to_string(length) + " bytes, found " +
                    std::to_string(mapping_.size() - kLengthBytes));
  }
  data_start_ = kLengthBytes + static_cast<std::size_t>(length);
  const std::string_view text(reinterpret_cast<const char*>(mapping_.data()) + kLengthBytes, length);
  if (text.empty() || text.front() != '{') {
    throw UserError(file + ": not a safetensors file: expected a JSON object as its header");
  }
  const Json header = parse_json(text, file + " (header)");

  for (const auto& [name, entry] : header.items()) {
    if (name != kMetadataKey) {
      tensors_.push_back(read_entry(file, name, entry));
      continue;
    }
    if (!entry.is_object()) throw UserError(file + ": __metadata__: expected an object" + found(entry));
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) {
        throw UserError(file + ": __metadata__: \"" + key + "\": expected a text" + found(value));
      }
      metadata_[key] = value.get<std::string>();
    }
  }

  // By begin, then end: a tensor without elements stands before the one that starts at the same byte.
  std::stable_sort(tensors_.begin(), tensors_.end(), [](const TensorInfo& a, const TensorInfo& b) {
    return std::pair(a.offset, a.bytes) < std::pair(b.offset, b.bytes);
  });
  std::size_t end = 0;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const TensorInfo& info = tensors_[i];
    if (info.offset != end) {
      throw UserError(file + ": tensor \"" + info.name + "\": expected its bytes to start at offset " +
                      std::to_string(end) + ", where the tensor before it ends, found " + std::to_string(info.offset));
    }
    end += info.bytes;
    places_[info.name] = i;
  }
  const std::size_t present = mapping_.size() - data_start_;
  if (present != end) {
    throw UserError(file + (present < end ? ": truncated: " : ": bytes after the last tensor: ") + "expected " +
                    std::to_string(end) + " bytes of data after the header, found " + std::to_string(present));
  }
}

const TensorInfo* SafetensorsFile::find(std::string_view name) const {
  const auto place = places_.find(name);
  return place == places_.end() ? nullptr : &tensors_[place->second];
}

const TensorInfo& SafetensorsFile::at(std::string_view name) const {
  if (const TensorInfo* info = find(name)) return *info;
  throw UserError(path_.string() + ": tensor \"" + std::string(name) + "\" is missing");
}

std::span<const std::byte> SafetensorsFile::data(const TensorInfo& info) const {
  return mapping_.subspan(data_start_ + info.offset, info.bytes);
}

void write_safetensors(const std::filesystem::path& path, std::span<const TensorBytes> tensors,
                       const SafetensorsMetadata& metadata) {
  std::vector<const TensorBytes*> order;
  std::set<std::string_view> names{kMetadataKey};
  for (const TensorBytes& tensor : tensors) {
    std::size_t bytes = 0;
    ensure(names.insert(tensor.name).second, "write_safetensors", "distinct names of tensors");
    ensure(dtype_size(tensor.dtype) > 0, "write_safetensors", "a dtype of the format");
    ensure(count_bytes(tensor.shape, dtype_size(tensor.dtype), bytes) && bytes == tensor.data.size(),
           "write_safetensors", "as many bytes as dtype and shape say");
    order.push_back(&tensor);
  }
  std::stable_sort(order.begin(), order.end(), [](const TensorBytes* a, const TensorBytes* b) {
    return dtype_size(a->dtype) > dtype_size(b->dtype);
  });

  Json header = Json::object();
  if (!metadata.empty()) header[kMetadataKey] = metadata;
  std::size_t offset = 0;
  for (const TensorBytes* tensor : order) {
    const std::size_t end = offset + tensor->data.size();
    header[tensor->name] = {{"dtype", tensor->dtype}, {"shape", tensor->shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = json_text(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();
  ensure(length <= kMaxHeader, "write_safetensors", "a header of at most 100 MB");

  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(text);
  for (const TensorBytes* tensor : order) file.write(tensor->data);
  file.commit();
}

bool begins_safetensors(std::string_view first_bytes) {
  constexpr std::size_t kLength = 8;
  return first_bytes.size() > kLength && first_bytes[kLength] == '{' &&
         first_bytes.substr(4, 4) == std::string_view("\0\0\0\0", 4);
}

}  // namespace dis
