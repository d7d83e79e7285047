// Colour conversions, and the mathematics below them.
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "alphacut/color.hpp"
#include "check.hpp"
#include "dispatch.hpp"
#include "math.hpp"
#include "planes.hpp"

using namespace alphacut;

namespace {

bool near(double a, double b, double relative) { return std::fabs(a - b) <= relative * std::fabs(b); }

void mathematics() {
  for (double x = -700; x < 700; x += 0.37) CHECK(near(exp_exact(x), std::exp(x), 1e-14));
  for (double x = 1e-9; x < 1e9; x *= 1.07) {
    CHECK(std::fabs(log_exact(x) - std::log(x)) <= 1e-14 * std::fmax(1.0, std::fabs(std::log(x))));
    CHECK(near(cbrt_exact(x), std::cbrt(x), 1e-13));
    CHECK(cbrt_exact(-x) == -cbrt_exact(x));
  }
  CHECK(std::isnan(exp_exact(std::numeric_limits<double>::quiet_NaN())));
  CHECK(exp_exact(1000) == std::numeric_limits<double>::infinity() && exp_exact(-1000) == 0);
  CHECK(pow_exact(0, 2.4) == 0 && pow_exact(0, 0) == 1 && cbrt_exact(0) == 0);
}

void transfer() {
  CHECK(srgb_to_linear(0) == 0 && near(srgb_to_linear(1), 1, 1e-13));
  for (int i = 0; i <= 1000; ++i) CHECK(std::fabs(linear_to_srgb(srgb_to_linear(i / 1000.0)) - i / 1000.0) < 1e-7);
}

void lab_of_known_colours() {
  const double rgb[4][3] = {{0, 0, 0}, {1, 1, 1}, {1, 0, 0}, {0, 0, 1}};
  const double expected[4][3] = {{0, 0, 0}, {100, 0, 0}, {53.24, 80.09, 67.20}, {32.30, 79.19, -107.86}};
  for (int i = 0; i < 4; ++i) {
    double lab[3];
    to_lab(rgb[i], lab);
    for (int c = 0; c < 3; ++c) CHECK(std::fabs(lab[c] - expected[i][c]) < 0.02);
  }
}

// Every instruction set converts rows as linear_to_lab and cbrt_exact do one colour, to the bit.
void lab_of_pictures() {
  Image<uint8_t> image(1, 4099, 3);
  Image<float> lab(1, image.width(), 3), planes(3, image.width());
  for (const std::string& isa : available_isas()) {
    set_isa(isa);
    for (uint32_t first = 0; first < 1 << 24; first += 4099 * 61) {
      for (int64_t x = 0; x < image.width(); ++x)
        for (int64_t c = 0; c < 3; ++c)
          image.data()[3 * x + c] = static_cast<uint8_t>((first + 61 * static_cast<uint32_t>(x)) >> (8 * c));
      to_lab(image.view(), lab.view());
      to_lab_planes(image.data(), image.width(), 3, planes.data(), image.width());
      int64_t differing = 0;
      for (int64_t x = 0; x < image.width(); ++x) {
        double rgb[3], expected[3];
        for (int64_t c = 0; c < 3; ++c) rgb[c] = image.data()[3 * x + c] / 255.0;
        to_lab(rgb, expected);
        for (int64_t c = 0; c < 3; ++c)
          differing += lab.data()[3 * x + c] != static_cast<float>(expected[c]) ||
                       planes.row(c)[x] != static_cast<float>(expected[c]);
      }
      CHECK(differing == 0);
    }
  }
}

void gray_of_pictures() {
  const int64_t height = 3, width = 37;
  Image<uint8_t> image(height, width, 3), gray(height, width);
  for (int64_t i = 0; i < 3 * image.pixels(); ++i) image.data()[i] = static_cast<uint8_t>(i * 7);
  to_gray(image.view(), gray.view());
  for (int64_t i = 0; i < image.pixels(); ++i) {
    const uint8_t* p = image.data() + 3 * i;
    CHECK(std::fabs(gray.data()[i] - (0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2])) < 0.52);
  }
  Image<uint8_t> small(height, width - 1);
  CHECK_THROWS(std::invalid_argument, to_gray(image.view(), small.view()));
}

void ranges() {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  for (int64_t width : {1, 15, 16, 17, 100}) {
    Image<float> image(2, width);
    for (int64_t i = 0; i < image.pixels(); ++i) image.data()[i] = static_cast<float>(i % 2);
    require_range(image.view(), 0, 1, "image");
    for (float bad : {nan, inf, -inf, -0.001f, 1.001f}) {
      image.data()[image.pixels() - 1] = bad;
      CHECK_THROWS(std::invalid_argument, require_range(image.view(), 0, 1, "image"));
    }
  }
}

}  // namespace

int main() {
  mathematics();
  transfer();
  lab_of_known_colours();
  lab_of_pictures();
  gray_of_pictures();
  ranges();
  const int64_t huge = std::numeric_limits<int64_t>::max() / 2;
  CHECK_THROWS(std::invalid_argument, Image<float>(huge, 3));
  CHECK_THROWS(std::invalid_argument, Image<float>(-1, 3));
  return check::result();
}
