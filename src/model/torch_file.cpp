#include "dis/model/torch_file.h"

#include <ATen/ATen.h>
#include <caffe2/serialize/inline_container.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <fstream>
#include <memory>
#include <set>
#include <unordered_map>

#include "dis/core/error.h"
#include "dis/core/files.h"
#include "dis/core/safetensors.h"
#include "pickle.h"

namespace dis {
namespace {

namespace fs = std::filesystem;
using caffe2::serialize::PyTorchStreamReader;
using caffe2::serialize::PyTorchStreamWriter;

constexpr std::string_view kDictionary = "collections.OrderedDict";
constexpr std::string_view kTensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kParameter = "torch._utils._rebuild_parameter";

struct StorageType {
  std::string_view name;  // as a global
  at::ScalarType type;
};
constexpr StorageType kStorageTypes[] = {{"torch.FloatStorage", at::kFloat}, {"torch.BFloat16Storage", at::kBFloat16},
                                         {"torch.HalfStorage", at::kHalf},   {"torch.DoubleStorage", at::kDouble},
                                         {"torch.LongStorage", at::kLong},   {"torch.IntStorage", at::kInt},
                                         {"torch.ShortStorage", at::kShort}, {"torch.CharStorage", at::kChar},
                                         {"torch.ByteStorage", at::kByte},   {"torch.BoolStorage", at::kBool}};

std::vector<std::string_view> known_globals() {
  std::vector<std::string_view> names = {kDictionary, kTensor, kParameter};
  for (const auto& known : kStorageTypes) names.push_back(known.name);
  return names;
}

/// The archive, with LibTorch's errors as one line each.
class Archive {
 public:
  Archive(const fs::path& path, const std::string& where)
      : where_(where),
        reader_(guarded([&] { return std::make_unique<PyTorchStreamReader>(path.string()); })),
        bytes_(fs::file_size(path)) {
    // torch.save does not compress, so more bytes than the file has are compressed or counted twice.
    std::uint64_t unpacked = 0;
    for (const auto& name : guarded([&] { return reader_->getAllRecords(); })) {
      const auto size = size_of(name);
      if (__builtin_add_overflow(unpacked, size, &unpacked) || unpacked > bytes_) {
        throw UserError(where_ + ": its records unpack to more than the " + std::to_string(bytes_) +
                        " bytes that the file has; expected a file as torch.save writes it, without compression");
      }
    }
  }

  bool has(const std::string& record) {
    return guarded([&] { return reader_->hasRecord(record); });
  }
  std::uint64_t size_of(const std::string& record) {
    return guarded([&] { return reader_->getRecordSize(record); });
  }
  at::DataPtr read(const std::string& record) {
    return guarded([&] { return std::get<0>(reader_->getRecord(record)); });
  }
  std::string text(const std::string& record) {
    const auto size = size_of(record);
    const auto data = read(record);
    return size == 0 ? "" : std::string(static_cast<const char*>(data.get()), size);
  }

 private:
  template <class Action>
  auto guarded(Action&& action) const -> decltype(action()) {
    std::string cause;
    try {
      return action();
    } catch (const c10::Error& error) {
      cause = error.what_without_backtrace();
    } catch (const std::exception& error) {
      cause = error.what();
    }
    throw UserError(where_ + ": truncated or damaged: expected a whole file as torch.save writes it (" +
                    cause.substr(0, cause.find('\n')) + "); copy or download it again");
  }

  const std::string& where_;
  std::unique_ptr<PyTorchStreamReader> reader_;
  std::uint64_t bytes_;
};

/// Makes tensors of what the pickle says.
class TensorReader {
 public:
  TensorReader(Archive& archive, const Pickle& pickle, const std::string& where)
      : archive_(archive), pickle_(pickle), where_(where) {}

  NamedTensors read() {
    const auto& root = pickle_.root();
    if (!is_dictionary(root)) {
      throw UserError(where_ + ": expected a dictionary of tensors, found " + describe(pickle_, root));
    }
    add(root, "", 0);
    if (tensors_.empty() && !no_tensor_.empty()) throw UserError(where_ + ": " + no_tensor_);
    return std::move(tensors_);
  }

 private:
  bool is_call(const Pickle::Object& object, std::string_view function) const {
    return object.kind == Pickle::Kind::call && pickle_.item(object, 0).text == function;
  }

  bool is_dictionary(const Pickle::Object& object) const {
    return object.kind == Pickle::Kind::dictionary || is_call(object, kDictionary);
  }

  /// Adds the tensors of a dictionary and of those in it; what else a checkpoint keeps is passed over. Dictionaries may
  /// hold one another, or the same one many times.
  void add(const Pickle::Object& dictionary, const std::string& prefix, int depth) {
    constexpr int kDeepest = 16;
    constexpr std::size_t kMostEntries = 1'000'000, kLongestKey = 10'000;
    const bool ordered = dictionary.kind == Pickle::Kind::call;
    if (ordered && !pickle_.item(dictionary, 1).items.empty()) {
      throw UserError(where_ + ": an OrderedDict with arguments");
    }
    if (depth > kDeepest || (entries_ += dictionary.items.size()) > kMostEntries) {
      throw UserError(where_ + ": expected a checkpoint, found dictionaries inside one another without an end");
    }
    for (std::size_t i = ordered ? 2 : 0; i + 1 < dictionary.items.size(); i += 2) {
      const auto& key = pickle_.item(dictionary, i);
      const auto& value = pickle_.item(dictionary, i + 1);
      if (key.kind != Pickle::Kind::text && (prefix.empty() || key.kind != Pickle::Kind::integer)) {
        throw UserError(where_ + ": expected texts as names of tensors, found " + describe(pickle_, key));
      }
      const std::string name = prefix + (key.kind == Pickle::Kind::text ? key.text : std::to_string(key.number));
      if (name.size() > kLongestKey)
        throw UserError(where_ + ": expected names of tensors, found a text of " + std::to_string(name.size()) +
                        " bytes");
      if (is_dictionary(value)) {
        add(value, name + ".", depth + 1);
      } else if (is_call(value, kTensor) || is_call(value, kParameter)) {
        if (!names_.insert(name).second) throw UserError(where_ + ": tensor '" + name + "' is there twice");
        tensors_.emplace_back(name, tensor(value, name));
      } else if (no_tensor_.empty()) {
        no_tensor_ = "expected tensors, found none: entry '" + name + "' is " + describe(pickle_, value);
      }
    }
  }

  [[noreturn]] void refuse(const std::string& name, const std::string& why) const {
    throw UserError(where_ + ": entry '" + name + "' " + why);
  }

  std::vector<std::int64_t> sizes(const Pickle::Object& tuple, const std::string& name, const char* what) const {
    constexpr std::size_t kMostDimensions = 16;
    std::vector<std::int64_t> values;
    for (const auto id : tuple.items) values.push_back(pickle_[id].number);
    const auto is_size = [&](Pickle::Id id) {
      return pickle_[id].kind == Pickle::Kind::integer && pickle_[id].number >= 0;
    };
    if (tuple.kind != Pickle::Kind::tuple || values.size() > kMostDimensions ||
        !std::all_of(tuple.items.begin(), tuple.items.end(), is_size)) {
      refuse(name, std::string("has no valid ") + what);
    }
    return values;
  }

  at::Tensor tensor(const Pickle::Object& value, const std::string& name) {
    const Pickle::Object* made = &value;
    // Once, not as often as it is nested: a parameter holds a tensor.
    if (is_call(*made, kParameter) && !pickle_.item(*made, 1).items.empty()) {
      made = &pickle_.item(pickle_.item(*made, 1), 0);
    }
    if (!is_call(*made, kTensor)) {
      refuse(name, "should be a tensor, found " + describe(pickle_, *made) +
                       "; expected the state dict alone, as in torch.save(model.state_dict(), file)");
    }
    const auto& arguments = pickle_.item(*made, 1);  // storage, offset, sizes, strides, requires_grad, hooks
    if (arguments.items.size() < 4) refuse(name, "is a tensor without storage, offset, sizes and strides");
    const auto& offset = pickle_.item(arguments, 1);
    if (offset.kind != Pickle::Kind::integer || offset.number < 0) refuse(name, "has no valid offset");
    const auto shape = sizes(pickle_.item(arguments, 2), name, "sizes");
    const auto strides = sizes(pickle_.item(arguments, 3), name, "strides");
    if (shape.size() != strides.size()) refuse(name, "has not as many strides as sizes");
    const auto elements = storage(pickle_.item(arguments, 0), name);
    check_extent(shape, strides, offset.number, elements.numel(), name);
    return at::empty({0}, elements.options()).set_(elements.storage(), offset.number, shape, strides);
  }

  /// The last element lies inside the storage, and the number of elements is a number.
  void check_extent(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides,
                    std::int64_t offset, std::int64_t available, const std::string& name) const {
    std::int64_t count = 1;
    std::int64_t end = offset;
    bool sound = true;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      std::int64_t step = 0;
      sound = sound && !__builtin_mul_overflow(count, shape[i], &count);
      sound = sound && !__builtin_mul_overflow(shape[i] == 0 ? 0 : shape[i] - 1, strides[i], &step);
      sound = sound && !__builtin_add_overflow(end, step, &end);
    }
    sound = sound && (count == 0 ? offset <= available : end < available);
    if (!sound) {
      refuse(name, "reaches beyond the end of its storage of " + std::to_string(available) +
                       " numbers; is the file damaged?");
    }
  }

  /// All of a storage as a tensor of one dimension; each is read once.
  at::Tensor storage(const Pickle::Object& reference, const std::string& name) {
    // ("storage", its type, its record, the device it was on, how many numbers)
    const bool tuple = reference.kind == Pickle::Kind::reference &&
                       pickle_.item(reference, 0).kind == Pickle::Kind::tuple &&
                       pickle_.item(reference, 0).items.size() == 5;
    if (!tuple) refuse(name, "has no storage");
    const auto& parts = pickle_.item(reference, 0);
    const auto& type_name = pickle_.item(parts, 1);
    const auto& key = pickle_.item(parts, 2);
    const auto& count = pickle_.item(parts, 4);
    const auto known = std::find_if(std::begin(kStorageTypes), std::end(kStorageTypes),
                                    [&](const StorageType& other) { return other.name == type_name.text; });
    if (type_name.kind != Pickle::Kind::global || known == std::end(kStorageTypes) || key.kind != Pickle::Kind::text ||
        count.kind != Pickle::Kind::integer) {
      refuse(name, "has a storage without type, key and size");
    }
    const auto found = storages_.find(key.text);
    if (found == storages_.end()) return storages_[key.text] = read_storage(key.text, known->type, count.number, name);
    if (found->second.scalar_type() != known->type || found->second.numel() != count.number) {
      refuse(name, "has a storage that another entry describes otherwise");
    }
    return found->second;
  }

  at::Tensor read_storage(const std::string& key, at::ScalarType type, std::int64_t count, const std::string& name) {
    const auto record = "data/" + key;
    const auto element = static_cast<std::int64_t>(at::elementSize(type));
    std::int64_t bytes = 0;
    if (!archive_.has(record)) refuse(name, "has a storage whose record '" + record + "' is missing");
    const auto present = archive_.size_of(record);
    if (count < 0 || __builtin_mul_overflow(count, element, &bytes) || present != static_cast<std::uint64_t>(bytes)) {
      refuse(name, "has a storage of " + std::to_string(count) + " numbers of " + std::to_string(element) +
                       " bytes, but its record '" + record + "' has " + std::to_string(present) + " bytes");
    }
    if (count == 0) return at::empty({0}, type);
    const c10::Storage storage(c10::Storage::use_byte_size_t(), static_cast<std::size_t>(bytes), archive_.read(record),
                               nullptr, false);
    return at::empty({0}, type).set_(storage, 0, {count}, {1});
  }

  Archive& archive_;
  const Pickle& pickle_;
  const std::string& where_;
  std::unordered_map<std::string, at::Tensor> storages_;
  NamedTensors tensors_;
  std::set<std::string> names_;
  std::size_t entries_ = 0;
  std::string no_tensor_;  // what the first entry that is none is
};

/// What the file is when it is no zip file, by its first bytes.
void check_first_bytes(const fs::path& path, const std::string& where) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) throw UserError(where + ": there is no such file");
  if (!fs::is_regular_file(path, ignored)) throw UserError(where + ": it is not a regular file");
  std::array<char, 64> first{};
  std::ifstream file(path, std::ios::binary);
  if (!file) throw file_error("read", path, errno);
  file.read(first.data(), first.size());
  const std::string_view start(first.data(), static_cast<std::size_t>(file.gcount()));
  refuse_git_lfs_pointer(path, start);
  if (start.starts_with("PK\x03\x04")) return;
  if (begins_safetensors(start)) {
    throw UserError(where + ": expected a file of torch.save, found a safetensors file; `dis eval --weights` and " +
                    "train.init_from take it as it is if its names are those of `dis import`");
  }
  if (start.starts_with("\x80")) {
    throw UserError(where +
                    ": expected the zip format of torch.save, found a bare pickle, as PyTorch before 1.6 wrote it; "
                    "save it anew with Python: torch.save(torch.load(FILE, weights_only=True), NEW_FILE)");
  }
  throw UserError(where + ": expected a file of torch.save (a zip file) or a safetensors file, found " +
                  (start.empty() ? "an empty file" : "something else"));
}

/// The pickle of a dictionary of tensors, tensor i in storage "i" (protocol 2).
std::string pickle_of(const NamedTensors& tensors) {
  std::string out = "\x80\x02";
  const auto little_endian = [&](std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  };
  const auto text = [&](std::string_view value) {
    out += 'X';
    little_endian(value.size(), 4);
    out += value;
  };
  const auto integer = [&](std::int64_t value) {
    out += "\x8a\x08";
    little_endian(static_cast<std::uint64_t>(value), 8);
  };
  const auto tuple = [&](at::IntArrayRef values) {
    out += '(';
    for (const auto value : values) integer(value);
    out += 't';
  };
  const auto global = [&](std::string_view name) {  // the module's name ends at the last dot
    const auto dot = name.rfind('.');
    out += 'c';
    out += name.substr(0, dot);
    out += '\n';
    out += name.substr(dot + 1);
    out += '\n';
  };
  const auto empty_dictionary = [&] {
    global(kDictionary);
    out += ")R";
  };

  out += "}(";  // a plain dictionary, which LibTorch's own reader takes, too
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto& [name, tensor] = tensors[i];
    const auto known = std::find_if(std::begin(kStorageTypes), std::end(kStorageTypes),
                                    [&, type = tensor.scalar_type()](const auto& other) { return other.type == type; });
    ensure(known != std::end(kStorageTypes), "write_torch_file", "float64, float32, float16 or bfloat16");
    text(name);
    global(kTensor);
    out += "((";
    text("storage");
    global(known->name);
    text(std::to_string(i));
    text("cpu");
    integer(tensor.numel());
    out += "tQ";  // the tuple is a persistent id
    integer(0);
    tuple(tensor.sizes());
    tuple(tensor.strides());
    out += '\x89';  // requires_grad: False
    empty_dictionary();
    out += "tR";
  }
  return out + "u.";
}

}  // namespace

NamedTensors read_torch_file(const fs::path& path) {
  const std::string where = "'" + path.string() + "'";
  check_first_bytes(path, where);
  Archive archive(path, where);
  if (!archive.has("data.pkl")) {
    throw UserError(where + ": expected a file of torch.save, found a zip file without the record data.pkl");
  }
  if (archive.has("byteorder") && archive.text("byteorder") != "little") {
    throw UserError(where + ": expected little-endian numbers, found a file of a machine with another byte order");
  }
  const auto bytes = archive.text("data.pkl");
  const auto globals = known_globals();
  const Pickle pickle(bytes, globals, where);
  return TensorReader(archive, pickle, where).read();
}

void write_torch_file(const fs::path& path, const NamedTensors& tensors) {
  NamedTensors kept;  // alive until written
  for (const auto& [name, tensor] : tensors) kept.emplace_back(name, tensor.detach().cpu().contiguous());
  const auto pickle = pickle_of(kept);
  const std::string byte_order = "little";

  AtomicFile file(path);
  // An exception must not pass through the zip library, nor may the writer see a failure: its destructor would try
  // again, and end the program.
  std::exception_ptr failure;
  PyTorchStreamWriter writer([&](const void* data, std::size_t size) {
    try {
      if (!failure) file.write(std::span(static_cast<const std::byte*>(data), size));
    } catch (...) {
      failure = std::current_exception();
    }
    return size;
  });
  writer.writeRecord("data.pkl", pickle.data(), pickle.size());
  writer.writeRecord("byteorder", byte_order.data(), byte_order.size());
  for (std::size_t i = 0; i < kept.size() && !failure; ++i) {
    const auto& tensor = kept[i].second;
    writer.writeRecord("data/" + std::to_string(i), tensor.const_data_ptr(), tensor.nbytes());
  }
  writer.writeEndOfFile();
  if (failure) std::rethrow_exception(failure);
  file.commit();
}

}  // namespace dis
