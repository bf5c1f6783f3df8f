// Whether the operations run our own kernels or are composed of LibTorch's, one by one (compute.fused).
//
// Like LibTorch's number of threads a setting of the whole process: it is made once, before the first operation.
#pragma once

namespace dis {

void use_own_kernels(bool own);
bool own_kernels();

}  // namespace dis
