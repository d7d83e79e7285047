// The tables of kernels: which there are, how one is chosen.
#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "check.hpp"
#include "dispatch.hpp"

using namespace alphacut;

int main() {
  const std::vector<std::string> names = available_isas();
  CHECK(!names.empty());
  CHECK(names.front() == "baseline" || names.front() == "neon");
  for (const std::string& name : names) {
    CHECK(std::count(names.begin(), names.end(), name) == 1);
    set_isa(name);
    CHECK(kernels().isa == name);
  }
  CHECK(kernels().isa == names.back());
  for (const char* wrong : {"", "sse9", "AVX2", "avx2 "}) CHECK_THROWS(std::invalid_argument, set_isa(wrong));
  CHECK(kernels().isa == names.back());
  return check::result();
}
