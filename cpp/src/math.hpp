// exp, log, pow and cbrt in plain double arithmetic: the C library's differ between machines, these give the same bytes
// everywhere. Relative error below 1e-14.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace alphacut {

inline double exp_exact(double x) {
  if (x > 709.0) return std::numeric_limits<double>::infinity();
  if (!(x > -708.0)) return x != x ? x : 0.0;
  const double n = std::floor(x * 1.4426950408889634 + 0.5);
  const double r = (x - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
  double sum = 1.0;  // Taylor's series by Horner; |r| <= 0.35
  for (int k = 13; k >= 1; --k) sum = 1.0 + sum * r / k;
  return sum * std::bit_cast<double>((static_cast<uint64_t>(static_cast<int64_t>(n) + 1023)) << 52);
}

// e^x for x from -80 to 0, in float: relative error below 1e-5.
inline float exp_quick(float x) {
  const auto n = static_cast<int32_t>(x * 1.44269504f - 0.5f);
  const float r = x - static_cast<float>(n) * 0.693147181f;
  const float sum = 1 + r * (1 + r * (0.5f + r * (1.0f / 6 + r * (1.0f / 24 + r * (1.0f / 120)))));
  return sum * std::bit_cast<float>(static_cast<uint32_t>(n + 127) << 23);
}

// Natural logarithm of a normal number; -infinity for anything <= 0.
inline double log_exact(double x) {
  if (!(x > 0)) return x != x ? x : -std::numeric_limits<double>::infinity();
  const uint64_t bits = std::bit_cast<uint64_t>(x);
  int64_t exponent = static_cast<int64_t>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0xfffffffffffffULL) | (uint64_t{1023} << 52));
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++exponent;
  }
  const double s = (m - 1) / (m + 1), q = s * s;
  double sum = 1.0 / 21;
  for (int k = 19; k >= 1; k -= 2) sum = 1.0 / k + q * sum;
  return exponent * 0.693147180559945309417 + 2 * s * sum;
}

// x ^ y for x >= 0.
inline double pow_exact(double x, double y) { return x == 0 ? (y == 0 ? 1.0 : 0.0) : exp_exact(y * log_exact(x)); }

// Cube root: a guess from a third of the exponent, then Halley's iteration (each triples the right digits).
inline double cbrt_exact(double x) {
  if (x <= 0) return x == 0 ? 0.0 : -cbrt_exact(-x);
  double y = std::bit_cast<double>(std::bit_cast<uint64_t>(x) / 3 + 0x2a9f7893782da1ceULL);
  for (int k = 0; k < 3; ++k) {
    const double cube = y * y * y;
    y *= (cube + 2 * x) / (2 * cube + x);
  }
  return y;
}

// Arc tangent: halved twice, then its series.
inline double atan_exact(double x) {
  if (std::fabs(x) > 1) return std::copysign(1.5707963267948966, x) - atan_exact(1 / x);
  for (int k = 0; k < 2; ++k) x /= 1 + std::sqrt(1 + x * x);
  const double q = x * x;
  double sum = 1.0 / 25;
  for (int k = 23; k >= 1; k -= 2) sum = 1.0 / k - q * sum;
  return 4 * x * sum;
}

}  // namespace alphacut
