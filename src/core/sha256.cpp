#include "dis/core/sha256.h"

#include <openssl/evp.h>

#include <array>

#include "dis/core/error.h"

namespace dis {
namespace {

void start(evp_md_ctx_st* context) {
  ensure(EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1, "Sha256", "OpenSSL to know SHA-256");
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  ensure(context_ != nullptr, "Sha256", "memory for OpenSSL's state");
  start(context_.get());
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::span<const std::byte> bytes) {
  ensure(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1, "Sha256::update", "OpenSSL to go on");
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
  unsigned size = 0;
  ensure(EVP_DigestFinal_ex(context_.get(), hash.data(), &size) == 1, "Sha256::hex", "OpenSSL to finish");
  start(context_.get());
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : std::span(hash).first(size)) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string sha256_hex(std::string_view text) {
  Sha256 hash;
  hash.update(text);
  return hash.hex();
}

}  // namespace dis
