#include <cstdlib>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "group.h"

namespace dis {
namespace {

/// The interface that the other ranks can reach: the one that GLOO_SOCKET_IFNAME names, the loopback when all ranks are
/// here, else that of this machine's name.
std::shared_ptr<::gloo::transport::Device> device_of(const Place& place) {
  if (const char* name = std::getenv("GLOO_SOCKET_IFNAME"); name != nullptr && *name != '\0') {
    return c10d::ProcessGroupGloo::createDeviceForInterface(name);
  }
  if (place.address == "127.0.0.1" || place.address == "localhost") {
    return c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1");
  }
  return c10d::ProcessGroupGloo::createDefaultDevice();
}

}  // namespace

GroupPointer gloo_group(const StorePointer& store, const Place& place, std::chrono::milliseconds timeout) {
  const auto options = c10d::ProcessGroupGloo::Options::create(timeout);
  options->devices.push_back(device_of(place));
  options->threads = 1;  // one operation at a time
  return c10::make_intrusive<c10d::ProcessGroupGloo>(store, place.rank, place.size, options);
}

}  // namespace dis
