// Files of torch.save: what Python wrote is read bit for bit, what is written reads back, and what is wrong is refused.
// The files come from tests/tools/torch_state_dict.py.
#include "dis/model/torch_file.h"

#include <caffe2/serialize/inline_container.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <random>

#include "core/temporary_folder.h"
#include "core/user_error.h"
#include "dis/core/files.h"
#include "dis/model/published_weights.h"
#include "dis/model/state_dict.h"

namespace dis {
namespace {

namespace fs = std::filesystem;

const fs::path kFiles = fs::path(DIS_SOURCE_DIR) / "tests/data/torch_files";

/// That of torch_state_dict.py.
ModelShape python_shape() {
  ModelShape shape;
  shape.config.hidden_size = 4;
  shape.config.num_layers = 1;
  shape.config.num_heads = 1;
  shape.config.puzzle_emb_len = 1;
  shape.config.puzzle_emb_ndim = 4;
  shape.vocabulary = shape.answers = 3;
  shape.length = 4;
  shape.identifiers = 3;
  shape.supervision = 2;
  return shape;
}

/// Index into SHAPES of torch_state_dict.py, which stands in the order of the table.
at::Tensor expected_values(std::size_t k, const WeightSpec& spec) {
  const bool is_state = spec.name.ends_with("_init");
  auto numbers = at::arange(c10::multiply_integers(spec.shape), at::kFloat).view(spec.shape);
  return static_cast<double>(k) + numbers / (is_state ? 2.0 : 1024.0);
}

NamedTensors import_file(const fs::path& file) {
  return from_published(read_torch_file(file), weight_table(python_shape()), "'" + file.string() + "'").weights;
}

std::string bytes_of(const at::Tensor& tensor) {
  const auto whole = tensor.contiguous();
  return {static_cast<const char*>(whole.data_ptr()), whole.nbytes()};
}

void expect_same(const NamedTensors& found, const NamedTensors& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].first, expected[i].first);
    EXPECT_EQ(found[i].second.scalar_type(), expected[i].second.scalar_type()) << found[i].first;
    EXPECT_EQ(found[i].second.sizes(), expected[i].second.sizes()) << found[i].first;
    EXPECT_EQ(bytes_of(found[i].second), bytes_of(expected[i].second)) << found[i].first;
  }
}

const at::Tensor& named(const NamedTensors& tensors, const std::string& name) {
  for (const auto& [other, tensor] : tensors) {
    if (other == name) return tensor;
  }
  throw std::logic_error("no tensor " + name);
}

void expect_parts(const std::string& message, const std::vector<std::string>& parts) {
  for (const auto& part : parts) EXPECT_TRUE(contains(message, part)) << "expected " << part << " in: " << message;
}

/// A zip file like torch.save's, of these records.
void write_archive(const fs::path& file, const std::vector<std::pair<std::string, std::string>>& records) {
  std::ofstream out(file, std::ios::binary);
  caffe2::serialize::PyTorchStreamWriter writer([&](const void* data, std::size_t size) {
    out.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
    return size;
  });
  for (const auto& [name, bytes] : records) writer.writeRecord(name, bytes.data(), bytes.size());
  writer.writeEndOfFile();
}

/// The pickle of {"a": tensor} with a storage of `count` float32 numbers; sizes and strides as pickled.
std::string one_tensor(const std::string& count, const std::string& offset, const std::string& sizes,
                       const std::string& strides) {
  using namespace std::string_literals;
  return "\x80\x02}X\x01\0\0\0actorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n"s +
         "X\x01\0\0\0"s + "0X\x03\0\0\0"s + "cpu" + count + "tQ" + offset + sizes + strides +
         "\x89"
         "ccollections\nOrderedDict\n)RtRs.";
}

TEST(TorchFile, ReadsAStateDictOfPython) {
  const auto table = weight_table(python_shape());
  const auto weights = import_file(kFiles / "plain.pt");
  ASSERT_EQ(weights.size(), table.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    EXPECT_EQ(weights[i].first, table[i].name);
    EXPECT_EQ(weights[i].second.scalar_type(), at::kFloat);
    EXPECT_TRUE(weights[i].second.equal(expected_values(i, table[i]))) << table[i].name;
  }
}

TEST(TorchFile, ReadsThePrefixOfCompiledNetworksAndNarrowInitialStates) {
  const auto state = read_torch_file(kFiles / "compiled.pt");
  EXPECT_EQ(named(state, "_orig_mod.model.inner.H_init").scalar_type(), at::kBFloat16);
  expect_same(import_file(kFiles / "compiled.pt"), import_file(kFiles / "plain.pt"));
}

TEST(TorchFile, ReadsNamesWithoutAnyPrefix) {
  NamedTensors bare;
  for (const auto& [name, tensor] : import_file(kFiles / "plain.pt")) {
    bare.emplace_back(name.substr(std::string("model.inner.").size()), tensor);
  }
  expect_same(from_published(bare, weight_table(python_shape()), "here").weights, import_file(kFiles / "plain.pt"));
}

TEST(TorchFile, FindsTheNetworkBehindAnyPrefix) {
  const auto plain = import_file(kFiles / "plain.pt");
  const auto table = weight_table(python_shape());
  for (const std::string prefix :
       {"module.", "module._orig_mod.", "module._orig_mod.model.inner.", "model.", "state_dict.", "ema.model.inner.",
        "checkpoint.network.module.model.inner.", "_orig_mod.module.wrapped.model.inner."}) {
    NamedTensors state;
    for (const auto& [name, tensor] : to_published(plain, prefix, at::kFloat)) state.emplace_back(name, tensor);
    const auto found = from_published(state, table, "here");
    expect_same(found.weights, plain);
    EXPECT_EQ(found.recognised, "names behind '" + prefix + "'");
  }
  // A wrapper inside the names: one level compiled alone.
  NamedTensors inside;
  for (auto [name, tensor] : plain) {
    if (const auto place = name.find("L_level."); place != std::string::npos) name.insert(place + 8, "_orig_mod.");
    inside.emplace_back(name, tensor);
  }
  expect_same(from_published(inside, table, "here").weights, plain);
}

TEST(TorchFile, OfSeveralNetworksTheMovingAverageIsTaken) {
  const auto plain = import_file(kFiles / "plain.pt");
  const auto table = weight_table(python_shape());
  const auto add = [&](NamedTensors& state, const std::string& prefix, double shift) {
    for (const auto& [name, tensor] : to_published(plain, prefix, at::kFloat)) state.emplace_back(name, tensor + shift);
  };
  NamedTensors state;
  add(state, "model._orig_mod.model.inner.", 1.0);
  add(state, "ema.shadow.model.inner.", 0.0);
  add(state, "optimizer.exp_avg.", 2.0);
  state.emplace_back("optimizer.state.0.step", at::zeros({1}));
  const auto found = from_published(state, table, "here");
  expect_same(found.weights, plain);
  EXPECT_TRUE(found.recognised.starts_with("names behind 'ema.shadow.model.inner.'; left aside: "));
  for (const char* part : {"'model' (", "'optimizer.exp_avg' (", "'optimizer' (1 tensor)"}) {
    EXPECT_TRUE(contains(found.recognised, part)) << found.recognised;
  }
  // Without it, the one that has no prefix of its own; and never a guess.
  NamedTensors two;
  add(two, "model.", 0.0);
  add(two, "optimizer.exp_avg.", 1.0);
  expect_same(from_published(two, table, "here").weights, plain);
  NamedTensors unclear;
  add(unclear, "a.", 0.0);
  add(unclear, "b.", 1.0);
  expect_parts(user_error_of([&] { from_published(unclear, table, "here"); }),
               {"here: expected one network, found 2 ('a', 'b')"});
  // What lies where the network does must belong to it.
  state.emplace_back("ema.shadow.model.inner.L_level.layers.7.x", at::zeros({1}));
  expect_parts(user_error_of([&] { from_published(state, table, "here"); }),
               {"names behind 'ema.shadow.", "unexpected (1): 'ema.shadow.model.inner.L_level.layers.7.x'"});
}

TEST(TorchFile, ReadsTheTensorsOfDictionariesInsideOneAnother) {
  using namespace std::string_literals;
  const auto nested = read_torch_file(kFiles / "nested.pt");  // {"model": {"a": tensor}, "epoch": 3}
  ASSERT_EQ(nested.size(), 1U);
  EXPECT_EQ(nested[0].first, "model.a");
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& pickle) {
    write_archive(folder / "file", {{"data.pkl", pickle}});
    return user_error_of([&] { read_torch_file(folder / "file"); });
  };
  // In itself, once and a hundred times; without any tensor; with a name that grows without bounds.
  expect_parts(refusal("\x80\x02}q\x01X\x01\0\0\0ah\x01s."s), {"inside one another without an end"});
  std::string often = "\x80\x02}q\x01("s;
  for (char c = 0; c < 100; ++c) often += "X\x01\0\0\0"s + c + "h\x01"s;
  expect_parts(refusal(often + "u."), {"inside one another without an end"});
  expect_parts(refusal("\x80\x02}X\x01\0\0\0aK\x03s."s), {"expected tensors, found none: entry 'a' is an integer"});
  expect_parts(refusal("\x80\x02}q\x01X\0\x20\0\0"s + std::string(0x2000, 'a') + "h\x01s."),
               {"found a text of 16385 bytes"});
}

TEST(TorchFile, SafetensorsAndTorchFilesAreToldApartByTheirBytes) {
  const TemporaryFolder folder;
  const NamedTensors tensors = {{"ema.a", at::arange(3, at::kFloat)}};
  write_torch_file(folder / "file.safetensors", tensors);
  write_tensors(folder / "file.pt", tensors);
  expect_same(read_state_dict(folder / "file.safetensors"), tensors);
  expect_same(read_state_dict(folder / "file.pt"), tensors);
  write_atomically(folder / "pointer", std::string_view("version https://git-lfs.github.com/spec/v1\noid sha256:00\n"));
  for (const auto& read : {read_state_dict, read_torch_file, read_tensors}) {
    expect_parts(user_error_of([&] { read(folder / "pointer"); }), {"pointer", "Git LFS pointer", "git lfs pull"});
  }
}

TEST(TorchFile, ReadsEveryLayoutAndType) {
  for (const char* file : {"layouts.pt", "layouts_protocol_4.pt"}) {
    const auto base = at::arange(12, at::kFloat);
    const NamedTensors expected = {{"transposed", base.view({3, 4}).t()},
                                   {"tail", base.slice(0, 8)},
                                   {"every_third", base.slice(0, 1, 12, 3)},
                                   {"all", base},
                                   {"repeated", at::full({2, 3}, 2.5, at::kFloat)},
                                   {"scalar", at::full({}, -0.5, at::kFloat)},
                                   {"empty", at::zeros({0, 4})},
                                   {"parameter", torch::tensor(std::vector<float>{1.0f, 2.0f})},
                                   {"half", torch::tensor(std::vector<float>{1.5f, -2.0f}).to(at::kHalf)},
                                   {"double", at::full({1}, 0.1, at::kDouble)},
                                   {"long", at::full({1}, std::int64_t{1} << 40, at::kLong)}};
    const auto found = read_torch_file(kFiles / file);
    expect_same(found, expected);
    EXPECT_TRUE(named(found, "tail").is_alias_of(named(found, "all"))) << "storages are shared as in the file";
  }
}

TEST(TorchFile, AnythingButTensorsIsRefusedAndNotRun) {
  const auto message = user_error_of([] { read_torch_file(kFiles / "malicious.pt"); });
  expect_parts(message, {"malicious.pt", "refused", "posix.system"});
  EXPECT_FALSE(fs::exists("dis_torch_file_was_run"));
}

TEST(TorchFile, NamesTheGlobalInWhicheverWayItIsAskedFor) {
  using namespace std::string_literals;
  const TemporaryFolder folder;
  for (const auto& pickle :
       {"\x80\x02"
        "cos\nsystem\nX\x02\0\0\0ls\x85R."s,
        "\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02ls\x85R."s, "(X\x02\0\0\0lsios\nsystem\n."s}) {
    write_archive(folder / "file", {{"data.pkl", pickle}});
    expect_parts(user_error_of([&] { read_torch_file(folder / "file"); }), {"refused", "os.system"});
  }
  write_archive(folder / "file", {{"data.pkl",
                                   "\x80\x02"
                                   "ctorch.storage\n_load_from_bytes\n."}});
  expect_parts(user_error_of([&] { read_torch_file(folder / "file"); }), {"torch.storage._load_from_bytes"});
}

TEST(TorchFile, ListsAllMistakes) {
  expect_parts(user_error_of([] { import_file(kFiles / "wrong_shape.pt"); }),
               {"wrong shape (2)", "'lm_head.weight' should be F32 [3, 4], found F32 [4, 3]",
                "'puzzle_emb.weights' should be F32 [3, 4], found F32 [5, 4]", "--identifiers"});
  expect_parts(user_error_of([] { import_file(kFiles / "missing.pt"); }),
               {"missing (2)", "'q_head.bias' F32 [2]", "'timestep_embed.embedding_weight' F32 [4, 4]", "method.time"});
  expect_parts(
      user_error_of([] { import_file(kFiles / "unexpected.pt"); }),
      {"unexpected (1)", "'model.inner.L_level.layers.1.self_attn.o_proj.weight' F32 [4, 4]", "model.num_layers"});

  auto state = read_torch_file(kFiles / "plain.pt");
  for (auto& [name, tensor] : state) {
    if (name == "model.inner.H_init") name = "model.inner.H_level.layers.0.x";
    if (name == "model.inner.lm_head.weight") tensor = tensor.t();
    if (name == "model.inner.q_head.bias") tensor = tensor.to(at::kInt);
  }
  state.emplace_back("_orig_mod.model.inner.L_init", at::zeros({4}));
  expect_parts(user_error_of([&] { from_published(state, weight_table(python_shape()), "here"); }),
               {"here: ", "missing (1): 'H_init' F32 [4]", "unexpected (1)", "wrong shape (1)", "wrong type (1)",
                "there twice (1)", "only an HRM"});
}

TEST(TorchFile, RefusesWhatIsNoStateDict) {
  const auto refusal = [](const char* file) { return user_error_of([&] { read_torch_file(kFiles / file); }); };
  expect_parts(refusal("truncated.pt"), {"truncated.pt", "truncated or damaged"});
  expect_parts(refusal("compressed.pt"), {"compressed.pt", "unpack to more than"});
  expect_parts(refusal("legacy.pt"), {"legacy.pt", "bare pickle", "before 1.6"});
  expect_parts(refusal("list.pt"), {"list.pt", "found a list"});
  expect_parts(refusal("absent.pt"), {"absent.pt", "no such file"});
  expect_parts(user_error_of([] { read_torch_file(kFiles); }), {"not a regular file"});

  const TemporaryFolder folder;
  std::ofstream(folder / "empty").close();
  expect_parts(user_error_of([&] { read_torch_file(folder / "empty"); }), {"an empty file"});
  write_tensors(folder / "other", {{"a", at::zeros({3})}});
  expect_parts(user_error_of([&] { read_torch_file(folder / "other"); }), {"a safetensors file"});
  write_archive(folder / "zip", {{"a", "b"}});
  expect_parts(user_error_of([&] { read_torch_file(folder / "zip"); }), {"without the record data.pkl"});
  write_archive(folder / "zip", {{"data.pkl", "\x80\x02}."}, {"byteorder", "big"}});
  expect_parts(user_error_of([&] { read_torch_file(folder / "zip"); }), {"byte order"});
}

TEST(TorchFile, EveryTruncationIsRefused) {
  const TemporaryFolder folder;
  const auto whole = read_text(kFiles / "layouts.pt");
  for (std::size_t size = 0; size < whole.size(); size += 97) {
    write_atomically(folder / "file", std::string_view(whole).substr(0, size));
    EXPECT_TRUE(contains(user_error_of([&] { read_torch_file(folder / "file"); }), "expected")) << size;
  }
}

TEST(TorchFile, RefusesTensorsThatLeaveTheirStorage) {
  using namespace std::string_literals;
  const TemporaryFolder folder;
  const std::string numbers(16, '\0');  // 4 of them
  const auto read = [&](const std::string& pickle) {
    write_archive(folder / "file", {{"data.pkl", pickle}, {"data/0", numbers}});
    return read_torch_file(folder / "file");
  };
  const auto four = "K\x04"s, zero = "K\0"s, one = "K\x01"s, large = "J\xff\xff\xff\x7f"s, minus = "J\xff\xff\xff\xff"s,
             huge = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"s;
  EXPECT_EQ(read(one_tensor(four, zero, four + "\x85", one + "\x85")).at(0).second.numel(), 4);
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {one_tensor(four, one, four + "\x85", one + "\x85"), "beyond the end"},
      {one_tensor(four, zero, four + "\x85", four + "\x85"), "beyond the end"},
      {one_tensor(four, huge, one + "\x85", one + "\x85"), "beyond the end"},
      {one_tensor(four, zero, four + "\x85", huge + "\x85"), "beyond the end"},
      {one_tensor(four, zero, huge + huge + "\x86", zero + zero + "\x86"), "beyond the end"},
      {one_tensor(four, zero, minus + "\x85", one + "\x85"), "no valid sizes"},
      {one_tensor(four, zero, four + "\x85", minus + "\x85"), "no valid strides"},
      {one_tensor(four, minus, four + "\x85", one + "\x85"), "no valid offset"},
      {one_tensor(four, zero, four + "\x85", one + one + "\x86"), "not as many strides"},
      {one_tensor(large, zero, four + "\x85", one + "\x85"), "its record 'data/0' has 16 bytes"},
      {one_tensor(huge, zero, four + "\x85", one + "\x85"), "its record 'data/0' has 16 bytes"},
      {one_tensor(minus, zero, four + "\x85", one + "\x85"), "its record 'data/0' has 16 bytes"}};
  for (const auto& [pickle, reason] : wrong) {
    expect_parts(user_error_of([&] { read(pickle); }), {"entry 'a'", reason});
  }
  // A huge tensor over few numbers costs nothing until its shape was compared.
  const auto vast = read(one_tensor(four, zero, huge + "\x85", zero + "\x85"));
  EXPECT_EQ(vast.at(0).second.numel(), std::numeric_limits<std::int64_t>::max());
  expect_parts(user_error_of([&] { from_published(vast, weight_table(python_shape()), "here"); }), {"unexpected (1)"});
}

TEST(TorchFile, DamagedPicklesAreRefusedOrReadNeverWorse) {
  using namespace std::string_literals;
  const TemporaryFolder folder;
  for (const auto& pickle : {""s, "."s, "\x80\x02"s, "\x80\x09."s, "\x80\x02t."s, "\x80\x02}(u0."s, "\x80\x02h\x07."s,
                             "\x80\x02]]R."s, "\x80\x02}q\x01h\x01h\x01s."s, "\x80\x02X\xff\xff\xff\xff."s, "\xff"s,
                             "\x80\x02\x8a\xff."s, "\x80\x02"s + std::string(1 << 20, '(') + "."s,
                             "\x80\x02)"s + std::string(1 << 20, '\x85') + "."s, std::string(5 << 20, 'N')}) {
    write_archive(folder / "file", {{"data.pkl", pickle}});
    EXPECT_TRUE(contains(user_error_of([&] { read_torch_file(folder / "file"); }), "file")) << pickle.substr(0, 20);
  }

  // Random changes of a good pickle, with their storages in place. Numbers are touched, so that sanitizers see.
  NamedTensors tensors;
  for (const auto& [name, tensor] : read_torch_file(kFiles / "layouts.pt")) {
    if (tensor.is_floating_point()) tensors.emplace_back(name, tensor);
  }
  write_torch_file(folder / "good", tensors);
  caffe2::serialize::PyTorchStreamReader good((folder / "good").string());
  const auto record = [&](const std::string& name) {
    const auto [data, size] = good.getRecord(name);
    return std::string(static_cast<const char*>(data.get()), size);
  };
  const auto pickle = record("data.pkl");
  std::mt19937 random(1);
  int refused = 0;
  for (int trial = 0; trial < 1500; ++trial) {
    auto changed = pickle;
    for (int i = 0; i < 1 + trial % 3; ++i) changed[random() % changed.size()] = static_cast<char>(random());
    std::vector<std::pair<std::string, std::string>> records = {{"data.pkl", changed}};
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const auto name = "data/" + std::to_string(i);
      records.emplace_back(name, tensors[i].second.numel() == 0 ? "" : record(name));
    }
    write_archive(folder / "file", records);
    try {
      for (const auto& [name, tensor] : read_torch_file(folder / "file")) {
        if (tensor.numel() < 1000) (void)bytes_of(tensor);
      }
    } catch (const UserError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 500);
  EXPECT_LT(refused, 1500) << "some changes, such as those of a name's letter, do no harm";
}

TEST(TorchFile, DamagedArchivesAreRefusedOrReadNeverWorse) {
  const TemporaryFolder folder;
  const auto whole = read_text(kFiles / "layouts.pt");
  std::mt19937 random(2);
  for (int trial = 0; trial < 500; ++trial) {
    auto changed = whole;
    // The directory of a zip file is its end.
    const auto range = trial % 2 == 0 ? changed.size() : std::size_t{1500};
    for (int i = 0; i < 2; ++i) changed[changed.size() - 1 - random() % range] = static_cast<char>(random());
    write_atomically(folder / "file", changed);
    try {
      for (const auto& [name, tensor] : read_torch_file(folder / "file")) {
        if (tensor.numel() < 1000) (void)bytes_of(tensor);
      }
    } catch (const UserError&) {
    }
  }
}

TEST(TorchFile, RoundTripIsExact) {
  const TemporaryFolder folder;
  auto strange = torch::tensor(std::vector<float>{-0.0f, 3e-42f, INFINITY, NAN, 1.0f, 2.0f}).view({2, 3});
  strange.data_ptr<float>()[3] = std::bit_cast<float>(0x7fc01234U);  // a NaN with a payload
  const NamedTensors tensors = {{"strange", strange},
                                {"transposed", at::arange(6, at::kFloat).view({2, 3}).t().contiguous()},
                                {"half", torch::tensor(std::vector<float>{1.5f}).to(at::kHalf)},
                                {"bfloat16", torch::tensor(std::vector<float>{1.5f}).to(at::kBFloat16)},
                                {"double", at::full({1}, 0.1, at::kDouble)},
                                {"scalar", at::full({}, 7.0, at::kFloat)},
                                {"empty", at::zeros({0, 4})},
                                {"n\xc3\xa4me", at::zeros({1})}};
  write_torch_file(folder / "file", tensors);
  expect_same(read_torch_file(folder / "file"), tensors);
  EXPECT_EQ(folder.count(), 1);
}

TEST(TorchFile, LibTorchReadsWhatIsWritten) {
  const TemporaryFolder folder;
  const auto written = to_published(import_file(kFiles / "plain.pt"), kPublishedPrefix, at::kBFloat16);
  write_torch_file(folder / "file", written);
  const auto bytes = read_text(folder / "file");
  const auto read = torch::pickle_load({bytes.begin(), bytes.end()}).toGenericDict();
  ASSERT_EQ(read.size(), written.size());
  for (const auto& [name, tensor] : written) {
    EXPECT_TRUE(contains(name, "_orig_mod.model.inner."));
    const auto found = read.at(name).toTensor();
    EXPECT_EQ(found.scalar_type(), name.ends_with("_init") ? at::kBFloat16 : at::kFloat) << name;
    EXPECT_TRUE(found.equal(tensor)) << name;
  }
}

TEST(TorchFile, ExportedWeightsImportBitForBit) {
  const TemporaryFolder folder;
  const Weights weights(python_shape(), 5, at::kCPU, at::kFloat);
  save_weights(folder / "model.safetensors", weights);
  const auto ours = read_tensors(folder / "model.safetensors");
  for (const char* prefix : {kPublishedPrefix, "model.inner.", ""}) {
    write_torch_file(folder / "step_5", to_published(ours, prefix, at::kFloat));
    const auto back = import_file(folder / "step_5");
    ASSERT_EQ(back.size(), ours.size());
    for (const auto& [name, tensor] : back) EXPECT_EQ(bytes_of(tensor), bytes_of(named(ours, name))) << name;
  }
  // Narrow initial states come back rounded, all else as it was.
  write_torch_file(folder / "step_5", to_published(ours, kPublishedPrefix, at::kBFloat16));
  for (const auto& [name, tensor] : import_file(folder / "step_5")) {
    const auto& old = named(ours, name);
    EXPECT_TRUE(tensor.equal(name.ends_with("_init") ? old.to(at::kBFloat16).to(at::kFloat) : old)) << name;
  }
}

TEST(TorchFile, AFailedWriteLeavesNothing) {
  const TemporaryFolder folder;
  expect_parts(user_error_of([&] {
                 write_torch_file(folder / "absent/file", {{"a", at::zeros({3})}});
               }),
               {"cannot write", "absent/file"});
  // A full device: the error is the file's, and the program lives on.
  if (fs::exists("/dev/full")) {
    EXPECT_TRUE(contains(user_error_of([&] { write_torch_file("/dev/full", {{"a", at::zeros({3})}}); }), "/dev/full"));
  }
  EXPECT_EQ(folder.count(), 0);
}

}  // namespace
}  // namespace dis
