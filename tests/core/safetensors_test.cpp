#include "dis/core/safetensors.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"
#include "dis/core/json.h"

namespace dis {
namespace {

/// Without flushing to the disk (which ext4 does when a file is overwritten): some tests write hundreds of files.
void write_plainly(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A file with the given header text and data.
std::string file_of(const std::string& header, std::size_t data_bytes) {
  const std::uint64_t length = header.size();
  std::string text(8, '\0');
  std::memcpy(text.data(), &length, 8);
  return text + header + std::string(data_bytes, '\1');
}

class Safetensors : public testing::Test {
 protected:
  /// The message when a file of these bytes is opened, without the path in front.
  std::string error_of(const std::string& bytes) {
    write_plainly(path_, bytes);
    const std::string message = user_error_of([&] { SafetensorsFile{path_}; });
    EXPECT_TRUE(message.starts_with(path_.string())) << message;
    return message.substr(std::min(message.size(), path_.string().size()));
  }
  std::string error_of(const std::string& header, std::size_t data_bytes) {
    return error_of(file_of(header, data_bytes));
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "t.safetensors";
};

TEST_F(Safetensors, RoundTrip) {
  const std::vector<float> matrix{1, 2, 3, 4, 5, std::numeric_limits<float>::quiet_NaN()};
  const std::int64_t scalar = -7;
  const std::vector<std::uint8_t> flags{1, 0, 1};
  const std::vector<TensorBytes> tensors{
      {"flags", "BOOL", {3}, std::as_bytes(std::span(flags))},
      {"model.weight \"é\"", "F32", {2, 3}, std::as_bytes(std::span(matrix))},
      {"empty", "F32", {0, 5}, {}},
      {"step", "I64", {}, std::as_bytes(std::span(&scalar, 1))},
  };
  write_safetensors(path_, tensors, {{"format", "pt"}, {"note", "two\nlines"}});

  const SafetensorsFile file(path_);
  ASSERT_EQ(file.tensors().size(), 4U);
  EXPECT_EQ(file.metadata(), (SafetensorsMetadata{{"format", "pt"}, {"note", "two\nlines"}}));
  for (const TensorBytes& tensor : tensors) {
    const TensorInfo& info = file.at(tensor.name);
    EXPECT_EQ(info.dtype, tensor.dtype);
    EXPECT_EQ(info.shape, tensor.shape);
    const auto data = file.data(info);
    ASSERT_EQ(data.size(), tensor.data.size());
    if (!data.empty()) {
      EXPECT_EQ(std::memcmp(data.data(), tensor.data.data(), data.size()), 0);
    }
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data.data()) % dtype_size(info.dtype), 0U) << tensor.name;
  }
  EXPECT_EQ(file.find("absent"), nullptr);
  EXPECT_EQ(user_error_of([&] { file.at("absent"); }), path_.string() + ": tensor \"absent\" is missing");
}

TEST_F(Safetensors, TheBytesOfAFile) {
  const float value = 1;
  write_safetensors(path_, std::vector<TensorBytes>{{"a", "F32", {1}, std::as_bytes(std::span(&value, 1))}});
  const std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  ASSERT_EQ(header.size() % 8, 6U);
  EXPECT_EQ(read_text(path_), file_of(header + "  ", 0) + std::string("\x00\x00\x80\x3f", 4));
  EXPECT_EQ(folder_.count(), 1);
}

TEST_F(Safetensors, AFileWithoutTensors) {
  write_safetensors(path_, {});
  const SafetensorsFile file(path_);
  EXPECT_TRUE(file.tensors().empty());
  EXPECT_TRUE(file.metadata().empty());
}

TEST_F(Safetensors, MovedFilesStayOpen) {
  const float value = 2.5F;
  write_safetensors(path_, std::vector<TensorBytes>{{"a", "F32", {}, std::as_bytes(std::span(&value, 1))}});
  SafetensorsFile first(path_);
  SafetensorsFile second(std::move(first));
  write_safetensors(folder_ / "other", {});
  SafetensorsFile third(folder_ / "other");
  third = std::move(second);
  float read = 0;
  std::memcpy(&read, third.data(third.at("a")).data(), sizeof read);
  EXPECT_EQ(read, 2.5F);
}

// A file that the Python package 0.8.0 wrote: save_file({"b": bfloat16 [2], "a": float32 [2, 2], "n": int64 scalar,
// "m": bool [3]}, metadata {"format": "pt"}).
TEST_F(Safetensors, ReadsAFileOfThePythonPackage) {
  const SafetensorsFile file(DIS_SOURCE_DIR "/tests/data/core/python.safetensors");
  EXPECT_EQ(file.metadata(), (SafetensorsMetadata{{"format", "pt"}}));
  ASSERT_EQ(file.tensors().size(), 4U);
  const TensorInfo& a = file.at("a");
  EXPECT_EQ(describe_tensor(a.dtype, a.shape), "F32 [2, 2]");
  std::array<float, 4> values{};
  ASSERT_EQ(a.bytes, sizeof values);
  std::memcpy(values.data(), file.data(a).data(), sizeof values);
  EXPECT_EQ(values, (std::array<float, 4>{1, -2, 3.5, 1e-3F}));
  EXPECT_EQ(describe_tensor(file.at("b").dtype, file.at("b").shape), "BF16 [2]");
  EXPECT_EQ(describe_tensor(file.at("n").dtype, file.at("n").shape), "I64 []");
  EXPECT_EQ(describe_tensor(file.at("m").dtype, file.at("m").shape), "BOOL [3]");
  std::int64_t n = 0;
  std::memcpy(&n, file.data(file.at("n")).data(), sizeof n);
  EXPECT_EQ(n, 1LL << 40);
}

TEST_F(Safetensors, EveryTruncationIsAnError) {
  const std::vector<float> values{1, 2, 3};
  write_safetensors(path_, std::vector<TensorBytes>{{"a", "F32", {3}, std::as_bytes(std::span(values))}},
                    {{"format", "pt"}});
  const std::string whole = read_text(path_);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_TRUE(contains(error_of(whole.substr(0, size)), "truncated")) << size;
  }
  EXPECT_EQ(error_of(whole.substr(0, whole.size() - 1)),
            ": truncated: expected 12 bytes of data after the header, found 11");
  EXPECT_EQ(error_of(whole + "x"),
            ": bytes after the last tensor: expected 12 bytes of data after the header, found 13");
}

TEST_F(Safetensors, FilesOfAnotherKind) {
  EXPECT_TRUE(contains(error_of(std::string(100, '\xff')), "not a safetensors file: expected a header of at most"));
  EXPECT_TRUE(contains(error_of("PK\x03\x04 a zip archive, as torch.save writes"), "not a safetensors file"));
  EXPECT_TRUE(contains(error_of("[1, 2]  ", 0), "expected a JSON object"));
  EXPECT_TRUE(contains(error_of(" {}", 0), "expected a JSON object"));
  EXPECT_TRUE(contains(error_of("", 0), "expected a JSON object"));
  EXPECT_TRUE(contains(error_of("{\"a\": ", 0), " (header):1:7: not valid JSON"));
  EXPECT_TRUE(contains(user_error_of([&] { SafetensorsFile{folder_.path()}; }), "not a regular file"));
  EXPECT_TRUE(contains(user_error_of([&] { SafetensorsFile{folder_ / "absent"}; }), "No such file"));
}

TEST_F(Safetensors, OversizedHeaderLength) {
  std::string bytes = file_of("{}", 0);
  const auto with_length = [&](std::uint64_t length) {
    std::memcpy(bytes.data(), &length, 8);
    return bytes;
  };
  EXPECT_TRUE(contains(error_of(with_length(100'000'001)), "found the length 100000001"));
  EXPECT_TRUE(contains(error_of(with_length(std::numeric_limits<std::uint64_t>::max())), "18446744073709551615"));
  EXPECT_EQ(error_of(with_length(3)), ": truncated: expected a header of 3 bytes, found 2");
}

TEST_F(Safetensors, EntriesThatBreakTheRules) {
  const auto entry = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return "{\"w\":{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}";
  };
  write_plainly(path_, file_of(entry("\"F32\"", "[2,3]", "[0,24]"), 24));
  EXPECT_NO_THROW(SafetensorsFile{path_});

  EXPECT_EQ(error_of(entry("\"F32\"", "[2,3]", "[0,20]"), 20),
            ": tensor \"w\": F32 [2, 3] does not fit its data_offsets, which span 20 bytes");
  EXPECT_EQ(error_of(entry("\"F32\"", "[2,3]", "[4,28]"), 28),
            ": tensor \"w\": expected its bytes to start at offset 0, where the tensor before it ends, found 4");
  EXPECT_TRUE(contains(error_of(entry("\"F33\"", "[2,3]", "[0,24]"), 24),
                       ": tensor \"w\": expected a dtype out of F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL, "
                       "found \"F33\""));
  EXPECT_TRUE(contains(error_of(entry("7", "[2,3]", "[0,24]"), 24), "expected a dtype"));
  for (const char* shape : {"[-2,3]", "[2.0,3]", "6", "[\"2\",3]", "[18446744073709551615]"}) {
    EXPECT_TRUE(contains(error_of(entry("\"F32\"", shape, "[0,24]"), 24), "expected a list of sizes")) << shape;
  }
  for (const char* offsets : {"[24,0]", "[0]", "[0,24,48]", "[-24,0]", "[0.0,24]", "24", "null"}) {
    EXPECT_TRUE(contains(error_of(entry("\"F32\"", "[2,3]", offsets), 24), "expected data_offsets")) << offsets;
  }
  // Sizes whose product overflows to the right number of bytes.
  EXPECT_TRUE(contains(error_of(entry("\"F32\"", "[4611686018427387904,4]", "[0,0]"), 0), "does not fit"));
  EXPECT_TRUE(contains(error_of(R"({"w":{"dtype":"F32","shape":[1]}})", 4), "expected an object with dtype"));
  EXPECT_TRUE(contains(error_of(R"({"w":[]})", 4), "expected an object with dtype"));
  EXPECT_TRUE(contains(error_of(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})", 4), "found {"));
}

TEST_F(Safetensors, TensorsThatOverlapOrLeaveGapsOrRepeat) {
  const auto two = [](const std::string& first, const std::string& second, const std::string& name) {
    return R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + first + R"(},")" + name +
           R"(":{"dtype":"U8","shape":[4],"data_offsets":)" + second + "}}";
  };
  write_plainly(path_, file_of(two("[4,8]", "[0,4]", "b"), 8));
  EXPECT_EQ(SafetensorsFile{path_}.tensors().front().name, "b");

  EXPECT_TRUE(
      contains(error_of(two("[0,4]", "[2,6]", "b"), 6), "tensor \"b\": expected its bytes to start at offset 4"));
  EXPECT_TRUE(
      contains(error_of(two("[0,4]", "[0,4]", "b"), 4), "tensor \"b\": expected its bytes to start at offset 4"));
  EXPECT_TRUE(
      contains(error_of(two("[0,4]", "[5,9]", "b"), 9), "tensor \"b\": expected its bytes to start at offset 4"));
  EXPECT_TRUE(contains(error_of(two("[0,4]", "[4,8]", "a"), 8), "key \"a\" stands twice"));
  EXPECT_TRUE(contains(error_of(R"({"__metadata__":{"a":1}})", 0), "__metadata__: \"a\": expected a text, found 1"));
  EXPECT_TRUE(contains(error_of(R"({"__metadata__":[]})", 0), "__metadata__: expected an object"));
}

TEST_F(Safetensors, FlippedBitsOfTheHeaderNeverCrash) {
  const std::vector<float> values{1, 2, 3};
  write_safetensors(path_, std::vector<TensorBytes>{{"a", "F32", {3}, std::as_bytes(std::span(values))}});
  const std::string whole = read_text(path_);
  for (std::size_t i = 0; i < whole.size() - sizeof(float) * 3; ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      write_plainly(path_, damaged);
      try {
        const SafetensorsFile file(path_);  // a flip inside the name goes unseen here
        for (const TensorInfo& info : file.tensors()) EXPECT_LE(file.data(info).size(), 12U);
      } catch (const UserError&) {
      }
    }
  }
}

TEST_F(Safetensors, WritersMistakesAreBugs) {
  const std::vector<float> values{1, 2, 3};
  const auto bytes = std::as_bytes(std::span(values));
  using List = std::vector<TensorBytes>;
  EXPECT_THROW(write_safetensors(path_, List{{"a", "F32", {2}, bytes}}), std::logic_error);
  EXPECT_THROW(write_safetensors(path_, List{{"a", "FLOAT", {3}, bytes}}), std::logic_error);
  EXPECT_THROW(write_safetensors(path_, List{{"a", "F32", {-3}, bytes}}), std::logic_error);
  EXPECT_THROW(write_safetensors(path_, List{{"a", "F32", {3}, bytes}, {"a", "F32", {3}, bytes}}), std::logic_error);
  EXPECT_THROW(write_safetensors(path_, List{{"__metadata__", "F32", {3}, bytes}}), std::logic_error);
  EXPECT_EQ(folder_.count(), 0);
}

}  // namespace
}  // namespace dis
