// A zip file of torch.save; bytes that are none become the pickle of one, with a storage of 64 bytes. Then the network
// in it is looked for.
#include <ATen/ATen.h>
#include <caffe2/serialize/inline_container.h>

#include "dis/model/published_weights.h"
#include "dis/model/state_dict.h"
#include "dis/model/torch_file.h"
#include "fuzz/reader_check.h"

namespace {

std::string archive_of(std::string_view pickle) {
  std::string archive;
  caffe2::serialize::PyTorchStreamWriter writer([&](const void* data, std::size_t size) {
    archive.append(static_cast<const char*>(data), size);
    return size;
  });
  const std::string numbers(64, '\1');
  writer.writeRecord("data.pkl", pickle.data(), pickle.size());
  writer.writeRecord("data/0", numbers.data(), numbers.size());
  writer.writeEndOfFile();
  return archive;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto text = dis::text_of_bytes(bytes, size);
  const dis::FileOfBytes file(text.starts_with("PK") ? std::string(text) : archive_of(text));
  return dis::check_reader([&] {
    const auto state = dis::read_torch_file(file.path());
    for (const auto& [name, tensor] : state) {
      if (tensor.numel() < 1000) static_cast<void>(tensor.contiguous());
    }
    dis::ModelShape shape;
    shape.config.hidden_size = 4;
    shape.config.num_heads = 1;
    shape.config.puzzle_emb_ndim = 4;
    shape.vocabulary = shape.answers = 3;
    shape.length = 4;
    dis::from_published(state, dis::weight_table(shape), "f");
  });
}
