// Replays a request trace on Ramulator 2.1, one attempt a clock in order, for so many clocks.
//
// Built outside the repository, against Ramulator's sources (commit c5b1c3a4):
//   g++ -O3 -std=c++20 -I ramulator2/src ramulator2_driver.cpp -L ramulator2 -lramulator \
//       -Wl,-rpath,ramulator2 -o ramulator2_driver
// Run as: ramulator2_driver CONFIG.yaml TRACE CLOCKS. A line of TRACE is
// `0xADDRESS READ|WRITE CYCLE`; a request is one transaction of 64 bytes.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "ramulator/base/config.h"
#include "ramulator/base/factory.h"
#include "ramulator/frontend/i_frontend.h"
#include "ramulator/memory_system/i_memory_system.h"

struct Sent {
  int64_t address, clock;
  bool is_write;
};

static std::vector<Sent> read_trace(const char* path) {
  std::vector<Sent> requests;
  FILE* file = std::fopen(path, "r");
  if (!file) std::exit(2);
  unsigned long long address;
  long long clock;
  char word[16];
  while (std::fscanf(file, "%llx %15s %lld", &address, word, &clock) == 3) {
    requests.push_back({(int64_t)address, clock, word[0] == 'W'});
  }
  std::fclose(file);
  return requests;
}

int main(int n_arguments, char** arguments) {
  if (n_arguments != 4) return 2;
  const auto config = Ramulator::Config::parse_config_file(arguments[1]);
  const auto requests = read_trace(arguments[2]);
  const long long clocks = std::atoll(arguments[3]);
  std::unique_ptr<Ramulator::IFrontEnd> front(Ramulator::Factory::create_frontend(config));
  std::unique_ptr<Ramulator::IMemorySystem> memory(
      Ramulator::Factory::create_memory_system(config));
  front->connect_memory_system(memory.get());
  memory->connect_frontend(front.get());
  size_t next = 0, returned = 0;
  for (long long t = 0; t < clocks; ++t) {
    memory->tick();
    if (next < requests.size() && requests[next].clock <= t) {
      const Sent& one = requests[next];
      const bool accepted = front->receive_external_requests(
          one.is_write, one.address, 0, [&](Ramulator::Request&) { ++returned; }, 64);
      next += accepted;
    }
  }
  std::printf("%zu %zu\n", next, returned);
  return 0;
}
