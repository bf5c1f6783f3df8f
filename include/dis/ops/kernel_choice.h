// Which kernels the operations run: our own or LibTorch's, one by one (compute.fused), and attention's on a GPU
// (compute.attention).
//
// Like LibTorch's number of threads a setting of the whole process: it is made once, before the first operation.
#pragma once

namespace dis {

void use_own_kernels(bool own);
bool own_kernels();

/// For bfloat16 on a GPU; everything else has one way.
enum class AttentionKernel {
  automatic,  ///< cuDNN on compute capability 9.0 and above unless results must repeat bit for bit, else flash
  flash,      ///< LibTorch's FlashAttention
  cudnn,      ///< cuDNN's; its backward pass does not repeat bit for bit
  composed    ///< products and soft-max; holds S x S scores
};
void use_attention(AttentionKernel kernel);
AttentionKernel attention_kernel();

}  // namespace dis
