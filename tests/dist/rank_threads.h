// Ranks as threads of one process.
#pragma once

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "dis/dist/ranks.h"

namespace dis {

/// A port that nobody listens at.
inline int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  socklen_t size = sizeof address;
  ::bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(socket);
  return ntohs(address.sin_port);
}

/// Runs f as each of `size` ranks; what a rank threw, or "".
inline std::vector<std::string> as_ranks(int size, const std::function<void(const std::shared_ptr<const Ranks>&)>& f,
                                         double timeout_s = 20.0) {
  // c10d's record of operations is one for the process and not made for ranks as threads: off.
  ::setenv("TORCH_FR_BUFFER_SIZE", "0", 1);
  const int port = free_port();
  std::vector<std::string> errors(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      // The store is there when the others come: c10d tries again only after a second.
      if (rank > 0) std::this_thread::sleep_for(std::chrono::milliseconds(30));
      try {
        at::set_num_threads(1);  // two OpenMP programs at once crawl
        DistConfig config;
        config.timeout_s = timeout_s;
        const Place place{rank, size, rank, size, "127.0.0.1", port};
        const auto ranks = std::make_shared<const Ranks>(place, config, at::kCPU);
        f(ranks);
        ranks->barrier();  // rank 0 holds the store
      } catch (const std::exception& error) {
        errors[static_cast<std::size_t>(rank)] = error.what();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  return errors;
}

inline void expect_no_errors(const std::vector<std::string>& errors) {
  for (const auto& error : errors) EXPECT_EQ(error, "");
}

}  // namespace dis
