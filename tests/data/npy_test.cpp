// Files byte for byte as numpy writes them, and every defect of a file named.
#include "dis/data/arrays/npy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>
#include <string>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/random.h"

namespace dis {
namespace {

void write_plainly(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A file of version 1.0 with this header text, without padding.
std::string file_of(const std::string& header, std::size_t data_bytes = 0) {
  return "\x93NUMPY" + std::string{'\x01', '\x00'} + static_cast<char>(header.size() & 0xFF) +
         static_cast<char>(header.size() >> 8) + header + std::string(data_bytes, '\1');
}

std::string dict(const std::string& type, const std::string& shape) {
  return "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
}

TEST(Npy, HeaderIsNumpys) {
  // From numpy 2.4.6: np.save of arrays of these types and shapes.
  const std::map<std::string, std::string> expected{
      {npy_header(NpyType::u1, {2, 3}), dict("|u1", "(2, 3)")},
      {npy_header(NpyType::i4, {0, 900}), dict("<i4", "(0, 900)")},
      {npy_header(NpyType::i8, {5}), dict("<i8", "(5,)")},
      {npy_header(NpyType::u1, {3633410, 900}), dict("|u1", "(3633410, 900)")},
      {npy_header(NpyType::u1, {}), dict("|u1", "()")},
  };
  for (const auto& [header, text] : expected) {
    ASSERT_EQ(header.size(), 128U);
    EXPECT_EQ(header, std::string("\x93NUMPY\x01\x00v\x00", 10) + text + std::string(117 - text.size(), ' ') + "\n");
  }
  // Where nothing would be left for spaces, numpy adds 64 of them.
  NpyShape shape(14, 1);
  shape.back() = 10;
  EXPECT_EQ(npy_header(NpyType::u1, shape).size(), 128U);
  shape.back() = 100;
  EXPECT_EQ(npy_header(NpyType::u1, shape).size(), 192U);
}

TEST(Npy, RoundTripOfEveryTypeAndShape) {
  TemporaryFolder folder;
  const auto path = folder / "a.npy";
  const auto check = [&]<class T>(const std::vector<T>& numbers, const NpyShape& shape) {
    NpyWriter writer(path, npy_type_of<T>(), shape);
    const auto bytes = std::as_bytes(std::span(numbers));
    writer.append(bytes.first(bytes.size() / 2));
    writer.append(bytes.subspan(bytes.size() / 2));
    writer.commit();
    const NpyArray array(path);
    EXPECT_EQ(array.name(), path.string());
    EXPECT_EQ(array.type(), npy_type_of<T>());
    EXPECT_EQ(array.shape(), shape);
    EXPECT_EQ(array.size(), std::ssize(numbers));
    EXPECT_TRUE(std::ranges::equal(array.bytes(), bytes));
    EXPECT_EQ(array.numbers(), std::vector<std::int64_t>(numbers.begin(), numbers.end()));
    const NpyArray in_memory("made up", shape, numbers);
    EXPECT_EQ(in_memory.numbers(), array.numbers());
    EXPECT_EQ(in_memory.name(), "made up");
  };
  check(std::vector<std::uint8_t>{0, 1, 2, 127, 128, 255}, {2, 3});
  check(std::vector<std::int32_t>{0, -1, 1 << 30, -(1 << 30)}, {4});
  check(std::vector<std::int64_t>{1LL << 60, -(1LL << 60)}, {1, 2, 1});
  check(std::vector<std::int32_t>{}, {0, 900});
  check(std::vector<std::int64_t>{7}, {});
}

TEST(Npy, ACopyOutlivesTheOriginal) {
  TemporaryFolder folder;
  write_plainly(folder / "a.npy", file_of(dict("|u1", "(3,)"), 3));
  auto array = std::make_unique<NpyArray>(folder / "a.npy");
  const NpyArray copy = *array;
  array.reset();
  EXPECT_EQ(copy.numbers(), (std::vector<std::int64_t>{1, 1, 1}));
}

TEST(Npy, OtherWritersHeadersAreRead) {
  TemporaryFolder folder;
  const auto path = folder / "a.npy";
  // Another order of keys, other quotes, no spaces, no comma at the end; numbers at an odd address.
  write_plainly(path, file_of("{\"shape\":(2,2),'fortran_order':False,'descr':'<i4'}\n", 16));
  EXPECT_EQ(NpyArray(path).numbers(), std::vector<std::int64_t>(4, 0x01010101));
  // In one dimension both orders are the same.
  write_plainly(path, file_of("{'descr': '|u1', 'fortran_order': True, 'shape': (2,), }", 2));
  EXPECT_EQ(NpyArray(path).shape(), NpyShape{2});
  const std::string text = dict("<i8", "(1, 1)") + "\n";
  write_plainly(path, "\x93NUMPY" + std::string{'\x02', '\x00'} + static_cast<char>(text.size()) +
                          std::string(3, '\0') + text + std::string(8, '\0'));
  EXPECT_EQ(NpyArray(path).numbers(), std::vector<std::int64_t>{0});
}

TEST(Npy, EveryDefectIsNamed) {
  TemporaryFolder folder;
  const auto path = folder / "bad.npy";
  const std::string good = file_of(dict("<i4", "(2, 3)"), 24);
  const auto with = [&](std::size_t at, char byte) {
    std::string bytes = good;
    bytes[at] = byte;
    return bytes;
  };
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "it is empty"},
      {"PK\x03\x04", "not a .npy file: expected it to start with"},
      {"\x93NUMPX" + good.substr(6), "not a .npy file"},
      {good.substr(0, 6), "expected version 1.0 or 2.0"},
      {with(6, '\x03'), "found 3.0; save the array anew"},
      {with(7, '\x01'), "found 1.1"},
      {good.substr(0, 9), "truncated: expected a header of"},
      {good.substr(0, 40), "truncated: expected a header of"},
      {with(9, '\x7F'), "truncated: expected a header of"},
      {good.substr(0, good.size() - 1), "truncated: expected 24 bytes after the header, as its shape (2, 3) of <i4"},
      {good + "x", "too long: expected 24 bytes"},
      {file_of(dict("<f4", "(1,)"), 4), "expected numbers of the type |u1, <i4 or <i8, found \"<f4\""},
      {file_of(dict(">i4", "(1,)"), 4), "found \">i4\""},
      {file_of(dict("|O", "(1,)"), 4), "found \"|O\""},
      {file_of("{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3), }", 24), "found Fortran order"},
      {file_of(dict("|u1", "(3)"), 3), "expected a header such as"},
      {file_of(dict("|u1", "(-3,)"), 3), "expected a header such as"},
      {file_of(dict("|u1", "(3.0,)"), 3), "expected a header such as"},
      {file_of(dict("|u1", "(99999999999999999999,)"), 3), "expected a header such as"},
      {file_of(dict("<i8", "(999999999999999999, 99999)"), 3), "expected 2^63 or more bytes"},
      {file_of("", 0), "expected a header such as"},
      {file_of("{'descr': '|u1', 'shape': (1,), }", 1), "expected a header such as"},
      {file_of("{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", 1), "such as"},
      {file_of("{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (1,)}", 1), "expected a header such as"},
      {file_of("{'descr': '|u1', 'fortran_order': 0, 'shape': (1,)}", 1), "expected a header such as"},
      {file_of(dict("|u1", "(1,)") + "x", 1), "expected a header such as"},
      {file_of("\xFF\xFE" + dict("|u1", "(1,)"), 1), "expected a header such as"},
  };
  for (const auto& [bytes, part] : cases) {
    write_plainly(path, bytes);
    const std::string message = user_error_of([&] { NpyArray{path}; });
    EXPECT_TRUE(contains(message, part)) << message << "\nexpected: " << part;
    EXPECT_TRUE(contains(message, path.string())) << message;
  }
  EXPECT_TRUE(contains(user_error_of([&] { NpyArray{folder / "none.npy"}; }), "none.npy"));
  EXPECT_TRUE(contains(user_error_of([&] { NpyArray{folder.path()}; }), "not a regular file"));
}

TEST(Npy, DamagedFilesAreReadOrRefusedButNothingElse) {
  TemporaryFolder folder;
  const auto path = folder / "f.npy";
  const std::string good = file_of(dict("<i4", "(2, 3)"), 24);
  int refused = 0;
  for (std::uint64_t trial = 0; trial < 3000; ++trial) {
    Draws draws(11, Purpose::test, 0, trial);
    std::string bytes = good;
    for (std::uint32_t change = draws.below(3) + 1; change > 0; --change) {
      bytes[draws.below(static_cast<std::uint32_t>(bytes.size()))] = static_cast<char>(draws.below(256));
    }
    if (draws.below(4) == 0) bytes.resize(draws.below(static_cast<std::uint32_t>(bytes.size())));
    write_plainly(path, bytes);
    try {
      const NpyArray array(path);
      EXPECT_EQ(std::ssize(array.numbers()), array.size());
    } catch (const UserError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(Npy, AnUnfinishedFileLeavesNothing) {
  TemporaryFolder folder;
  const std::vector<std::uint8_t> row(3);
  {
    NpyWriter writer(folder / "a.npy", NpyType::u1, {2, 3});
    writer.append(std::as_bytes(std::span(row)));
    EXPECT_THROW(writer.commit(), std::logic_error);
  }
  EXPECT_EQ(folder.count(), 0);
  NpyWriter writer(folder / "a.npy", NpyType::u1, {1, 3});
  writer.append(std::as_bytes(std::span(row)));
  EXPECT_THROW(writer.append(std::as_bytes(std::span(row))), std::logic_error);
  EXPECT_FALSE(std::filesystem::exists(folder / "a.npy"));
  writer.commit();
  EXPECT_EQ(NpyArray(folder / "a.npy").shape(), (NpyShape{1, 3}));
}

}  // namespace
}  // namespace dis
