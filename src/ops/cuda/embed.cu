#include "embed.cuh"

namespace dis::DIS_CUDA_NAMESPACE {

template <class T>
void launch_embed(const EmbedPointers& pointers, T* x, const EmbedShape& shape, float scale, Stream stream) {
  const std::int64_t rows = shape.lanes * (shape.puzzle_positions + shape.length);
  if (in_packs<T>(shape.width, x) && in_packs<float>(shape.width, pointers.table, pointers.time)) {
    launch(embed_kernel<T, kPack<T>>, rows, stream, pointers, x, shape, scale);
  } else {
    launch(embed_kernel<T, 1>, rows, stream, pointers, x, shape, scale);
  }
}

template <class T>
void launch_sum_by_key(const SumByKeyPointers<T>& pointers, const SumByKeyShape& shape, float scale, Stream stream) {
  const std::int64_t columns = (shape.width + kThreads - 1) / kThreads;
  const std::int64_t groups = (shape.keys + kKeysPerBlock - 1) / kKeysPerBlock;
  launch(sum_by_key_kernel<T>, columns * groups * kSumChunks, stream, pointers, shape);
  const std::int64_t count = shape.keys * shape.width;
  launch(sum_chunks_kernel, blocks_for(count), stream, pointers.partial, pointers.out, count, scale);
}

#define DIS_FOR_TYPE(T)                                                                   \
  template void launch_embed(const EmbedPointers&, T*, const EmbedShape&, float, Stream); \
  template void launch_sum_by_key(const SumByKeyPointers<T>&, const SumByKeyShape&, float, Stream);
DIS_FOR_TYPE(float)
DIS_FOR_TYPE(Bf16)
#undef DIS_FOR_TYPE

}  // namespace dis::DIS_CUDA_NAMESPACE
